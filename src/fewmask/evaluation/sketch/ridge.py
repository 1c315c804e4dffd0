"""A classifier of pixels that is solved, not trained: ridge regression on random features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNITS = 256
"""Random features; twice as many take twice as long and changed no answer that was tried."""
_INPUTS = 6
"""Inputs of a unit. Of forty, a unit that saw all would hardly notice where the pixel lies."""
_PENALTY = 1e-3
"""Share of the mean square of a feature that is added to it, as if by noise."""


@dataclass(frozen=True, eq=False)
class RandomFeatures:
    """Rectified sums of a few inputs each, drawn once.

    Args:
        weights: Shape `(F, D - 1)`, float32, for inputs as they come.
        offsets: Shape `(D - 1,)`, float32.
    """

    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Computes the features of pixels.

        Args:
            pixels: Shape `(N, F)`, float32.

        Returns:
            Shape `(N, D)`, float32; the last feature is 1.
        """
        expanded = np.empty((len(pixels), self.weights.shape[1] + 1), np.float32)
        units = expanded[:, :-1]
        np.add(pixels @ self.weights, self.offsets, out=units)
        np.maximum(units, 0.0, out=units)
        expanded[:, -1] = 1.0
        return expanded


def draw_random_features(sample: NDArray[np.float32], rng: np.random.Generator) -> RandomFeatures:
    """Draws features that suit the spread of a sample of pixels.

    Args:
        sample: Pixels of shape `(N, F)`, float32, of any images: no label is looked at.
        rng: Where they are drawn from.

    Returns:
        The features.
    """
    mean, deviation = sample.mean(axis=0), sample.std(axis=0)
    # An input that never varies tells nothing; it must not be blown up where it does later.
    factor = np.where(deviation > 1e-6, 1.0 / np.maximum(deviation, 1e-6), 0.0)
    num_inputs = sample.shape[1]
    weights = np.zeros((num_inputs, UNITS))
    for unit in range(UNITS):
        chosen = rng.choice(num_inputs, size=min(_INPUTS, num_inputs), replace=False)
        direction = rng.normal(size=len(chosen))
        weights[chosen, unit] = direction / np.linalg.norm(direction)
    weights *= factor[:, None]
    offsets = rng.uniform(-2.0, 2.0, size=UNITS) - mean @ weights
    return RandomFeatures(weights.astype(np.float32), offsets.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that the classifier needs to know of one image; lessons of several images add up.

    Args:
        products: Sums of products of every two features over the pixels, shape `(D, D)`.
        targets: Sums of features over the pixels of each class, shape `(D, K)`.
    """

    products: NDArray[np.float32]
    targets: NDArray[np.float32]


def learn(expanded: NDArray[np.float32], labels: NDArray[np.integer], num_classes: int) -> Lesson:
    """Takes from labelled pixels what the classifier needs.

    Args:
        expanded: Features of shape `(N, D)`.
        labels: Class ids of shape `(N,)`.
        num_classes: Number of classes K.

    Returns:
        The lesson.
    """
    one_hot = (labels[:, None] == np.arange(num_classes)).astype(np.float32)
    return Lesson(expanded.T @ expanded, expanded.T @ one_hot)


def solve(lessons: Iterable[Lesson]) -> NDArray[np.float32]:
    """Solves for the classifier that fits some images best.

    Args:
        lessons: Those of the images to learn from, at least one.

    Returns:
        Weights of shape `(D, K)`: `(expanded @ weights).argmax(axis=1)` are the class ids.
    """
    taken = list(lessons)
    products = np.zeros(taken[0].products.shape)
    targets = np.zeros(taken[0].targets.shape)
    for lesson in taken:
        products += lesson.products
        targets += lesson.targets
    penalty = _PENALTY * np.trace(products) / len(products)
    weights = np.linalg.solve(products + penalty * np.eye(len(products)), targets)
    return weights.astype(np.float32)
