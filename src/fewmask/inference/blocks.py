"""Predicts images of any size with a model of patches: block by block, in bounded memory.

A model cuts what it is given into tiles and puts them together by itself, all at once. Here a
large image is cut into blocks of such tiles first: the same tiles are seen, fewer at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.scale import Pixels, share_of_later

Model: TypeAlias = Callable[[NDArray[np.uint8]], tuple[NDArray[np.uint8], NDArray[np.float32]]]
"""Image `(H, W, C)` uint8 → label map `(H, W)` uint8, probability map `(H, W, K)` float32."""

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Stretch:
    """What a block covers along one side of the image.

    Args:
        start: Its first pixel.
        stop: The pixel after its last.
        weights: How much each of its pixels counts, in [0, 1]; those of all stretches that hold a
            pixel add up to 1.
    """

    start: int
    stop: int
    weights: NDArray[np.float32]

    @property
    def place(self) -> slice:
        """Its pixels."""
        return slice(self.start, self.stop)


def cut_stretches(length: int, rule: Pixels) -> list[Stretch]:
    """Cuts one side of an image into stretches, each of whole tiles.

    Neighbours share the pixels in which a tile of one fades into a tile of the other, as it would
    inside the model. The last one is between half and one and a half times as long as the others:
    an image up to half as large again as a block is not cut at all.

    Args:
        length: Pixels of this side, at least 1.
        rule: The scale of the model.

    Returns:
        The stretches, in their order.

    Example:

    >>> rule = Pixels.near(1.0, size=256)
    >>> [(stretch.start, stretch.stop) for stretch in cut_stretches(2000, rule)]
    [(0, 640), (576, 1216), (1152, 2000)]
    """
    shared = rule.overlap * rule.block_in_image // rule.block
    count = max(1, (2 * (length - shared) + rule.block_in_image) // (2 * rule.block_in_image))
    rise = share_of_later((np.arange(shared) + 0.5) * rule.scale, rule)
    stretches = []
    for number in range(count):
        start = number * rule.block_in_image
        stop = length if number == count - 1 else start + rule.block_in_image + shared
        weights = np.ones(stop - start, np.float32)
        if number > 0:
            weights[:shared] = rise
        if number < count - 1:
            weights[len(weights) - shared :] = 1 - rise
        stretches.append(Stretch(start, stop, weights))
    return stretches


def needs_blocks(image: NDArray[np.uint8], rule: Pixels) -> bool:
    """Whether an image `(H, W, C)` is larger than what is predicted at once."""
    return any(len(cut_stretches(side, rule)) > 1 for side in image.shape[:2])


def predict_blocks(
    model: Model,
    image: NDArray[np.uint8],
    rule: Pixels,
    num_classes: int,
    *,
    probabilities: bool = True,
    progress: Progress | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """Predicts an image block by block and puts the whole together.

    Beside the results, no more than one row of blocks is in memory.

    Args:
        model: Predicts a block.
        image: Shape `(H, W, C)`, uint8.
        rule: The scale of the model.
        num_classes: Number of classes K.
        probabilities: Whether the probability map of the whole image is wanted too.
        progress: Called with the blocks done and the blocks in all.

    Returns:
        The label map, `(H, W)` uint8, and the probability map, `(H, W, K)` float32, or None.
    """
    height, width, _ = image.shape
    rows, columns = cut_stretches(height, rule), cut_stretches(width, rule)
    label_map = np.empty((height, width), np.uint8)
    whole = np.empty((height, width, num_classes), np.float32) if probabilities else None
    # The pixels that a row of blocks shares with the next are complete with that one only.
    begun = np.empty((0, width, num_classes), np.float32)
    for number, row in enumerate(rows):
        strip = np.zeros((row.stop - row.start, width, num_classes), np.float32)
        strip[: len(begun)] = begun
        for place, column in enumerate(columns):
            _, maps = model(image[row.place, column.place])
            strip[:, column.place] += maps * np.outer(row.weights, column.weights)[:, :, None]
            if progress is not None:
                progress(number * len(columns) + place + 1, len(rows) * len(columns))
        stop = height if number == len(rows) - 1 else rows[number + 1].start
        complete, begun = np.split(strip, [stop - row.start])
        label_map[row.start : stop] = complete.argmax(axis=2)
        if whole is not None:
            whole[row.start : stop] = complete
    return label_map, whole
