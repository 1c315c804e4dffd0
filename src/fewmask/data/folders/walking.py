"""Lists the files below a folder that belong to the data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fewmask.data.imageio import IMAGE_SUFFIXES
from fewmask.errors import DataError


def walk_pictures(root: Path) -> list[Path]:
    """Lists every picture below a folder, without what is hidden and what trainings wrote.

    Args:
        root: The folder.

    Returns:
        The paths, each beginning with `root`.

    Raises:
        DataError: If a folder may not be read.
    """
    return [path for path in walk_files(root) if path.suffix.lower() in IMAGE_SUFFIXES]


def walk_files(root: Path) -> Iterator[Path]:
    """Yields every file below a folder, without what is hidden and what trainings wrote.

    Args:
        root: The folder.

    Raises:
        DataError: If a folder may not be read.
    """
    seen = {os.path.realpath(root)}
    for folder, folders, files in os.walk(root, onerror=_refuse_locked, followlinks=True):
        if Path(folder) != root and "run.json" in files:
            folders.clear()
            continue
        kept = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(folder, name))
            # A link that leads back up would never end.
            if not _is_hidden(name) and real not in seen:
                seen.add(real)
                kept.append(name)
        folders[:] = kept
        yield from (Path(folder) / name for name in files if not _is_hidden(name))


def check_encoding(root: Path, names: Iterable[str]) -> None:
    """Refuses names that are no text, as old archives leave them on Linux.

    Args:
        root: The folder of the data.
        names: Paths in it, from the folder on.

    Raises:
        DataError: If the folder or a file has such a name.
    """
    for name in (root.resolve().name, *names):
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode("utf-8", "replace")
            # Neither the record of a run nor its table of the parts nor a report could hold it.
            raise DataError(
                shown, "a name in UTF-8", "one in another encoding", "Rename it."
            ) from None


def _refuse_locked(error: OSError) -> None:
    raise DataError(
        error.filename,
        "a folder that may be read",
        f"a refusal: {error.strerror}",
        "Change its rights, or move it out of the folder of the data.",
    ) from error


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX", "@eaDir"))
