from typing import Any

import numpy as np

from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.sketch.doubling import LearningCurve
from fewmask.evaluation.sketch.symmetry import Symmetries, Verdict
from fewmask.training.first_look import FirstLook


def look(score: float, chance: float) -> FirstLook:
    nothing: Any = Interval(np.nan, np.nan)
    verdict = Verdict(False, "default", np.nan, np.nan, nothing, "")
    symmetries = Symmetries(*[verdict] * 4, num_images=20, score=score, chance=chance)
    return FirstLook(symmetries, LearningCurve((), (), np.nan, nothing, "More labels: unknown."))


def test_a_plan_says_how_far_a_quick_model_comes() -> None:
    assert look(score=0.766, chance=0.473).sentences == (
        "A quick model that knows no shapes has 0.77 mean Dice on training images held out, one "
        "class everywhere 0.47: a network that has time to learn has more.",
        "More labels: unknown.",
    )


def test_a_model_at_chance_or_none_promises_nothing() -> None:
    for score, chance in ((0.08, 0.17), (0.17, 0.17), (np.nan, np.nan)):
        assert look(score, chance).sentences == ("More labels: unknown.",)
