"""Small copies of labelled images, all that a quick model looks at."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fewmask.data.copies import copy_sample
from fewmask.data.dataset import Dataset
from fewmask.data.frame_copies import shrunk_size
from fewmask.data.split import divide, sizes_of_folds
from fewmask.evaluation.baselines import constant_confusions
from fewmask.evaluation.scores import Counts, mean_dice, mean_where_scored

LONGEST = 128
"""Most pixels of a side: enough to tell what things are made of and where they are."""
MOST_IMAGES = 150
"""Of more images these many are drawn: others would hardly change what is measured."""


@dataclass(frozen=True, eq=False)
class SmallSample:
    """A small copy of an image and of its mask.

    Args:
        image: Shape `(h, w, C)`, uint8.
        mask: Class ids of shape `(h, w)`, uint8.
        group: Samples of equal groups belong together; None for a sample on its own.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    group: Hashable = None


def take_small_samples(
    dataset: Dataset, channels: int, value_range: tuple[int, int]
) -> list[SmallSample]:
    """Makes small copies of the images of a dataset, or of some of them if there are many.

    Args:
        dataset: Samples with masks; the training images, never those of the test part.
        channels: Number of image channels C.
        value_range: Stored pixel values that become 0 and 255.

    Returns:
        The copies, in the dataset's order.

    Raises:
        DataError: If an image or a mask cannot be read, or an image has other channels.
    """
    drawn = np.random.default_rng(0).permutation(len(dataset))[:MOST_IMAGES]
    groups = dataset.values("group") if dataset.has_column("group") else [None] * len(dataset)
    size_of = partial(shrunk_size, longest=LONGEST)
    return [
        SmallSample(*copy_sample(dataset, index, size_of, channels, value_range), groups[index])
        for index in sorted(drawn.tolist())
    ]


def sample_groups(samples: Sequence[SmallSample]) -> list[Hashable]:
    """Returns the group of each sample; a name of its own for a sample without one."""
    return [
        ("no group", place) if sample.group is None else sample.group
        for place, sample in enumerate(samples)
    ]


def draw_folds(samples: Sequence[SmallSample], folds: int, seed: int) -> NDArray[np.intp]:
    """Draws the fold in which each sample is held out; groups stay together.

    Args:
        samples: At least as many groups as folds.
        folds: Number of folds.
        seed: Equal seeds draw equal folds.

    Returns:
        Fold numbers of shape `(N,)`.
    """
    fold_of = np.zeros(len(samples), np.intp)
    divided = divide(sizes_of_folds(len(samples), folds), sample_groups(samples), seed=seed)
    for fold, members in enumerate(divided):
        fold_of[members] = fold
    return fold_of


def mean_of_groups(scores: NDArray[np.float64], groups: Sequence[Hashable]) -> NDArray[np.float64]:
    """Averages scores within groups, the units that are drawn anew by a bootstrap.

    Args:
        scores: Shape `(N, ...)`, NaN where there was nothing to score.
        groups: The group of each row.

    Returns:
        Shape `(number of groups, ...)`; NaN where a group has no score.

    Example:

    >>> mean_of_groups(np.array([0.2, 0.4, 0.9]), ["a", "a", "b"]).round(2).tolist()
    [0.3, 0.9]
    """
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    return np.stack([mean_where_scored(scores[rows], axis=0) for rows in members.values()])


def best_constant(confusions: Counts, groups: Sequence[Hashable]) -> NDArray[np.float64]:
    """Scores the foreground class that does best if it is predicted everywhere.

    Args:
        confusions: Pixel counts of shape `(N, K, K)` of any prediction, one matrix an image.
        groups: The group of each image.

    Returns:
        Its mean Dice in each group: what chance is worth.
    """
    constant = [
        mean_of_groups(mean_dice(constant_confusions(confusions, class_id)), groups)
        for class_id in range(1, confusions.shape[-1])
    ]
    return max(constant, key=lambda scores: float(mean_where_scored(scores)))
