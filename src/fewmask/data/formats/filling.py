"""Which pixels lie inside an outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.float64]
"""Corners of a closed outline, shape `(N, 2)`: x to the right, y down, in pixels. The pixel in
row 0, column 0 reaches from 0 to 1 both ways, so that its centre is at 0.5."""


@dataclass(frozen=True, eq=False)
class Outline:
    """An area with a border.

    Args:
        ring: Its outer border.
        holes: Borders of what is left out of it.
    """

    ring: Ring
    holes: tuple[Ring, ...] = ()


@dataclass(frozen=True, eq=False)
class Bitmap:
    """Pixels of a part of an image.

    Args:
        pixels: Shape `(h, w)`, bool: True inside.
        top: Row of the image in which it begins.
        left: Column likewise.
    """

    pixels: NDArray[np.bool_]
    top: int = 0
    left: int = 0

    def window(self, height: int, width: int) -> tuple[slice, slice, NDArray[np.bool_]]:
        """Returns the rows and columns that it covers of an image, and its pixels there.

        Args:
            height: Rows of the image.
            width: Columns of the image.
        """
        rows, columns = self.pixels.shape
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + rows, height), min(self.left + columns, width)
        if bottom <= top or right <= left:
            return slice(0, 0), slice(0, 0), np.zeros((0, 0), np.bool_)
        inner = self.pixels[top - self.top : bottom - self.top]
        return (
            slice(top, bottom),
            slice(left, right),
            inner[:, left - self.left : right - self.left],
        )


def fill(ring: Ring, height: int, width: int) -> Bitmap:
    """Fills an outline: a pixel is inside if its centre is.

    Where an outline crosses itself, what it goes round twice is outside, as labelling tools
    have it too.

    Args:
        ring: The outline, at least three corners; what reaches over the image is cut off.
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        The pixels inside, no larger than the outline needs.

    Example:

    >>> square = np.array([[0.2, 0.2], [2.2, 0.2], [2.2, 1.2], [0.2, 1.2]])
    >>> fill(square, 3, 3).pixels.astype(int).tolist()
    [[1, 1]]
    """
    x0, y0 = ring[:, 0], ring[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    # Every side crosses the rows whose centre lies between its ends, the upper one included.
    first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, height).astype(np.int64)
    counts = last - first
    total = int(counts.sum())
    if not total:
        return Bitmap(np.zeros((0, 0), np.bool_))
    side = np.repeat(np.arange(len(ring)), counts)
    row = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + first[side]
    slope = (x1 - x0)[side] / (y1 - y0)[side]
    crossing = x0[side] + (row + 0.5 - y0[side]) * slope
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    top, left = int(row.min()), int(column.min())
    rows, columns = int(row.max()) - top + 1, int(column.max()) - left + 1
    # Each crossing turns inside to outside from its column on, so a running sum tells which.
    place = (row - top) * columns + column - left
    turns = np.bincount(place, minlength=rows * columns).reshape(rows, columns)
    inside = np.cumsum(turns, axis=1)[:, :-1] % 2 == 1
    return Bitmap(np.asarray(inside, np.bool_), top, left)


def fill_outline(outline: Outline, height: int, width: int) -> Bitmap:
    """Fills an outline but for its holes.

    Args:
        outline: The outline.
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        The pixels inside, no larger than the outer border needs.

    Example:

    >>> square = np.array([[0, 0], [3, 0], [3, 3], [0, 3]], np.float64)
    >>> fill_outline(Outline(square, (square / 3 + 1,)), 9, 9).pixels.astype(int).tolist()
    [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    """
    whole = fill(outline.ring, height, width)
    for ring in outline.holes:
        hole = fill(ring, height, width)
        moved = Bitmap(hole.pixels, hole.top - whole.top, hole.left - whole.left)
        rows, columns, inside = moved.window(*whole.pixels.shape)
        whole.pixels[rows, columns] &= ~inside
    return whole
