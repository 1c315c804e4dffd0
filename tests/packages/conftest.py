"""A store, and small datasets to put into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.packages.build import Built, build_package
from fewmask.packages.load import load_dataset
from fewmask.packages.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def draw(folder: Path, numbers: Sequence[int] = range(10), height: int = 24) -> Path:
    """Draws images with a bright box each, and masks of 0 and 255 under the same names."""
    for number in numbers:
        rng = np.random.default_rng(number)
        image = rng.integers(0, 90, (height, 32, 3), np.uint8)
        mask = np.zeros((height, 32), np.uint8)
        top, left = rng.integers(0, height // 2), rng.integers(0, 16)
        mask[top : top + 9, left : left + 11] = 255
        image[mask > 0] = 200
        write_png(folder / f"images/thing {number}.png", image)
        write_png(folder / f"masks/thing {number}.png", mask)
    return folder


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """A folder of ten images with masks."""
    return draw(tmp_path / "things")


@pytest.fixture
def dataset(things: Path) -> Dataset:
    return load_dataset(things)


Build = Callable[..., Built]


@pytest.fixture
def build(store: Store) -> Build:
    """Builds a folder or a dataset into the store, by default as rohan/things."""

    def build(source: Path | Dataset, name: str = "rohan/things", **more: object) -> Built:
        dataset = source if isinstance(source, Dataset) else load_dataset(source)
        return build_package(name, dataset, store=store, **{"license": "CC0-1.0", **more})

    return build


@pytest.fixture
def built(build: Build, things: Path) -> Built:
    return build(things)
