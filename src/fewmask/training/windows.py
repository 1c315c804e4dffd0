"""Fixed windows on images, as a model of patches sees them: to judge epochs by, and to look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fewmask.data.augmentation.augment import Augmentation, augment
from fewmask.data.augmentation.warp import Spot
from fewmask.data.copies import Copies
from fewmask.scale import Pixels
from fewmask.training.judge import OUTSIDE, Sample

MOST_JUDGED = 32 * 256**2
"""Pixels that an epoch is judged by, if there are not more images: a fraction of its patches."""


@dataclass(frozen=True)
class Window:
    """A square on one of the copies, at the scale of the model.

    Args:
        index: Which copy.
        spot: Where on it.
        size: Side of the square in pixels that the model sees.
    """

    index: int
    spot: Spot
    size: int


class Windows(Sequence[Sample]):
    """Images and masks in windows, made when they are asked for.

    Args:
        copies: The copies made for training.
        windows: Where to look.
    """

    def __init__(self, copies: Copies, windows: Sequence[Window]) -> None:
        self.copies = copies
        self.windows = windows

    @property
    def images(self) -> list[int]:
        """Which copy each window lies on."""
        return [window.index for window in self.windows]

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, place: Any) -> Any:
        """Returns image and mask as `look_through` makes them, or a list of these for a slice."""
        if isinstance(place, slice):
            return [look_through(self.copies, window) for window in self.windows[place]]
        return look_through(self.copies, self.windows[place])


def look_through(copies: Copies, window: Window) -> Sample:
    """Makes what a window shows of a copy and its mask, unchanged.

    Args:
        copies: The copies made for training.
        window: Where to look.

    Returns:
        Image `(size, size, C)` and mask `(size, size)`, both uint8, the mask `OUTSIDE` where the
        window reaches beyond the image.
    """
    rng = np.random.default_rng(0)  # nothing is drawn from it: no augmentation
    image, mask = copies.image(window.index), copies.mask(window.index)
    (height, width), size, spot = mask.shape, window.size, window.spot
    image, mask = augment(image, mask, size, Augmentation.none(), rng, spot)
    steps = (np.arange(size) + 0.5 - size / 2) / spot.zoom
    inside = np.logical_and.outer(
        (spot.row + steps > 0) & (spot.row + steps < height),
        (spot.column + steps > 0) & (spot.column + steps < width),
    )
    return image, np.where(inside, mask, np.uint8(OUTSIDE))


def cover(copies: Copies, indices: Sequence[int], pixels: Pixels, seed: int) -> list[Window]:
    """Lays windows of the size of tiles over images: large images are seen in part.

    Where all windows together would have more than `MOST_JUDGED` pixels, each image keeps some,
    drawn without a look at the masks, and at least one.

    Args:
        copies: The copies made for training.
        indices: Which of them.
        pixels: The scale.
        seed: Number of 0 or more that windows are drawn from.

    Returns:
        The windows, image by image.
    """
    zoom = pixels.scale / copies.scale
    most = _most_in_an_image(len(indices), pixels)
    chosen: list[Window] = []
    for index in indices:
        sides = copies.mask(index).shape
        rows, columns = (_middles(side, pixels.tile / zoom) for side in sides)
        spots = [Spot(row, column, zoom) for row in rows for column in columns]
        drawn = np.random.default_rng([seed, index]).permutation(len(spots))[:most]
        chosen.extend(Window(index, spots[place], pixels.tile) for place in sorted(drawn))
    return chosen


def count_windows(sizes: Sequence[tuple[int, int]], pixels: Pixels) -> int:
    """Counts the windows that `cover` would lay, from the sizes of the images alone.

    Args:
        sizes: `(height, width)` of the images.
        pixels: The scale.

    Example:

    >>> count_windows([(500, 600), (100, 100)], Pixels.near(1, 256))
    7
    """
    side = pixels.tile / pixels.scale
    most = _most_in_an_image(len(sizes), pixels)
    return sum(
        min(most, math.ceil(height / side) * math.ceil(width / side)) for height, width in sizes
    )


def _most_in_an_image(num_images: int, pixels: Pixels) -> int:
    return max(1, MOST_JUDGED // pixels.tile**2 // max(1, num_images))


def _middles(length: int, size: float) -> list[int]:
    """Returns the middles of windows that cover one side of a copy, none beyond its ends."""
    count = math.ceil(length / size)
    if count == 1:
        return [length // 2]
    return [round(place) for place in np.linspace(size / 2, length - size / 2, count)]
