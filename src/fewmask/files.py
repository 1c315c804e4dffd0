"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fewmask.errors import ArgumentError, FewmaskError

_UNFINISHED = re.compile(r"\..+-[0-9a-f]{8}(\.[^.]*)?", re.DOTALL)
"""Names that `whole_file` lends."""


def expanded(path: str | Path) -> Path:
    """Returns a path with the home folder in place of a `~` at its beginning.

    Args:
        path: What somebody typed; `~photo.jpg`, which is nobody's home, stays as it is.

    Example:

    >>> expanded("~photo.jpg").name, expanded("~").is_absolute()
    ('~photo.jpg', True)
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def check_suffix(path: str | Path, allowed: tuple[str, ...], remedy: str) -> None:
    """Refuses a name that promises another format than the file will have.

    Args:
        path: The file to be.
        allowed: Suffixes of the format, in small letters.
        remedy: Why it is this format, a full sentence.

    Raises:
        ArgumentError: If the name ends otherwise.
    """
    if Path(path).suffix.lower() not in allowed:
        expected = " or ".join(allowed)
        raise ArgumentError(path, f"a name that ends in {expected}", Path(path).name, remedy)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Lends a name beside `path`; what is written there becomes `path` when the block ends well.

    A reader never sees half a file, and a process killed inside the block leaves the old file
    as it was. If the block raises, the unfinished file is removed.

    Args:
        path: The file to be, which may begin with `~`; its folder is made if it is missing.

    Raises:
        FewmaskError: If a folder is there, the disk is full, or the folder around it is missing
            rights or cannot be made.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole_file(folder / "note.txt") as beside:
    ...     _ = beside.write_text("all of it")
    >>> [file.name for file in folder.iterdir()]
    ['note.txt']
    """
    path = expanded(path)
    if not path.name or path.is_dir():
        raise FewmaskError(
            path, "the name of a file to be", "that of a folder", "Name a file, in it for example."
        )
    # The suffix stays last because image and model writers choose the format by it.
    beside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        os.replace(beside, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        # What kept it from being written may also keep it from being removed.
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Lends an empty folder beside `path`; it becomes `path` when the block ends well.

    If the block raises, the unfinished folder is removed with all in it. A folder that exists
    is not replaced.

    Args:
        path: The folder to be, which may begin with `~`; the one it lies in is made if it is
            missing.

    Raises:
        FewmaskError: If there is something at `path` already, the disk is full, or the folder
            is missing rights or cannot be made.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole_folder(folder / "notes") as beside:
    ...     _ = (beside / "note.txt").write_text("all of it")
    >>> [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    ['notes', 'notes/note.txt']
    """
    path = expanded(path)
    taken = FewmaskError(
        path, "a name that is free", "something of this name", "Choose another name."
    )
    if not path.name:  # `.` and `/`, which always are there
        raise taken
    beside = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        yield beside
        if os.path.lexists(path):
            raise taken
        os.rename(beside, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove_unfinished(folder: str | Path) -> None:
    """Removes what processes that were killed inside `whole_file` left in a folder.

    Nobody may be writing there meanwhile.

    Args:
        folder: The folder, with all below it.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("note.txt", ".note-0123abcd.txt", ".gitignore"):
    ...     _ = (folder / name).write_text("")
    >>> remove_unfinished(folder)
    >>> sorted(path.name for path in folder.iterdir())
    ['.gitignore', 'note.txt']
    """
    for path in Path(folder).rglob(".*-*"):
        if _UNFINISHED.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


def check_can_write(path: str | Path) -> None:
    """Makes sure that a file could be written, before the work whose result it is to hold.

    Args:
        path: The file to be; its folder is made if it is missing.

    Raises:
        FewmaskError: If it could not.
    """
    path = expanded(path)
    beside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file whole or not at all.

    Args:
        path: The file to be.
        text: What it will hold; line ends are kept as they are.

    Raises:
        FewmaskError: If it cannot be written.
    """
    with whole_file(path) as beside:
        beside.write_bytes(text.encode("utf-8"))


def cannot_write(path: str | Path, error: OSError) -> FewmaskError:
    """Puts the operating system's refusal to write into our words.

    Args:
        path: What was to be written.
        error: What the operating system said.

    Returns:
        An error that names the file and says what to do.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FewmaskError(
            path,
            "room on the disk to write it",
            "the disk is full",
            "Free some room or choose another folder; nothing half-written was left.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FewmaskError(
            path,
            "a folder that may be written to",
            "no right to write there",
            "Choose another folder or change its rights.",
        )
    return FewmaskError(
        path,
        "to be written",
        f"the system refused: {error.strerror or error}",
        "Check the path and the disk, or choose another folder.",
    )
