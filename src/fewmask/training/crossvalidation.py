"""Cross-validation: every training image, scored by the network that has not learnt from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.evaluation.evaluate import evaluate
from fewmask.evaluation.results import Evaluation
from fewmask.inference.intake import Image
from fewmask.inference.outputs import Prediction
from fewmask.inference.predict import Predictor
from fewmask.training.looking import look_by, model_by
from fewmask.training.plan import Plan

PART = "cross-validation"


class OutOfFold:
    """Predicts each training image by the network that has not learnt from it.

    Args:
        predictors: One network each.
        fold_of: Which of them predicts an image file.
    """

    def __init__(self, predictors: Sequence[Predictor], fold_of: Mapping[Any, int]) -> None:
        self.bundle = predictors[0].bundle
        self._predictors = predictors
        self._fold_of = fold_of

    def predict(self, image: Image, /, **how: Any) -> Prediction:
        """See `Predictor.predict`; only files of the training part."""
        return self._predictors[self._fold_of[image]].predict(image, **how)


def cross_validate(
    networks: Sequence[Any],
    folds: Sequence[Sequence[int]],
    plan: Plan,
    bundle: Bundle,
    train: Dataset,
    progress: Callable[[int, int], None],
) -> Evaluation:
    """Scores the networks of a training on the images that each of them left out.

    That is a score of single networks which have learnt from fewer images than there are; the mean
    of all does a little better. Each image is predicted at its own size.

    Args:
        networks: The networks.
        folds: The images that each one left out.
        plan: Their plan.
        bundle: What travels with the model.
        train: The training part.
        progress: Is told `(done, total)` images.
    """
    first = plan.data_format == "channels_first"
    predictors = [Predictor(bundle, model_by(look_by(each, first), bundle)) for each in networks]
    fold_of = {
        train.image_path(index): number for number, fold in enumerate(folds) for index in fold
    }
    evaluation = evaluate(OutOfFold(predictors, fold_of), train, None, progress, part=PART)
    return replace(evaluation, baselines=())
