"""The judge of an epoch: loss and mean Dice on the validation images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.data.augmentation.augment import Augmentation, augment
from fewmask.data.copies import Copies
from fewmask.evaluation.scores import Counts, confusion_matrix, mean_dice
from fewmask.models.backend import keras
from fewmask.scale import frame_placement
from fewmask.training.averaging import AveragedWeights

Sample: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Image `(size, size, C)` and mask `(size, size)`, both uint8."""

OUTSIDE = 255
"""Mask value of the part of a square that is no image; it counts neither way."""


def into_square(copies: Copies, index: int, size: int) -> Sample:
    """Lays a copy and its mask into the model's square, unchanged.

    Args:
        copies: The copies made for training.
        index: Which one.
        size: Side of the square.

    Returns:
        Image `(size, size, C)` and mask `(size, size)`, both uint8, the mask `OUTSIDE` where
        the square holds no image.
    """
    rng = np.random.default_rng(0)  # nothing is drawn from it: no augmentation
    image, mask = augment(copies.image(index), copies.mask(index), size, Augmentation.none(), rng)
    height, width = copies.mask(index).shape
    _, top, rows = frame_placement(height, max(height, width), size)
    _, left, columns = frame_placement(width, max(height, width), size)
    outside = np.ones_like(mask, bool)
    outside[top : top + rows, left : left + columns] = False
    return image, np.where(outside, np.uint8(OUTSIDE), mask)


class Squares(Sequence[Sample]):
    """Copies in the model's square, made when they are asked for.

    Args:
        copies: The copies made for training.
        indices: Which of them, in which order.
        size: Side of the square.
    """

    def __init__(self, copies: Copies, indices: Sequence[int], size: int) -> None:
        self.copies = copies
        self.indices = indices
        self.size = size

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: Any) -> Any:
        """Returns image and mask as `into_square` makes them, or a list of these for a slice."""
        if isinstance(place, slice):
            return [into_square(self.copies, each, self.size) for each in self.indices[place]]
        return into_square(self.copies, self.indices[place], self.size)


def label_map_of(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Decides the class of every pixel.

    Args:
        logits: Shape `(..., 1)` for two classes, `(..., K)` for K.

    Returns:
        Class ids of shape `(...)`, uint8.

    Example:

    >>> label_map_of(np.array([[[-1.0], [2.0]]], np.float32))
    array([[0, 1]], dtype=uint8)
    """
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.uint8)
    label_map: NDArray[np.uint8] = logits.argmax(axis=-1).astype(np.uint8)
    return label_map


class Judge(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds `validation_loss` and `validation_dice` to what is known of an epoch.

    Both are measured with the averaged weights, on unchanged images at the model's own
    scale: good enough to compare epochs. The score that is reported is measured elsewhere, on
    other images, at their own size.

    Args:
        samples: The validation images and masks in their squares.
        num_classes: Number of classes K.
        data_format: Layout that the network takes.
        average: The averaged weights.
        images: Which image each sample is a part of; left out, every sample is a whole one.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        num_classes: int,
        data_format: str,
        average: AveragedWeights,
        images: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.samples = samples
        self.images = range(len(samples)) if images is None else images
        self.num_classes = num_classes
        self.data_format = data_format
        self.average = average
        self.label_maps: list[NDArray[np.uint8]] = []

    def logits(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Runs the network on one image.

        Args:
            image: Shape `(size, size, C)`.

        Returns:
            Shape `(size, size, 1 or K)`.
        """
        batch = image[None].astype(np.float32)
        if self.data_format == "channels_first":
            batch = batch.transpose(0, 3, 1, 2)
        logits: NDArray[np.float32] = np.asarray(self.model.predict_on_batch(batch))
        if self.data_format == "channels_first":
            logits = logits.transpose(0, 2, 3, 1)
        first: NDArray[np.float32] = logits[0]
        return first

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures; without validation images both values are NaN.

        What was predicted stays in `label_maps` until the next epoch, to be looked at. The
        Dice is also NaN where no mask holds any foreground: with nothing to be found, it would
        be best for a network that never finds anything. So it is a number in every epoch of a
        training or in none.
        """
        logs = logs if logs is not None else {}
        losses: list[float] = []
        is_anything_to_find = False
        counts: dict[int, Counts] = {}
        self.label_maps = []
        with self.average.in_place():
            for (image, mask), number in zip(self.samples, self.images, strict=True):
                logits = self.logits(image)
                label_map = label_map_of(logits)
                self.label_maps.append(label_map)
                batch = logits[None]
                if self.data_format == "channels_first":
                    batch = batch.transpose(0, 3, 1, 2)
                losses.append(float(self.model.loss(mask[None], batch)))
                found = confusion_matrix(mask, label_map, self.num_classes, ignore_index=OUTSIDE)
                counts[number] = counts.get(number, 0) + found
                is_anything_to_find |= bool(found[1:].any())
        scores = [float(mean_dice(confusion)) for confusion in counts.values()]
        known = [score for score in scores if not math.isnan(score)]
        logs["validation_loss"] = float(np.mean(losses)) if losses else float("nan")
        logs["validation_dice"] = float(np.mean(known)) if is_anything_to_find else float("nan")
