"""Cross-validation: every training image, scored by the network that has not learnt from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.evaluation.evaluate import Evaluation, evaluate
from fewmask.inference.intake import Image
from fewmask.inference.outputs import Prediction
from fewmask.inference.predict import Predictor
from fewmask.models.spec import build
from fewmask.training.looking import look_by, model_by
from fewmask.training.plan import Plan

PART = "cross-validation"


class OutOfFold(Predictor):
    """Predicts each training image by the network that has not learnt from it.

    Args:
        predictors: One network each.
        fold_of: Which of them predicts an image file.
    """

    def __init__(self, predictors: Sequence[Predictor], fold_of: Mapping[Any, int]) -> None:
        self.bundle = predictors[0].bundle
        self._predictors = predictors
        self._fold_of = fold_of

    def predict(
        self,
        image: Image,
        /,
        *,
        probabilities: bool = True,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Prediction:
        """See `Predictor.predict`; only files of the training part."""
        predictor = self._predictors[self._fold_of[image]]
        return predictor.predict(image, probabilities=probabilities, max_pixels=max_pixels)


def cross_validate(
    weights: Sequence[Sequence[NDArray[Any]]],
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
        weights: The weights of each network.
        folds: The images that each one left out.
        plan: Their plan.
        bundle: What travels with the model.
        train: The training part.
        progress: Is told `(done, total)` images.
    """
    predictors = [_predictor(of_one, plan, bundle) for of_one in weights]
    fold_of = {
        train.image_path(index): number for number, fold in enumerate(folds) for index in fold
    }
    evaluation = evaluate(OutOfFold(predictors, fold_of), train, None, progress, part=PART)
    return replace(evaluation, baselines=())


def _predictor(weights: Sequence[NDArray[Any]], plan: Plan, bundle: Bundle) -> Predictor:
    core = build(plan.model, plan.data_format)
    core.set_weights(list(weights))
    look = look_by(core, plan.data_format == "channels_first")
    return Predictor(bundle, model_by(look, bundle))
