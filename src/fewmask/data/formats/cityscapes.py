"""Cityscapes: `leftImg8bit` and `gtFine`, masks as numbers or colours of its 35 classes."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fewmask.data.classes import Classes, Color
from fewmask.data.formats.images import ImageFinder, common_name
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.pictures import write_classes
from fewmask.data.formats.source import Mask, Source, SourceImage, with_whole_parts
from fewmask.data.formats.writing import Progress, copy_images
from fewmask.data.imageio import encode_png, read_mask_values
from fewmask.data.masks.decisions import MAX_CLASSES, color_text, pack_color
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.legend import find_legend, is_background, refuse_twins
from fewmask.data.sizes import check_sizes
from fewmask.data.wording import counted, some
from fewmask.errors import DataError

KINDS = ("labelIds", "labelTrainIds", "instanceIds", "color")
"""What the masks of one image are called, the first one that is there is read."""
MASK = re.compile(rf"(?P<image>.+)_gt(Fine|Coarse)_(?P<kind>{'|'.join(KINDS)})")
_IMAGE = "_leftImg8bit"
_HIGHEST = 65535  # as masks have 16 bits at most
_OBJECTS = 1000  # instanceIds are the class times this and a number


class _Class(NamedTuple):
    name: str
    id: int
    train_id: int
    color: Color


_V = IGNORED  # the number in training of classes that the benchmark does not score
_CLASSES = (
    _Class("unlabeled", 0, _V, (0, 0, 0)),
    _Class("ego vehicle", 1, _V, (0, 0, 0)),
    _Class("rectification border", 2, _V, (0, 0, 0)),
    _Class("out of roi", 3, _V, (0, 0, 0)),
    _Class("static", 4, _V, (0, 0, 0)),
    _Class("dynamic", 5, _V, (111, 74, 0)),
    _Class("ground", 6, _V, (81, 0, 81)),
    _Class("road", 7, 0, (128, 64, 128)),
    _Class("sidewalk", 8, 1, (244, 35, 232)),
    _Class("parking", 9, _V, (250, 170, 160)),
    _Class("rail track", 10, _V, (230, 150, 140)),
    _Class("building", 11, 2, (70, 70, 70)),
    _Class("wall", 12, 3, (102, 102, 156)),
    _Class("fence", 13, 4, (190, 153, 153)),
    _Class("guard rail", 14, _V, (180, 165, 180)),
    _Class("bridge", 15, _V, (150, 100, 100)),
    _Class("tunnel", 16, _V, (150, 120, 90)),
    _Class("pole", 17, 5, (153, 153, 153)),
    _Class("polegroup", 18, _V, (153, 153, 153)),
    _Class("traffic light", 19, 6, (250, 170, 30)),
    _Class("traffic sign", 20, 7, (220, 220, 0)),
    _Class("vegetation", 21, 8, (107, 142, 35)),
    _Class("terrain", 22, 9, (152, 251, 152)),
    _Class("sky", 23, 10, (70, 130, 180)),
    _Class("person", 24, 11, (220, 20, 60)),
    _Class("rider", 25, 12, (255, 0, 0)),
    _Class("car", 26, 13, (0, 0, 142)),
    _Class("truck", 27, 14, (0, 0, 70)),
    _Class("bus", 28, 15, (0, 60, 100)),
    _Class("caravan", 29, _V, (0, 0, 90)),
    _Class("trailer", 30, _V, (0, 0, 110)),
    _Class("train", 31, 16, (0, 80, 100)),
    _Class("motorcycle", 32, 17, (0, 0, 230)),
    _Class("bicycle", 33, 18, (119, 11, 32)),
    _Class("license plate", 255, _V, (0, 0, 142)),
)
"""The classes of the dataset, as its authors number and colour them."""


def read_cityscapes(labels: Labels) -> Source:
    """Reads a folder in the layout of Cityscapes: ids, training ids, instances or colours.

    The 19 classes that the benchmark scores become classes, the others are ignored, as it
    does. A `classes.json` with ids or colours in the folder replaces its list.

    Args:
        labels: The masks.

    Raises:
        DataError: If a mask belongs to no image, or holds what is no class.
    """
    masks: dict[tuple[str, ...], dict[str, Path]] = {}
    for path in labels.files:
        match = MASK.fullmatch(path.stem)
        if match:
            folder = path.relative_to(labels.root).parent.as_posix()
            masks.setdefault(common_name(f"{folder}/{match['image']}"), {})[match["kind"]] = path
    kind = next((kind for kind in KINDS if all(kind in each for each in masks.values())), None)
    if kind is None:
        raise DataError(
            labels.path,
            f"masks of one kind for all images, {' or '.join(KINDS)}",
            "different ones",
            "Leave out the images that lack a mask.",
        )
    findings = []
    legend = find_legend(labels.root)
    if legend is None:
        classes, encoding = _official(kind)
        findings.append(
            "Cityscapes' 19 scored classes are read; its others (unlabeled, ego vehicle, …) do "
            "not count, as in its benchmark."
        )
    else:
        classes, encoding = _listed(kind, legend.names, legend.ids, legend.colors, legend.path)
    finder = ImageFinder(labels.images, labels.path, frozenset(labels.files))
    pictures = {
        common_name(found.name.removesuffix(_IMAGE)): found
        for found in finder.images
        if found.name.endswith(_IMAGE)
    }
    missing = [files[kind].name for name, files in masks.items() if name not in pictures]
    if missing:
        raise DataError(
            labels.path,
            f"an image for every mask, its name ending in {_IMAGE}",
            f"{counted(len(missing), 'mask')} without one: {some(missing)}",
            "Add the images, or name the folder that holds them after that of the masks.",
        )
    images = []
    for name, files in masks.items():
        found = pictures[name]
        draw = partial(_read_mask, files[kind], found.path, encoding, labels.max_pixels)
        images.append(SourceImage(found.path, found.name.removesuffix(_IMAGE), draw, found.part))
    images, sentences = with_whole_parts(images)
    return Source(
        labels.name, classes, images, (*findings, *sentences), max_pixels=labels.max_pixels
    )


def write_cityscapes(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `leftImg8bit/` and `gtFine/` with ids and colours.

    Classes with the names of Cityscapes get its ids and colours, and the background, which it
    does not have, becomes unlabeled; others keep their own, which `classes.json` lists.
    """
    names, colors = source.classes.names, source.classes.colors
    official = {each.name: each for each in _CLASSES}
    unlabeled = official["unlabeled"]
    ids = np.full(256, IGNORED, np.uint8)
    is_official = all(name in official for name in names[1:])
    if is_official:
        known = [official.get(name, unlabeled) for name in names]
        ids[: len(names)] = [each.id for each in known]
        colors = tuple(each.color for each in known)
        ids[IGNORED] = unlabeled.id
    else:
        ids[: len(names)] = np.arange(len(names))
        write_classes(out / "classes.json", source.classes, ignores=True)
    shown = np.zeros((256, 3), np.uint8)
    shown[: len(names)] = colors
    city = re.sub(r"[^\w-]+", "-", source.name).strip("-") or "images"
    for copy in copy_images(source, out, f"leftImg8bit/{{part}}{city}", progress, _IMAGE):
        folder = out / Path(copy.path).parent.as_posix().replace("leftImg8bit", "gtFine", 1)
        folder.mkdir(parents=True, exist_ok=True)
        if is_official and names[0] not in official:
            count = int(np.count_nonzero(copy.mask == 0))
            source.losses.add("pixel", count, "of the background, which Cityscapes does not count")
        start = f"{copy.name}_gtFine"
        (folder / f"{start}_labelIds.png").write_bytes(encode_png(ids[copy.mask]))
        (folder / f"{start}_color.png").write_bytes(encode_png(shown[copy.mask]))


def _official(kind: str) -> tuple[Classes, MaskEncoding]:
    scored = [each for each in _CLASSES if each.train_id != IGNORED]
    places = {each: place for place, each in enumerate(scored, start=1)}
    table: dict[int, int] = {}
    # Those that count last: two colours stand for one of them and for one that does not.
    for each in sorted(_CLASSES, key=lambda each: each in places):
        place = places.get(each, IGNORED)
        if kind == "color":
            table[pack_color(each.color)] = place
        elif kind == "labelTrainIds":
            table[each.train_id] = place
        else:
            table[each.id] = place
            if kind == "instanceIds" and 0 < each.id < IGNORED:
                numbers = range(each.id * _OBJECTS, (each.id + 1) * _OBJECTS)
                table |= dict.fromkeys(numbers, place)
    colors = ((0, 0, 0), *(each.color for each in scored))
    classes = Classes(("background", *(each.name for each in scored)), colors, IGNORED)
    return classes, _encoding(kind, table)


def _listed(
    kind: str,
    names: tuple[str, ...],
    ids: tuple[int, ...] | None,
    colors: tuple[Color, ...] | None,
    path: Path,
) -> tuple[Classes, MaskEncoding]:
    stored = [pack_color(color) for color in colors or ()] if kind == "color" else list(ids or ())
    wanted = "colours" if kind == "color" else "ids"
    if not stored:
        raise DataError(
            path, f"the {wanted} of classes", "none", f"Add them, as the masks are {wanted}."
        )
    kept = [
        (value, name)
        for value, name in zip(stored, names, strict=True)
        if kind == "color" or value != IGNORED
    ]
    shown = color_text if kind == "color" else str
    refuse_twins(path, ((shown(value), name) for value, name in kept))
    # The background first; where no class is called so, the one of number 0 or black is it.
    kept.sort(key=lambda pair: (not is_background(pair[1]), pair[0] != 0))
    first = int(bool(kept) and not is_background(kept[0][1]) and kept[0][0] != 0)
    listed = (*["background"] * first, *(name for _, name in kept))
    largest = max(stored)
    if not 2 <= len(listed) <= MAX_CLASSES or (kind != "color" and largest > _HIGHEST):
        raise DataError(
            path,
            f"2 to {MAX_CLASSES} classes, with ids up to {_HIGHEST}",
            f"{len(listed)}, with ids up to {largest}",
            "Correct it.",
        )
    table: dict[int, int] = {} if kind == "color" else {IGNORED: IGNORED}
    for place, (value, _) in enumerate(kept, start=first):
        table[value] = place
        if kind == "instanceIds" and 0 < value < _HIGHEST // _OBJECTS:
            numbers = range(value * _OBJECTS, (value + 1) * _OBJECTS)
            table |= dict.fromkeys(numbers, place)
    return Classes(listed), _encoding(kind, table)


def _encoding(kind: str, table: dict[int, int]) -> MaskEncoding:
    return MaskEncoding("colors" if kind == "color" else "values", tuple(sorted(table.items())))


def _read_mask(
    path: Path, image: Path, encoding: MaskEncoding, max_pixels: int, height: int, width: int
) -> Mask:
    mask = encoding.decode(read_mask_values(path, max_pixels), path)
    check_sizes(image, (height, width), path, (mask.shape[0], mask.shape[1]))
    return mask
