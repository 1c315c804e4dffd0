"""Which parts of images model files are compared on, and forms of a model tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_size
from fewmask.inference.intake import take_in

SIDE = 1024
"""Longest side of a piece; two forms of a model that agree on it agree on more of the same."""

MOST_COMPARED = SIDE**2
"""Pixels of all pieces: enough to tell a thousandth that differs, and soon done."""


def choose_pieces(sizes: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Chooses images at random, the same ones each time, and how much of their middle to take.

    Args:
        sizes: `(height, width)` of the images.

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


def take_pieces(
    dataset: Dataset, bundle: Bundle, progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Reads the pieces of a dataset's images, one after the other.

    Args:
        dataset: The images.
        bundle: Says what a model takes in of them.
        progress: Is told `(done, total)` pieces.

    Yields:
        The place of each image, and its piece `(height, width, C)`.
    """
    paths = [dataset.image_path(index) for index in range(len(dataset))]
    chosen = choose_pieces([read_size(path, dataset.max_pixels) for path in paths])
    for done, (index, size) in enumerate(chosen.items()):
        yield index, middle(take_in(paths[index], bundle, dataset.max_pixels), *size)
        if progress is not None:
            progress(done + 1, len(chosen))


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
