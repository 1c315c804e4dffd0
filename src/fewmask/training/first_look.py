"""The first look at the images to learn from, by a quick model that needs seconds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.evaluation.sketch.doubling import LearningCurve, draw_learning_curve
from fewmask.evaluation.sketch.small import take_small_samples
from fewmask.evaluation.sketch.symmetry import Symmetries, measure_symmetries


@dataclass(frozen=True)
class FirstLook:
    """What a quick model says of a dataset.

    Args:
        symmetries: Which flips, turns and colours leave its labels true.
        curve: What more labels would likely bring.
    """

    symmetries: Symmetries
    curve: LearningCurve

    @property
    def sentences(self) -> tuple[str, ...]:
        """How far the quick model comes, and what more labels would bring: for a plan's reader."""
        score, chance = self.symmetries.score, self.symmetries.chance
        if math.isnan(score) or score <= chance:
            return (self.curve.sentence,)
        expected = (
            f"A quick model that knows no shapes has {score:.2f} mean Dice on training images held "
            f"out, one class everywhere {chance:.2f}: a network that has time to learn has more."
        )
        return expected, self.curve.sentence


def take_first_look(
    train: Dataset, fingerprint: Fingerprint, seed: int, progress: Callable[[int, int], None]
) -> FirstLook:
    """Measures on training images alone what a plan should know of them.

    Args:
        train: The training part.
        fingerprint: What was measured of it.
        seed: Equal seeds give equal answers.
        progress: Is told `(done, total)`.
    """
    progress(0, 3)
    samples = take_small_samples(train, fingerprint.num_channels, fingerprint.value_range)
    progress(1, 3)
    num_classes = len(fingerprint.class_pixels)
    ignore_index = None if train.classes is None else train.classes.ignore_index
    names = () if train.classes is None else train.classes.names
    symmetries = measure_symmetries(samples, num_classes, ignore_index, seed=seed, names=names)
    progress(2, 3)
    curve = draw_learning_curve(samples, num_classes, ignore_index, seed=seed)
    progress(3, 3)
    return FirstLook(symmetries, curve)
