"""YOLO: a text file for each image, one polygon a line, corners as shares of the sides."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fewmask.data.formats.fields import as_ring, read_lines, read_text
from fewmask.data.formats.filling import Outline
from fewmask.data.formats.images import Found, ImageFinder, common_name
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import join_holes, trace
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Copy,
    Progress,
    copy_images,
    count_ignored,
    folder_of,
    pieces_of_classes,
    write_lines,
)
from fewmask.data.imageio import read_size
from fewmask.data.masks.legend import find_legend, refuse_twins
from fewmask.data.parts import PARTS
from fewmask.data.wording import counted
from fewmask.errors import DataError

NAME_LISTS = ("classes.txt", "obj.names")
"""Files that list the names of classes, one a line."""
_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
LINE = re.compile(rf"\d+(\s+{_NUMBER}){{4,}}\s*")
"""What a line of such a file looks like: a class, then at least a box."""


def read_yolo(labels: Labels) -> Source:
    """Reads YOLO's text files; small objects go over large ones.

    An image without a text file holds no object, unless none of its part has one.

    Args:
        labels: The text files.

    Raises:
        DataError: If a line is none, or a file belongs to no image.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    names, findings = _class_names(labels)
    by_key: dict[tuple[str, ...], Found] = {}
    for found in finder.images:
        key = common_name(found.name)
        if key in by_key:
            raise DataError(
                labels.images,
                "one image of a name",
                f"{by_key[key].path} and {found.path}",
                "Rename one of them, or name the folder that holds only those meant.",
            )
        by_key[key] = found
    drawn: dict[Found, list[Shape]] = {}
    lost = []
    for path in labels.files:
        relative = path.relative_to(labels.root).with_suffix("").as_posix()
        image = by_key.get(common_name(relative)) or by_key.get(common_name(path.stem))
        if image is None or image in drawn:
            lost.append(path)
            continue
        drawn[image] = _read_shapes(path, image, names, losses, labels.max_pixels)
    if lost:
        raise DataError(
            labels.path,
            f"an image in {labels.images} for every text file",
            f"{counted(len(lost), 'file')} without one: {lost[0]}",
            "Add the image, or name the folder that holds the images after the labels.",
        )
    parts = {found.part for found in drawn}
    without = [found for found in finder.images if found not in drawn and found.part in parts]
    if without:
        findings.append(
            f"{counted(len(without), 'image')} without a text file: no object in "
            f"{'it' if len(without) == 1 else 'them'}, as YOLO reads it."
        )
    left_out = len(finder.images) - len(drawn) - len(without)
    if left_out:
        findings.append(f"Left out: {counted(left_out, 'image')} of a part that has no text files.")
    return source_of_shapes(
        labels,
        [
            ShapedImage(found.path, found.name, drawn.get(found, []), None, found.part)
            for found in (*drawn, *without)
        ],
        names,
        ordered=False,
        losses=losses,
        findings=findings,
    )


def write_yolo(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `data.yaml`, `images/` and `labels/`."""
    for copy in copy_images(source, out, "images/{part}", progress):
        count_ignored(source, copy.mask)
        name = copy.path.replace("images/", "labels/", 1).rpartition("/")[0]
        write_lines(out / name / f"{copy.name}.txt", _lines(copy, source.classes.num_classes))
    present = {image.part for image in source.images}
    folders = {part: f"images/{folder_of(part)}" for part in PARTS if part in present}
    folders = folders or {"train": "images"}
    # Trainers of YOLO ask for both. Test images are never named as those to learn from: a folder
    # that is not there is refused when a training begins, and only then.
    folders.setdefault("train", "images/train")
    folders.setdefault("validation", folders.get("test", folders["train"]))
    write_lines(
        out / "data.yaml",
        [
            "path: .",
            *(f"{folder_of(part)}: {folders[part]}" for part in folders),
            "names:",
            *(
                f"  {number}: {json.dumps(name, ensure_ascii=False)}"
                for number, name in enumerate(source.classes.names[1:])
            ),
        ],
    )


def is_label_file(path: Path) -> bool:
    """Says whether a text file reads as YOLO's: its first line does, and it lists no names."""
    if path.name in NAME_LISTS:
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = next((line for line in file if line.strip()), "")
    except (OSError, UnicodeDecodeError):
        return False
    return bool(LINE.match(first.strip()))


def _read_shapes(
    path: Path, image: Found, names: list[str], losses: Losses, max_pixels: int
) -> list[Shape]:
    text = read_text(path, "text", may_be_empty=True)
    height, width = read_size(image.path, max_pixels)
    shapes = []
    for number, line in enumerate(text.splitlines(), start=1):
        words, where = line.split(), f"{path}, line {number}"
        if not words:
            continue
        if len(words) == 5:
            losses.add("box")
            continue
        if len(words) % 2 == 0 or not re.fullmatch(r"\d+", words[0]):
            raise DataError(
                where,
                "the number of a class, then x and y of each corner",
                f"{len(words)} words, the first '{words[0]}'",
                "Correct the line or remove it.",
            )
        ring = as_ring(_pairs(words[1:], where), where) * (width, height)
        shapes.append(Shape(_name_of(int(words[0]), names, where), (Outline(ring),), where))
    return shapes


def _pairs(words: Sequence[str], where: str) -> list[list[float]]:
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DataError(
            where, "numbers", str(error).partition(": ")[2], "Correct the line or remove it."
        ) from error
    return np.reshape(numbers, (-1, 2)).tolist()


def _name_of(number: int, names: list[str], where: str) -> str:
    if number >= len(names):
        raise DataError(
            where,
            f"the number of a class, 0 to {len(names) - 1}",
            str(number),
            "Correct it, or add the class to data.yaml.",
        )
    return names[number]


def _class_names(labels: Labels) -> tuple[list[str], list[str]]:
    """Returns the names of the classes in their order, and a sentence where they are made up."""
    folders = [labels.root, *(path.parent for path in labels.files), labels.root.parent]
    for folder in dict.fromkeys(folders):
        legend = find_legend(folder)
        if legend is not None and legend.is_yolo:
            ids = legend.ids or range(len(legend.names))
            pairs = list(zip(ids, legend.names, strict=True))
            refuse_twins(legend.path, pairs)
            named = dict(pairs)
            return [named.get(number, f"class{number}") for number in range(max(named) + 1)], []
        for name in NAME_LISTS:
            if (folder / name).is_file():
                return read_lines(folder / name), []
    numbers = {
        int(line.split()[0])
        for path in labels.files
        for line in read_lines(path)
        if LINE.fullmatch(line)
    }
    return (
        [f"class{number}" for number in range(max(numbers, default=-1) + 1)],
        ["No data.yaml names the classes: they are numbered."],
    )


def _lines(copy: Copy, num_classes: int) -> list[str]:
    height, width = copy.size
    lines = []
    for piece in pieces_of_classes(copy.mask, num_classes):
        shares = join_holes(trace(piece)) / (width, height)
        numbers = " ".join(f"{number:.6f}" for number in shares.ravel())
        lines.append(f"{piece.class_id - 1} {numbers}")
    return lines
