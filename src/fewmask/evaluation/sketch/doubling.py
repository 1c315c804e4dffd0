"""Estimates what twice the labels would bring, from what parts of them bring."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.evaluation.bootstrap import Interval, difference_interval
from fewmask.evaluation.scores import mean_dice, mean_where_scored
from fewmask.evaluation.sketch.features import pixel_features
from fewmask.evaluation.sketch.sketch import Features, Sketch
from fewmask.evaluation.sketch.small import (
    SmallSample,
    best_constant,
    draw_folds,
    mean_of_groups,
    sample_groups,
)

PARTS = (8, 4, 2, 1)
"""Into how many parts the images to learn from are cut: models learn from an eighth, a quarter…"""
FOLDS = 5
FEWEST = 20
"""Images, or groups of them, from which on an eighth of four fifths is more than one."""
RESAMPLES = 500
_RATIOS = np.linspace(0.25, 1.0, 16)
"""What a doubling brings, as a share of what the one before brought; 1 is a line in log n."""


@dataclass(frozen=True)
class LearningCurve:
    """How well a quick model did with parts of the labels, and where that leads.

    Args:
        num_images: How many images the models learnt from, on average, ascending.
        scores: Mean Dice of held-out images with so many.
        gain: What twice as many images as there are would bring, in mean Dice; NaN where there
            are too few to say.
        interval: 95 % interval of `gain`.
        sentence: The same for the reader of a plan.
    """

    num_images: tuple[float, ...]
    scores: tuple[float, ...]
    gain: float
    interval: Interval
    sentence: str


def draw_learning_curve(
    samples: Sequence[SmallSample],
    num_classes: int,
    ignore_index: int | None = None,
    features: Features = pixel_features,
    seed: int = 0,
) -> LearningCurve:
    """Measures how a quick model's score grows with the labels, and continues the curve.

    Each fifth of the images is held out once. What remains is cut into eighths, quarters and
    halves; a model learns from each of these parts and from all. Every image is so learnt from
    equally often at every size. The curve `a - b n^-c`, along which each doubling brings the
    same share of what the one before brought, is fitted to the four mean scores.

    Args:
        samples: Small copies of training images; images of the test part must not be among them.
        num_classes: Number of classes K.
        ignore_index: Mask value whose pixels count for nothing.
        features: What pixels are described by: those of a pretrained encoder come nearer to
            what a network would do.
        seed: Equal seeds give equal curves.

    Returns:
        The curve. It is that of a quick model: a network, which can learn more, may gain more.
    """
    groups = sample_groups(samples)
    if len(set(groups)) < FEWEST:
        of_them = "images" if len(set(groups)) == len(samples) else "groups of images"
        return _unknown(f"{len(set(groups))} {of_them} are too few to measure it")
    sketch = Sketch(samples, num_classes, ignore_index, features, seed)
    fold_of = draw_folds(samples, FOLDS, seed)
    rng = np.random.default_rng(seed)
    models, sizes = [], []
    for fold in range(FOLDS):
        order = _shuffled(np.flatnonzero(fold_of != fold), groups, rng)
        parts = [part for count in PARTS for part in np.array_split(order, count)]
        models.append([sketch.solve(part.tolist()) for part in parts])
        sizes.append([len(order) / count for count in PARTS])
    scores, last = [], []
    for sample, fold in zip(samples, fold_of, strict=True):
        counts = sketch.confusions(sample.image, sample.mask, models[fold])
        dice = mean_dice(counts)
        last.append(counts[-1])
        # A model that rightly finds nothing is unscored, where another on the same image is not.
        cuts = np.cumsum(PARTS)[:-1]
        scores.append([float(mean_where_scored(of_size)) for of_size in np.split(dice, cuts)])
    of_groups = mean_of_groups(np.array(scores), groups)
    of_groups = of_groups[~np.isnan(of_groups).any(axis=1)]
    if len(of_groups) < 2:
        return _unknown("there are too few images with foreground to measure it")
    chances = best_constant(np.stack(last), groups)
    if not difference_interval(mean_of_groups(mean_dice(np.stack(last)), groups), chances).low > 0:
        return _unknown("a quick model does no better than chance here and cannot tell")
    mean_sizes = np.mean(sizes, axis=0)
    return _continue(mean_sizes, of_groups, len(samples), seed)


def _shuffled(
    places: NDArray[np.intp], groups: Sequence[Hashable], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Puts places into a random order in which groups stay together."""
    members: dict[Hashable, list[int]] = {}
    for place in places.tolist():
        members.setdefault(groups[place], []).append(place)
    clusters = list(members.values())
    order = [place for number in rng.permutation(len(clusters)) for place in clusters[number]]
    return np.array(order, np.intp)


def _continue(
    sizes: NDArray[np.float64], scores: NDArray[np.float64], count: int, seed: int
) -> LearningCurve:
    # Models learnt from four fifths; the next doubling starts at all images, a bit further on.
    ahead = float(np.log2(count / sizes[-1]))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(scores), size=(RESAMPLES, len(scores)))
    means = scores[drawn].mean(axis=1)
    gain = float(gain_of_doubling(scores.mean(axis=0)[None], ahead)[0])
    low, high = np.quantile(gain_of_doubling(means, ahead), (0.025, 0.975))
    interval = Interval(float(low), float(high))
    sentence = (
        f"Twice the labels would likely bring {gain:+.2f} mean Dice ({low:.2f} to {high:.2f}), "
        "judged by a quick model on parts of the images."
    )
    return LearningCurve(
        tuple(sizes.tolist()), tuple(scores.mean(axis=0).tolist()), gain, interval, sentence
    )


def gain_of_doubling(scores: NDArray[np.float64], ahead: float = 0.0) -> NDArray[np.float64]:
    """Continues curves of scores that were measured at a size, twice, four times… that size.

    Args:
        scores: Mean scores, shape `(number of curves, S)`, S at least 3.
        ahead: How many doublings beyond the last size the next one starts.

    Returns:
        What that next doubling brings, shape `(number of curves,)`, never less than 0 and never
        more than is left to 1.

    Example:

    >>> gain_of_doubling(np.array([[0.40, 0.60, 0.70, 0.75]])).round(3).tolist()
    [0.025]
    """
    steps = np.arange(scores.shape[1])
    best = np.full(len(scores), np.inf)
    gains = np.zeros(len(scores))
    for ratio in _RATIOS:
        # The sum of a geometric series: 0, 1, 1 + r, 1 + r + r²…
        rise = np.array([(ratio ** np.arange(step)).sum() for step in steps])
        centered = rise - rise.mean()
        first = np.maximum(scores @ centered / (centered @ centered), 0.0)
        errors = scores - scores.mean(axis=1, keepdims=True) - first[:, None] * centered
        squares = (errors**2).sum(axis=1)
        better = squares < best
        best[better] = squares[better]
        gains[better] = (first * ratio ** (steps[-1] + ahead))[better]
    return np.minimum(gains, np.maximum(1.0 - scores[:, -1], 0.0))


def _unknown(reason: str) -> LearningCurve:
    nothing = Interval(np.nan, np.nan)
    sentence = f"What twice the labels would bring is not known: {reason}."
    return LearningCurve((), (), np.nan, nothing, sentence)
