"""Contests on Kaggle: a table with the runs of one object in a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from fewmask.data.folders.sorting import natural_key
from fewmask.data.formats.fields import read_csv
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import Piece
from fewmask.data.formats.rle import Runs, find_runs
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Progress,
    copy_images,
    count_ignored,
    pieces_of_classes,
    write_json,
)
from fewmask.data.imageio import read_size
from fewmask.data.masks.legend import find_legend, is_background
from fewmask.errors import DataError

RUN_TITLES = ("encodedpixels", "encoded_pixels", "rle_mask", "rle", "segmentation")
"""Titles of the column of runs, in small letters."""
_BOTH = "imageid_classid"
IMAGE_TITLES = ("imageid", "image_id", "image", "img", "id", "filename", _BOTH)
"""Titles of the column of images; the last holds the class too, after a `_`."""
_CLASS_TITLES = ("classid", "class_id", "class", "label")
_NOTHING = ("", "-1", "nan")
"""Runs of an image without an object."""
_LOOKED_AT = 50  # images that say which way runs go


def read_kaggle(labels: Labels) -> Source:
    """Reads tables of runs: pairs of start, counted from 1, and length; small objects on top.

    The runs go down the columns, as in most contests, unless those of images that are not
    square show that they go along the rows. Classes have the names in `classes.json`, if there
    is one, or their numbers.

    Args:
        labels: The tables.

    Raises:
        DataError: If a table is broken, an image is missing, or runs do not fit it.
    """
    finder = ImageFinder(labels.images, labels.path)
    legend = find_legend(labels.root)
    named = [name for name in legend.names if not is_background(name)] if legend else []
    shapes: dict[str, list[Shape]] = {}
    first: dict[str, str] = {}
    for path in labels.files:
        for number, cells in read_csv(path):
            where = f"{path}, line {number}"
            image, class_name = _image_and_class(cells, where)
            runs = _cell(cells, RUN_TITLES, "of runs", where)
            first.setdefault(image, where)
            drawn = shapes.setdefault(image, [])
            if runs.lower() not in _NOTHING:
                name = _name_of(class_name, named)
                drawn.append(Shape(name, _read_runs(runs, where), where))
    images = []
    for image, drawn in shapes.items():
        found = finder.find(image, first[image])
        if found is not None:
            images.append(ShapedImage(found.path, found.name, drawn, None, found.part))
    findings = finder.finish()
    if _go_along_rows(images, labels.max_pixels):
        findings.append("The runs go along the rows: those of images that are not square show it.")
        images = [replace(image, shapes=_along_rows(image.shapes)) for image in images]
    names = {shape.name for image in images for shape in image.shapes}
    return source_of_shapes(
        labels,
        images,
        [*named, *sorted(names - set(named), key=natural_key)],
        ordered=False,
        losses=Losses(),
        findings=findings,
    )


def write_kaggle(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `train.csv`, with a line for each piece of a class, `classes.json` and `images/`."""
    names = source.classes.names[1:]
    titles = ["ImageId", *["ClassId"] * (len(names) > 1), "EncodedPixels"]
    with (out / "train.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(titles)
        for copy in copy_images(source, out, "images/{part}", progress):
            count_ignored(source, copy.mask)
            pieces = [*pieces_of_classes(copy.mask, source.classes.num_classes)]
            lines = [(piece.class_id, _write_runs(piece, copy.size)) for piece in pieces]
            for class_id, runs in lines or [(1, "")]:
                table.writerow([copy.name, *[class_id] * (len(titles) - 2), runs])
    write_json(out / "classes.json", {"names": list(names)})


def _image_and_class(cells: dict[str, str], where: str) -> tuple[str, str | None]:
    image = _cell(cells, IMAGE_TITLES, "of images", where)
    if _BOTH in cells:
        image, _, class_name = image.rpartition("_")
        return image, class_name
    return image, next((cells[title] for title in _CLASS_TITLES if title in cells), None)


def _cell(cells: dict[str, str], titles: Sequence[str], what: str, where: str) -> str:
    for title in titles:
        if title in cells:
            return cells[title]
    raise DataError(
        where,
        f"a column {what}, called {', '.join(titles[:3])} or the like",
        f"columns {', '.join(cells)}",
        "Rename the column.",
    )


def _name_of(text: str | None, named: Sequence[str]) -> str:
    """Returns the name of a class that is given by its number from 1 on, its name, or not."""
    if text is None:
        return named[0] if len(named) == 1 else "foreground"
    if not text.isdecimal():
        return text
    return named[int(text) - 1] if 1 <= int(text) <= len(named) else f"class{text}"


def _read_runs(text: str, where: str) -> Runs:
    words = text.split()
    if len(words) % 2 or not all(word.isdecimal() and len(word) < 12 for word in words):
        raise DataError(
            where,
            "pairs of whole numbers, the start of a run and its length",
            f"{len(words)} words: '{text[:40]}'",
            "Correct the line, or export the table again.",
        )
    pairs = np.array(words, np.int64).reshape(-1, 2)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    ends = pairs.sum(axis=1)
    gaps = pairs[:, 0] - np.concatenate([[1], ends[:-1]])
    if gaps.min() < 0:
        raise DataError(
            where,
            "runs that start at pixel 1 or later, each after the one before",
            f"a run at pixel {pairs[int(gaps.argmin()), 0]}",
            "Correct the line, or export the table again.",
        )
    return Runs(np.stack([gaps, pairs[:, 1]], axis=1).ravel(), open_end=True)


def _write_runs(piece: Piece, size: tuple[int, int]) -> str:
    ends = np.cumsum(find_runs(piece, *size))
    starts, stops = ends[:-1:2], ends[1::2]
    pairs = np.stack([starts + 1, stops - starts], axis=1)
    return " ".join(map(str, pairs.ravel().tolist()))


def _go_along_rows(images: Iterable[ShapedImage], max_pixels: int) -> bool:
    """Says whether each run begins about a row after the one before, not about a column after."""
    down = along = 0
    for image in islice((image for image in images if image.shapes), _LOOKED_AT):
        height, width = read_size(image.file, max_pixels)
        for shape in image.shapes if height != width else ():
            ends = np.cumsum(shape.area.counts) if isinstance(shape.area, Runs) else np.empty(0)
            steps = np.diff(ends[::2])
            near_height, near_width = np.abs(steps - height), np.abs(steps - width)
            down += int(np.count_nonzero(near_height < near_width))
            along += int(np.count_nonzero(near_width < near_height))
    return along > down


def _along_rows(shapes: Iterable[Shape]) -> list[Shape]:
    return [
        replace(shape, area=replace(shape.area, down=False))
        for shape in shapes
        if isinstance(shape.area, Runs)
    ]
