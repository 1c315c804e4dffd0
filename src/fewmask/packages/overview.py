"""What is installed, told from manifests alone, without opening a shard."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fewmask.errors import DataError, FewmaskError
from fewmask.files import whole_file
from fewmask.packages.manifest import Manifest
from fewmask.packages.names import DatasetName
from fewmask.packages.store import Store

SHEET = "sheet.jpg"
"""Place of the contact sheet in a package."""


@dataclass(frozen=True)
class Entry:
    """A dataset in the store.

    Args:
        name: Its name, without a version.
        manifests: Its versions, newest first.
        size: Bytes that they take together on the disk.
        damaged: Versions whose manifest cannot be read, and why.
    """

    name: DatasetName
    manifests: tuple[Manifest, ...]
    size: int
    damaged: tuple[tuple[DatasetName, str], ...] = ()


@dataclass(frozen=True)
class Overview:
    """All that a store holds.

    Args:
        entries: The datasets, that with the newest version first.
        size: Bytes of all files that versions name; shared ones count once.
        unfinished: Bytes of downloads and builds that were cut off, or are under way.
        set_aside: Bytes of damaged files that `verify` has found.
    """

    entries: tuple[Entry, ...]
    size: int
    unfinished: int
    set_aside: int


def look_over(store: Store) -> Overview:
    """Lists what a store holds; reads manifests and nothing else.

    Args:
        store: The store; one that was never used is empty.
    """
    read: dict[DatasetName, list[Manifest]] = {}
    damaged: dict[DatasetName, list[tuple[DatasetName, str]]] = {}
    for name in store.names():
        read.setdefault(name.at(None), [])
        try:
            read[name.at(None)].append(store.manifest(name))
        except DataError as error:
            damaged.setdefault(name.at(None), []).append((name, error.found))
    entries = [
        Entry(name, tuple(reversed(found)), size_of(found), tuple(damaged.get(name, ())))
        for name, found in read.items()
    ]
    entries.sort(key=lambda entry: max((m.created for m in entry.manifests), default=""))
    everything = [manifest for found in read.values() for manifest in found]
    return Overview(
        tuple(reversed(entries)),
        size_of(everything),
        _bytes_below(store.root / "partial"),
        _bytes_below(store.root / "damaged"),
    )


def size_of(manifests: Iterable[Manifest]) -> int:
    """Returns the bytes that versions take on the disk; what they share counts once."""
    sizes = {file.sha256: file.size for manifest in manifests for file in manifest.files}
    return sum(sizes.values())


def _bytes_below(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # whoever put it there may just have taken it away
            size += path.stat().st_size if path.is_file() else 0
    return size


def sheet_file(store: Store, manifest: Manifest) -> Path | None:
    """Returns the contact sheet of a version under a name that viewers understand.

    Args:
        store: Where it is installed.
        manifest: The version.

    Returns:
        A JPEG file; None where the package has none, it is not here, or it cannot be copied: a
        sheet is no reason to fail after a build, or in a store that may only be read.
    """
    file = manifest.file(SHEET)
    if file is None or not store.has(file):
        return None
    place = store.root / "sheets" / f"{manifest.name}@{manifest.version}.jpg"
    try:
        if not place.is_file() or place.stat().st_size != file.size:
            with whole_file(place) as beside:
                shutil.copyfile(store.object_path(file.sha256), beside)
    except (FewmaskError, OSError):
        return None
    return place
