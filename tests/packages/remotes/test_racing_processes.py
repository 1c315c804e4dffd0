"""Processes that push at the same moment lose nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fewmask.packages.index import read_index
from fewmask.packages.install import install
from fewmask.packages.names import parse_name
from fewmask.packages.store import Store

from ..made import FILES, add_version, installed_files, is_sound
from .conftest import QUICK, Place, open_place

RACERS = 3


def race(place: Place, stores: list[Store], names: list[list[str]]) -> list[list[str]]:
    """Lets a process for each store push at the same moment; returns what each says."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("racer.py")), str(store.root),
             place.push_to, json.dumps(place.options), *pushed],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for store, pushed in zip(stores, names, strict=True)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start = f"{time.time() + 0.1}\n"
    said = [process.communicate(start, timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


@pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
def test_processes_that_push_the_same_version_then_one_of_their_own(
    place: Place, tmp_path: Path
) -> None:
    if place.root is not None:
        place.root.mkdir()
    stores = [Store(tmp_path / f"racer{number}") for number in range(RACERS)]
    contents = [{**FILES, "README.md": b"%d" % number} for number in range(RACERS)]
    names = [["rohan/chairs@1", f"rohan/chairs@{number + 2}"] for number in range(RACERS)]
    for store, files, own in zip(stores, contents, names, strict=True):
        for name in own:
            add_version(store, name, files)
    said = race(place, stores, names)

    first = [lines[0] for lines in said]
    assert first.count("pushed") == 1, said
    losers = [each for each in first if each != "pushed"]
    assert all("found one of this number with other content" in each for each in losers), said
    assert [lines[1:] for lines in said] == [["pushed"]] * RACERS

    index = read_index(open_place(place), QUICK)
    assert index is not None
    assert set(index) == {parse_name(f"rohan/chairs@{number}") for number in range(1, RACERS + 2)}
    yours = Store(tmp_path / "yours")
    winners = [contents[first.index("pushed")], *contents]
    for name, files in zip(sorted(index), winners, strict=True):
        installed = install(
            str(name), source=place.url, store=yours, patience=QUICK, options=place.options
        )
        assert installed_files(yours, installed.manifest) == files
    assert is_sound(yours)
