"""A quick model of small copies of labelled images, solved anew for any part of them in no time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fewmask.evaluation.scores import Counts, confusion_matrix
from fewmask.evaluation.sketch.features import pixel_features
from fewmask.evaluation.sketch.ridge import Lesson, draw_random_features, learn, solve
from fewmask.evaluation.sketch.small import SmallSample

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Describes the pixels of an image `(h, w, C)` by `(h, w, F)` numbers, for every image alike."""

PIXELS_LEARNT = 400
"""Pixels that an image is learnt from; its other pixels say much the same."""
_STEP = 3
"""Only every third pixel of every third row is scored: neighbours say much the same."""


class Sketch:
    """What a quick model can learn from each of some images.

    Args:
        samples: Small copies of the images; all with the same number of channels.
        num_classes: Number of classes K.
        ignore_index: Mask value whose pixels count for nothing.
        features: What pixels are described by.
        seed: Equal seeds give equal models.
    """

    def __init__(
        self,
        samples: Sequence[SmallSample],
        num_classes: int,
        ignore_index: int | None = None,
        features: Features = pixel_features,
        seed: int = 0,
    ) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._features = features
        rng = np.random.default_rng(seed)
        drawn = [self._draw_pixels(sample, rng) for sample in samples]
        self._expand = draw_random_features(np.concatenate([pixels for pixels, _ in drawn]), rng)
        self._lessons: list[Lesson] = [
            learn(self._expand(pixels), labels, num_classes) for pixels, labels in drawn
        ]

    def _draw_pixels(
        self, sample: SmallSample, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Draws pixels of an image, of each class in proportion to the root of its share.

        By their shares alone, small classes would never win a pixel; with equal shares, they
        would win far too many.
        """
        features = self._features(sample.image)
        pixels = features.reshape(-1, features.shape[2])
        labels = sample.mask.ravel()
        counted = np.flatnonzero(labels < self.num_classes)
        if self.ignore_index is not None:
            counted = counted[labels[counted] != self.ignore_index]
        shares = np.bincount(labels[counted], minlength=self.num_classes)
        quotas = np.sqrt(shares)
        quotas *= PIXELS_LEARNT / max(quotas.sum(), 1.0)
        chosen = [
            rng.choice(members, size=min(len(members), round(quota)), replace=False)
            for class_id, quota in enumerate(quotas)
            if (members := counted[labels[counted] == class_id]).size
        ]
        places = np.concatenate(chosen) if chosen else counted
        return pixels[places], labels[places]

    def __len__(self) -> int:
        return len(self._lessons)

    def solve(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Solves for a model of the images at some indices.

        Returns:
            Its weights, shape `(D, K)`.
        """
        return solve(self._lessons[index] for index in indices)

    def confusions(
        self,
        image: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        models: Sequence[NDArray[np.float32]],
    ) -> Counts:
        """Compares the predictions of several models with the mask of one image.

        Args:
            image: Shape `(h, w, C)`, uint8.
            mask: Class ids of shape `(h, w)`.
            models: Weights from `solve`.

        Returns:
            Pixel counts of shape `(number of models, K, K)`, of a ninth of the pixels.
        """
        grid = self._features(image)[::_STEP, ::_STEP]
        expanded = self._expand(grid.reshape(-1, grid.shape[2]))
        truth = mask[::_STEP, ::_STEP].ravel()
        votes = expanded @ np.concatenate(models, axis=1)
        winners = votes.reshape(len(truth), len(models), self.num_classes).argmax(axis=2)
        return np.stack(
            [
                confusion_matrix(truth, winner, self.num_classes, self.ignore_index)
                for winner in winners.T
            ]
        )
