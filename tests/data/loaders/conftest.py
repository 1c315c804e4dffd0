"""A dataset on disk whose pixels say which row they are of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column

STEP = 9
"""Row n holds n times this in every pixel of its image."""
HEIGHT, WIDTH = 6, 8

COLUMNS = (
    Column("image", "image"),
    Column("mask", "mask"),
    Column("depth", "image"),
    Column("part", "category", ("train", "test")),
    Column("age", "integer"),
    Column("weight", "float"),
    Column("seen", "category array", ("chair", "table")),
    Column("box", "float array"),
    Column("note", "string"),
)


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Any], list[int]]:
    """Reads which rows a batch is of, images alone or with masks."""

    def read(batch: Any) -> list[int]:
        images = batch[0] if isinstance(batch, tuple) else batch
        return [int(value) for value in np.asarray(images)[:, 0, 0, 0] / STEP]

    return read


@pytest.fixture
def make(tmp_path: Path) -> Callable[[int], Dataset]:
    """Makes a dataset of any number of rows: images in colour, masks of 0 and 255."""

    def write(count: int) -> Dataset:
        rows = []
        for n in range(count):
            names = [f"{kind}/ghế {n}.png" for kind in ("images", "masks", "depth")]
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            mask[1:3, n % 5 : n % 5 + 3] = 255
            write_png(tmp_path / names[0], np.full((HEIGHT, WIDTH, 3), STEP * n, np.uint8))
            write_png(tmp_path / names[1], mask)
            write_png(tmp_path / names[2], np.full((HEIGHT, WIDTH), 1000 * n, np.uint16))
            part = "test" if n % 3 == 0 else "train"
            seen = ("table",) * (n % 2) + ("chair",)
            rows.append((*names, part, 20 + n, n / 2, seen, (0.0, 1.5), f"note {n}"))
        encoding = MaskEncoding("values", ((0, 0), (255, 1)))
        classes = Classes(("background", "chair"))
        return Dataset("chairs", tmp_path, COLUMNS, rows, classes, encoding)

    return write
