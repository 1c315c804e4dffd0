"""What may lie beside the reader of a page: small datasets, photos, runs, the demo in small."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path

import numpy as np
import platformdirs

import fewmask
from fewmask.data.demo import gallery
from fewmask.data.formats.convert import convert
from fewmask.data.imageio import encode_jpeg, write_png
from fewmask.files import write_text
from fewmask.packages.load import DEMO_VERSION

from .stage import DEMO_IMAGES

DEMO = Path("demo") / f"chairs-{DEMO_VERSION}"
"""Where fewmask keeps the demo, below its cache."""


def lay(names: tuple[str, ...], cupboard: Path, folder: Path) -> None:
    """Lays things into a folder.

    Args:
        names: What to lay, of the list in `stage.BESIDE`.
        cupboard: Folder of things made before, from which they are copied.
        folder: Where to.
    """
    for name in names:
        match name:
            case "photos" | "more-photos":
                draw_dataset(folder / name, first=0 if name == "photos" else 50)
            case "new" | "more":
                draw_images(folder / name, first=70)
            case "photo.jpg":
                draw_images(folder, first=80, count=1)
                (folder / "1.jpg").rename(folder / "photo.jpg")
            case "labels":  # masks in a folder of their own
                draw_dataset(folder / "unused", first=0)
                (folder / "unused" / "masks").rename(folder / "labels")
                shutil.rmtree(folder / "unused")
            case "annotations.json" | "cvat-export" | "labelled":
                _lay_labels(name, folder)
            case "cells":  # masks that number each object
                draw_dataset(folder / name, first=90, count=4, value=300)
            case "runs/photos-1" | "runs/photos-2":
                shutil.copytree(_run(cupboard, Path(name).name), folder / name)
            case "model files":
                for file in ("model.onnx", "model.keras"):
                    shutil.copy(_run(cupboard, "photos-1") / file, folder)
            case _:
                raise ValueError(f"{name!r} of BESIDE is not known in lay()")


def draw_images(folder: Path, first: int, count: int = 3) -> list[np.ndarray]:
    """Draws red boxes on grey into `1.jpg` and so on; returns where the boxes are."""
    folder.mkdir(parents=True, exist_ok=True)
    boxes = []
    for number in range(count):
        rng = np.random.default_rng(first + number)
        image = rng.integers(90, 120, (48, 64, 3), np.uint8)
        box = np.zeros(image.shape[:2], np.bool_)
        top, left = rng.integers(2, 24), rng.integers(2, 32)
        box[top : top + 20, left : left + 24] = True
        image[box] = (200, 30, 30)
        (folder / f"{number + 1}.jpg").write_bytes(encode_jpeg(image, 90))
        boxes.append(box)
    return boxes


def draw_dataset(folder: Path, first: int, count: int = 12, value: int = 255) -> None:
    """Draws `images` with red boxes, and `masks` of 0 and a value; 16-bit if it is above 255."""
    boxes = draw_images(folder / "images", first, count)
    for number, box in enumerate(boxes, start=1):
        mask = np.where(box, value, 0).astype(np.uint8 if value < 256 else np.uint16)
        write_png(folder / "masks" / f"{number}.png", mask)


def _lay_labels(name: str, folder: Path) -> None:
    """Lays what a labelling tool would have exported."""
    formats = {"annotations.json": "coco", "cvat-export": "cvat", "labelled": "labelme"}
    with tempfile.TemporaryDirectory() as aside:
        draw_dataset(Path(aside, "photos"), first=0)
        done = convert(Path(aside, "photos"), to=formats[name], out=Path(aside, "out"))
        if name == "annotations.json":
            shutil.copy(done.out / name, folder)
        else:
            shutil.copytree(done.out, folder / name)


def _run(cupboard: Path, name: str) -> Path:
    """Returns a run on `photos`, trained when it is first asked for."""
    folder = cupboard / "runs" / name
    if not folder.exists():
        draw_dataset(cupboard / "photos", first=0)
        fewmask.train(cupboard / "photos", name=name, runs=cupboard / "runs")
    return folder


def small_demo(cupboard: Path) -> Path:
    """Returns a folder with the first images of demo/chairs, drawn or copied once."""
    folder = cupboard / "chairs"
    if not (folder / "split.csv").exists():
        whole = Path(platformdirs.user_cache_dir("fewmask")) / DEMO
        if whole.is_dir():
            _copy_first(whole, folder)
        else:
            gallery.draw_chairs(folder, DEMO_IMAGES)
    return folder


def _copy_first(whole: Path, folder: Path) -> None:
    """Copies what drawing fewer images would write; `draw_chairs` says that it is the same."""
    folder.mkdir(parents=True)
    shutil.copy(whole / "classes.json", folder)
    with (whole / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[: DEMO_IMAGES + 1]
    for _, *paths in rows[1:]:
        for path in paths:
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copy(whole / path, folder / path)
    write_text(folder / "split.csv", "".join(",".join(row) + "\n" for row in rows))
