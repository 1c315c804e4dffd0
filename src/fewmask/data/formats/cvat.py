"""CVAT: one XML file for the images of a task, or for the frames of a video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from fewmask.data.classes import Color
from fewmask.data.folders.names import part_named
from fewmask.data.formats.fields import Fields, as_color, as_ring, read_xml
from fewmask.data.formats.filling import Bitmap, Outline
from fewmask.data.formats.images import ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import join_holes, trace
from fewmask.data.formats.rings import ellipse, rectangle
from fewmask.data.formats.rle import Runs
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Progress,
    copy_images,
    count_ignored,
    folder_of,
    pieces_of_classes,
)
from fewmask.data.masks.decisions import color_text, pack_color
from fewmask.errors import DataError


def read_cvat(labels: Labels) -> Source:
    """Reads CVAT's XML: polygons, masks, boxes and ellipses, by their `z_order`, then in order.

    Boxes and ellipses are filled, as CVAT does when it exports masks.

    Args:
        labels: The XML files.

    Raises:
        DataError: If a file is broken, names a class that it does not list, or an image is
            missing.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    colors: dict[str, Color | None] = {}
    images = []
    for path in labels.files:
        root = read_xml(path)
        for label in root.iterfind("meta//labels/label"):
            name = (label.findtext("name") or "").strip()
            colors.setdefault(name, as_color(label.findtext("color") or ""))
        for element in root.iterfind("image"):
            item = Fields(element.attrib, f"{path}, image {element.get('id')}")
            shapes = _read_shapes(element, item.where, losses)
            name, subset = item.text("name"), item.text("subset", "")
            part = part_named(subset)
            found = None
            if subset:
                found = finder.find(f"{subset}/{name}", item.where, part=part, optional=True)
            found = found or finder.find(name, item.where, part=part)
            if found:
                part = part or found.part
                images.append(
                    ShapedImage(found.path, found.name, shapes, item.size(), part, str(path))
                )
        images += _read_video(root, path, finder, losses)
    return source_of_shapes(
        labels,
        images,
        list(colors),
        ordered=True,
        losses=losses,
        findings=finder.finish(),
        colors={name: color for name, color in colors.items() if color},
    )


def write_cvat(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `annotations.xml` as CVAT exports a project or a task, and `images/`."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    _write_meta(ElementTree.SubElement(root, "meta"), source)
    for number, copy in enumerate(copy_images(source, out, "images/{part}", progress)):
        height, width = copy.size
        facts = {"id": str(number), "name": copy.file_name}
        facts |= {"subset": folder_of(copy.image.part)} if copy.image.part else {}
        facts |= {"width": str(width), "height": str(height)}
        image = ElementTree.SubElement(root, "image", facts)
        count_ignored(source, copy.mask)
        for piece in pieces_of_classes(copy.mask, source.classes.num_classes):
            corners = ";".join(f"{x:.2f},{y:.2f}" for x, y in join_holes(trace(piece)))
            name = source.classes.names[piece.class_id]
            facts = {"label": name, "source": "manual", "occluded": "0", "points": corners}
            ElementTree.SubElement(image, "polygon", {**facts, "z_order": "0"})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    path = out / "annotations.xml"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n', encoding="utf-8")


def _write_meta(meta: ElementTree.Element, source: Source) -> None:
    """Writes what comes before the images: with parts as CVAT does of a project, a task each."""
    top = ElementTree.SubElement(meta, "project" if source.has_parts else "task")
    if source.has_parts:
        tasks = ElementTree.SubElement(top, "tasks")
        for part in dict.fromkeys(image.part for image in source.images if image.part):
            task = ElementTree.SubElement(tasks, "task")
            ElementTree.SubElement(task, "mode").text = "annotation"
            ElementTree.SubElement(task, "subset").text = folder_of(part)
    else:
        ElementTree.SubElement(top, "mode").text = "annotation"
    labels = ElementTree.SubElement(top, "labels")
    for name, color in zip(source.classes.names[1:], source.classes.colors[1:], strict=True):
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        ElementTree.SubElement(label, "color").text = color_text(pack_color(color))


def _read_video(
    root: ElementTree.Element, path: Path, finder: ImageFinder, losses: Losses
) -> list[ShapedImage]:
    """Reads the tracks of a video: CVAT writes the shapes of every frame, moved or not."""
    frames: dict[int, list[ElementTree.Element]] = defaultdict(list)
    for track in root.iterfind("track"):
        for element in track:
            item = Fields(element.attrib, f"{path}, track {track.get('id')}")
            here = frames[item.whole("frame")]
            if not item.whole("outside", 0):
                element.set("label", track.get("label", ""))
                here.append(element)
    stored = root.find("meta//original_size")
    sizes = {child.tag: child.text for child in stored} if stored is not None else None
    size = Fields(sizes, f"{path}, original_size").size() if sizes else None
    images = []
    for frame, elements in sorted(frames.items()):
        where = f"{path}, frame {frame}"
        found = finder.find(f"frame_{frame:06d}", where)
        if found:
            shapes = _read_shapes(elements, where, losses)
            images.append(ShapedImage(found.path, found.name, shapes, size, found.part, str(path)))
    return images


def _read_shapes(
    elements: Iterable[ElementTree.Element], where: str, losses: Losses
) -> list[Shape]:
    numbered = []
    for number, element in enumerate(elements):
        item = Fields(element.attrib, f"{where}, {element.tag} {number}")
        losses.add("attribute", len(element.findall("attribute")))
        if element.tag in _AREAS:
            area = _AREAS[element.tag](item)
            shape = Shape(item.text("label").strip(), area, item.where)
            numbered.append((item.whole("z_order", 0), number, shape))
        else:
            losses.add(element.tag.removesuffix("s"))
    return [shape for _, _, shape in sorted(numbered, key=lambda each: each[:2])]


def _polygon(item: Fields) -> tuple[Outline, ...]:
    corners = [pair.split(",") for pair in item.text("points").split(";") if pair.strip()]
    return (Outline(as_ring(corners, item.where)),)


def _mask(item: Fields) -> Bitmap:
    counts = item.text("rle").replace(",", " ").split()
    if not all(count.isdecimal() and len(count) < 10 for count in counts):
        found = repr(item.text("rle")[:40])
        raise DataError(item.where, "whole numbers as 'rle'", found, "Export it again.")
    height, width = item.size()
    runs = Runs(np.array(counts, np.int64), down=False)
    bitmap = runs.bitmap(height, width, item.where)
    top, left = item.whole("top"), item.whole("left")
    return Bitmap(bitmap.pixels, bitmap.top + top, bitmap.left + left)


def _box(item: Fields) -> tuple[Outline, ...]:
    left, top, right, bottom = (item.number(key) for key in ("xtl", "ytl", "xbr", "ybr"))
    return (Outline(rectangle(left, top, right, bottom, item.number("rotation", 0))),)


def _ellipse(item: Fields) -> tuple[Outline, ...]:
    x, y, across, down = (item.number(key) for key in ("cx", "cy", "rx", "ry"))
    return (Outline(ellipse(x, y, across, down, item.number("rotation", 0))),)


_AREAS: dict[str, Callable[[Fields], tuple[Outline, ...] | Bitmap]] = {
    "polygon": _polygon,
    "mask": _mask,
    "box": _box,
    "ellipse": _ellipse,
}
