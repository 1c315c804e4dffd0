"""Installs a repository of the Hub that knows nothing of us: Parquet files of somebody else.

The files are installed as they are, with a manifest made here. It says nothing that another
machine would not say of the same commit, so that a lock file can pin it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewmask.errors import ArgumentError, DataError, DecisionNeeded
from fewmask.packages.card import CARD, read_head
from fewmask.packages.checks import what_is_wrong_with
from fewmask.packages.foreign import understand_columns
from fewmask.packages.hubfolder import SUFFIX, find_shards
from fewmask.packages.licences import UNKNOWN, check_licence
from fewmask.packages.manifest import HUB_ORIGIN, Manifest, PackagedFile
from fewmask.packages.names import DatasetName
from fewmask.packages.parquet import read_shape
from fewmask.packages.remotes.hub import HubRemote
from fewmask.packages.remotes.patience import Patience

SMALL = 2**24
"""Bytes of a file that is read whole because the Hub does not tell its hash."""


@dataclass(frozen=True)
class ForeignDataset:
    """What is to be installed from a repository.

    Args:
        remote: The repository, at one commit.
        card: The bytes of its card; empty if it has none.
        parts: Part of each Parquet file, by its path.
        files: All of them; the number of rows is not known yet.
    """

    remote: HubRemote
    card: bytes
    parts: Mapping[str, str]
    files: tuple[PackagedFile, ...]

    @property
    def url(self) -> str:
        """Address of the repository at this commit."""
        return f"hf://{self.remote.repository}@{self.remote.state.commit}"


def look_at(remote: HubRemote, patience: Patience) -> ForeignDataset:
    """Finds out what of a repository belongs to its dataset.

    Args:
        remote: The repository.
        patience: How often to try.

    Raises:
        DataError: If it has no Parquet files.
        RemoteError: If it cannot be read.
    """
    files = patience.keep_trying(lambda: remote.state).files
    paths = [path for path in files if path.endswith(SUFFIX)]
    card = _read(remote, CARD, patience) if CARD in files else b""
    found = find_shards(paths, card.decode("utf-8", "replace"), remote.url)
    parts = dict(found.shards)
    if not parts:
        raise DataError(
            remote.url,
            "a dataset of Parquet files",
            f"{len(files)} files, none of them Parquet that belongs to it",
            "Download it from the Hub, and name the folder of its images and masks.",
        )
    packaged = []
    for path in sorted({*parts, *({CARD} & set(files))}):
        _refuse_unsafe(remote.url, path)
        # Of small files the Hub does not tell the hash.
        sha256 = files[path].sha256
        if sha256 is None:
            content = card if path == CARD else _read(remote, path, patience)
            sha256 = hashlib.sha256(content).hexdigest()
        remote.know(sha256, path)
        packaged.append(PackagedFile(path, sha256, files[path].size))
    return ForeignDataset(remote, card, parts, tuple(packaged))


def manifest_of(
    foreign: ForeignDataset, name: DatasetName, whereabouts: Callable[[PackagedFile], Path]
) -> Manifest:
    """Makes the manifest, once the files are here.

    Args:
        foreign: The dataset.
        name: What to install it as, with a version.
        whereabouts: Tells where a file lies on this machine.

    Raises:
        DataError: If a file is no Parquet, or there are no images in it.
    """
    files, parts = [], {"train": 0, "validation": 0, "test": 0}
    leaves = None
    for file in foreign.files:
        if file.path not in foreign.parts:
            files.append(file)
            continue
        shape = read_shape(whereabouts(file), f"{foreign.remote.url}/{file.path}")
        leaves = leaves or shape.leaves
        files.append(PackagedFile(file.path, file.sha256, file.size, shape.rows))
        parts[foreign.parts[file.path]] += shape.rows
    try:
        columns = understand_columns(foreign.remote.url, leaves or ()).columns
    except DecisionNeeded:
        columns = ()  # whoever loads it says which column holds the masks
    head = read_head(foreign.card.decode("utf-8", "replace"), foreign.remote.url)
    return Manifest(
        name=name.path,
        version=name.version or 1,
        licence=_licence(head),
        files=tuple(sorted(files)),
        columns=columns,
        parts={part: rows for part, rows in parts.items() if rows},
        made_from={HUB_ORIGIN: foreign.remote.url, "commit": foreign.remote.state.commit},
    )


def _licence(head: Mapping[str, Any]) -> str:
    said = head.get("license")
    try:
        return check_licence(said) if isinstance(said, str) and said != "other" else UNKNOWN
    except ArgumentError:
        return UNKNOWN


def _read(remote: HubRemote, path: str, patience: Patience) -> bytes:
    if remote.state.files[path].size > SMALL:
        raise DataError(
            f"{remote.url}/{path}",
            f"at most {SMALL:,} bytes in a file that is not stored as a large one",
            f"{remote.state.files[path].size:,}",
            "Download it from the Hub, and name the folder.",
        )
    return patience.keep_trying(lambda: b"".join(remote.read(path)))


def _refuse_unsafe(url: str, path: str) -> None:
    wrong = what_is_wrong_with(path)
    if wrong is not None:
        raise DataError(
            f"{url}/{path}",
            "paths that stay inside the package on every system",
            wrong,
            "Download it from the Hub, and name the folder.",
        )
