"""Label Studio: a JSON list of tasks, with polygons in percent or brush strokes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

from fewmask.data.classes import Color
from fewmask.data.folders.names import part_named
from fewmask.data.folders.sorting import natural_key
from fewmask.data.formats.brush import pack_brush, unpack_brush
from fewmask.data.formats.fields import Fields, as_color, as_fields, as_ring, read_json, read_xml
from fewmask.data.formats.filling import Bitmap, Outline
from fewmask.data.formats.images import Found, ImageFinder
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.outlines import Piece, join_holes, trace
from fewmask.data.formats.rle import find_runs
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import Source
from fewmask.data.formats.writing import (
    Copy,
    Progress,
    copy_images,
    count_ignored,
    pieces_of_classes,
    write_json,
)
from fewmask.data.imageio import IMAGE_SUFFIXES
from fewmask.data.masks.decisions import color_text, pack_color
from fewmask.data.wording import counted
from fewmask.errors import DataError

_CONFIG = "label_config.xml"
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an image that was uploaded."""


def read_label_studio(labels: Labels) -> Source:
    """Reads Label Studio's JSON export: polygons and brush strokes; later ones lie on top.

    Class ids follow `label_config.xml` where it lies beside the file, else the alphabet. Of
    several labellings of an image the newest is read, or the one marked as ground truth.

    Args:
        labels: The JSON files.

    Raises:
        DataError: If a file is broken, or an image is missing.
    """
    finder = ImageFinder(labels.images, labels.path)
    losses = Losses()
    images, several, without = [], 0, 0
    for path in labels.files:
        for number, task in enumerate(_tasks(path)):
            item = as_fields(task, f"{path}, task {number}")
            done = _finished(item)
            several += len(done) > 1
            without += not done
            found = _find_image(finder, item) if done else None
            if found is None:
                continue
            results = list(done[-1].items("result"))
            shapes = list(_read_shapes(results, losses))
            size, part = _size_of(results), _part_of(item) or found.part
            images.append(ShapedImage(found.path, found.name, shapes, size, part, str(path)))
    findings = finder.finish()
    if several:
        findings.append(
            f"{counted(several, 'image')} labelled more than once: the newest labels are read."
        )
    if without:
        findings.append(f"Left out: {counted(without, 'task')} that nobody has labelled.")
    names, colors = _class_names(labels, images)
    return source_of_shapes(
        labels,
        images,
        names,
        ordered=True,
        losses=losses,
        findings=findings,
        colors=colors,
    )


def write_label_studio(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `tasks.json` with polygons, `label_config.xml`, and `images/`."""
    _write(source, out, progress, "polygon", _polygon)


def write_label_studio_brush(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes the same with brush strokes, which keep every pixel."""
    _write(source, out, progress, "brush", _stroke)


def _tasks(path: Path) -> list[Any]:
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise DataError(path, "a list of tasks", "something else", "Export the project as JSON.")
    return tasks


def _finished(task: Fields) -> list[Fields]:
    """Returns the labellings of a task that were finished, the one to be read last."""
    if "annotations" not in task:
        raise DataError(
            task.where,
            "a task with its 'annotations'",
            "none, as in the shortened export JSON-MIN",
            "Export the project as JSON.",
        )
    done = [each for each in task.items("annotations") if not each.values.get("was_cancelled")]
    return sorted(
        done,
        key=lambda each: (bool(each.values.get("ground_truth")), each.text("updated_at", "")),
    )


def _find_image(finder: ImageFinder, task: Fields) -> Found | None:
    """Looks for the image by the end of its address, then by its name before it was uploaded."""
    values = [text for text in task.item("data").values.values() if isinstance(text, str)]
    addresses = [path for path in map(_path_of, values) if _is_picture(path)]
    addresses += [task.text("file_upload")] if "file_upload" in task else []
    for address in addresses:
        name = address.rpartition("/")[2]
        for candidate in (address, name, _UPLOADED.sub("", name, count=1)):
            found = finder.find(candidate, task.where, optional=True)
            if found is not None:
                return found
    if not addresses:
        raise DataError(
            task.where,
            "the address of an image in its 'data'",
            ", ".join(values) or "none",
            "Export the project as JSON, with images that have a name.",
        )
    return finder.find(addresses[-1].rpartition("/")[2], task.where)


def _path_of(address: str) -> str:
    """Returns the path in an address: `/data/local-files/?d=photos/a.jpg`, `s3://b/a.jpg`."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0]
    # It is only held against the ends of paths, so that nothing in it can lead out.
    return "/".join(name for name in path.split("/") if name not in ("", ".", ".."))


def _is_picture(path: str) -> bool:
    return Path(path).suffix.lower() in IMAGE_SUFFIXES


def _part_of(task: Fields) -> str | None:
    part = task.item("data").values.get("part")
    return part_named(part) if isinstance(part, str) else None


def _size_of(results: list[Fields]) -> tuple[int, int] | None:
    sized = [each for each in results if "original_height" in each]
    return sized[0].size("original_height", "original_width") if sized else None


def _read_shapes(results: list[Fields], losses: Losses) -> Iterator[Shape]:
    named = {str(each.values.get("id")): name for each in results if (name := _label_of(each))}
    for item in results:
        kind = item.text("type", "")
        if kind.removesuffix("labels") not in ("polygon", "brush"):
            # Labels alone, and answers about the whole image, are no regions.
            if "value" in item and "original_width" in item and kind != "labels":
                losses.add("region", 1, "that is neither polygon nor brush")
            continue
        name = _label_of(item) or named.get(str(item.values.get("id")))
        if name is None:
            losses.add("region", 1, "without a label")
            continue
        if item.number("image_rotation", 0):
            raise DataError(
                item.where,
                "an image that was not turned in Label Studio",
                f"one turned by {item.text('image_rotation')} degrees",
                "Turn it back there, or turn the file and label it again.",
            )
        height, width = item.size("original_height", "original_width")
        value = item.item("value")
        if kind.startswith("brush"):
            packed = value.sequence("rle")
            area: Bitmap | tuple[Outline, ...] = unpack_brush(packed, height, width, item.where)
        else:
            ring = as_ring(value.sequence("points"), item.where) * (width / 100, height / 100)
            area = (Outline(ring),)
        yield Shape(name, area, item.where)


def _label_of(item: Fields) -> str | None:
    value = item.values.get("value")
    for key in ("polygonlabels", "brushlabels", "labels"):
        listed = value.get(key) if isinstance(value, dict) else None
        if isinstance(listed, list) and listed and isinstance(listed[0], str):
            return listed[0].strip()
    return None


def _class_names(labels: Labels, images: list[ShapedImage]) -> tuple[list[str], dict[str, Color]]:
    used = {shape.name for image in images for shape in image.shapes}
    path = labels.root / _CONFIG
    elements = list(read_xml(path).iter("Label")) if path.is_file() else []
    colors = {
        element.get("value", ""): as_color(element.get("background", "")) for element in elements
    }
    if not used <= colors.keys():  # the interface of another project
        return sorted(used, key=natural_key), {}
    return list(colors), {name: color for name, color in colors.items() if color}


def _write(source: Source, out: Path, progress: Progress | None, kind: str, value_of: Any) -> None:
    tasks = []
    for number, copy in enumerate(copy_images(source, out, "images/{part}", progress), start=1):
        count_ignored(source, copy.mask)
        height, width = copy.size
        results = [
            {
                "id": f"{number}-{place}",
                "type": f"{kind}labels",
                "from_name": "label",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {
                    **value_of(piece, copy),
                    f"{kind}labels": [source.classes.names[piece.class_id]],
                },
            }
            for place, piece in enumerate(pieces_of_classes(copy.mask, source.classes.num_classes))
        ]
        # Read as it is by a server that is told to serve the new folder.
        facts = {"image": f"/data/local-files/?d={quote(copy.path)}"}
        facts |= {"part": copy.image.part} if copy.image.part else {}
        tasks.append({"id": number, "data": facts, "annotations": [{"result": results}]})
    write_json(out / "tasks.json", tasks)
    _write_config(source, out / _CONFIG, kind)


def _write_config(source: Source, path: Path, kind: str) -> None:
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    labels = ElementTree.SubElement(
        view, f"{kind.capitalize()}Labels", name="label", toName="image"
    )
    for name, color in zip(source.classes.names[1:], source.classes.colors[1:], strict=True):
        background = color_text(pack_color(color))
        ElementTree.SubElement(labels, "Label", value=name, background=background)
    ElementTree.indent(view)
    path.write_text(ElementTree.tostring(view, encoding="unicode") + "\n", encoding="utf-8")


def _polygon(piece: Piece, copy: Copy) -> dict[str, Any]:
    height, width = copy.size
    percent = join_holes(trace(piece)) * (100 / width, 100 / height)
    return {"points": percent.round(5).tolist(), "closed": True}


def _stroke(piece: Piece, copy: Copy) -> dict[str, Any]:
    return {"format": "rle", "rle": pack_brush(find_runs(piece, *copy.size, down=False))}
