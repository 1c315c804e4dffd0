"""The lock file of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewmask.errors import DataError, FewmaskError
from fewmask.packages.install import install, install_pinned
from fewmask.packages.lockfile import Pin, read_pins, write_pin
from fewmask.packages.names import parse_name
from fewmask.packages.push import push
from fewmask.packages.store import Store

from .made import FILES, add_version, sha256_of


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "project" / "fewmask.lock"


@pytest.fixture
def registry(tmp_path: Path) -> str:
    """A registry with two versions of a dataset."""
    mine = Store(tmp_path / "mine")
    for number in (1, 2):
        add_version(mine, f"rohan/chairs@{number}", {**FILES, "README.md": b"%d" % number})
        push(f"rohan/chairs@{number}", str(tmp_path / "registry"), store=mine)
    return str(tmp_path / "registry")


def test_what_is_installed_is_pinned(
    lock: Path, registry: str, tmp_path: Path, store: Store
) -> None:
    installed = install("rohan/chairs@1", source=registry, store=store, lock=lock)
    assert installed.replaced is None
    sha256 = sha256_of(installed.manifest.to_bytes())
    assert lock.read_text() == (
        "# Written by fewmask install; keep it with your code. To get all of it: fewmask install\n"
        f'\n[[dataset]]\nname = "rohan/chairs"\nversion = 1\nmanifest = "{sha256}"\n'
        f'registry = "{registry}"\n'
    )
    newest = install("rohan/chairs", source=registry, store=store, lock=lock)
    assert newest.replaced == parse_name("rohan/chairs@1")
    assert read_pins(lock)["rohan/chairs"].name == parse_name("rohan/chairs@2")


def test_all_that_is_pinned_is_installed_elsewhere(
    lock: Path, registry: str, tmp_path: Path, store: Store
) -> None:
    install("rohan/chairs@1", source=registry, store=store, lock=lock)
    elsewhere = Store(tmp_path / "elsewhere")
    # Nobody there has a list of registries: the lock file knows where it came from.
    (installed,) = install_pinned(lock, store=elsewhere)
    assert installed.name == parse_name("rohan/chairs@1")
    before = lock.read_bytes()
    (again,) = install_pinned(lock, store=elsewhere, offline=True)
    assert again.fetched == 0
    assert lock.read_bytes() == before


def test_where_it_came_from_may_be_gone_if_another_registry_has_it(
    lock: Path, registry: str, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("rohan/chairs@1", source=registry, store=store, lock=lock)
    Path(registry).rename(tmp_path / "moved")
    elsewhere = Store(tmp_path / "elsewhere")
    monkeypatch.setattr("platformdirs.user_config_dir", lambda app: str(tmp_path / "config"))
    with pytest.raises(FewmaskError, match="expected the folder of a registry"):
        install_pinned(lock, store=elsewhere)
    assert elsewhere.names() == []
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "registries.toml").write_text(
        f'[[registry]]\nname = "lab"\nurl = "{tmp_path / "moved"}"\n'
    )
    (installed,) = install_pinned(lock, store=elsewhere)
    assert installed.registry == str(tmp_path / "moved")


def test_a_changed_manifest_under_a_pinned_name_is_refused(
    lock: Path, registry: str, tmp_path: Path, store: Store
) -> None:
    pinned = install("rohan/chairs@1", source=registry, store=store, lock=lock)
    other, changed = Store(tmp_path / "other"), str(tmp_path / "changed")
    manifest = add_version(other, "rohan/chairs@1", {"README.md": b"something else"})
    push("rohan/chairs@1", changed, store=other)
    elsewhere = Store(tmp_path / "elsewhere")
    with pytest.raises(DataError) as refused:
        install("rohan/chairs@1", source=changed, store=elsewhere, lock=lock)
    before, after = (sha256_of(each.to_bytes())[:12] for each in (pinned.manifest, manifest))
    assert str(refused.value) == (
        f"rohan/chairs@1: expected the manifest that {lock} pins, {before}…, found another, "
        f"{after}…. A published version never changes, so this is not what your project used. "
        "Find out why; only if you trust it, take the entry out of the file."
    )
    assert elsewhere.names() == []
    # The same holds for what is installed already.
    with pytest.raises(DataError, match="A published version never changes"):
        install("rohan/chairs@1", store=other, lock=lock)


def test_pins_of_other_datasets_stay(lock: Path) -> None:
    first = Pin(parse_name("rohan/chairs@1"), "a" * 64, "https://example.org")
    second = Pin(parse_name("mai/sofas@2"), "b" * 64)
    assert write_pin(lock, first) is None
    assert write_pin(lock, second) is None
    assert read_pins(lock) == {"rohan/chairs": first, "mai/sofas": second}
    assert write_pin(lock, Pin(parse_name("mai/sofas@3"), "c" * 64)) == second


def test_no_lock_file(lock: Path, store: Store) -> None:
    with pytest.raises(DataError) as refused:
        install_pinned(lock, store=store)
    assert str(refused.value) == (
        f"{lock}: expected a lock file that pins datasets, found no such file here. Name a "
        "dataset: fewmask install owner/name"
    )


@pytest.mark.parametrize(
    "content",
    [
        "dataset = 3",
        '[[dataset]]\nname = "../x"\nversion = 1\nmanifest = "0"',
        '[[dataset]]\nname = "a/b"\nversion = 1\nmanifest = "0"',
        '[[dataset]]\nname = "a/b"\nmanifest = "0"',
        "<<<<<<< HEAD",
    ],
)
def test_a_damaged_lock_file(lock: Path, store: Store, content: str) -> None:
    lock.parent.mkdir()
    lock.write_text(content)
    with pytest.raises(DataError, match="expected datasets, each with name, version and manifest"):
        install("rohan/chairs", store=store, lock=lock)
