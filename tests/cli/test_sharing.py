"""The commands that carry datasets from one machine to another, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fewmask.cli.install import DEMO
from fewmask.cli.transfer import Transfer
from fewmask.data.imageio import encode_png
from fewmask.packages import load
from fewmask.packages.names import parse_name
from fewmask.packages.store import default_store

from ..packages.made import FILES, add_version, manifest_of
from .conftest import Fewmask, scene

NAME = "rohan/chairs"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for the store and the list of registries."""
    folder = tmp_path / "home"
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name: str(folder / name))
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda name: str(folder / name))
    return folder


def move_to_another_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves everything of the user behind."""
    for what in ("user_data_dir", "user_config_dir"):
        monkeypatch.setattr(platformdirs, what, lambda name: str(home / "other" / name))


def test_from_one_machine_to_another(
    fewmask: Fewmask, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registry"
    add_version(default_store(), NAME)
    told = fewmask("push", NAME, "--to", "./registry")
    assert told.out == (
        f"Pushed rohan/chairs@1 to {registry}: 49 bytes sent.\n"
        f"Others type: fewmask install rohan/chairs --from {registry}\n"
    )
    told = fewmask("push", NAME, "--to", "./registry")
    assert told.out.startswith(f"rohan/chairs@1 is in {registry} already, with the same content.\n")
    move_to_another_machine(home, monkeypatch)

    told = fewmask("registry", "add", "lab", "./registry")
    assert told.out.splitlines()[0] == f"Added lab: {registry}"
    for change in ("remove", "add"):
        words = ["lab"] if change == "remove" else ["lab", "./registry"]
        told = fewmask("registry", change, *words, "--json")
        assert json.loads(told.out) == {"name": "lab", "url": str(registry)}
    told = fewmask("install", NAME)
    assert told.out == (
        f"Installed rohan/chairs@1 from {registry}: 49 bytes fetched.\n"
        "Then: fewmask train rohan/chairs\n"
    )
    assert (tmp_path / "fewmask.lock").is_file()
    told = fewmask("install", NAME)
    assert told.out.splitlines()[0] == (
        f"rohan/chairs@1 is installed already, the newest in {registry}."
    )
    told = fewmask("install")
    assert told.out.splitlines()[0] == "rohan/chairs@1 is installed already."


def test_a_newer_version(fewmask: Fewmask, tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    add_version(default_store(), NAME)
    add_version(default_store(), f"{NAME}@2", {**FILES, "README.md": b"# Better\n"})
    told = fewmask("push", f"{NAME}@1", "--to", registry)
    told = fewmask("push", NAME, "--to", registry)
    assert told.out.splitlines()[0] == (
        f"Pushed rohan/chairs@2 to {registry}: 9 bytes sent, 40 bytes were there already."
    )
    default_store().remove_version(load.parse_name(f"{NAME}@2"))
    fewmask("install", f"{NAME}@1", "--offline")
    told = fewmask("install", NAME, "--from", registry)
    assert told.out.splitlines()[:2] == [
        f"Installed rohan/chairs@2 from {registry}: 9 bytes fetched, 40 bytes shared with what "
        "was here.",
        "fewmask.lock pinned rohan/chairs@1 before.",
    ]


def test_columns_that_could_be_the_masks_are_named(fewmask: Fewmask, tmp_path: Path) -> None:
    store, name = default_store(), parse_name("somebody/roads@1")
    rows = []
    for number in range(6):
        image, mask = scene(number)
        cells = {"image": image, "road": mask, "roof": mask[::-1].copy()}
        rows.append({key: {"bytes": encode_png(pixels)} for key, pixels in cells.items()})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    # As `hubdataset.manifest_of` makes it of a repository of the Hub.
    made = manifest_of(str(name), {"data/train.parquet": content})
    file = replace(made.files[0], rows=6)
    made = replace(made, files=(file,), parts={"train": 6}, made_from={"hub": "hf://somebody"})
    with store.lock():
        (store.root / "partial").mkdir(parents=True)
        (tmp_path / "a.parquet").rename(store.partial_path(file.sha256))
        store.adopt(store.partial_path(file.sha256), file.sha256)
        store.add_version(made.to_bytes())

    told = fewmask("install", "somebody/roads", "--offline")
    assert told.out.splitlines()[1:] == [
        "Its masks could be in image or road or roof: say which with --masks.",
        "Then: fewmask train somebody/roads --masks roof",
    ]
    told = fewmask("inspect", "somebody/roads")
    assert (told.code, told.error) == (
        2,
        "Error: somebody/roads@1: expected one column that can be the masks, found image, road, "
        "roof. Say which it is, for example: --masks roof",
    )
    told = fewmask("inspect", "somebody/roads", "--masks", "road")
    assert (told.code, told.out.splitlines()[-1]) == (
        0,
        "Then: fewmask train somebody/roads --masks road",
    )
    both = ("somebody/roads", "somebody/roads")
    assert fewmask("dataset", "diff", *both).code == 2
    told = fewmask("dataset", "diff", *both, "--masks", "road")
    assert (told.code, told.out.splitlines()[1]) == (0, "  nothing: their rows are equal")


def test_for_programs(fewmask: Fewmask, tmp_path: Path) -> None:
    add_version(default_store(), NAME)
    registry = str(tmp_path / "registry")
    assert json.loads(fewmask("push", NAME, "--to", registry, "--json").out) == {
        "dataset": "rohan/chairs@1",
        "registry": registry,
        "new": True,
        "sent": 49,
        "shared": 0,
        "note": "",
    }
    assert json.loads(fewmask("install", NAME, "--from", registry, "--json").out) == [
        {
            "dataset": "rohan/chairs@1",
            "registry": registry,
            "fetched": 0,
            "shared": 49,
            "replaced": None,
        }
    ]
    assert json.loads(fewmask("registry", "list", "--json").out) == []


def test_the_list_of_registries(fewmask: Fewmask, home: Path) -> None:
    assert fewmask("registry", "list").out == (
        "Your list is empty.\nAdd to it: fewmask registry add NAME URL\n"
    )
    fewmask("registry", "add", "web", "https://example.org/registry")
    told = fewmask("registry", "add", "lab", "/srv/registry")
    assert told.out == (
        f"Added lab: /srv/registry\nThe list is {home / 'fewmask' / 'registries.toml'}\n"
        "Then: fewmask install owner/name\n"
    )
    assert fewmask("registry", "list").out == (
        "web  https://example.org/registry\nlab  /srv/registry\n"
        f"The list is {home / 'fewmask' / 'registries.toml'}\n"
        "Then: fewmask install owner/name, or with --from lab\n"
    )
    assert fewmask("registry", "remove", "web").out == (
        "Removed web: https://example.org/registry\nSee what is left: fewmask registry list\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["install", "rohan"],
         "rohan: expected a name of the form owner/name or owner/name@3, found 'rohan'. Try for "
         "example: rohan/chairs-with-masks"),
        (["install", "rohan/chairs"],
         "fewmask install: expected a registry to install from, found none in your list. Add one: "
         "fewmask registry add NAME URL, or name it with --from."),
        (["install", "rohan/chairs", "--from", "lab"],
         "lab: expected a registry, found none of this name. Add it: fewmask registry add lab "
         "URL, or give its address; a folder here is ./lab"),
        (["install"],
         "fewmask.lock: expected a lock file that pins datasets, found no such file here. Name a "
         "dataset: fewmask install owner/name"),
        (["install", "--from", "lab"],
         "--from lab: expected the name of a dataset beside it, found none. Try: fewmask install "
         "owner/name --from lab"),
        (["push", "rohan/chairs", "--to", "./registry"],
         "rohan/chairs: expected an installed dataset, found none on this machine. Run: fewmask "
         "install rohan/chairs"),
        (["registry", "remove", "lab"],
         "lab: expected a registry, found none of this name. Add it: fewmask registry add lab "
         "URL, or give its address; a folder here is ./lab"),
        (["registry", "add", "lab", "htp://example.org"],
         "htp://example.org: expected a folder, or http(s)://, s3://, gs://, ssh:// or hf://, "
         "found htp://. Check the address for a slip."),
    ],
)  # fmt: skip
def test_slips(fewmask: Fewmask, tmp_path: Path, words: list[str], sentence: str) -> None:
    told = fewmask(*words)
    assert told.error == f"Error: {sentence}"
    assert (told.code, told.out) == (2, "")
    assert not (tmp_path / "fewmask.lock").exists()
    assert not (tmp_path / "registry").exists()


def test_the_demo_needs_no_registry(fewmask: Fewmask) -> None:
    assert load.DEMO == DEMO
    told = fewmask("install", "demo/chairs")
    assert (told.code, told.out.splitlines()[-1]) == (0, "Then: fewmask train demo/chairs")
    (facts,) = json.loads(fewmask("install", "demo/chairs", "--json").out)
    assert (facts["dataset"], facts["fetched"]) == ("demo/chairs", 0)
    told = fewmask("install", "demo/chairs@1")
    assert (told.code, told.error) == (
        2,
        "Error: demo/chairs@1: expected demo/chairs, the only dataset of the owner 'demo', who is "
        "fewmask itself, found another name or a version. Run: fewmask train demo/chairs",
    )


def test_names_of_damaged_files_are_legible_in_json(fewmask: Fewmask) -> None:
    manifest = add_version(default_store(), NAME, {"ghế.txt": b"four"})
    default_store().object_path(manifest.files[0].sha256).unlink()
    told = fewmask("dataset", "verify", "--json")
    assert (told.code, json.loads(told.out)["damaged"][0]["problem"]) == (2, "missing")
    assert '"path": "ghế.txt"' in told.out


def test_a_transfer_in_a_log_file_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Transfer("fetching rohan/chairs") as transfer:
        transfer(10_000_000, 100_000_000)
        transfer._began -= 4
        transfer._next_line = time.monotonic()
        transfer(30_000_000, 100_000_000)
        transfer(40_000_000, 100_000_000)
    line = capsys.readouterr().err
    assert line.startswith("Fetching rohan/chairs: 30.0 MB of 100.0 MB, ")
    assert line.endswith("MB/s, 14 s left\n")
    assert line.count("\n") == 1


def test_the_speed_of_each_of_several_transfers_is_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Transfer("fetching") as transfer:
        transfer(0, 100_000)
        transfer(100_000, 100_000)
        for total in (100_000, 20_000):
            transfer(50, total)
            transfer._began -= 4
            transfer._next_line = time.monotonic()
            transfer(4450, total)
    first, second = capsys.readouterr().err.splitlines()
    assert "1.1 kB/s" in first
    assert "1.1 kB/s" in second


@pytest.mark.parametrize("words", [["install", f"{NAME}@1"], ["install", NAME], ["install"]])
def test_what_is_there_is_told_at_once(
    home: Path, fewmask: Fewmask, tmp_path: Path, words: list[str]
) -> None:
    """Less than 0.4 s on a quiet machine; here what takes time is counted instead."""
    add_version(default_store(), NAME)
    fewmask("push", NAME, "--to", "./registry")
    fewmask("registry", "add", "lab", "./registry")
    fewmask("install", NAME)
    program = (
        "import sys, platformdirs\n"
        f"platformdirs.user_data_dir = lambda name: {str(home)!r} + '/' + name\n"
        "platformdirs.user_config_dir = platformdirs.user_data_dir\n"
        "from fewmask.cli import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit as ended:\n"
        "    print(ended.code, len(sys.modules), *sys.modules)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    ).stdout.splitlines()
    assert told[0].startswith("rohan/chairs@1 is installed already")
    code, count, *modules = told[-1].split()
    assert (code, int(count) < 450) == ("0", True)
    slow = {"numpy", "pyarrow", "cv2", "rich", "fsspec", "huggingface_hub", "ssl"}
    assert slow & set(modules) == set()
