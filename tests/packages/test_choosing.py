"""Which version a name means, in a project that pins one and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewmask.data.dataset import Dataset
from fewmask.errors import DataError
from fewmask.packages.build import Built
from fewmask.packages.load import load_dataset
from fewmask.packages.lockfile import LOCKFILE, Pin, write_pin
from fewmask.packages.names import parse_name
from fewmask.packages.store import Store

from .conftest import Build, draw
from .made import sha256_of


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that somebody is in."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def newer(built: Built, build: Build, things: Path) -> Built:
    """A second version, with two images more."""
    return build(draw(things, range(10, 12)))


def pin(store: Store, name: str) -> None:
    """Pins an installed version in the folder that somebody is in."""
    parsed = parse_name(name)
    write_pin(Path(LOCKFILE), Pin(parsed, sha256_of(store.manifest_bytes(parsed))))


def said(dataset: Dataset) -> str:
    return dataset.findings[0]


def test_without_a_lock_file_the_newest_is_read(newer: Built, store: Store, project: Path) -> None:
    dataset = load_dataset("rohan/things", store=store)
    assert (dataset.name, len(dataset)) == ("rohan/things@2", 12)
    assert said(dataset).startswith("rohan/things@2 is installed:")


def test_a_project_reads_the_version_that_it_pins(
    newer: Built, store: Store, project: Path
) -> None:
    pin(store, "rohan/things@1")
    dataset = load_dataset("rohan/things", store=store)
    assert (dataset.name, len(dataset)) == ("rohan/things@1", 10)
    assert said(dataset) == (
        "fewmask.lock pins rohan/things@1. Version 2 is here too; to change over: "
        "fewmask install rohan/things@2"
    )
    pin(store, "rohan/things@2")
    assert said(load_dataset("rohan/things", store=store)) == "fewmask.lock pins rohan/things@2."


def test_a_version_that_is_asked_for_is_read_whatever_is_pinned(
    newer: Built, store: Store, project: Path
) -> None:
    pin(store, "rohan/things@1")
    for dataset in (
        load_dataset("rohan/things@2", store=store),
        load_dataset("rohan/things", version=2, store=store),
    ):
        assert dataset.name == "rohan/things@2"
        assert said(dataset) == "fewmask.lock pins version 1; rohan/things@2 was asked for."


def test_another_lock_file_or_none(newer: Built, store: Store, project: Path) -> None:
    pin(store, "rohan/things@1")
    Path(LOCKFILE).rename("of-last-year.lock")
    assert load_dataset("rohan/things", store=store).name == "rohan/things@2"
    old = load_dataset("rohan/things", store=store, lock="of-last-year.lock")
    assert old.name == "rohan/things@1"
    Path("of-last-year.lock").rename(LOCKFILE)
    assert load_dataset("rohan/things", store=store, lock=None).name == "rohan/things@2"


def test_a_pinned_version_that_is_not_installed_is_refused(
    newer: Built, store: Store, project: Path
) -> None:
    pin(store, "rohan/things@1")
    store.remove_version(parse_name("rohan/things@1"))
    for name in ("rohan/things", "rohan/things@1"):
        with pytest.raises(DataError) as refused:
            load_dataset(name, store=store)
        assert str(refused.value) == (
            f"{name}: expected version 1, which fewmask.lock pins, found only 2 installed. "
            "Run: fewmask install rohan/things@1"
        )
    store.remove_version(parse_name("rohan/things@2"))
    with pytest.raises(DataError, match=r"found none installed\. Run: fewmask install rohan/th"):
        load_dataset("rohan/things", store=store)


@pytest.mark.parametrize("name", ["rohan/things", "rohan/things@1"])
def test_another_dataset_under_the_pinned_name_is_refused(
    built: Built, store: Store, project: Path, name: str
) -> None:
    write_pin(Path(LOCKFILE), Pin(parse_name("rohan/things@1"), "a" * 64))
    found = sha256_of(store.manifest_bytes(parse_name("rohan/things@1")))[:12]
    with pytest.raises(DataError) as refused:
        load_dataset(name, store=store)
    assert str(refused.value).startswith(
        "rohan/things@1: expected the manifest that fewmask.lock pins, aaaaaaaaaaaa…, found "
        f"another, {found}…. A published version never changes"
    )


def test_a_damaged_lock_file_is_not_passed_over(built: Built, store: Store, project: Path) -> None:
    Path(LOCKFILE).write_text("<<<<<<< HEAD")
    with pytest.raises(DataError, match=r"fewmask\.lock: expected datasets, each with name"):
        load_dataset("rohan/things", store=store)


def test_what_is_pinned_says_nothing_about_folders(
    built: Built, store: Store, project: Path
) -> None:
    pin(store, "rohan/things@1")
    draw(project / "rohan/things", range(3))
    assert load_dataset("rohan/things", store=store).name == "things"
