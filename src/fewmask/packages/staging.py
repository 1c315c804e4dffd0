"""Folders for files that are on their way into a store."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fewmask.files import cannot_write
from fewmask.packages.store_lock import no_locks


@contextmanager
def staging(partial: Path) -> Iterator[Path]:
    """Lends a new folder in `partial`.

    It is removed at the end, and if the process is killed, by whoever needs a folder next: each
    has a lock beside it that the system gives back when its process ends.

    Args:
        partial: The folder that it is made in.

    Raises:
        FewmaskError: If it cannot be made.
    """
    from filelock import FileLock  # here, because whoever only looks at a store stages nothing

    folder = partial / f"build-{uuid.uuid4().hex[:12]}"
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        partial.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        _remove_abandoned(partial)
        folder.mkdir()
    except NotImplementedError as error:
        raise no_locks(partial) from error
    except OSError as error:
        lock.release(force=True)
        raise cannot_write(folder, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)


def _remove_abandoned(partial: Path) -> None:
    """Removes the folders of processes that were killed: those whose lock nobody holds."""
    from filelock import FileLock, Timeout

    for path in partial.glob("build-*.lock"):
        lock = FileLock(path)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            lock.release()
            path.unlink(missing_ok=True)
