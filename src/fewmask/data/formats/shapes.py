"""Shapes that labelling tools store, and the mask that they make of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.data.formats.filling import Bitmap, Outline, Ring, fill_outline
from fewmask.data.formats.rle import Runs
from fewmask.errors import DataError

MOST_OUTSIDE = 0.1
"""Share of the image's longer side by which a corner may lie outside. Tools let people draw over
the edge; further out, these are the corners of another image, or not in pixels."""
_SLIGHTLY = 1.0  # pixels over the edge that are not worth a word


@dataclass(frozen=True, eq=False)
class Shape:
    """One thing that somebody outlined or painted.

    Args:
        name: Its class.
        area: Its outlines, its runs, or its pixels.
        where: The place in the file that it stands in, for errors.
        is_group: Whether it stands for many things at once (a crowd), which single ones go over.
    """

    name: str
    area: tuple[Outline, ...] | Runs | Bitmap
    where: str
    is_group: bool = False

    def bitmap(self, height: int, width: int) -> Bitmap:
        """Returns its pixels in an image.

        Args:
            height: Rows of the image.
            width: Columns of the image.

        Raises:
            DataError: If it does not fit an image of this size.
        """
        if isinstance(self.area, Runs):
            return self.area.bitmap(height, width, self.where)
        if isinstance(self.area, Bitmap):
            return self.area
        filled = [fill_outline(outline, height, width) for outline in self.area]
        return filled[0] if len(filled) == 1 else _joined(filled, height, width)

    def reach(self, height: int, width: int) -> float:
        """Returns how many pixels it reaches over the edge of an image.

        Raises:
            DataError: If that is too far for one that was drawn in this image.
        """
        if isinstance(self.area, Runs):
            return 0.0
        if isinstance(self.area, Bitmap):
            rows, columns = self.area.pixels.shape
            left, top = self.area.left, self.area.top
            corners = np.array([[left, top], [left + columns, top + rows]])
        else:
            corners = np.concatenate([outline.ring for outline in self.area])
        return reach_over(corners, height, width, self.where)


def reach_over(corners: Ring, height: int, width: int, where: str) -> float:
    """Returns how many pixels corners reach over the edge of an image.

    Args:
        corners: Shape `(N, 2)`: x, y.
        height: Rows of the image.
        width: Columns of the image.
        where: Whose corners these are, for the error.

    Raises:
        DataError: If that is too far for corners that were drawn in this image.
    """
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    over = max(-low[0], -low[1], high[0] - width, high[1] - height, 0.0)
    if over > MOST_OUTSIDE * max(height, width):
        raise DataError(
            where,
            f"corners inside its image of {height} × {width} pixels (height × width)",
            f"columns {low[0]:.0f} to {high[0]:.0f}, rows {low[1]:.0f} to {high[1]:.0f}",
            "Check that this is the image that was labelled, and that corners are in pixels.",
        )
    return float(over)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A mask, and what it does not show.

    Args:
        mask: Class ids of shape `(H, W)`, uint8, 0 where no shape is.
        covered: Number of pixels that lie in shapes of several classes.
        cut: Number of shapes that reach over the edge of the image.
    """

    mask: NDArray[np.uint8]
    covered: int
    cut: int


def draw_shapes(
    shapes: Sequence[Shape],
    class_ids: Mapping[str, int],
    height: int,
    width: int,
    ordered: bool,
) -> Drawing:
    """Draws the mask of an image.

    Where shapes lie over each other, one goes on top: the later one where the format has an
    order (people arrange shapes in it until the picture is right), and else the smaller one (a
    cup is seen on its table, not under it). Groups lie below everything.

    Args:
        shapes: The shapes.
        class_ids: The class id of each name.
        height: Rows of the image.
        width: Columns of the image.
        ordered: Whether the order of the shapes means something.

    Raises:
        DataError: If a shape does not fit the image.

    Example:

    >>> left = Shape("chair", Bitmap(np.ones((1, 2), bool)), "")
    >>> below = Shape("table", Bitmap(np.ones((1, 3), bool)), "")
    >>> draw_shapes([left, below], {"chair": 1, "table": 2}, 1, 4, ordered=False).mask.tolist()
    [[1, 1, 2, 0]]
    """
    mask = np.zeros((height, width), np.uint8)
    covered = np.zeros((height, width), np.bool_)
    drawn, cut = [], 0
    for shape in shapes:
        cut += shape.reach(height, width) > _SLIGHTLY
        bitmap = shape.bitmap(height, width)
        drawn.append((shape, bitmap, 0 if ordered else -np.count_nonzero(bitmap.pixels)))
    for shape, bitmap, _ in sorted(drawn, key=lambda item: (not item[0].is_group, item[2])):
        class_id = class_ids[shape.name]
        rows, columns, inside = bitmap.window(height, width)
        below = mask[rows, columns]
        covered[rows, columns] |= inside & (below != 0) & (below != class_id)
        below[inside] = class_id
    return Drawing(mask, int(np.count_nonzero(covered)), cut)


def _joined(bitmaps: Sequence[Bitmap], height: int, width: int) -> Bitmap:
    whole = np.zeros((height, width), np.bool_)
    for bitmap in bitmaps:
        rows, columns, inside = bitmap.window(height, width)
        whole[rows, columns] |= inside
    return Bitmap(whole)
