"""A contact sheet: what a dataset looks like, masks outlined, in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.notebook import small_pictures

SIDE = 240
"""Pixels of a picture's place."""
GAP = 6


def draw_contact_sheet(dataset: Dataset, path: str | Path, count: int = 12) -> None:
    """Writes a sheet of samples, spread evenly over the dataset.

    Args:
        dataset: What to show.
        path: The PNG file to be.
        count: Most samples that are shown.

    Raises:
        DataError: If an image or a mask cannot be read.
        FewmaskError: If the file cannot be written.
    """
    write_png(path, compose_contact_sheet(dataset, count))


def compose_contact_sheet(dataset: Dataset, count: int = 12) -> NDArray[np.uint8]:
    """Draws a sheet of samples, spread evenly over the dataset.

    Args:
        dataset: What to show.
        count: Most samples that are shown.

    Returns:
        Shape `(H, W, 3)`, uint8.

    Raises:
        DataError: If an image or a mask cannot be read.
    """
    places = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int))
    # Wide rather than high, as screens are.
    columns = min(len(places), max(1, round((len(places) * 1.6) ** 0.5)))
    rows = -(-len(places) // columns)
    step = SIDE + GAP
    sheet = np.full((rows * step + GAP, columns * step + GAP, 3), 255, np.uint8)
    for number, place in enumerate(places):
        picture: NDArray[np.uint8] = small_pictures(dataset, int(place), SIDE)[-1]
        height, width = picture.shape[:2]
        top = GAP + (number // columns) * step + (SIDE - height) // 2
        left = GAP + (number % columns) * step + (SIDE - width) // 2
        sheet[top : top + height, left : left + width] = picture
    return sheet
