"""COCO: one JSON file for many images, with polygons or runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fewmask.data.folders.names import PART_WORDS, read_name, words_of
from fewmask.data.formats.fields import Fields, as_fields, as_ring, read_json
from fewmask.data.formats.filling import Outline
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import Piece, join_holes, trace
from fewmask.data.formats.rle import Runs, counts_of_text, find_runs, text_of_counts
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
    write_json,
)
from fewmask.errors import DataError, DecisionNeeded, typed

_LONGEST_RUN = 2**31
"""Pixels; no image has so many, and NumPy could not hold any number."""


def read_coco(labels: Labels) -> Source:
    """Reads COCO files: `images`, `annotations`, `categories`.

    Objects have no order: small ones go over large ones, crowds lie below. A crowd counts as
    its class, since CVAT and others mark whatever was painted with a brush as a crowd.

    Args:
        labels: One file, or several that name different images.

    Raises:
        DataError: If a file is broken, names a class or an image that is not there, or holds an
            outline that is none.
        DecisionNeeded: If two files name the same images.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    names: list[str] = []
    images: list[ShapedImage] = []
    seen: dict[str, Path] = {}
    crowds = 0
    for path in labels.files:
        content = as_fields(read_json(path), str(path))
        part = _part_of(path, labels.root)
        shapes = _read_shapes(content, losses)
        _check_ids_differ(content, "images")
        for item in content.items("images"):
            name = item.text("file_name")
            other = seen.setdefault(f"{part} {name}", path)
            if other != path:
                raise _same_images(labels, other, path, name)
            found = finder.find(name, item.where, beside=path.parent, part=part)
            size = item.size() if "height" in item else None
            drawn = shapes.pop(item.text("id"), [])
            crowds += sum(shape.is_group for shape in drawn)
            if found is not None:
                images.append(
                    ShapedImage(found.path, found.name, drawn, size, part or found.part, str(path))
                )
        for image_id, strays in shapes.items():
            raise DataError(
                strays[0].where,
                "the id of an image in the list 'images'",
                image_id,
                "Remove it, or add its image to the list.",
            )
        names += [item.text("name") for item in content.items("categories")]
    findings = finder.finish()
    if crowds:
        findings.append(f"{crowds} of its shapes are crowds: read as their class, below the rest.")
    return source_of_shapes(
        labels,
        images,
        names,
        ordered=False,
        losses=losses,
        findings=findings,
    )


def write_coco(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `annotations.json`, or one file a part, with a polygon for each piece of a class."""
    _write(source, out, progress, _polygon)


def write_coco_rle(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes the same with compressed runs, which keep every pixel."""
    _write(source, out, progress, _runs)


def _read_shapes(content: Fields, losses: Losses) -> dict[str, list[Shape]]:
    """Returns the shapes by the id of their image."""
    _check_ids_differ(content, "categories")
    classes = {item.text("id"): item.text("name") for item in content.items("categories")}
    shapes: dict[str, list[Shape]] = {}
    for item in content.items("annotations"):
        if "segments_info" in item:
            raise DataError(
                item.where,
                "objects with outlines or runs",
                "segments of a panoptic picture",
                "Use the file of instances that belongs to it, or the pictures as masks.",
            )
        class_id = item.text("category_id")
        if class_id not in classes:
            raise DataError(
                item.where,
                "the id of a class in the list 'categories'",
                class_id,
                "Correct it, or add the class to the list.",
            )
        of_image = shapes.setdefault(item.text("image_id"), [])
        losses.add("attribute", len(item.item("attributes").values) if "attributes" in item else 0)
        losses.add("skeleton", "keypoints" in item)
        area = _read_area(item)
        if area is None:
            losses.add("box")
            continue
        is_crowd = bool(item.whole("iscrowd", 0))
        of_image.append(Shape(classes[class_id], area, item.where, is_crowd))
    return shapes


def _check_ids_differ(content: Fields, key: str) -> None:
    """Refuses ids that are there twice: nobody can say to which of the two a shape belongs."""
    first: dict[str, str] = {}
    for item in content.items(key):
        item_id = item.text("id")
        if item_id in first:
            raise DataError(
                item.where,
                f"an id of its own in the list '{key}'",
                f"{item_id}, which {first[item_id]} has too",
                "Give one of them another id, and its shapes likewise.",
            )
        first[item_id] = item.where.removeprefix(f"{content.where}, ")


def _read_area(item: Fields) -> tuple[Outline, ...] | Runs | None:
    stored = item.values.get("segmentation")
    if not stored:
        return None
    if isinstance(stored, list):
        rings = []
        for number, corners in enumerate(stored):
            where = f"{item.where}, polygon {number}"
            if not isinstance(corners, list) or len(corners) % 2:
                raise DataError(
                    where,
                    "a list x, y, x, y, …",
                    f"{len(corners)} numbers" if isinstance(corners, list) else repr(corners),
                    "Draw it again or remove it.",
                )
            rings.append(as_ring(list(zip(corners[::2], corners[1::2], strict=True)), where))
        return tuple(Outline(ring) for ring in rings)
    runs = item.item("segmentation")
    if isinstance(runs.values.get("counts"), str):
        return Runs(counts_of_text(runs.text("counts"), runs.where))
    counts = runs.sequence("counts")
    if not all(isinstance(count, int) and abs(count) < _LONGEST_RUN for count in counts):
        raise DataError(
            runs.where, "whole numbers of pixels", repr(counts)[:40], "Export it again."
        )
    return Runs(np.array(counts, np.int64))


def _part_of(path: Path, root: Path) -> str | None:
    named = [PART_WORDS[word] for word in words_of(path.stem) if word in PART_WORDS]
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return named[-1] if named else read_name(inside).part


def _same_images(labels: Labels, first: Path, second: Path, name: str) -> DecisionNeeded:
    return DecisionNeeded(
        labels.path,
        "one COCO file for each image",
        f"{first.name} and {second.name}, which both name {name}",
        f"Name the one that is meant: {typed('fewmask', 'convert', first, labels.images)}",
    )


def _write(source: Source, out: Path, progress: Progress | None, segmentation: Any) -> None:
    files: dict[str | None, dict[str, list[Any]]] = {}
    for copy in copy_images(source, out, "images/{part}", progress):
        content = files.setdefault(copy.image.part, {"images": [], "annotations": []})
        number = len(content["images"]) + 1
        height, width = copy.size
        content["images"].append(
            {"id": number, "file_name": copy.file_name, "height": height, "width": width}
        )
        count_ignored(source, copy.mask)
        for item in _objects(copy, source.classes.num_classes, segmentation):
            key = len(content["annotations"]) + 1
            content["annotations"].append({"id": key, "image_id": number, **item})
    categories = [
        {"id": class_id, "name": name, "supercategory": ""}
        for class_id, name in enumerate(source.classes.names)
        if class_id
    ]
    for part, content in files.items():
        name = f"annotations/instances_{folder_of(part)}.json" if part else "annotations.json"
        write_json(out / name, {**content, "categories": categories})


def _objects(copy: Copy, num_classes: int, segmentation: Any) -> Iterator[dict[str, Any]]:
    for piece in pieces_of_classes(copy.mask, num_classes):
        height, width = piece.pixels.shape
        yield {
            "category_id": piece.class_id,
            "segmentation": segmentation(piece, copy.size),
            "area": int(np.count_nonzero(piece.pixels)),
            "bbox": [piece.left, piece.top, width, height],
            "iscrowd": 0,
        }


def _polygon(piece: Piece, size: tuple[int, int]) -> list[list[float]]:
    return [join_holes(trace(piece)).ravel().tolist()]


def _runs(piece: Piece, size: tuple[int, int]) -> dict[str, Any]:
    return {"size": list(size), "counts": text_of_counts(find_runs(piece, *size), *size)}
