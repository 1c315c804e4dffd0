"""Whether a trained network predicts better when it looks at the mirror image too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_size
from fewmask.evaluation.scores import confusion_matrix, mean_dice, mean_where_scored
from fewmask.inference.intake import take_in
from fewmask.scale import Frame, ScaleRule, into_frame, into_pixels, out_of_frame, out_of_pixels
from fewmask.scale.pixels import pixels_placement
from fewmask.training.comparing import choose_pieces, middle

Look: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Squares `(N, size, size, C)` in 0-255 → logits `(N, size, size, 1 or K)`."""

AT_ONCE = 8
"""Squares that the network is given together: a large image is cut into hundreds."""


def compare_mirrored(
    look: Look, bundle: Bundle, held_out: Dataset, progress: Callable[[int, int], None]
) -> tuple[float, float]:
    """Scores predictions of one look at each image, and of one more at its mirror image.

    Both predict pieces of images at their own size, as many as model files are compared on.

    Args:
        look: The network.
        bundle: The classes, and the scale that the network sees.
        held_out: Images that were not learnt from, with masks.
        progress: Is told `(done, total)` pieces.

    Returns:
        The mean Dice of one look and of two; NaN where no piece holds anything to find.
    """
    scores = [*_scores_of_pieces(look, bundle, held_out, progress)]
    once, twice = (mean_where_scored(np.array(each)) for each in zip(*scores, strict=True))
    return float(once), float(twice)


def look_by(core: Any, channels_first: bool) -> Look:
    """Lets a network look at squares in `channels_last`.

    Args:
        core: The network, a `keras.Model`.
        channels_first: Whether that is how it takes them.
    """

    def look(squares: NDArray[np.float32]) -> NDArray[np.float32]:
        given = squares.transpose(0, 3, 1, 2) if channels_first else squares
        lots = range(0, len(given), AT_ONCE)
        made = [np.asarray(core.predict_on_batch(given[lot : lot + AT_ONCE])) for lot in lots]
        logits: NDArray[np.float32] = np.concatenate(made)
        return logits.transpose(0, 2, 3, 1) if channels_first else logits

    return look


def _scores_of_pieces(
    look: Look, bundle: Bundle, held_out: Dataset, progress: Callable[[int, int], None]
) -> Iterator[tuple[float, float]]:
    paths = [held_out.image_path(index) for index in range(len(held_out))]
    chosen = choose_pieces([read_size(path, held_out.max_pixels) for path in paths])
    for done, (index, size) in enumerate(chosen.items()):
        pixels = middle(take_in(paths[index], bundle, held_out.max_pixels), *size)
        truth = middle(held_out.read_mask(index), *size)
        squares = _enter(pixels, bundle.scale)
        once = look(squares)
        twice = (once + look(squares[:, :, ::-1])[:, :, ::-1]) / np.float32(2)
        classes = bundle.classes
        label_maps = [_label_map(logits, size, bundle.scale) for logits in (once, twice)]
        scores = [
            mean_dice(confusion_matrix(truth, label_map, classes.num_classes, classes.ignore_index))
            for label_map in label_maps
        ]
        yield float(scores[0]), float(scores[1])
        progress(done + 1, len(chosen))


def _enter(pixels: NDArray[np.uint8], rule: ScaleRule) -> NDArray[np.float32]:
    if isinstance(rule, Frame):
        return into_frame(pixels, rule.size)[None]
    tiles = into_pixels(pixels, rule)
    return tiles.reshape(-1, *tiles.shape[2:])


def _label_map(
    logits: NDArray[np.float32], size: tuple[int, int], rule: ScaleRule
) -> NDArray[np.uint8]:
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    maps = np.exp(logits - logits.max(axis=-1, keepdims=True))
    maps /= maps.sum(axis=-1, keepdims=True)
    if isinstance(rule, Frame):
        maps = out_of_frame(maps[0], *size)
    else:
        rows, columns = (pixels_placement(side, rule)[1] for side in size)
        maps = out_of_pixels(maps.reshape(rows, columns, *maps.shape[1:]), *size, rule)
    label_map: NDArray[np.uint8] = maps.argmax(axis=2).astype(np.uint8)
    return label_map
