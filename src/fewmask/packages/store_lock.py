"""The lock of a store: only one process at a time makes objects come and go."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fewmask.errors import FewmaskError
from fewmask.files import cannot_write

if TYPE_CHECKING:
    from filelock import FileLock

QUIET_SECONDS = 2.0
"""How long to wait for another process before saying so."""

Say = Callable[[str], None]


class StoreLock:
    """A lock that one process, and in it one thread, holds at a time.

    The system gives it back when the process ends, however it ends.

    Args:
        root: The folder of the store; made when the lock is first taken.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held = threading.local()

    @contextmanager
    def held(self, say: Say | None = None) -> Iterator[None]:
        """Holds the lock for the length of a block; in a block of the same thread, again.

        Args:
            say: Told, after two seconds, whom this waits for.

        Raises:
            FewmaskError: If the store cannot be written to.
        """
        if getattr(self._held, "by_this_thread", False):
            yield
            return
        lock = self._acquire(say)
        self._held.by_this_thread = True
        try:
            yield
        finally:
            self._held.by_this_thread = False
            lock.release()

    def _acquire(self, say: Say | None) -> FileLock:
        # Whoever only looks at a store takes no lock, and does not wait for this import.
        from filelock import FileLock, Timeout

        path = self._root / "lock"
        holder = self._root / "lock.txt"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=QUIET_SECONDS)
            except Timeout:
                if say is not None:
                    say(f"Waiting for {_process_in(holder)} to finish in {self._root}.")
                lock.acquire()
            with suppress(OSError):  # the text is only for people
                holder.write_text(str(os.getpid()), "utf-8")
        except NotImplementedError as error:
            raise no_locks(self._root) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        return lock


def no_locks(folder: Path) -> FewmaskError:
    """Makes the error for a disk that knows no locks, as some on a network do."""
    return FewmaskError(
        folder,
        "a disk on which a file can be locked",
        "one that knows no locks",
        "Keep datasets on a disk of this machine.",
    )


def _process_in(holder: Path) -> str:
    try:
        return f"process {holder.read_text('utf-8')}"
    except OSError:
        return "another process"
