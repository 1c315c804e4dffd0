"""LabelMe: a JSON file beside each image."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fewmask.data.folders.sorting import natural_key
from fewmask.data.formats.fields import Fields, as_fields, as_ring, read_json, read_lines
from fewmask.data.formats.filling import Bitmap, Outline
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import find_pieces, join_holes, trace
from fewmask.data.formats.rings import circle, rectangle
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Copy,
    Progress,
    copy_images,
    pieces_of_classes,
    write_json,
    write_lines,
)
from fewmask.data.imageio import read_mask_values
from fewmask.data.masks.encoding import IGNORED
from fewmask.data.packed import PackedFile
from fewmask.errors import DataError

IGNORE = "__ignore__"
"""Label of shapes whose pixels do not count."""
_BACKGROUND = "_background_"
_NAMES = "labels.txt"
_VERSION = "5.5.0"


def read_labelme(labels: Labels) -> Source:
    """Reads LabelMe files: polygons, rectangles, circles and masks; later ones lie on top.

    Class ids follow `labels.txt` where it lies beside the files, else the alphabet.

    Args:
        labels: The JSON files; all in the folders that they lie in are read.

    Raises:
        DataError: If a file is broken, its image is missing, or a shape is none.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    images = []
    for path in labels.files:
        content = as_fields(read_json(path), str(path))
        shapes = [shape for item in content.items("shapes") if (shape := _read_shape(item, losses))]
        flags = content.item("flags").values if "flags" in content else {}
        losses.add("attribute", sum(bool(value) for value in flags.values()))
        size = content.size("imageHeight", "imageWidth") if "imageHeight" in content else None
        image = _find_image(finder, content, path)
        if image is not None:
            images.append(ShapedImage(image[0], image[1], shapes, size, image[2], str(path)))
    return source_of_shapes(
        labels,
        images,
        _class_names(labels, images),
        ordered=True,
        losses=losses,
        findings=finder.finish(),
        ignored=IGNORE,
    )


def write_labelme(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes a JSON file beside each image, and `labels.txt`."""
    names = (*source.classes.names, *[""] * (IGNORED - source.classes.num_classes), IGNORE)
    for copy in copy_images(source, out, "{part}", progress):
        height, width = copy.size
        pieces = [*pieces_of_classes(copy.mask, source.classes.num_classes)]
        pieces += find_pieces(copy.mask, IGNORED)
        shapes = [
            {
                "label": names[piece.class_id],
                "points": join_holes(trace(piece)).tolist(),
                "group_id": None,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for piece in pieces
        ]
        content: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": copy.file_name,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        write_json(_beside(out, copy), content)
    write_lines(out / _NAMES, [IGNORE, _BACKGROUND, *source.classes.names[1:]])


def _beside(out: Path, copy: Copy) -> Path:
    return (out / copy.path).with_name(f"{copy.name}.json")


def _find_image(
    finder: ImageFinder, content: Fields, path: Path
) -> tuple[Path | PackedFile, str, str | None] | None:
    """Looks for the image by its path, by the name of the file, and inside the file."""
    name, where = content.text("imagePath"), str(path)
    found = finder.find(name, where, beside=path.parent, optional=True)
    found = found or finder.find(path.stem, where, beside=path.parent, optional=True)
    if found is not None:
        return found.path, found.name, found.part
    if "imageData" not in content:
        finder.find(name, where, beside=path.parent)
        return None
    suffix = ".jpg" if _unpack(content, "imageData").startswith(b"\xff\xd8") else ".png"
    packed = PackedFile(f"{path.stem}{suffix}", where, partial(_embedded, path))
    return packed, path.stem, None


def _embedded(path: Path) -> bytes:
    """Unpacks the image that a LabelMe file holds."""
    return _unpack(as_fields(read_json(path), str(path)), "imageData")


def _unpack(content: Fields, key: str) -> bytes:
    try:
        return base64.b64decode(content.text(key), validate=True)
    except ValueError as error:
        raise DataError(
            content.where, f"a picture in base64 as '{key}'", str(error), "Save it again."
        ) from error


def _read_shape(item: Fields, losses: Losses) -> Shape | None:
    flags = item.item("flags").values if "flags" in item else {}
    losses.add("attribute", sum(bool(value) for value in flags.values()))
    losses.add("attribute", bool(item.text("description", "")))
    kind = item.text("shape_type", "polygon")
    if kind not in _AREAS:
        losses.add(kind)
        return None
    return Shape(item.text("label").strip(), _AREAS[kind](item), item.where)


def _polygon(item: Fields) -> tuple[Outline, ...]:
    return (Outline(as_ring(item.sequence("points"), item.where)),)


def _rectangle(item: Fields) -> tuple[Outline, ...]:
    corners = as_ring(item.sequence("points"), item.where, least=2)
    return (Outline(rectangle(*corners[0], *corners[1]) if len(corners) == 2 else corners),)


def _circle(item: Fields) -> tuple[Outline, ...]:
    center, edge = as_ring(item.sequence("points"), item.where, least=2)[:2]
    return (Outline(circle(float(center[0]), float(center[1]), math.dist(center, edge))),)


def _mask(item: Fields) -> Bitmap:
    corner = as_ring(item.sequence("points"), item.where, least=1)[0]
    content = _unpack(item, "mask")
    values = read_mask_values(PackedFile("mask", item.where, lambda: content)).values
    left, top = (int(value) for value in np.floor(corner))
    return Bitmap((values if values.ndim == 2 else values.max(axis=2)) > 0, top, left)


_AREAS: dict[str, Callable[[Fields], Any]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "mask": _mask,
}


def _class_names(labels: Labels, images: list[ShapedImage]) -> list[str]:
    used = {shape.name for image in images for shape in image.shapes}
    listed = labels.root / _NAMES
    known = read_lines(listed) if listed.is_file() else []
    return [*known, *sorted(used - set(known), key=natural_key)]
