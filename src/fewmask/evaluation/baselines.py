"""What a score is worth: scores that need no model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.scores import Counts

GRID = 64
"""Side of the frame in which masks of all sizes are averaged; finer tells no more of a mean."""


@dataclass(frozen=True)
class BaselineScore:
    """How well one baseline did on the images that the model was judged by.

    Args:
        name: What it predicts: `"all background"`.
        mean_dice: Its mean Dice in [0, 1], NaN where nothing could be scored.
        interval: 95 % interval of `mean_dice`.
        lead: 95 % interval of the model's mean Dice minus this one, image by image.
    """

    name: str
    mean_dice: float
    interval: Interval
    lead: Interval


def constant_confusions(confusions: Counts, class_id: int) -> Counts:
    """Works out what predicting one class everywhere would have given.

    Args:
        confusions: Pixel counts of shape `(N, K, K)` of any prediction, one matrix an image;
            only what they say of the truth is used.
        class_id: The class predicted everywhere.

    Returns:
        Pixel counts of shape `(N, K, K)`.

    Example:

    >>> constant_confusions(np.array([[[5, 1], [2, 3]]]), class_id=1)
    array([[[0, 6],
            [0, 5]]])
    """
    constant = np.zeros_like(confusions)
    constant[..., class_id] = confusions.sum(axis=-1)
    return constant


@dataclass(frozen=True, eq=False)
class MeanMask:
    """The mask that an image has on average, whatever it shows.

    Where objects always sit in the middle, this scores surprisingly well; a model has to beat
    it to have looked at the image at all.

    Args:
        label_map: The most frequent class at each place, class ids of shape `(64, 64)`.
        class_votes: How many places of all masks each class took, shape `(K,)`; masks of all
            sizes weigh alike.
    """

    label_map: NDArray[np.uint8]
    class_votes: Counts

    def resized(self, height: int, width: int) -> NDArray[np.uint8]:
        """Returns the mask at the size of an image, class ids of shape `(height, width)`."""
        return self.label_map[_steps(GRID, height)[:, None], _steps(GRID, width)]


def average_masks(masks: Iterable[NDArray[Any]], num_classes: int) -> MeanMask:
    """Averages masks of any sizes, laid over each other in one frame.

    Args:
        masks: Class ids of shape `(H, W)` each, taken one at a time; pixels of another value
            (the ignore index) have no say.
        num_classes: Number of classes K.

    Returns:
        The most frequent class at each place: for two classes, foreground where more than half
        of the masks have it. A tie, or a place ignored in all, goes to the lowest class id.

    Example:

    >>> masks = [np.array([[0, 1]]), np.array([[0, 1]]), np.array([[1, 1]])]
    >>> average_masks(masks, num_classes=2).resized(1, 4)
    array([[0, 0, 1, 1]], dtype=uint8)
    """
    votes = np.zeros((GRID, GRID, num_classes), np.int64)
    for mask in masks:
        height, width = mask.shape
        sampled = mask[_steps(height, GRID)[:, None], _steps(width, GRID)]
        # An ignored pixel equals no class id, so it votes for none.
        votes += sampled[..., None] == np.arange(num_classes)
    return MeanMask(votes.argmax(axis=-1).astype(np.uint8), votes.sum(axis=(0, 1)))


def _steps(pixels: int, count: int) -> NDArray[np.int64]:
    """Returns the pixels that lie at the middles of `count` equal steps along one side."""
    return (2 * np.arange(count, dtype=np.int64) + 1) * pixels // (2 * count)
