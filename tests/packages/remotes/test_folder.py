"""Registries in folders, and what disks say when they cannot."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
from pathlib import Path

import pytest

from fewmask.errors import DataError, FewmaskError
from fewmask.packages.install import install
from fewmask.packages.push import push
from fewmask.packages.remotes.folder import FolderRemote, _give_second_name
from fewmask.packages.remotes.remote import AlreadyThere, NoRight, NotThere, RemoteError
from fewmask.packages.store import Store

from ..made import FILES, add_version, installed_files, is_sound


@pytest.fixture
def remote(tmp_path: Path) -> FolderRemote:
    (tmp_path / "registry").mkdir()
    return FolderRemote(tmp_path / "registry")


def test_what_is_written_is_read_from_any_byte(remote: FolderRemote, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    sent: list[int] = []
    remote.write("a/b", source, sent.append)
    assert b"".join(remote.read("a/b")) == b"0123456789"
    assert b"".join(remote.read("a/b", 7)) == b"789"
    assert (remote.size("a/b"), sum(sent)) == (10, 10)
    assert remote.list("a") == ("a/b",)
    assert remote.list("c") == ()


def test_only_the_first_creates(remote: FolderRemote) -> None:
    remote.create("versions/a/b/1.json", b"first")
    with pytest.raises(AlreadyThere, match="expected a free place, found a file"):
        remote.create("versions/a/b/1.json", b"second")
    assert b"".join(remote.read("versions/a/b/1.json")) == b"first"
    assert remote.list("versions") == ("versions/a/b/1.json",)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL])
def test_only_the_first_creates_where_files_have_one_name(
    remote: FolderRemote, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def no_links(source: object, destination: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fewmask.packages.remotes.folder.os.link", no_links)
    test_only_the_first_creates(remote)


def test_a_full_disk_leaves_no_half_of_a_file_where_files_have_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def write(self, content: object) -> int:
            super().write(b"fir")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place, beside = tmp_path / "1.json", tmp_path / "beside"
    beside.write_bytes(b"first")

    def no_links(source: object, destination: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr("fewmask.packages.remotes.folder.os.link", no_links)
    monkeypatch.setattr(Path, "open", lambda self, mode: Full(self, mode.replace("b", "")))
    with pytest.raises(OSError, match="No space left"):
        _give_second_name(beside, place, b"first")
    assert not place.exists()


def test_a_disk_that_is_not_mounted_is_no_empty_registry(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    add_version(store, "rohan/chairs")
    gone = tmp_path / "mnt" / "disk" / "registry"
    with pytest.raises(NotThere) as refused:
        install("rohan/chairs", source=str(gone), store=store)
    assert str(refused.value) == (
        f"{gone}: expected the folder of a registry, found nothing there. Check the path for a "
        "slip and that the disk is mounted."
    )
    with pytest.raises(RemoteError, match="found not even the folder above it"):
        push("rohan/chairs", str(gone), store=store)
    assert not (tmp_path / "mnt").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_no_right(remote: FolderRemote) -> None:
    remote.create("index.json", b"{}")
    (remote.root / "index.json").chmod(0)
    with pytest.raises(NoRight):
        list(remote.read("index.json"))


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, registry = Store(tmp_path / "store"), tmp_path / "registry"
    for name in ("rohan/chairs", "mai/sofas"):
        add_version(store, name)
        push(name, str(registry), store=store)
    index = (registry / "index.json").read_bytes()
    locked, scandir = registry / "versions" / "rohan" / "chairs", os.scandir

    def refuse(path: str | Path) -> object:
        if str(path) == str(locked):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    sentence = f"{locked}: expected the right to use it, found no right to read it. Ask its owner"
    with pytest.raises(NoRight, match=re.escape(sentence)):
        install("rohan/chairs", source=str(registry), store=Store(tmp_path / "yours"))
    # The index keeps what whoever pushes cannot see.
    assert sentence in push("mai/sofas", str(registry), store=store).note
    assert (registry / "index.json").read_bytes() == index
    add_version(store, "mai/beds")
    with pytest.raises(NoRight, match=re.escape(sentence)):
        push("mai/beds", str(registry), store=store)
    assert not (registry / "versions" / "mai" / "beds").exists()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (PermissionError(errno.EACCES, "Permission denied"),
         "expected the right to use it, found no right to read it. Ask its owner for the right "
         "to read it."),
        (OSError(errno.EIO, "Input/output error"),
         "expected to be read, found the system refused: Input/output error. Check the disk or "
         "the network that it is on."),
    ],
)  # fmt: skip
def test_what_the_system_refuses_to_read(
    remote: FolderRemote, monkeypatch: pytest.MonkeyPatch, kind: OSError, sentence: str
) -> None:
    def refuse(self: Path, *_: object) -> None:
        raise kind

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RemoteError) as refused:
        list(remote.read("index.json"))
    assert str(refused.value) == f"{remote.root / 'index.json'}: {sentence}"


def test_a_full_disk_leaves_nothing_of_a_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, registry = Store(tmp_path / "store"), tmp_path / "registry"
    add_version(store, "rohan/chairs")
    link = os.link

    def full(source: object, destination: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fewmask.packages.remotes.folder.os.link", full)
    with pytest.raises(FewmaskError, match="found the disk is full"):
        push("rohan/chairs", str(registry), store=store)
    assert not list(registry.rglob("*.json"))
    monkeypatch.setattr("fewmask.packages.remotes.folder.os.link", link)
    push("rohan/chairs", str(registry), store=store)


def test_a_full_disk_leaves_nothing_of_an_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, yours, registry = Store(tmp_path / "a"), Store(tmp_path / "b"), tmp_path / "registry"
    manifest = add_version(mine, "rohan/chairs")
    push("rohan/chairs", str(registry), store=mine)

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 10))
    with pytest.raises(FewmaskError) as refused:
        install("rohan/chairs", source=str(registry), store=yours)
    assert str(refused.value) == (
        f"{yours.root}: expected room on the disk for {manifest.size} bytes, found 10 bytes. Free "
        "some room; nothing was installed."
    )
    monkeypatch.undo()

    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # The disk may also fill while the files arrive.
    monkeypatch.setattr("fewmask.packages.download._Growing._append", full)
    with pytest.raises(FewmaskError, match="found the disk is full") as refused:
        install("rohan/chairs", source=str(registry), store=yours)
    assert yours.names() == []
    assert not [
        path for path in yours.root.rglob("*") if path.is_file() and "lock" not in path.name
    ]
    monkeypatch.undo()
    install("rohan/chairs", source=str(registry), store=yours)
    assert is_sound(yours)


def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, yours, registry = Store(tmp_path / "a"), Store(tmp_path / "b"), tmp_path / "registry"
    manifest = add_version(mine, "rohan/chairs")
    push("rohan/chairs", str(registry), store=mine)

    class Sips(io.FileIO):
        def write(self, block: bytes) -> int:
            return super().write(bytes(block)[:5])

    def open_file(path: Path, mode: str = "r", *how: object, **more: object) -> object:
        return Sips(path, "a") if mode == "ab" else open(path, mode, *how, **more)

    monkeypatch.setattr(Path, "open", open_file)
    install("rohan/chairs", source=str(registry), store=yours)
    assert installed_files(yours, manifest) == FILES


def test_a_truncated_file_is_mended_by_pushing_again(tmp_path: Path) -> None:
    mine, yours, registry = Store(tmp_path / "a"), Store(tmp_path / "b"), tmp_path / "registry"
    manifest = add_version(mine, "rohan/chairs")
    push("rohan/chairs", str(registry), store=mine)
    victim = next(iter((registry / "objects").glob("*/*")))
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(DataError, match="found only"):
        install("rohan/chairs", source=str(registry), store=yours)
    again = push("rohan/chairs", str(registry), store=mine)
    assert (again.new, again.sent) == (False, victim.stat().st_size)
    assert install("rohan/chairs", source=str(registry), store=yours).manifest == manifest
