"""Judges a model on whole images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.errors import DataError
from fewmask.evaluation.baselines import (
    BaselineScore,
    MeanMask,
    average_masks,
    constant_confusions,
)
from fewmask.evaluation.bootstrap import difference_interval, mean_interval
from fewmask.evaluation.results import Evaluation, ImageScores
from fewmask.evaluation.scores import (
    Counts,
    confusion_matrix,
    mean_dice,
    mean_where_scored,
    score_classes,
)
from fewmask.inference.intake import Image
from fewmask.inference.outputs import Prediction

FEW_IMAGES = 20
"""Below this a bootstrap interval holds the true mean in fewer than 92 of 100 cases."""


class Predicts(Protocol):
    """What is asked of a predictor; `inference.predict.Predictor` is one."""

    bundle: Bundle

    def predict(self, image: Image, /, *, probabilities: bool, max_pixels: int) -> Prediction:
        """Predicts one image, at its own size."""


def evaluate(
    predictor: Predicts,
    dataset: Dataset,
    baselines_from: Dataset | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    part: str | None = None,
    seen: Callable[[int, NDArray[np.uint8]], None] | None = None,
) -> Evaluation:
    """Scores a model, and baselines that need none, on every image of a dataset.

    Each image is predicted from its file and at its own size, exactly as `fewmask predict`
    does it; nothing is resized for the score.

    Args:
        predictor: The model.
        dataset: The images to judge by, with masks.
        baselines_from: The training part, which the baseline *mean mask* learns from; without
            it that baseline is left out.
        progress: Called with the images done and the images in all.
        part: Which part `dataset` is of its whole: `"test"` says that these images chose
            nothing. When left out, nothing is claimed.
        seen: Called with the place of each image and its label map `(H, W)`, uint8: who wants to
            show predictions need not make them again.

    Returns:
        The scores of all images and what follows from them.

    Raises:
        DataError: If the dataset is empty, has no masks or other classes than the model, or a
            mask does not fit its image.
        ModelError: If the model gives up: the memory is full, say.
    """
    classes = _classes_of_both(predictor.bundle.classes, dataset)
    num_training = 0 if baselines_from is None else len(baselines_from)
    total = num_training + len(dataset)
    masks = _masks(baselines_from, total, progress) if baselines_from is not None else iter(())
    mean_mask = average_masks(masks, classes.num_classes) if num_training else None

    confusions = np.zeros((len(dataset), classes.num_classes, classes.num_classes), np.int64)
    by_mean_mask = np.zeros_like(confusions)
    for index in range(len(dataset)):
        truth, sample = dataset.read_mask(index), dataset.sample_id(index)
        prediction = predictor.predict(
            dataset.image_path(index), probabilities=False, max_pixels=dataset.max_pixels
        )
        if seen is not None:
            seen(index, prediction.label_map)
        confusions[index] = confusion_matrix(
            truth, prediction.label_map, classes.num_classes, classes.ignore_index, sample
        )
        if mean_mask is not None:
            by_mean_mask[index] = confusion_matrix(
                truth, mean_mask.resized(*truth.shape), classes.num_classes, classes.ignore_index
            )
        if progress is not None:
            progress(num_training + index + 1, total)

    baselines = _constant_baselines(classes, confusions, mean_mask)
    if mean_mask is not None:
        baselines["mean mask"] = by_mean_mask
    scores = mean_dice(confusions)
    return Evaluation(
        dataset.name,
        part,
        classes,
        tuple(_image_scores(dataset.sample_id(i), each) for i, each in enumerate(confusions)),
        confusions.sum(axis=0),
        mean_interval(scores),
        tuple(_score_baseline(name, scores, each) for name, each in baselines.items()),
        tuple(_notes(classes, confusions)),
    )


def _classes_of_both(of_model: Classes, dataset: Dataset) -> Classes:
    """Returns the dataset's classes, once they are known to be the model's too."""
    if dataset.mask_column is None or dataset.classes is None:
        raise DataError(
            dataset.name,
            "masks to compare predictions with",
            "images without masks",
            "Name the folder that holds them with --masks DIR.",
        )
    if dataset.classes.names != of_model.names:
        raise DataError(
            dataset.name,
            f"the classes of the model ({', '.join(of_model.names)})",
            ", ".join(dataset.classes.names),
            "Name and order them alike in the dataset's classes.json, or train a model on this "
            "dataset.",
        )
    if not len(dataset):
        raise DataError(
            dataset.name,
            "at least one image to evaluate on",
            "none",
            "Choose another part with --part.",
        )
    return dataset.classes


def _masks(
    dataset: Dataset, total: int, progress: Callable[[int, int], None] | None
) -> Iterator[NDArray[np.uint8]]:
    for index in range(len(dataset)):
        yield dataset.read_mask(index)
        if progress is not None:
            progress(index + 1, total)


def _constant_baselines(
    classes: Classes, confusions: Counts, mean_mask: MeanMask | None
) -> dict[str, Counts]:
    """Returns what all background, then the most frequent foreground class, would have given."""
    # Without a training part the judged masks tell which class is frequent. That favours the
    # baseline, never the model.
    pixels = confusions.sum(axis=(0, 2)) if mean_mask is None else mean_mask.class_votes
    frequent = 1 + int(pixels[1:].argmax())
    return {f"all {classes.names[k]}": constant_confusions(confusions, k) for k in (0, frequent)}


def _score_baseline(
    name: str, model_scores: NDArray[np.float64], confusions: Counts
) -> BaselineScore:
    scores = mean_dice(confusions)
    return BaselineScore(
        name,
        float(mean_where_scored(scores)),
        mean_interval(scores),
        difference_interval(model_scores, scores),
    )


def _image_scores(sample: str, confusion: Counts) -> ImageScores:
    return ImageScores(
        sample,
        float(mean_dice(confusion)),
        score_classes(confusion),
        tuple(confusion.sum(axis=1).tolist()),
        tuple(confusion.sum(axis=0).tolist()),
    )


def _notes(classes: Classes, confusions: Counts) -> Iterator[str]:
    scored = int((~np.isnan(mean_dice(confusions))).sum())
    if scored < len(confusions):
        yield (
            f"{len(confusions) - scored} of {len(confusions)} images have no foreground in mask "
            "and prediction: there was nothing to score, and they do not count."
        )
    pixels = confusions.sum(axis=(0, 2))
    absent = [name for name, count in zip(classes.names, pixels, strict=True) if not count]
    if absent:
        yield f"In no mask of these images: {', '.join(absent)}. Their scores say little."
    if 2 <= scored < FEW_IMAGES:
        yield (
            f"With {scored} scored images the interval is rather too narrow; "
            f"{FEW_IMAGES} or more make it trustworthy."
        )
