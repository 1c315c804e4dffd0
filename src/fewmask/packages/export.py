"""Writes an installed dataset into a folder, laid out as on the Hugging Face Hub."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from fewmask.errors import DataError
from fewmask.files import cannot_write
from fewmask.packages.manifest import Manifest
from fewmask.packages.progress import Progress
from fewmask.packages.store import Store


def export_package(
    store: Store, manifest: Manifest, folder: Path, progress: Progress | None = None
) -> None:
    """Copies the files of a version to their places in a folder.

    Args:
        store: Where it is installed.
        manifest: The version.
        folder: The folder to be; it must be new or empty.
        progress: Called with the bytes copied, then all of them.

    Raises:
        DataError: If there is something in the folder, or the version is not whole.
        FewmaskError: If it cannot be written.
    """
    try:
        is_taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise cannot_write(folder, error) from error
    if is_taken:
        raise DataError(folder, "a new or an empty folder", "something there", "Name another one.")
    if folder.resolve() == Path.cwd():
        # Moving another one into its place would leave the terminal in a folder that is gone.
        raise DataError(
            folder, "a new or an empty folder", "the one that you are in", "Name a new one in it."
        )
    missing = [file.path for file in manifest.files if not store.has(file)]
    if missing:
        raise DataError(
            manifest.dataset,
            "all its files in the store",
            f"{len(missing)} missing or cut off, {missing[0]} for one",
            f"Run: fewmask install {manifest.dataset}",
        )
    # Copied beside and moved into place: whoever is killed leaves no half dataset. A link to an
    # empty folder stays, and what it leads to is filled.
    folder = folder.resolve()
    beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    done = 0
    try:
        for file in manifest.files:
            place = beside / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(store.object_path(file.sha256), place)
            done += file.size
            if progress is not None:
                progress(done, max(1, manifest.size))
        if folder.exists():
            folder.rmdir()
        os.rename(beside, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
