"""Pushing: what is sent, what is refused, and the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewmask.errors import ArgumentError, DataError
from fewmask.packages.index import index_from_bytes, index_to_bytes
from fewmask.packages.names import DatasetName, parse_name
from fewmask.packages.push import push
from fewmask.packages.remotes.folder import FolderRemote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import RemoteError, interrupted
from fewmask.packages.store import Store

from .made import FILES, add_version, sha256_of

NAME = "rohan/chairs"


@pytest.fixture(autouse=True)
def own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the user's own list of registries out of the tests."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda app: str(tmp_path / "config"))


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def versions_in(registry: Path) -> set[str]:
    index = index_from_bytes((registry / "index.json").read_bytes())
    assert index is not None
    return {str(name) for name in index}


def test_the_layout(store: Store, registry: Path) -> None:
    manifest = add_version(store, NAME)
    push(NAME, str(registry), store=store)
    there = {path.relative_to(registry).as_posix() for path in registry.rglob("*.*")}
    assert there == {"versions/rohan/chairs/1.json", "index.json"}
    for content in FILES.values():
        sha256 = sha256_of(content)
        assert (registry / "objects" / sha256[:2] / sha256).read_bytes() == content
    assert (registry / "versions/rohan/chairs/1.json").read_bytes() == manifest.to_bytes()


def test_what_is_not_in_the_store(store: Store, registry: Path) -> None:
    with pytest.raises(DataError, match="rohan/chairs: expected an installed dataset, found none"):
        push(NAME, str(registry), store=store)
    assert not registry.exists()


def test_to_nowhere(store: Store) -> None:
    add_version(store, NAME)
    with pytest.raises(ArgumentError, match="lab: expected a registry, found none of this name"):
        push(NAME, "lab", store=store)


def test_what_is_damaged_here_is_not_spread(store: Store, registry: Path) -> None:
    add_version(store, NAME)
    victim = store.object_path(sha256_of(FILES["README.md"]))
    victim.write_bytes(b"# Chairz\n")
    with pytest.raises(DataError) as refused:
        push(NAME, str(registry), store=store)
    assert str(refused.value) == (
        f"{victim}: expected the bytes of README.md as they were built, found others. Run: "
        "fewmask dataset verify rohan/chairs@1"
    )
    assert not (registry / "versions").exists()
    victim.unlink()
    with pytest.raises(DataError, match="found No such file or directory"):
        push(NAME, str(registry), store=store)


def test_a_short_cut_does_not_hide_what_is_wrong(
    store: Store, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_version(store, NAME)
    push(NAME, str(registry), store=store)
    other = Store(tmp_path / "other")
    add_version(other, NAME, {"README.md": b"Others."})
    cuts = [interrupted("here", "a cut")]
    whole = FolderRemote.list

    def cut_once(remote: FolderRemote, folder: str) -> tuple[str, ...]:
        if cuts:
            raise cuts.pop()
        return whole(remote, folder)

    monkeypatch.setattr(FolderRemote, "list", cut_once)
    with pytest.raises(DataError, match="found one of this number with other content"):
        push(NAME, str(registry), store=other, patience=Patience(pause=0))
    assert not cuts


def test_a_name_that_differs_by_capitals(store: Store, registry: Path, tmp_path: Path) -> None:
    add_version(store, NAME)
    push(NAME, str(registry), store=store)
    other = Store(tmp_path / "other")
    add_version(other, "Rohan/Chairs")
    with pytest.raises(DataError) as refused:
        push("Rohan/Chairs", str(registry), store=other)
    assert str(refused.value) == (
        "Rohan/Chairs: expected a name that differs by more than capitals from those in "
        f"{registry}, found rohan/chairs. Build it under that name, or under another."
    )
    assert versions_in(registry) == {"rohan/chairs@1"}


@pytest.mark.parametrize(
    "index",
    [
        None,
        b"",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1, "datasets": {"../x": {"1": "0"}}}',
        index_to_bytes({parse_name("rohan/gone@7"): "0" * 64}),
        index_to_bytes({parse_name("rohan/chairs@2"): "0" * 64}),
    ],
    ids=["missing", "empty", "other", "newer", "evil", "stale", "wrong"],
)
def test_the_index_is_made_anew_from_the_manifests(
    store: Store, registry: Path, index: bytes | None
) -> None:
    add_version(store, "mai/sofas", {"README.md": b"sofas"})
    push("mai/sofas", str(registry), store=store)
    if index is None:
        (registry / "index.json").unlink()
    else:
        (registry / "index.json").write_bytes(index)
    (registry / "versions/mai/sofas/.2-0123abcd.json").write_bytes(b"left by a kill")
    (registry / "versions/notes.json").write_bytes(b"{}")
    manifest = add_version(store, f"{NAME}@2")
    push(NAME, str(registry), store=store)
    assert versions_in(registry) == {"mai/sofas@1", "rohan/chairs@2"}
    written = index_from_bytes((registry / "index.json").read_bytes())
    assert written is not None
    assert written[parse_name("rohan/chairs@2")] == sha256_of(manifest.to_bytes())


def test_a_version_is_published_even_if_the_index_cannot_be_written(
    store: Store, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_version(store, NAME)
    write = FolderRemote.write

    def fail(self: FolderRemote, path: str, *more: object) -> None:
        if path == "index.json":
            raise RemoteError(path, "to be written", "no right", "Ask.")
        write(self, path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderRemote, "write", fail)
    pushed = push(NAME, str(registry), store=store)
    assert pushed.new
    assert pushed.note == (
        "The index could not be written; the next push does it. index.json: expected to be "
        "written, found no right. Ask."
    )
    monkeypatch.undo()
    assert not push(NAME, str(registry), store=store).new
    assert versions_in(registry) == {"rohan/chairs@1"}


def test_an_index_reads_what_it_writes() -> None:
    index = {DatasetName("a", "b", 2): "0" * 64, DatasetName("a", "b", 10): "1" * 64}
    assert index_from_bytes(index_to_bytes(index)) == index
