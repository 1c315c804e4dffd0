"""A registry in a folder, on a disk of this machine or of another that is mounted."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fewmask.errors import FewmaskError
from fewmask.files import cannot_write, whole_file
from fewmask.packages.remotes.remote import (
    BLOCK,
    AlreadyThere,
    NotThere,
    Progress,
    RemoteError,
    no_right,
    not_there,
)

_NO_LINKS = (
    errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV,
    errno.EINVAL,
)  # fmt: skip
"""What file systems say that cannot give a file a second name: macOS and Windows say the third and
the last."""


class FolderRemote:
    """A registry in a folder.

    Args:
        root: The folder; the first file that is written makes it.
    """

    writable = True
    listable = True
    keeps_index = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)

    def size(self, path: str) -> int:
        """Returns the bytes of a file."""
        with self._reading(path) as place:
            status = place.stat()
            if not place.is_file():
                raise not_there(str(place))
            return status.st_size

    def list(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder."""
        self._check_mounted()
        found = []
        with self._reading(folder) as top:
            for here, _, names in os.walk(top, onerror=_refuse_locked):
                relative = Path(here).relative_to(self.root)
                found += [(relative / name).as_posix() for name in names]
        return tuple(sorted(found))

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on."""
        self._check_mounted()
        with self._reading(path) as place, place.open("rb") as file:
            file.seek(start)
            while block := file.read(BLOCK):
                yield block

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Copies a file there."""
        self._check_parent()
        with (
            whole_file(self.root / path) as beside,
            source.open("rb") as file,
            beside.open("xb") as copy,
        ):
            while block := file.read(BLOCK):
                copy.write(block)
                if progress is not None:
                    progress(len(block))

    def create(self, path: str, content: bytes) -> None:
        """Writes a small file there if nothing is there."""
        self._check_parent()
        place = self.root / path
        beside = place.with_name(f".{place.stem}-{uuid.uuid4().hex[:8]}{place.suffix}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            _give_second_name(beside, place, content)
        except FileExistsError as error:
            raise AlreadyThere(
                place, "a free place", "a file", "It is kept; nothing was written."
            ) from error
        except OSError as error:
            raise cannot_write(place, error) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def close(self) -> None:
        """Does nothing: a folder has no connections."""

    def _check_parent(self) -> None:
        # A disk that is not mounted would otherwise be taken for an empty registry.
        if not self.root.is_dir() and not self.root.parent.is_dir():
            raise RemoteError(
                self.root,
                "a folder, or a place for one",
                "not even the folder above it",
                "Check the path for a slip and that the disk is mounted, or make the folder.",
            )

    def _check_mounted(self) -> None:
        if not self.root.is_dir():
            raise NotThere(
                self.root,
                "the folder of a registry",
                "nothing there",
                "Check the path for a slip and that the disk is mounted.",
            )

    @contextmanager
    def _reading(self, path: str) -> Iterator[Path]:
        place = self.root / path
        try:
            yield place
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise not_there(str(place)) from error
        except PermissionError as error:
            locked = str(error.filename or place)
            raise no_right(
                locked, "no right to read it", "Ask its owner for the right to read it."
            ) from error
        except OSError as error:
            raise _cannot_read(place, error) from error


def _refuse_locked(error: OSError) -> None:
    """Ends a walk that would pass over what it may not read, as if nothing were there."""
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


def _give_second_name(beside: Path, place: Path, content: bytes) -> None:
    """Makes `place` out of `beside` in one step that fails if it exists, as a rename would not."""
    try:
        os.link(beside, place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Still exclusive, though a kill in between leaves the beginning of a file.
        try:
            with place.open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise
        except OSError:  # a full disk; some systems delete nothing that is still open
            place.unlink(missing_ok=True)
            raise


def _cannot_read(place: Path, error: OSError) -> FewmaskError:
    return RemoteError(
        place,
        "to be read",
        f"the system refused: {error.strerror or error}",
        "Check the disk or the network that it is on.",
    )
