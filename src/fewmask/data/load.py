"""Loads a dataset by the path of its folder, or by its name."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import platformdirs

from fewmask.data.dataset import Dataset
from fewmask.data.folders.folder import read_folder
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.errors import DataError
from fewmask.files import cannot_write

DEMO = "demo/chairs"
DEMO_VERSION = 2
"""Raised when the drawn pictures change, so that nobody trains on those of an older fewmask."""

_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w.+-]+)?")

Progress = Callable[[int, int], None]


def load_dataset(
    source: str | Path,
    *,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    progress: Progress | None = None,
    drawing: Progress | None = None,
) -> Dataset:
    """Loads a dataset: the folder at a path, or `demo/chairs`, which is drawn on first use.

    A path that exists is a path. What was believed about its files stands in `findings`.

    Args:
        source: Path of a folder of images and masks (`~` is your home), or `demo/chairs`.
        masks: The folder of the masks, where there could be several.
        classes: The classes in the order of their ids: `"chair"`, or with the value or colour
            of their pixels `"chair=255"`, `"chair=#ff0000"`.
        ignore_index: Value of mask pixels that are not to count.
        threshold: Value from which on a grey mask shows its object.
        max_pixels: Larger pictures are refused.
        progress: Called with the work done so far, then all of it.
        drawing: Called likewise while the demo is drawn, once; `progress` when left out.

    Returns:
        The dataset.

    Raises:
        DataError: If there is no such folder, or what it holds cannot be used as it is.
        DecisionNeeded: If the files can be understood in more than one way.
    """
    text = os.fspath(source)
    folder = Path(source).expanduser()
    decisions = MaskDecisions(tuple(classes), ignore_index, threshold)
    if not text:
        raise DataError("source", "a folder of images and masks", "no name", "Name the folder.")
    if folder.exists():
        dataset = read_folder(
            folder, masks=masks, decisions=decisions, max_pixels=max_pixels, progress=progress
        )
        if isinstance(source, Path) or not _NAME.fullmatch(text):
            return dataset
        note = f"{text} is read as the folder of this name, not as a dataset to be fetched."
        return replace(dataset, findings=(note, *dataset.findings))
    if text == DEMO:
        folder = _drawn_chairs(drawing or progress)
        dataset = read_folder(
            folder, masks=masks, decisions=decisions, max_pixels=max_pixels, progress=progress
        )
        return replace(dataset, name=DEMO)
    raise _nothing_there(source, text)


def _nothing_there(source: str | Path, text: str) -> DataError:
    named = not isinstance(source, Path) and ("://" in text or _NAME.fullmatch(text))
    if named:
        return DataError(
            text,
            f"a folder or {DEMO}",
            "no folder of this name, and named datasets cannot be fetched yet",
            "Give the path of a folder with images and masks.",
        )
    return DataError(
        text,
        f"a folder of images and masks or {DEMO}",
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
