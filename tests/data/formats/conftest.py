"""Small images, masks of every difficulty, and labels to write beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.dataset import Dataset
from fewmask.data.folders.folder import read_folder
from fewmask.data.formats.evidence import find_formats
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.source import Source
from fewmask.data.imageio import encode_jpeg, write_png

NAMES = ("background", "cái ghế", "bàn & tủ")
SIZE = (60, 80)

Mask = NDArray[np.uint8]


def difficult_mask() -> Mask:
    """Makes holes, a hole in an island in a hole, touching classes, lines and single pixels."""
    mask = np.zeros(SIZE, np.uint8)
    cv2.circle(mask, (25, 30), 20, 1, -1)
    cv2.circle(mask, (25, 30), 12, 0, -1)
    cv2.circle(mask, (25, 30), 8, 2, -1)
    mask[28:32, 23:27] = 0
    mask[5:25, 50:70] = 1
    mask[15:40, 60:80] = 2  # touches class 1 and the edge
    mask[45:57, 52:78] = 1
    mask[48:50, 55:60] = mask[52:55, 66:70] = 0
    mask[0, 0] = mask[59, 79] = 2
    for step in range(6):
        mask[50 + step, 2 + step] = 1  # pixels that touch by corners
    return mask


def round_mask() -> Mask:
    """Makes one object that touches no other, for outlines that may be simplified."""
    mask = np.zeros(SIZE, np.uint8)
    cv2.ellipse(mask, (40, 30), (33, 22), 20, 0, 360, 1, -1)
    return mask


def ignoring_mask() -> Mask:
    """Makes a mask with pixels that do not count."""
    mask = round_mask()
    mask[:10] = 255
    mask[40:, :20] = 2
    return mask


def save_image(path: Path, size: tuple[int, int] = SIZE) -> Path:
    """Writes an image of noise, in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 255, (*size, 3), np.uint8)
    if path.suffix == ".png":
        write_png(path, pixels)
    else:
        path.write_bytes(encode_jpeg(pixels))
    return path


def save_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def save_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def make_dataset(root: Path, masks: dict[str, Mask], names: Sequence[str] = NAMES) -> Dataset:
    """Writes a folder of images and masks, and reads it."""
    for path, mask in masks.items():
        save_image(root / "images" / path)
        write_png((root / "masks" / path).with_suffix(".png"), mask)
    listed = [{"name": name, "id": number} for number, name in enumerate(names)]
    if any((mask == 255).any() for mask in masks.values()):
        listed.append({"name": "ignore", "id": 255})
    save_json(root / "classes.json", {"classes": listed})
    return read_folder(root)


def masks_of(source: Source) -> dict[str, Mask]:
    """Draws every mask of a source, by the name of its image."""
    return {image.name: source.read_mask(image) for image in source.images}


def labels_in(path: Path, images: Path | None = None, format_name: str | None = None) -> Labels:
    """Recognises what lies at a path, as the command does."""
    found = find_formats(path)
    name = format_name or next(iter(found))
    where = images or (path if path.is_dir() else path.parent)
    return Labels(name, path, tuple(found[name]), where)


def iou(mask: Mask, other: Mask, class_id: int) -> float:
    both = np.count_nonzero((mask == class_id) & (other == class_id))
    return both / max(np.count_nonzero((mask == class_id) | (other == class_id)), 1)


Refuses = Callable[[Callable[[], object]], str]


@pytest.fixture
def refusal() -> Refuses:
    """Returns the sentence that a call is refused with."""
    from fewmask.errors import FewmaskError

    def call(function: Callable[[], object]) -> str:
        with pytest.raises(FewmaskError) as caught:
            function()
        return str(caught.value)

    return call
