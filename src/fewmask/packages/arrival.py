"""How the files of a version come into the store: fetched aside, then made visible in one step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from fewmask.errors import FewmaskError
from fewmask.packages.download import fetch_all
from fewmask.packages.manifest import PackagedFile
from fewmask.packages.progress import BytesSoFar, Progress, bytes_text
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import Remote
from fewmask.packages.store import Say, Store
from fewmask.packages.store_lock import StoreLock

Whereabouts = Callable[[PackagedFile], Path]


def bring(
    remote: Remote,
    files: Sequence[PackagedFile],
    finish: Callable[[Whereabouts], bytes],
    store: Store,
    patience: Patience,
    progress: Progress | None = None,
    say: Say | None = None,
) -> int:
    """Fetches what the store lacks of a version, then makes the version visible.

    Args:
        remote: The registry.
        files: The files of the version.
        finish: Called when all of them are here and checked, with a function that tells where
            each lies; returns the bytes of the manifest.
        store: Where to put them.
        patience: How often to try.
        progress: Called with the bytes that are there, then all that are to be fetched.
        say: Told, after two seconds, whom this waits for.

    Returns:
        Bytes of the files that the store lacked.

    Raises:
        DataError: If a file is not what it should be, or the manifest is none.
        RemoteError: If the registry cannot be read. What has arrived is kept for next time.
        FewmaskError: If the store cannot be written to.
    """
    # One process at a time: two would write into the same partial files.
    with StoreLock(store.root / "downloading").held(say):
        missing = [file for file in once(files) if not store.has(file)]
        total = sum(file.size for file in missing)
        _check_room(store, missing)
        report = BytesSoFar(total, progress)
        fetch_all(remote, missing, store.partial_path, patience, report)
        on_the_way = {file.sha256 for file in missing}

        def whereabouts(file: PackagedFile) -> Path:
            arrived = file.sha256 in on_the_way
            return (store.partial_path if arrived else store.object_path)(file.sha256)

        content = finish(whereabouts)
        with store.lock(say):
            for file in missing:
                store.adopt(store.partial_path(file.sha256), file.sha256)
            try:
                store.add_version(content)
            except FewmaskError:
                with suppress(FewmaskError):
                    store.remove_unused()
                raise
    return total


def once(files: Sequence[PackagedFile]) -> list[PackagedFile]:
    """Returns each content once: two files of a package may be equal."""
    return list({file.sha256: file for file in files}.values())


def _check_room(store: Store, files: Sequence[PackagedFile]) -> None:
    """Refuses early what the disk cannot hold."""
    needed = 0
    for file in files:
        with suppress(OSError):
            needed -= store.partial_path(file.sha256).stat().st_size
        needed += file.size
    free = shutil.disk_usage(store.root).free
    if needed > free:
        raise FewmaskError(
            store.root,
            f"room on the disk for {bytes_text(needed)}",
            bytes_text(free),
            "Free some room; nothing was installed.",
        )
