"""Datasets in which we know what decides the class of a pixel, because we drew them so."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fewmask.evaluation.sketch.small import SmallSample

SIDE = 64
Draw = Callable[[np.random.Generator], SmallSample]


def planted(draw: Draw, count: int = 24, seed: int = 0) -> list[SmallSample]:
    return [draw(np.random.default_rng((seed, number))) for number in range(count)]


def _ground(rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, 12, (SIDE, SIDE, 3))
    return np.clip(rng.uniform(60, 90) + noise, 0, 255).astype(np.uint8)


def _disc(image: np.ndarray, mask: np.ndarray, center: tuple[int, int], color, class_id) -> None:
    cv2.circle(image, center, 9, color, -1)
    cv2.circle(mask, center, 9, class_id, -1)


def by_side(rng: np.random.Generator) -> SmallSample:
    """Two discs alike; the left one is class 1, the right one class 2."""
    image, mask = _ground(rng), np.zeros((SIDE, SIDE), np.uint8)
    for class_id, x in ((1, 16), (2, 48)):
        _disc(
            image,
            mask,
            (x + int(rng.integers(-4, 5)), int(rng.integers(12, 52))),
            (200,) * 3,
            class_id,
        )
    return SmallSample(image, mask)


def by_height(rng: np.random.Generator) -> SmallSample:
    """Two discs alike; the upper one is class 1, the lower one class 2."""
    sample = by_side(rng)
    return SmallSample(np.rot90(sample.image, 3).copy(), np.rot90(sample.mask, 3).copy())


def by_color(rng: np.random.Generator) -> SmallSample:
    """Two discs anywhere; the red one is class 1, the blue one class 2."""
    image, mask = _ground(rng), np.zeros((SIDE, SIDE), np.uint8)
    centers = _apart(rng)
    _disc(image, mask, centers[0], (200, 60, 60), 1)
    _disc(image, mask, centers[1], (60, 60, 200), 2)
    return SmallSample(image, mask)


def by_shape(rng: np.random.Generator) -> SmallSample:
    """A disc of class 1, a ring of class 2, anywhere, in any colours."""
    image, mask = _ground(rng), np.zeros((SIDE, SIDE), np.uint8)
    first, second = _apart(rng)
    colors = [tuple(rng.integers(150, 256, 3).tolist()) for _ in range(2)]
    _disc(image, mask, first, colors[0], 1)
    cv2.circle(image, second, 9, colors[1], 3)
    cv2.circle(mask, second, 9, 2, 3)
    return SmallSample(image, mask)


def by_texture(rng: np.random.Generator) -> SmallSample:
    """Noise everywhere; where it is rough is class 1. No direction and no colour tell more."""
    noise = rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    center = tuple(rng.integers(14, 50, 2).tolist())
    cv2.circle(mask, center, 12, 1, -1)
    values = 120 + noise * np.where(mask == 1, 45, 10)
    image = np.repeat(np.clip(values, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return SmallSample(image, mask)


def by_light(rng: np.random.Generator) -> SmallSample:
    """Bumps and pits, lit from the left: only the side of their bright edge tells them apart."""
    image, mask = _ground(rng), np.zeros((SIDE, SIDE), np.uint8)
    x = np.arange(SIDE)
    for class_id, center in enumerate(_apart(rng), start=1):
        disc = np.zeros_like(mask)
        cv2.circle(disc, center, 9, 1, -1)
        slope = (center[0] - x) * (8 if class_id == 1 else -8)
        image[disc == 1] = np.clip(128 + np.broadcast_to(slope, disc.shape)[disc == 1], 0, 255)[
            :, None
        ]
        mask[disc == 1] = class_id
    return SmallSample(image, mask)


def _apart(rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int]]:
    """Draws two places that do not touch, neither of them preferring a side."""
    while True:
        first, second = rng.integers(12, 52, (2, 2)).tolist()
        if np.hypot(first[0] - second[0], first[1] - second[1]) > 24:
            return tuple(first), tuple(second)


def noise_only(rng: np.random.Generator) -> SmallSample:
    """An image that says nothing of its mask."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, tuple(rng.integers(12, 52, 2).tolist()), 9, 1, -1)
    return SmallSample(_ground(rng), mask)
