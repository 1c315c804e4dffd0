"""Supervisely: a project folder with `meta.json`, and `img/` and `ann/` in each dataset."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fewmask.data.folders.names import read_name
from fewmask.data.formats.fields import Fields, as_color, as_fields, as_ring, read_json
from fewmask.data.formats.filling import Bitmap, Ring
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import Piece
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape, reach_over
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Progress,
    copy_images,
    count_ignored,
    pieces_of_classes,
    write_json,
)
from fewmask.data.imageio import encode_png, read_mask_values
from fewmask.data.packed import PackedFile
from fewmask.errors import DataError

META = "meta.json"
_LARGEST = 2**28
"""Bytes that a packed bitmap may have unpacked; a PNG file of so many is no mask."""


def read_supervisely(labels: Labels) -> Source:
    """Reads a Supervisely project: bitmaps and polygons; later ones lie on top.

    Args:
        labels: `meta.json`, then the files in `ann/`.

    Raises:
        DataError: If a file is broken, names a class that the project does not have, or an
            image is missing.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    meta, *files = labels.files
    classes = as_fields(read_json(meta), str(meta)).items("classes")
    colors = {item.text("title"): as_color(item.text("color", "")) for item in classes}
    images = []
    for path in files:
        content = as_fields(read_json(path), str(path))
        losses.add("attribute", len(content.sequence("tags")) if "tags" in content else 0)
        size = content.item("size").size()
        shapes = [
            shape
            for item in content.items("objects")
            if (shape := _read_object(item, size, losses))
        ]
        # `a.jpg.json` belongs to `a.jpg`, in the folder img/ beside ann/.
        found = finder.find(path.name.removesuffix(".json"), str(path), path.parent.parent / "img")
        if found is not None:
            part = read_name(path.relative_to(labels.root).as_posix()).part
            images.append(ShapedImage(found.path, found.name, shapes, size, part, str(path)))
    return source_of_shapes(
        labels,
        images,
        list(colors),
        ordered=True,
        losses=losses,
        findings=finder.finish(),
        colors={name: color for name, color in colors.items() if color},
    )


def write_supervisely(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes a project with a bitmap for each piece of a class, one dataset a part."""
    named = list(zip(source.classes.names, source.classes.colors, strict=True))[1:]
    classes = [
        {
            "id": number,
            "title": name,
            "shape": "bitmap",
            "color": "#{:02X}{:02X}{:02X}".format(*color),
        }
        for number, (name, color) in enumerate(named, start=1)
    ]
    write_json(out / META, {"classes": classes, "tags": []})
    folder = "{part}/img" if source.has_parts else "dataset/img"
    for copy in copy_images(source, out, folder, progress):
        count_ignored(source, copy.mask)
        height, width = copy.size
        objects = [
            {
                "classId": piece.class_id,
                "classTitle": source.classes.names[piece.class_id],
                "geometryType": "bitmap",
                "tags": [],
                "bitmap": _pack(piece),
            }
            for piece in pieces_of_classes(copy.mask, source.classes.num_classes)
        ]
        path = out / Path(copy.path).parent.parent / "ann" / f"{copy.file_name}.json"
        size = {"height": height, "width": width}
        write_json(path, {"description": "", "tags": [], "size": size, "objects": objects})


def _read_object(item: Fields, size: tuple[int, int], losses: Losses) -> Shape | None:
    losses.add("attribute", len(item.sequence("tags")) if "tags" in item else 0)
    kind = item.text("geometryType", "polygon")
    if kind == "bitmap":
        return Shape(item.text("classTitle"), _read_bitmap(item.item("bitmap")), item.where)
    if kind == "polygon":
        return Shape(item.text("classTitle"), _read_polygon(item.item("points"), *size), item.where)
    losses.add(kind)
    return None


def _read_bitmap(item: Fields) -> Bitmap:
    try:
        packed = base64.b64decode(item.text("data"), validate=True)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _LARGEST)
    except (ValueError, zlib.error) as error:
        raise DataError(
            item.where, "a packed picture as 'data'", str(error), "Export the project again."
        ) from error
    stored = read_mask_values(PackedFile("bitmap", item.where, lambda: content))
    values = stored.values if stored.alpha is None else stored.alpha
    left, top = _origin(item)
    return Bitmap((values if values.ndim == 2 else values.max(axis=2)) > 0, top, left)


def _origin(item: Fields) -> tuple[int, int]:
    origin = item.sequence("origin")
    if len(origin) != 2 or not all(isinstance(value, int) for value in origin):
        raise DataError(
            item.where, "two whole numbers as 'origin'", repr(origin), "Export it again."
        )
    return origin[0], origin[1]


def _read_polygon(item: Fields, height: int, width: int) -> Bitmap:
    """Fills a polygon as Supervisely does: its corners are pixels, and belong to it."""
    outer = as_ring(item.sequence("exterior"), item.where)
    holes = item.sequence("interior") if "interior" in item else []
    inner = [as_ring(ring, item.where) for ring in holes]
    reach_over(outer, height, width, item.where)
    low, high = np.floor(outer.min(axis=0)), np.ceil(outer.max(axis=0))
    columns, rows = (high - low + 1).astype(int).tolist()
    pixels = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(pixels, [_whole(outer - low)], 1)
    for ring in inner:
        cv2.fillPoly(pixels, [_whole(ring - low)], 0)
    return Bitmap(pixels > 0, int(low[1]), int(low[0]))


def _whole(ring: Ring) -> Any:
    return np.rint(ring).astype(np.int32)


def _pack(piece: Piece) -> dict[str, Any]:
    packed = zlib.compress(encode_png(piece.pixels))
    return {"data": base64.b64encode(packed).decode("ascii"), "origin": [piece.left, piece.top]}
