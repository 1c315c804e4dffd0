"""Which parts of the test images the model files are compared on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 1024
"""Longest side of a piece; two forms of a model that agree on it agree on more of the same."""

MOST_COMPARED = SIDE**2
"""Pixels of all pieces: enough to tell a thousandth that differs, and soon done."""


def choose_pieces(sizes: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Chooses images at random, the same ones each time, and how much of their middle to take.

    Args:
        sizes: `(height, width)` of the test images.

    Returns:
        Which images, in their order, and `(height, width)` of each piece; at least one.

    Example:

    >>> choose_pieces([(3000, 800), (64, 64)])
    {0: (1024, 800), 1: (64, 64)}
    """
    chosen: dict[int, tuple[int, int]] = {}
    pixels = 0
    for index in np.random.default_rng(0).permutation(len(sizes)).tolist():
        height, width = (min(side, SIDE) for side in sizes[index])
        pixels += height * width
        if chosen and pixels > MOST_COMPARED:
            break
        chosen[index] = height, width
    return dict(sorted(chosen.items()))


def middle(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Cuts the middle out of an image.

    Args:
        image: Shape `(H, W, C)`.
        height: Rows to keep, at most H.
        width: Columns to keep, at most W.

    Returns:
        Shape `(height, width, C)`, contiguous.
    """
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])
