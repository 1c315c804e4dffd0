"""The lock of a run: two trainings that wrote into one folder would ruin both."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fewmask.errors import RunError
from fewmask.files import cannot_write
from fewmask.run import Run

LOCK = ".lock"
"""File in the run that is there while someone trains it; it names the process."""

_IN_USE = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What file systems say that know no locks, some of those on a network; there nobody is barred."""

# Far behind the text: where Windows locks bytes, nobody else may even read them.
_LOCKED_BYTE = 2**30


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Keeps every other process out of a run for the length of a block.

    The system gives the lock back when the process ends, however it ends, so that a lock file
    left behind by a kill or a power cut bars nobody.

    Args:
        run: The run.

    Raises:
        RunError: If another training is at work in it.
        FewmaskError: If the folder cannot be written to.
    """
    path = run.folder / LOCK
    file = _open_locked(path, run)
    try:
        with suppress(OSError):  # the text is only for people
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
        yield
    finally:
        # Elsewhere than on Windows the name goes first, while nobody else can hold the lock.
        if sys.platform == "win32":
            os.close(file)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if sys.platform != "win32":
            os.close(file)


def _open_locked(path: Path, run: Run) -> int:
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return file
            os.close(file)
            if error.errno in _IN_USE:
                raise _in_use(path, run) from None
            raise cannot_write(path, error) from error
        # Whoever held it may have removed the name in the meantime: then we hold nothing.
        with suppress(OSError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _in_use(path: Path, run: Run) -> RunError:
    try:
        process = path.read_text("utf-8").strip()
    except OSError:
        process = ""
    return RunError(
        run.folder,
        "a run that nobody is training",
        f"another training at work in it{f' (process {process})' if process else ''}",
        "Wait until it ends, or stop it with Ctrl-C.",
    )
