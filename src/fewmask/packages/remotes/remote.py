"""What every place that holds a registry can do, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from fewmask.errors import FewmaskError
from fewmask.packages.checks import without_controls
from fewmask.packages.manifest import Manifest

Progress = Callable[[int], None]
"""Called with the number of bytes that have arrived since the last call."""

BLOCK = 2**18
"""Bytes handed on at once: enough to be quick, few enough to lose little in a cut."""


class RemoteError(FewmaskError):
    """A registry cannot be read or written."""

    def __init__(self, where: object, expected: str, found: str, remedy: str) -> None:
        # What a server says must not give orders to the terminal.
        super().__init__(where, expected, without_controls(found), remedy)


class NotThere(RemoteError):
    """Nothing lies at this path of the registry."""


class NoRight(RemoteError):
    """The registry wants a log-in or other rights."""


class AlreadyThere(RemoteError):
    """Something lies there already, and it may not be replaced."""


class Interrupted(RemoteError):
    """It may well work a moment later: a cut, a stall, a server with too much to do."""


class Remote(Protocol):
    """A place with files, reached by relative paths with `/`.

    `url` names it for people; `writable` says whether it can be pushed to, `listable` whether
    it can say what it holds, which web servers cannot, and `keeps_index` whether an index is
    kept there for those.
    """

    url: str
    writable: bool
    listable: bool
    keeps_index: bool

    def size(self, path: str) -> int | None:
        """Returns the bytes of a file, None where the place does not tell.

        Raises:
            NotThere: If there is no such file.
        """

    def list(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder, sorted; none if there is no folder."""

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on.

        Raises:
            NotThere: If there is no such file.
            Interrupted: If the connection is cut; what was yielded until then is right.
        """

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Puts a file there, in place of an older one; it is not visible until it is whole."""

    def create(self, path: str, content: bytes) -> None:
        """Puts a small file there, whole, if nothing is there.

        Raises:
            AlreadyThere: If something is, whoever was quicker.
        """

    def close(self) -> None:
        """Gives connections back."""


@runtime_checkable
class TakesWholeVersions(Protocol):
    """A place where a version is published in one step, files and manifest together."""

    def publish(
        self,
        manifest: Manifest,
        content: bytes,
        sources: Callable[[str], Path],
        progress: Progress | None = None,
    ) -> None:
        """Publishes a version.

        Args:
            manifest: The version.
            content: Its manifest's bytes.
            sources: Path of a file on this machine by its hash.
            progress: Told of bytes as they are sent.

        Raises:
            AlreadyThere: If a manifest of this version is there, whoever was quicker.
        """


def exists(remote: Remote, path: str) -> bool:
    """Says whether a file is there.

    Args:
        remote: Where to look.
        path: Its path.
    """
    try:
        remote.size(path)
    except NotThere:
        return False
    return True


def not_there(where: str) -> NotThere:
    """Makes the error for a file that is missing."""
    return NotThere(
        where,
        "a file",
        "nothing there",
        "Check the address and the name for a slip.",
    )


def no_right(where: str, found: str, remedy: str) -> NoRight:
    """Makes the error for a place that lets nobody in."""
    return NoRight(where, "the right to use it", found, remedy)


def interrupted(where: str, found: str) -> Interrupted:
    """Makes the error for what may work a moment later."""
    return Interrupted(
        where,
        "an answer",
        found,
        "Check the network and try again; what has arrived is kept.",
    )
