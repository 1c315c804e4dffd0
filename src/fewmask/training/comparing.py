"""Which parts of images model files are compared on, and forms of a model tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_size
from fewmask.inference.intake import take_in
from fewmask.training.plan import Plan

MOST_COMPARED = 512**2
"""Pixels of all pieces that model files are compared on: enough to tell a thousandth that differs,
for a file that is wrong is wrong everywhere, and soon done."""

TRIED, TRIED_IN_TILES = 8 * 1024**2, 1024**2
"""Pixels of all pieces that forms of a model are tried on: of whole images, each of which costs one
look however large it is, and of images that are seen in tiles."""


def choose_pieces(
    sizes: Sequence[tuple[int, int]], most: int = MOST_COMPARED
) -> dict[int, tuple[int, int]]:
    """Chooses images at random, the same ones each time, and how much of their middle to take.

    Args:
        sizes: `(height, width)` of the images.
        most: Pixels of all pieces; the largest piece is a square of so many.

    Returns:
        Which images, in their order, and `(height, width)` of each piece; at least one.

    Example:

    >>> choose_pieces([(3000, 400), (64, 64)])
    {0: (512, 400), 1: (64, 64)}
    """
    chosen: dict[int, tuple[int, int]] = {}
    pixels, longest = 0, math.isqrt(most)
    for index in np.random.default_rng(0).permutation(len(sizes)).tolist():
        height, width = (min(side, longest) for side in sizes[index])
        pixels += height * width
        if chosen and pixels > most:
            break
        chosen[index] = height, width
    return dict(sorted(chosen.items()))


def most_tried(plan: Plan) -> int:
    """Returns how many pixels of held-out images forms of a model are tried on, at most.

    Args:
        plan: The plan.
    """
    return TRIED if plan.pixels is None else TRIED_IN_TILES


def take_pieces(
    dataset: Dataset,
    bundle: Bundle,
    progress: Callable[[int, int], None] | None = None,
    most: int = MOST_COMPARED,
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Reads the pieces of a dataset's images, one after the other.

    Args:
        dataset: The images.
        bundle: Says what a model takes in of them.
        progress: Is told `(done, total)` pieces.
        most: Pixels of all pieces.

    Yields:
        The place of each image, and its piece `(height, width, C)`.
    """
    paths = [dataset.image_path(index) for index in range(len(dataset))]
    chosen = choose_pieces([read_size(path, dataset.max_pixels) for path in paths], most)
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
