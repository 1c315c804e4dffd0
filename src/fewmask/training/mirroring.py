"""Whether a trained model predicts better when it looks at the mirror image too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_size
from fewmask.evaluation.scores import confusion_matrix, mean_dice, mean_where_scored
from fewmask.inference.intake import take_in
from fewmask.inference.predict import Predictor
from fewmask.training.comparing import choose_pieces, middle


def compare_mirrored(
    predictor: Predictor, held_out: Dataset, progress: Callable[[int, int], None]
) -> tuple[float, float]:
    """Scores predictions of one look at each image, and of one more at its mirror image.

    Both predict pieces of images at their own size, as many as model files are compared on.

    Args:
        predictor: Looks once.
        held_out: Images that were not learnt from, with masks.
        progress: Is told `(done, total)` pieces.

    Returns:
        The mean Dice of one look and of two; NaN where no piece holds anything to find.
    """
    scores = [*_scores_of_pieces(predictor, held_out, progress)]
    once, twice = (mean_where_scored(np.array(each)) for each in zip(*scores, strict=True))
    return float(once), float(twice)


def _scores_of_pieces(
    predictor: Predictor, held_out: Dataset, progress: Callable[[int, int], None]
) -> Iterator[tuple[float, float]]:
    classes = predictor.bundle.classes
    paths = [held_out.image_path(index) for index in range(len(held_out))]
    chosen = choose_pieces([read_size(path, held_out.max_pixels) for path in paths])
    for done, (index, size) in enumerate(chosen.items()):
        pixels = middle(take_in(paths[index], predictor.bundle, held_out.max_pixels), *size)
        truth = middle(held_out.read_mask(index), *size)
        maps = _maps(predictor, pixels)
        both = maps + _maps(predictor, np.ascontiguousarray(pixels[:, ::-1]))[:, ::-1]

        def score(maps: NDArray[np.float32], truth: NDArray[np.uint8] = truth) -> float:
            label_map = maps.argmax(axis=2).astype(np.uint8)
            return float(
                mean_dice(
                    confusion_matrix(truth, label_map, classes.num_classes, classes.ignore_index)
                )
            )

        yield score(maps), score(both)
        progress(done + 1, len(chosen))


def _maps(predictor: Predictor, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    maps = predictor.predict_pixels(pixels).probabilities
    assert maps is not None  # noqa: S101 - they were asked for
    return maps
