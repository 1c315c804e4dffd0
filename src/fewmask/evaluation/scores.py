"""Scores that compare a predicted label map with the true mask.

Everything starts from a confusion matrix. Summed over images first, it gives *pooled* scores,
in which every pixel weighs the same; scored image by image and averaged after, it gives *mean*
scores, in which every image weighs the same. Accuracy is left out on purpose: where 2 % of the
pixels are foreground, finding nothing is 98 % accurate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import DataError

Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


def confusion_matrix(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    num_classes: int,
    ignore_index: int | None = None,
    where: object = "label map",
) -> Counts:
    """Counts how often each true class was predicted as each class.

    Args:
        truth: Class ids, integers of shape `(H, W)` or any stack `(..., H, W)`.
        prediction: Class ids of the same shape.
        num_classes: Number of classes K; class ids run from 0 to K - 1.
        ignore_index: Value in `truth` whose pixels are not counted.
        where: The sample being scored, for the error.

    Returns:
        Pixel counts of shape `(K, K)`: row is the true class, column the predicted class.
        Matrices of parts of an image add up to the whole.

    Raises:
        DataError: If the shapes differ or a counted pixel holds no class.

    Example:

    >>> truth, prediction = np.array([[0, 1]]), np.array([[0, 0]])
    >>> confusion_matrix(truth, prediction, num_classes=2)
    array([[1, 0],
           [1, 0]])
    """
    if truth.shape != prediction.shape:
        raise DataError(
            where,
            f"a prediction of the mask's shape {truth.shape}",
            f"{prediction.shape}",
            "Predict at the size of the image that the mask belongs to.",
        )
    counted = slice(None) if ignore_index is None else truth != ignore_index
    truth, prediction = truth[counted].ravel(), prediction[counted].ravel()
    _refuse_strangers(truth, num_classes, where, "the mask", _MASK_REMEDY)
    _refuse_strangers(prediction, num_classes, where, "the prediction", _PREDICTION_REMEDY)
    cell = truth.astype(np.int64) * num_classes + prediction.astype(np.int64)
    return np.bincount(cell, minlength=num_classes**2).reshape(num_classes, num_classes)


_MASK_REMEDY = "Declare it with --classes or leave its pixels out with --ignore-index."
_PREDICTION_REMEDY = "Use a model that was trained for these classes."


def _refuse_strangers(
    labels: NDArray[Any], num_classes: int, where: object, whose: str, remedy: str
) -> None:
    # Dropping such pixels would report a wrong model as a perfect one.
    if labels.size and not (labels.min() >= 0 and labels.max() < num_classes):
        strangers = labels[(labels < 0) | (labels >= num_classes)]
        values = ", ".join(str(value) for value in np.unique(strangers)[:5])
        raise DataError(
            where,
            f"class ids 0 to {num_classes - 1} in {whose}",
            f"{values} in {strangers.size:,} pixels",
            remedy,
        )


def dice_per_class(confusion: Counts) -> Scores:
    """Computes the Dice score of each class, `2 TP / (2 TP + FP + FN)`.

    Args:
        confusion: Pixel counts of shape `(..., K, K)` from `confusion_matrix`.

    Returns:
        Floats of shape `(..., K)` in [0, 1]; NaN where a class is neither in the truth nor
        predicted, because then there is nothing to score.

    Example:

    >>> dice_per_class(np.array([[1, 0, 0], [1, 2, 0], [0, 0, 0]]))
    array([0.66666667, 0.8       ,        nan])

    Reference: Dice (1945), doi:10.2307/1932409.
    """
    hits, true, predicted = _tallies(confusion)
    return _ratio(2 * hits, true + predicted)


def iou_per_class(confusion: Counts) -> Scores:
    """Computes the intersection over union of each class, `TP / (TP + FP + FN)`.

    It orders two label maps as Dice does, `dice = 2 iou / (1 + iou)`, and is never the larger.

    Args:
        confusion: Pixel counts of shape `(..., K, K)` from `confusion_matrix`.

    Returns:
        Floats of shape `(..., K)` in [0, 1]; NaN where a class is neither in the truth nor
        predicted.

    Example:

    >>> iou_per_class(np.array([[1, 0, 0], [1, 2, 0], [0, 0, 0]]))
    array([0.5       , 0.66666667,        nan])

    Reference: Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x.
    """
    hits, true, predicted = _tallies(confusion)
    return _ratio(hits, true + predicted - hits)


def precision_per_class(confusion: Counts) -> Scores:
    """Computes what share of the pixels predicted as a class are of it, `TP / (TP + FP)`.

    Args:
        confusion: Pixel counts of shape `(..., K, K)` from `confusion_matrix`.

    Returns:
        Floats of shape `(..., K)` in [0, 1]; NaN where a class was never predicted.

    Example:

    >>> precision_per_class(np.array([[1, 3], [0, 1]]))
    array([1.  , 0.25])

    Reference: van Rijsbergen (1979), Information Retrieval, chapter 7.
    """
    hits, _, predicted = _tallies(confusion)
    return _ratio(hits, predicted)


def recall_per_class(confusion: Counts) -> Scores:
    """Computes what share of the pixels of a class were found, `TP / (TP + FN)`.

    Args:
        confusion: Pixel counts of shape `(..., K, K)` from `confusion_matrix`.

    Returns:
        Floats of shape `(..., K)` in [0, 1]; NaN where the truth holds none of a class.

    Example:

    >>> recall_per_class(np.array([[1, 3], [0, 1]]))
    array([0.25, 1.  ])

    Reference: van Rijsbergen (1979), Information Retrieval, chapter 7.
    """
    hits, true, _ = _tallies(confusion)
    return _ratio(hits, true)


def mean_where_scored(scores: Scores, axis: int = -1) -> Scores:
    """Averages along one axis the scores that are there.

    Args:
        scores: Floats of any shape, NaN where there was nothing to score.
        axis: The axis that goes.

    Returns:
        The averages; NaN where all were NaN.

    Example:

    >>> mean_where_scored(np.array([[0.5, np.nan, 1.0], [np.nan, np.nan, np.nan]]))
    array([0.75,  nan])
    """
    scored = ~np.isnan(scores)
    return _ratio(np.where(scored, scores, 0.0).sum(axis=axis), scored.sum(axis=axis))


def mean_dice(confusion: Counts) -> Scores:
    """Computes for each image the mean Dice of its foreground classes.

    The mean runs over the classes, background left out, that are present in the image's truth
    or in its prediction: a class found where there is none counts 0, one rightly not found
    does not count. The mean of the result over images is *the* mean Dice.

    Args:
        confusion: Pixel counts of shape `(..., K, K)`, one matrix an image.

    Returns:
        Floats of shape `(...)` in [0, 1]; NaN for an image without foreground in truth and
        prediction.

    Example:

    >>> mean_dice(np.array([[1, 0, 0], [1, 2, 0], [0, 0, 0]]))
    array(0.8)
    """
    return mean_where_scored(dice_per_class(confusion)[..., 1:])


@dataclass(frozen=True)
class ClassScores:
    """The four scores of every class, background included.

    Args:
        dice: One float in [0, 1] a class, NaN where there was nothing to score.
        iou: Likewise.
        precision: Likewise.
        recall: Likewise.
    """

    dice: tuple[float, ...]
    iou: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]


def score_classes(confusion: Counts) -> ClassScores:
    """Computes all four scores of every class.

    Args:
        confusion: Pixel counts of shape `(K, K)`: of one image, or summed over images for
            pooled scores.

    Returns:
        K values of each score.
    """
    return ClassScores(
        tuple(dice_per_class(confusion).tolist()),
        tuple(iou_per_class(confusion).tolist()),
        tuple(precision_per_class(confusion).tolist()),
        tuple(recall_per_class(confusion).tolist()),
    )


def _tallies(confusion: Counts) -> tuple[Counts, Counts, Counts]:
    """Returns right, true and predicted pixels of each class, shape `(..., K)` each."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return hits, confusion.sum(axis=-1), confusion.sum(axis=-2)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Scores:
    """Divides, and leaves NaN where the whole is nothing."""
    scores: Scores = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=scores, where=whole > 0)
    return scores
