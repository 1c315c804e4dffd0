"""Installing: where to look, what is there already, what is refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NoReturn

import pytest

from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.packages.download import Stopped, fetch
from fewmask.packages.install import install
from fewmask.packages.manifest import PackagedFile
from fewmask.packages.names import parse_name
from fewmask.packages.push import push
from fewmask.packages.registries import add_registry
from fewmask.packages.registry import Registry
from fewmask.packages.remotes.folder import FolderRemote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.search import Installed
from fewmask.packages.store import Store
from fewmask.packages.verify import verify

from .made import FILES, add_version, installed_files, is_sound, sha256_of

NAME = "rohan/chairs"


@pytest.fixture(autouse=True)
def own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the user's own list of registries out of the tests."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda app: str(tmp_path / "config"))


@pytest.fixture
def registry(tmp_path: Path) -> str:
    """A registry with one version of a dataset."""
    mine = Store(tmp_path / "mine")
    add_version(mine, NAME)
    push(NAME, str(tmp_path / "registry"), store=mine)
    return str(tmp_path / "registry")


def test_no_registry_is_known(store: Store) -> None:
    with pytest.raises(ArgumentError) as refused:
        install(NAME, store=store)
    assert str(refused.value) == (
        "fewmask install: expected a registry to install from, found none in your list. Add one: "
        "fewmask registry add NAME URL, or name it with --from."
    )
    assert not store.root.exists()


def test_the_first_registry_that_has_it_counts(registry: str, tmp_path: Path, store: Store) -> None:
    mai = Store(tmp_path / "mai")
    add_version(mai, "mai/sofas", {"README.md": b"sofas"})
    push("mai/sofas", str(tmp_path / "other"), store=mai)
    add_registry("other", str(tmp_path / "other"))
    add_registry("lab", registry)
    assert install(NAME, store=store).registry == registry
    assert install("mai/sofas", store=store).registry == str(tmp_path / "other")
    assert install(NAME, store=Store(tmp_path / "b"), source="lab").registry == registry
    with pytest.raises(DataError) as refused:
        install("mai/chairs", store=store)
    assert str(refused.value) == (
        f"mai/chairs: expected a dataset that one of these holds: {tmp_path / 'other'}, "
        f"{registry}, found none that does; the first says: found only mai/sofas. Check the name "
        "for a slip, or name another registry with --from."
    )


def test_a_registry_that_is_down_is_not_passed_over(
    registry: str, tmp_path: Path, store: Store
) -> None:
    # Another might hold something else under the same name.
    add_registry("gone", str(tmp_path / "gone"))
    add_registry("lab", registry)
    with pytest.raises(FewmaskError, match="expected the folder of a registry"):
        install(NAME, store=store)


def test_a_registry_that_claims_every_version_is_not_asked_for_ever(tmp_path: Path) -> None:
    class Boaster(FolderRemote):
        listable = False

        def size(self, path: str) -> int:
            return 1

    with pytest.raises(FewmaskError) as refused:
        Registry(Boaster(tmp_path), Patience()).find(parse_name(NAME))
    assert str(refused.value) == (
        f"{tmp_path}: expected no more than 200 versions of {NAME} that are not in index.json, "
        "found one of every number that was asked for. "
        "Name the version that you want, or ask the owner of the registry."
    )


@pytest.mark.parametrize("name", ["hf://rohan/chairs", "hf://rohan/chairs@2"])
def test_a_repository_of_the_hub_is_sought_in_no_other_registry(
    registry: str, store: Store, name: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        install(name, source=registry, store=store)
    assert str(refused.value) == (
        f"--from {registry}: expected no registry beside {name}, which says itself where it is, "
        f"found both. Leave out --from, or name the dataset: {name.removeprefix('hf://')}"
    )
    assert not store.root.exists()


def test_what_is_there_is_not_fetched(registry: str, store: Store) -> None:
    first = install(NAME, source=registry, store=store)
    again = install(NAME, source=registry, store=store)
    assert (first.fetched, again.fetched) == (first.manifest.size, 0)
    assert again.registry == registry
    assert install(f"{NAME}@1", store=store) == Installed(
        first.manifest, shared=first.manifest.size
    )


def test_a_folder_that_may_not_be_written_to_is_told_before_anything_is_fetched(
    registry: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The lock file is replaced, so that the right to its folder is what counts.
    (tmp_path / "fewmask.lock").touch()
    monkeypatch.setattr("fewmask.packages.install.os.access", lambda place, _: place != tmp_path)
    with pytest.raises(FewmaskError, match="found no right to write there"):
        install(NAME, source=registry, store=store, lock=tmp_path / "fewmask.lock")
    assert not store.root.exists()


def test_offline(registry: str, store: Store) -> None:
    with pytest.raises(DataError) as refused:
        install(NAME, source=registry, store=store, offline=True)
    assert str(refused.value) == (
        "rohan/chairs: expected a dataset that is whole in the store, because of --offline, found "
        "none of this name. With a network, run: fewmask install rohan/chairs"
    )
    install(NAME, source=registry, store=store)
    assert install(NAME, store=store, offline=True).name == parse_name(f"{NAME}@1")
    with pytest.raises(DataError) as refused:
        install(f"{NAME}@2", store=store, offline=True)
    assert str(refused.value) == (
        "rohan/chairs@2: expected a dataset that is whole in the store, because of --offline, "
        "found only version 1 of it. With a network, run: fewmask install rohan/chairs@2"
    )


def test_a_damaged_file_is_fetched_again(registry: str, store: Store) -> None:
    manifest = install(NAME, source=registry, store=store).manifest
    victim = store.object_path(sha256_of(FILES["README.md"]))
    victim.write_bytes(b"# Chairz\n")
    verify(store, store.names())
    with pytest.raises(DataError, match="found one with files missing"):
        install(f"{NAME}@1", store=store, offline=True)
    assert install(f"{NAME}@1", source=registry, store=store).fetched == len(FILES["README.md"])
    assert installed_files(store, manifest) == FILES


def test_another_dataset_under_the_same_name_and_version(
    registry: str, tmp_path: Path, store: Store
) -> None:
    add_version(store, NAME, {"README.md": b"mine"})
    with pytest.raises(DataError) as refused:
        install(NAME, source=registry, store=store)
    assert str(refused.value) == (
        f"rohan/chairs@1: expected the version that {registry} holds, found another one of this "
        "number in the store. To replace it: fewmask dataset uninstall rohan/chairs@1"
    )
    assert is_sound(store)


def test_a_download_that_is_stopped_asks_for_nothing_more(tmp_path: Path) -> None:
    class Silent(FolderRemote):
        def read(self, *_: object) -> NoReturn:
            raise AssertionError("asked")

    file = PackagedFile("data/a.parquet", sha256_of(b"12345"), 5)
    remote, partial = Silent(tmp_path), tmp_path / "partial"
    with pytest.raises(Stopped):
        fetch(remote, file, partial, Patience(), lambda _: None, stopped=lambda: True)
    assert not partial.exists()


def test_a_name_that_differs_by_capitals_leaves_nothing(
    registry: str, tmp_path: Path, store: Store
) -> None:
    add_version(store, "Rohan/Chairs", {"README.md": b"mine"})
    seen: list[tuple[int, int]] = []
    with pytest.raises(DataError, match="differs by more than capitals"):
        install(NAME, source=registry, store=store, progress=lambda *done: seen.append(done))
    assert is_sound(store)
    assert seen == []  # it was known before any byte arrived


def test_two_files_of_one_content_are_fetched_once(tmp_path: Path, store: Store) -> None:
    mine = Store(tmp_path / "mine")
    manifest = add_version(mine, NAME, {"a": b"same", "b": b"same", "empty": b""})
    push(NAME, str(tmp_path / "registry"), store=mine)
    seen: list[tuple[int, int]] = []
    installed = install(
        NAME,
        source=str(tmp_path / "registry"),
        store=store,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert installed.fetched == 4
    assert seen[-1] == (4, 4)
    assert installed_files(store, manifest) == {"a": b"same", "b": b"same", "empty": b""}


def test_several_installs_at_once(registry: str, store: Store) -> None:
    outcomes: list[object] = []

    def act() -> None:
        try:
            # Each has its own idea of the store, as processes do.
            outcomes.append(install(NAME, source=registry, store=Store(store.root)).name)
        except FewmaskError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=act) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [parse_name(f"{NAME}@1")] * 6
    assert is_sound(store)
