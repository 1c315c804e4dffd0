"""Ordinary folders: images beside masks that are pictures of class ids."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fewmask.data.classes import Classes
from fewmask.data.folders.table import FILE_NAME as TABLE_NAME
from fewmask.data.formats.source import Mask, Source
from fewmask.data.formats.writing import Progress, copy_images, write_json
from fewmask.data.imageio import encode_png, encode_tiff
from fewmask.data.masks.encoding import IGNORED
from fewmask.data.masks.legend import VOID_NAMES

Encode = Callable[[Mask], bytes]


def write_folder(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes `images/`, `masks/` as PNG with a palette, `classes.json`, `split.csv` if need be."""
    _write(source, out, progress, ".png", lambda mask: encode_png(mask, source.classes.colors))


def write_tiff(source: Source, out: Path, progress: Progress | None) -> None:
    """Writes the same with masks as 16-bit TIFF."""
    _write(source, out, progress, ".tif", lambda mask: encode_tiff(mask.astype(np.uint16)))


def write_classes(path: Path, classes: Classes, ignores: bool) -> None:
    """Writes the list of classes that says which value of a mask is which.

    Args:
        path: The file to be.
        classes: The classes.
        ignores: Whether some pixels do not count.
    """
    listed: list[dict[str, str | int]] = [
        {"name": name, "id": class_id} for class_id, name in enumerate(classes.names)
    ]
    if ignores:
        free = next(name for name in VOID_NAMES if name not in classes.names)
        listed.append({"name": free, "id": IGNORED})
    write_json(path, {"classes": listed})


def _write(
    source: Source, out: Path, progress: Progress | None, suffix: str, encode: Encode
) -> None:
    ignores = source.classes.ignore_index is not None
    rows: list[list[str | None]] = []
    (out / "masks").mkdir(parents=True)
    for copy in copy_images(source, out, "images", progress):
        ignores |= bool((copy.mask == IGNORED).any())
        mask = f"masks/{copy.name}{suffix}"
        (out / mask).write_bytes(encode(copy.mask))
        rows.append([copy.path, mask, copy.image.part, copy.image.group])
    write_classes(out / "classes.json", source.classes, ignores)
    titles: list[str | None] = ["image", "mask", "part", "group"]
    kept = [place for place in range(4) if any(row[place] for row in rows)]
    if len(kept) > 2:
        with (out / TABLE_NAME).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerows([[row[place] for place in kept] for row in [titles, *rows]])
