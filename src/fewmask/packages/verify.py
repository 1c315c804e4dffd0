"""Reads every byte of installed datasets again, and says what is no longer what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fewmask.errors import DataError
from fewmask.packages.manifest import NewerFormat, PackagedFile
from fewmask.packages.names import DatasetName
from fewmask.packages.progress import Progress
from fewmask.packages.store import Store

_AT_ONCE = 2**20
_DAMAGED = "damaged"
_UNREADABLE = "not readable"


@dataclass(frozen=True)
class BadFile:
    """A file that is not what its manifest says.

    Args:
        name: The dataset, with its version.
        path: Its place in the package.
        file: Where it lies.
        problem: What is wrong, a phrase.
        remedy: What to do, a sentence; None where the version is to be installed anew.
    """

    name: str
    path: str
    file: Path
    problem: str
    remedy: str | None = None


def verify(
    store: Store, names: Iterable[DatasetName], progress: Progress | None = None
) -> list[BadFile]:
    """Compares the files of datasets with the hashes in their manifests.

    A file that several versions share is read once. Files that hold other bytes than were
    published, and broken manifests, are moved to `damaged/` in the store: nobody is to train on
    them, and `install` fetches what is missing.

    Args:
        store: Where they are installed.
        names: The versions to look at.
        progress: Called with the bytes read, then the bytes of all.

    Returns:
        Every file that is wrong, for each version that needs it.

    Raises:
        DataError: If a version is not installed.
        FewmaskError: If a damaged file cannot be moved.
    """
    bad: list[BadFile] = []
    aside: list[DatasetName] = []
    files: list[tuple[str, PackagedFile]] = []
    for name in names:
        store.manifest_bytes(name)  # raises where there is none that can be read
        try:
            files += [(str(name), file) for file in store.manifest(name).files]
        except DataError as error:
            remedy = error.remedy if isinstance(error, NewerFormat) else None
            problem = f"no good manifest: {error.found} in place of {error.expected}"
            bad.append(BadFile(str(name), "manifest", store.version_path(name), problem, remedy))
            if remedy is None:
                aside.append(name)
    sizes = {file.sha256: file.size for _, file in files}
    total, done = max(1, sum(sizes.values())), 0
    problems: dict[str, str | None] = {}
    for named, file in files:
        path = store.object_path(file.sha256)
        if file.sha256 not in problems:
            problems[file.sha256] = problem_of(path, file)
            done += file.size
            if progress is not None:
                progress(done, total)
        found = problems[file.sha256]
        if found is not None:
            remedy = "Check its rights, and the disk." if found.startswith(_UNREADABLE) else None
            bad.append(BadFile(named, file.path, path, found, remedy))
    for sha256 in {file.file.name for file in bad if file.problem.startswith(_DAMAGED)}:
        store.set_aside(sha256)
    for name in aside:
        store.set_version_aside(name)
    return bad


def problem_of(path: Path, file: PackagedFile) -> str | None:
    """Says what is wrong with a file, or None if nothing is.

    Args:
        path: Where it lies.
        file: What it ought to be.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_AT_ONCE):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"{_UNREADABLE}: {error.strerror or error}"
    if size != file.size:
        return f"{_DAMAGED}: {size:,} bytes in place of {file.size:,}"
    return None if digest.hexdigest() == file.sha256 else f"{_DAMAGED}: other bytes than published"
