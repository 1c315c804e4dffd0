"""Loads a dataset by the path of its folder, or by its name."""

from __future__ import annotations

import difflib
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import platformdirs

from fewmask.data.dataset import Dataset
from fewmask.data.folders.folder import check_folder, decide, read_folder
from fewmask.data.folders.settings import read_settings
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.data.masks.legend import find_legend
from fewmask.errors import ArgumentError, DataError, typed
from fewmask.files import cannot_write, expanded
from fewmask.packages.choosing import choose_version, is_known
from fewmask.packages.hubfolder import list_parquet
from fewmask.packages.lockfile import LOCKFILE
from fewmask.packages.names import DatasetName, looks_like_name, parse_name
from fewmask.packages.progress import Progress
from fewmask.packages.store import Store, default_store

DEMO = "demo/chairs"
DEMO_VERSION = 2
"""Raised when the drawn pictures change, so that nobody trains on those of an older fewmask."""

SLIP = 0.85
"""Likeness from which on a name is taken for another with a slip in it."""


def load_dataset(
    source: str | Path,
    *,
    version: int | None = None,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    store: Store | None = None,
    lock: str | Path | None = LOCKFILE,
    progress: Progress | None = None,
    drawing: Progress | None = None,
) -> Dataset:
    """Loads a dataset: the folder at a path, or an installed one by its name.

    A path that exists is a path; `owner/name@3`, or a name with `version`, is always a name. A
    folder holds images and masks, or Parquet files in the layout of the Hugging Face Hub. What
    was believed about it stands in `findings`.

    Of an installed dataset without a version, the one is read that `fewmask.lock` pins, and the
    newest where it pins none. A pinned version must be the one that was pinned, byte for byte.

    Args:
        source: Path of a folder (`~` is your home), the name of an installed dataset, or
            `demo/chairs`, which is drawn on first use.
        version: The version of an installed dataset; the pinned or newest when left out.
        masks: The folder of the masks, or in Parquet files their column, where there could be
            several.
        classes: The classes in the order of their ids: `"chair"`, or with the value or colour
            of their pixels `"chair=255"`, `"chair=#ff0000"`; or all of them in one text,
            separated by commas. In a dataset that `build` made, the values are class ids.
        ignore_index: Value of mask pixels that are not to count.
        threshold: Value from which on a grey mask shows its object.
        max_pixels: Larger images are refused.
        store: Where datasets are installed; your own store when left out.
        lock: Lock file of the project, that of the folder you are in when left out; it need not
            be there. None to look at none.
        progress: Called with the work done so far, then all of it.
        drawing: Called likewise while the demo is drawn, once; `progress` when left out.

    Returns:
        The dataset.

    Raises:
        DataError: If there is no such folder and none of this name is installed, if the version
            that is pinned is not, or if what is there cannot be used as it is.
        DecisionNeeded: If the files can be understood in more than one way.
    """
    text = os.fspath(source)
    decisions = MaskDecisions(classes, ignore_index, threshold)

    def from_folder(folder: Path) -> Dataset:
        return _read_any_folder(folder, masks, decisions, max_pixels, progress)

    if not text:
        raise DataError("source", "a folder of images and masks", "no name", "Name the folder.")
    folder = expanded(source)
    named = not isinstance(source, Path) and looks_like_name(text)
    by_name = version is not None or (named and "@" in text)
    # Unlike `exists` of a path, it takes what no disk can hold, or nobody may see, as not there.
    if os.path.exists(folder) and not by_name:
        dataset = from_folder(folder)
        if not named:
            return dataset
        note = f"{text} is read as the folder of this name, not as an installed dataset."
        return replace(dataset, findings=(note, *dataset.findings))
    if text == DEMO and version is None:
        return replace(from_folder(_drawn_chairs(drawing or progress)), name=DEMO)
    store, lock = store or default_store(), None if lock is None else Path(lock)
    if not by_name and not (named and _is_known(text, store, lock)):
        raise _nothing_there(text, named, store)
    from fewmask.packages.opening import open_installed
    from fewmask.packages.reading import Reading

    chosen = choose_version(_with_version(text, version), store, lock)
    reading = Reading(None if masks is None else str(masks), decisions, None, max_pixels, progress)
    dataset = open_installed(chosen.name, store, reading)
    return replace(dataset, findings=(*chosen.findings, *dataset.findings))


def is_dataset(text: str, store: Store | None = None) -> bool:
    """Whether a text names a dataset that is here, and no folder.

    Args:
        text: What somebody typed.
        store: Where datasets are installed; your own store when left out.

    Example:

    >>> is_dataset("demo/chairs"), is_dataset("./demo/chairs")
    (True, False)
    """
    if not looks_like_name(text) or os.path.exists(text):
        return False
    return text == DEMO or _is_known(text, store or default_store(), None)


def _is_known(text: str, store: Store, lock: Path | None) -> bool:
    try:
        return is_known(parse_name(text), store, lock)
    except ArgumentError:
        return False  # a path then, with a slip in it


def _with_version(text: str, version: int | None) -> DatasetName:
    name = parse_name(text)
    if version is None:
        return name
    if name.version not in (None, version):
        raise ArgumentError(
            "version", f"that of {name}", str(version), "Name the version in one place."
        )
    return parse_name(f"{name.path}@{version}")


def _read_any_folder(
    folder: Path,
    masks: str | Path | None,
    decisions: MaskDecisions,
    max_pixels: int,
    progress: Progress | None,
) -> Dataset:
    """Reads a folder of Parquet files where there are some with images, else of image files."""
    if folder.is_dir() and list_parquet(folder):
        from fewmask.packages.opening import open_parquet_folder
        from fewmask.packages.reading import Reading

        settings = read_settings(folder).beside(decisions)
        column = settings.masks if masks is None else str(masks)
        decided = decide(decisions, settings)
        legend = find_legend(folder, decided.classes)
        reading = Reading(column, decided, legend, max_pixels, progress)
        dataset = open_parquet_folder(check_folder(folder), reading)
        if dataset is not None:
            return replace(dataset, findings=(*settings.findings(), *dataset.findings))
    return read_folder(
        folder, masks=masks, decisions=decisions, max_pixels=max_pixels, progress=progress
    )


def _nothing_there(text: str, named: bool, store: Store) -> DataError:
    if "://" in text:
        from_it = typed("fewmask", "install", "OWNER/NAME", "--from", text)
        return DataError(
            text,
            "a folder, or the name of an installed dataset",
            "an address",
            f"Install it first: {typed('fewmask', 'install', text)}"
            if text.startswith("hf://")
            else f"Download and unpack it, or if it is a registry, install from it: {from_it}",
        )
    if named:
        here = {DEMO, *(name.path for name in store.names())}
        near = difflib.get_close_matches(text, sorted(here), 1, SLIP)
        bring = f"bring the dataset: {typed('fewmask', 'install', text)}"
        return DataError(
            text,
            "a folder of images and masks, or the name of an installed dataset",
            "neither",
            f"Did you mean {near[0]}? If not, {bring}"
            if near
            else f"Check the path for a slip, or {bring}",
        )
    return DataError(
        text,
        f"a folder of images and masks, the name of an installed dataset, or {DEMO}",
        "nothing there",
        "Check the path for a slip.",
    )


def _drawn_chairs(progress: Progress | None) -> Path:
    """Returns the folder of the demo's pictures; draws them if they are not there yet."""
    folder = Path(platformdirs.user_cache_dir("fewmask")) / "demo" / f"chairs-{DEMO_VERSION}"
    if folder.is_dir():
        return folder
    from fewmask.data.demo import draw_chairs

    # Drawn beside and moved into place: a kill leaves no half dataset that looks like a whole
    # one, and of two processes that draw at once the later one finds the pictures there.
    beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        draw_chairs(beside, progress=progress)
        try:
            os.rename(beside, folder)
        except OSError:
            if not folder.is_dir():
                raise
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder
