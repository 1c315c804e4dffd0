"""Paints a label map over its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Color
from fewmask.data.pixels import as_color

OPACITY = 0.4
"""How much of a class's colour its pixels take: the photograph's texture stays readable."""

_LINES_ALONG_THE_IMAGE = 360
"""The outline is one such part of the longest side, so that it looks alike at every size."""

_CASING = 0.7

_AT_ONCE = 2**16
"""Pixels looked up together: their places in the tables take 16 bytes each."""


def paint_overlay(
    image: NDArray[np.uint8],
    label_map: NDArray[np.uint8],
    colors: Sequence[Color],
    opacity: float = OPACITY,
) -> NDArray[np.uint8]:
    """Tints every class but the background and draws a line around it.

    The line runs inside the class, in its full colour. A thin casing outside, dark around bright
    colours and bright around dark ones, keeps it apart from light and dark photographs alike.

    Args:
        image: Shape `(H, W, C)`, uint8; one channel is shown grey, the first three of more.
        label_map: Class ids of shape `(H, W)`.
        colors: One `(red, green, blue)` a class id.
        opacity: Share of the class colour in a tinted pixel, in [0, 1].

    Returns:
        Shape `(H, W, 3)`, uint8.

    Example:

    >>> image, label_map = np.full((1, 9, 1), 100, np.uint8), np.zeros((1, 9), np.uint8)
    >>> label_map[0, 4:] = 1
    >>> paint_overlay(image, label_map, [(0, 0, 0), (200, 0, 0)], opacity=0.5)[0, :, 0].tolist()
    [100, 100, 100, 208, 200, 150, 150, 150, 150]
    """
    palette = np.array(colors, np.uint8)
    tint = np.full(len(palette), opacity)
    tint[0] = 0
    painted = _recolor(as_color(image), label_map, _blend_tables(palette, tint))

    width = max(1, round(max(label_map.shape) / _LINES_ALONG_THE_IMAGE))
    near = _grow(label_map, width)
    casing = (label_map == 0) & (near > 0)
    line = (label_map > 0) & _near_border(label_map, width)
    bright = palette @ np.array([0.299, 0.587, 0.114]) > 60
    around = np.where(bright[:, None], np.uint8(0), np.uint8(255)).repeat(3, axis=1)
    tables = _blend_tables(around, np.full(len(palette), _CASING))
    painted[casing] = _recolor(painted[casing], near[casing], tables)
    painted[line] = palette[label_map[line]]
    return painted


def _blend_tables(palette: NDArray[np.uint8], opacity: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Says what each value of each channel becomes below each class, shape `(3, K, 256)`."""
    above = palette.T[:, :, None] * opacity[:, None]
    return np.rint(above + np.arange(256) * (1 - opacity)[:, None]).astype(np.uint8)


def _recolor(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], tables: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Looks the pixels `(..., 3)` up: twice as quick as blending them, and without floats."""
    painted = np.empty(pixels.shape, np.uint8)
    rows = max(1, _AT_ONCE * len(labels) // max(labels.size, 1))
    for top in range(0, len(labels), rows):
        strip = slice(top, top + rows)
        row = labels[strip].astype(np.intp) * 256
        for channel, table in enumerate(tables):
            np.take(table, row + pixels[strip][..., channel], out=painted[strip][..., channel])
    return painted


def _grow(values: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Gives each pixel the highest value within `pixels` steps to a neighbour."""
    for _ in range(pixels):
        grown = values.copy()
        for here, there in _neighbours(values.ndim):
            np.maximum(grown[here], values[there], out=grown[here])
        values = grown
    return values


def _near_border(label_map: NDArray[np.uint8], pixels: int) -> NDArray[np.bool_]:
    """Marks pixels within `pixels` of a pixel of another class."""
    border = np.zeros(label_map.shape, np.bool_)
    for here, there in _neighbours(label_map.ndim):
        border[here] |= label_map[here] != label_map[there]
    return _grow(border, pixels - 1)


def _neighbours(dimensions: int) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Lists pairs of slices: pixels, and their neighbours above, below, left, right."""
    pairs = []
    for axis in range(dimensions):
        low: list[slice] = [slice(None)] * dimensions
        high = list(low)
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        pairs += [(tuple(low), tuple(high)), (tuple(high), tuple(low))]
    return pairs
