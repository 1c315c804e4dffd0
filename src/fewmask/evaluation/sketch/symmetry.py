"""Measures which flips, turns and changes of colour leave the labels of a dataset true."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.augmentation.color import color_matrix
from fewmask.evaluation.bootstrap import Interval, difference_interval, mean_interval
from fewmask.evaluation.scores import Counts, mean_dice, mean_where_scored
from fewmask.evaluation.sketch.features import directed_features, pixel_features
from fewmask.evaluation.sketch.sketch import Features, Sketch
from fewmask.evaluation.sketch.small import (
    SmallSample,
    best_constant,
    draw_folds,
    mean_of_groups,
    sample_groups,
)

FOLDS = 4
FEWEST = 8
"""Scored images, or groups of them, below which an interval is not to be believed."""
TOLERATED = 0.1
"""Share of what the quick model knows beyond chance that a harmless change may cost."""
_TOLD_APART = 0.6
"""Mean recall of two classes among each other, from which on they count as told apart."""

Picture = NDArray[np.uint8]
Change = Callable[[Picture], Picture]


@dataclass(frozen=True)
class Verdict:
    """Whether training may change images in one way, and why.

    Args:
        allowed: Whether it may.
        basis: `"measured"`, or `"default"` if nothing could be decided by measuring.
        score: Mean Dice of held-out images as they are; NaN if it was not measured.
        changed_score: That of the same images changed, likewise.
        loss: 95 % interval of the first minus the second, likewise.
        sentence: The verdict and its reason, for the reader of a plan.
    """

    allowed: bool
    basis: Literal["measured", "default"]
    score: float
    changed_score: float
    loss: Interval
    sentence: str


@dataclass(frozen=True)
class Symmetries:
    """One verdict for each way of changing images.

    Args:
        left_right: The image in a mirror.
        upside_down: Top and bottom exchanged.
        quarter_turns: A turn by 90 or 270 degrees.
        hue: Colours turned by a third of the circle, red to green or to blue.
        num_images: How many training images were looked at.
        score: Mean Dice of the quick model on held-out images.
        chance: Mean Dice of the best prediction that is one class everywhere.
    """

    left_right: Verdict
    upside_down: Verdict
    quarter_turns: Verdict
    hue: Verdict
    num_images: int
    score: float
    chance: float

    @property
    def sentences(self) -> tuple[str, ...]:
        """The four verdicts, a sentence each."""
        verdicts = (self.left_right, self.upside_down, self.quarter_turns, self.hue)
        return tuple(verdict.sentence for verdict in verdicts)


@dataclass(frozen=True)
class _Symmetry:
    """A way of changing images: how, what is done if nothing can be measured, in which words."""

    changes: tuple[Change, ...]
    moves_pixels: bool
    by_default: bool
    may: str
    must_not: str
    changed: str


def _turned_colors(hue: float) -> Change:
    matrix = color_matrix(1.0, hue)
    return lambda image: np.asarray(cv2.transform(image, matrix), np.uint8)


_SYMMETRIES = {
    "left_right": _Symmetry(
        (lambda image: image[:, ::-1],),
        True,
        True,
        "Left and right may be exchanged",
        "Left and right are not exchanged",
        "mirrored",
    ),
    "upside_down": _Symmetry(
        (lambda image: image[::-1],),
        True,
        False,
        "Images may be put upside down",
        "Images are not put upside down",
        "upside down",
    ),
    "quarter_turns": _Symmetry(
        (np.rot90, lambda image: np.rot90(image, 3)),
        True,
        False,
        "Images may be turned by right angles",
        "Images are not turned by right angles",
        "turned by right angles",
    ),
    "hue": _Symmetry(
        (_turned_colors(120.0), _turned_colors(240.0)),
        False,
        False,
        "Colours may be exchanged for others",
        "Colours are not exchanged for others",
        "with red, green and blue exchanged",
    ),
}


def measure_symmetries(
    samples: Sequence[SmallSample],
    num_classes: int,
    ignore_index: int | None = None,
    seed: int = 0,
    names: Sequence[str] = (),
) -> Symmetries:
    """Measures what may be done to the images of a dataset without making their labels wrong.

    A quick model learns from three quarters of the images and is scored on the last quarter,
    as it is and changed, each quarter once. If the model does as well on changed images, the
    labels hold for them too; if it does worse by more than chance, it had relied on what the
    change destroys. In between, and where a quick model cannot tell, the answer is what is
    right most often: left and right may be exchanged, nothing else may be done.

    Args:
        samples: Small copies of training images; images of the test part must not be among them.
        num_classes: Number of classes K.
        ignore_index: Mask value whose pixels count for nothing.
        seed: Equal seeds give equal verdicts.
        names: What the classes are called; left out, they are called by their numbers.

    Returns:
        The verdicts.
    """
    groups = sample_groups(samples)
    if len(set(groups)) < FEWEST:
        of_them = "images" if len(set(groups)) == len(samples) else "groups of images"
        reason = f"{len(set(groups))} {of_them} are too few to measure it"
        return _collect(_defaults(reason), len(samples))
    fold_of = draw_folds(samples, FOLDS, seed)

    def try_with(features: Features) -> _Trial:
        sketch = Sketch(samples, num_classes, ignore_index, features, seed)
        models = [sketch.solve(np.flatnonzero(fold_of != fold).tolist()) for fold in range(FOLDS)]
        return _Trial(sketch, samples, [models[fold] for fold in fold_of], groups)

    trial, directed = try_with(pixel_features), try_with(directed_features)
    # The signs of slopes count only where labels depend on them.
    gain = difference_interval(directed.scores, trial.scores)
    if gain.low > TOLERATED * directed.lead:
        trial = directed
    if not mean_interval(trial.scores - trial.chances).low > 0:
        reason = "a quick model does no better than chance here and cannot tell"
        return _collect(_defaults(reason), len(samples), trial.score, trial.chance)
    names = names or [f"class {number}" for number in range(num_classes)]
    doubt = _not_told_apart(trial.confusions.sum(axis=0), names)
    verdicts = {}
    for name, symmetry in _SYMMETRIES.items():
        if not symmetry.moves_pixels and not _have_color(samples):
            verdicts[name] = _default(symmetry, "the images have no colours")
            continue
        changed = [trial.scores_of(change, symmetry) for change in symmetry.changes]
        mean = mean_where_scored(np.stack(changed), axis=0)
        verdicts[name] = _judge(symmetry, trial.scores, mean, TOLERATED * trial.lead, doubt)
    return _collect(_agreeing(verdicts), len(samples), trial.score, trial.chance)


def _collect(
    verdicts: dict[str, Verdict], num_images: int, score: float = np.nan, chance: float = np.nan
) -> Symmetries:
    return Symmetries(
        left_right=verdicts["left_right"],
        upside_down=verdicts["upside_down"],
        quarter_turns=verdicts["quarter_turns"],
        hue=verdicts["hue"],
        num_images=num_images,
        score=score,
        chance=chance,
    )


class _Trial:
    """Models of some features, each of the images outside one fold, and their scores.

    Args:
        sketch: What the models are solved by.
        samples: The images.
        models: For each image one that did not learn from it.
        groups: The group of each image.
    """

    def __init__(
        self,
        sketch: Sketch,
        samples: Sequence[SmallSample],
        models: Sequence[NDArray[np.float32]],
        groups: Sequence[Hashable],
    ) -> None:
        self._sketch, self._samples, self._models, self._groups = sketch, samples, models, groups
        self.confusions = self._confusions()
        self.scores = mean_of_groups(mean_dice(self.confusions), groups)
        self.chances = best_constant(self.confusions, groups)
        self.score = float(mean_where_scored(self.scores))
        self.chance = float(mean_where_scored(self.chances))
        self.lead = self.score - self.chance

    def scores_of(self, change: Change, symmetry: _Symmetry) -> NDArray[np.float64]:
        """Returns the mean Dice of each group, its images changed."""
        counts = self._confusions(change, change if symmetry.moves_pixels else None)
        return mean_of_groups(mean_dice(counts), self._groups)

    def _confusions(
        self, change_image: Change | None = None, change_mask: Change | None = None
    ) -> Counts:
        counts = []
        for sample, model in zip(self._samples, self._models, strict=True):
            image = sample.image if change_image is None else change_image(sample.image)
            mask = sample.mask if change_mask is None else change_mask(sample.mask)
            # OpenCV takes no views that run backwards.
            counts.append(self._sketch.confusions(np.ascontiguousarray(image), mask, [model])[0])
        return np.stack(counts)


def _judge(
    symmetry: _Symmetry,
    scores: NDArray[np.float64],
    changed: NDArray[np.float64],
    tolerated: float,
    doubt: str,
) -> Verdict:
    both = ~np.isnan(scores) & ~np.isnan(changed)
    if both.sum() < FEWEST:
        return _default(symmetry, f"{both.sum()} images with foreground are too few to measure it")
    loss = difference_interval(scores, changed)
    score, changed_score = float(scores[both].mean()), float(changed[both].mean())
    numbers = (
        f"held-out images {symmetry.changed} score {changed_score:.2f} instead of {score:.2f} "
        f"(lost: {loss.words(3)})"
    )
    measured = Verdict(False, "measured", score, changed_score, loss, "")
    # A fall is a fall, however little the model knows; that nothing falls is worth something
    # only of a model that knows what there is to know.
    if loss.low > 0 and (loss.high > tolerated or doubt):
        return replace(measured, sentence=f"{symmetry.must_not}: {numbers}.")
    if doubt:
        return replace(
            _default(symmetry, doubt), score=score, changed_score=changed_score, loss=loss
        )
    if loss.high <= tolerated:
        return replace(measured, allowed=True, sentence=f"{symmetry.may}: {numbers}.")
    undecided = _default(symmetry, f"{numbers}, which leaves it open")
    return replace(undecided, score=score, changed_score=changed_score, loss=loss)


def _not_told_apart(pooled: Counts, names: Sequence[str]) -> str:
    """Names two classes that a quick model takes for each other; empty where it does not.

    What makes such classes differ it does not see, so that it would not miss it either.
    """
    for one, other in combinations(range(1, len(pooled)), 2):
        pair = pooled[np.ix_((one, other), (one, other))]
        seen = pair.sum(axis=1)
        if seen.all() and (np.diag(pair) / seen).mean() < _TOLD_APART:
            return f"a quick model cannot tell {names[one]} from {names[other]}"
    return ""


def _agreeing(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """Withdraws right-angle turns where they would bring in a flip that is not allowed.

    Two quarter turns put an image upside down and exchange left and right at once. Where one of
    these is allowed and the other is not, the turns would smuggle the other in.
    """
    turns = verdicts["quarter_turns"]
    if turns.allowed and verdicts["left_right"].allowed != verdicts["upside_down"].allowed:
        sentence = (
            f"{_SYMMETRIES['quarter_turns'].must_not}: two of them and the flip that is allowed "
            "make the one that is not."
        )
        verdicts = {**verdicts, "quarter_turns": replace(turns, allowed=False, sentence=sentence)}
    return verdicts


def _defaults(reason: str) -> dict[str, Verdict]:
    return {name: _default(symmetry, reason) for name, symmetry in _SYMMETRIES.items()}


def _default(symmetry: _Symmetry, reason: str) -> Verdict:
    choice = symmetry.may if symmetry.by_default else symmetry.must_not
    nothing = Interval(np.nan, np.nan)
    sentence = f"{choice}, the usual choice: {reason}."
    return Verdict(symmetry.by_default, "default", np.nan, np.nan, nothing, sentence)


def _have_color(samples: Sequence[SmallSample]) -> bool:
    """Whether any image is of three channels that differ by more than the noise of a JPEG."""
    return any(
        sample.image.shape[2] == 3 and int(np.ptp(sample.image, axis=2).mean()) >= 2
        for sample in samples
    )
