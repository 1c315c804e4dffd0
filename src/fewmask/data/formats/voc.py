"""Pascal VOC: masks with a palette in `SegmentationClass`, objects in `SegmentationObject`."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from fewmask.data.classes import Classes, Color
from fewmask.data.folders.sorting import natural_key
from fewmask.data.formats.fields import read_lines
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.source import Mask, Source, SourceImage, with_whole_parts
from fewmask.data.formats.writing import Progress, copy_images, pieces_of_classes, write_lines
from fewmask.data.imageio import encode_png, read_mask_values
from fewmask.data.masks.decisions import MAX_CLASSES, pack_color
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.legend import is_background
from fewmask.data.sizes import check_sizes
from fewmask.data.wording import counted
from fewmask.errors import DataError

CLASS_FOLDER, OBJECT_FOLDER = "SegmentationClass", "SegmentationObject"
"""Names of the folders of masks."""
_LISTS = ("labelmap.txt", "class_names.txt", "labels.txt")
_PARTS = {"train": "train", "val": "validation", "test": "test"}
_VOID: Color = (224, 224, 192)
_OFFICIAL = re.compile(r"(2007|2008|2009|201[0-2])_\d{6}")
"""Names of the images of the challenge."""
_NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)


def read_voc(labels: Labels) -> Source:
    """Reads a folder in the layout of Pascal VOC; images without a mask are left out.

    Names of classes come from `labelmap.txt` (CVAT's, with colours), `class_names.txt` or
    `labels.txt`; images of the challenge itself have its twenty classes.

    Args:
        labels: The masks of classes.

    Raises:
        DataError: If a mask belongs to no image, or holds what is no class.
    """
    finder = ImageFinder(labels.images, labels.path, frozenset(labels.files))
    losses = Losses()
    masks = sorted(labels.files, key=lambda path: natural_key(path.as_posix()))
    names, colors = _class_list(labels, masks)
    first = read_mask_values(masks[0], labels.max_pixels)
    if first.values.ndim == 3 or (colors and first.palette):
        shown = colors or [*palette(len(names))]
        table = {pack_color(color): class_id for class_id, color in enumerate(shown)}
        encoding = MaskEncoding(
            "colors", tuple(sorted({pack_color(_VOID): IGNORED, **table}.items()))
        )
    else:
        table = {class_id: class_id for class_id in range(len(names))}
        encoding = MaskEncoding("values", tuple(sorted({**table, IGNORED: IGNORED}.items())))
    parts = _parts(masks)
    images = []
    for path in masks:
        found = finder.find(path.stem, str(path))
        if found is None:
            continue
        draw = partial(_read_mask, path, found.path, encoding, losses, labels.max_pixels)
        images.append(SourceImage(found.path, found.name, draw, parts.get(path.stem, found.part)))
    findings = finder.finish()
    images, sentences = with_whole_parts(images)
    chosen = tuple(colors or palette(len(names)))
    classes = Classes(tuple(names), chosen if len(set(chosen)) == len(names) else ())
    return Source(labels.name, classes, images, (*findings, *sentences), losses, labels.max_pixels)


def write_voc(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes masks of classes and of objects, `labelmap.txt`, and lists of the parts."""
    colors = palette(256)
    parts: dict[str, list[str]] = {}
    for folder in (CLASS_FOLDER, OBJECT_FOLDER):
        (out / folder).mkdir()
    for copy in copy_images(source, out, "JPEGImages", progress):
        (out / CLASS_FOLDER / f"{copy.name}.png").write_bytes(encode_png(copy.mask, colors))
        objects = np.where(copy.mask == IGNORED, np.uint8(IGNORED), np.uint8(0))
        pieces = list(pieces_of_classes(copy.mask, source.classes.num_classes))
        for number, piece in enumerate(pieces[: IGNORED - 1], start=1):
            height, width = piece.pixels.shape
            window = objects[piece.top : piece.top + height, piece.left : piece.left + width]
            window[piece.pixels] = number
        source.losses.add("object", max(0, len(pieces) - IGNORED + 1), "beyond 254 in an image")
        (out / OBJECT_FOLDER / f"{copy.name}.png").write_bytes(encode_png(objects, colors))
        parts.setdefault(copy.image.part or "trainval", []).append(copy.name)
    for word, part in (*_PARTS.items(), ("trainval", "trainval")):
        if part in parts:
            write_lines(out / "ImageSets" / "Segmentation" / f"{word}.txt", parts[part])
    # The first colour is the background to whoever reads the list, whatever it is called here.
    names = ["background", *(name.replace(":", " ") for name in source.classes.names[1:])]
    lines = [
        f"{name}:{red},{green},{blue}::"
        for name, (red, green, blue) in zip(names, colors, strict=False)
    ]
    write_lines(out / "labelmap.txt", ["# label:color_rgb:parts:actions", *lines])


def palette(count: int) -> tuple[Color, ...]:
    """Returns the colours that Pascal VOC gives to numbers, with its light grey for 255.

    Args:
        count: How many, at most 256.

    Example:

    >>> palette(3)
    ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    """
    # The bits of a number go to red, green and blue in turn, the lowest to the highest place.
    colors = []
    for number in range(count):
        parts = [0, 0, 0]
        for bit in range(8):
            parts[bit % 3] |= (number >> bit & 1) << (7 - bit // 3)
        colors.append((parts[0], parts[1], parts[2]))
    return (*colors[:IGNORED], *[_VOID] * (count > IGNORED))


def _class_list(labels: Labels, masks: list[Path]) -> tuple[list[str], list[Color]]:
    """Returns the names of the classes, and their colours where a list has them."""
    for folder in dict.fromkeys((masks[0].parent.parent, labels.root)):
        for name in _LISTS:
            if (folder / name).is_file():
                return _read_list(folder / name)
    if all(_OFFICIAL.fullmatch(path.stem) for path in masks):
        return list(_NAMES), []
    highest = 0
    for path in masks:
        values = read_mask_values(path, labels.max_pixels).values
        if values.ndim == 3:
            raise DataError(
                labels.path,
                "a list of classes and their colours, labelmap.txt",
                "none beside masks in colour",
                "Export the masks with their labelmap.txt, or write one: name:red,green,blue::",
            )
        highest = max(highest, int(values[values != IGNORED].max(initial=0)))
    if not 0 < highest <= MAX_CLASSES:
        raise DataError(
            labels.path,
            f"class ids up to {MAX_CLASSES} in {CLASS_FOLDER}",
            str(highest),
            "Check that these are the masks of classes.",
        )
    return ["background", *(f"class{number}" for number in range(1, highest + 1))], []


def _read_list(path: Path) -> tuple[list[str], list[Color]]:
    lines = [line for line in read_lines(path) if not line.startswith(("#", "__ignore__"))]
    names, colors = lines, list[Color]()
    if all(":" in line for line in lines):
        cells = [line.split(":") for line in lines]
        names = [cell[0].strip() for cell in cells]
        try:
            colors = [_color(cell[1]) for cell in cells]
        except ValueError as error:
            raise DataError(
                path, "lines name:red,green,blue::", str(error), "Correct or remove it."
            ) from error
    if not names or not is_background(names[0]):
        place = next((n for n, name in enumerate(names) if is_background(name)), None)
        if place is not None:
            names.pop(place)
        names.insert(0, "background")
        if colors:
            colors.insert(0, (0, 0, 0) if place is None else colors.pop(place))
    names = ["background", *names[1:]]
    if not 2 <= len(set(names)) == len(names) <= MAX_CLASSES:
        raise DataError(
            path,
            f"2 to {MAX_CLASSES} different names of classes",
            f"{len(set(names))} in {counted(len(names), 'line')}",
            "Correct or remove it.",
        )
    return names, colors


def _color(text: str) -> Color:
    red, green, blue = (int(part) for part in text.split(","))
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(text)
    return red, green, blue


def _parts(masks: list[Path]) -> dict[str, str]:
    """Returns the part of each image that a list in `ImageSets` names."""
    parts: dict[str, str] = {}
    for root in dict.fromkeys(path.parent.parent for path in masks):
        for word, part in _PARTS.items():
            path = root / "ImageSets" / "Segmentation" / f"{word}.txt"
            for line in read_lines(path) if path.is_file() else []:
                # Some lists say after the name whether an object is there; a name may have spaces.
                parts.setdefault(line.split()[0], part)
                parts[line] = part
    return parts


def _read_mask(
    path: Path,
    image: Path,
    encoding: MaskEncoding,
    losses: Losses,
    max_pixels: int,
    height: int,
    width: int,
) -> Mask:
    mask = encoding.decode(read_mask_values(path, max_pixels), path)
    check_sizes(image, (height, width), path, (mask.shape[0], mask.shape[1]))
    objects = path.parent.parent / OBJECT_FOLDER / path.name
    if objects.is_file():
        values = read_mask_values(objects, max_pixels).values
        if values.ndim == 2:
            count = len(np.setdiff1d(values, [0, IGNORED]))
            losses.add("object", count, "(their pixels keep the class)")
    return mask
