"""What ilastik measures around every pixel: six filters at seven scales, of each channel.

Names, scales and widths are those of ilastik's feature selection: smoothed by a Gaussian, its
Laplacian, the size of its gradient, a difference of Gaussians, and the eigenvalues of the structure
tensor and of the Hessian. At the finest scale, 0.3, there is only the first.
"""

from collections.abc import Iterator

import cv2
import numpy as np

SCALES = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
WINDOW = 3.5  # half the width of every filter, in standard deviations
MARGIN = int(np.ceil(WINDOW * max(SCALES) * 1.5))
"""Pixels around a pixel that its features depend on."""


def count_features(channels: int) -> int:
    """Returns how many features each pixel has."""
    return channels * (1 + 8 * (len(SCALES) - 1))


def features(image: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the features one after another, float32 `(H, W)`.

    Args:
        image: `(H, W, C)` uint8.
    """
    for channel in np.moveaxis(image, 2, 0):
        plane = np.ascontiguousarray(channel, np.float32)
        yield smooth(plane, SCALES[0])
        for scale in SCALES[1:]:
            yield from features_at(plane, scale)


def features_at(plane: np.ndarray, scale: float) -> Iterator[np.ndarray]:
    """Yields the eight features of one channel at one scale."""
    smoothed = smooth(plane, scale)
    dx, dy = derive(plane, scale, 1, 0), derive(plane, scale, 0, 1)
    dxx, dyy = derive(plane, scale, 2, 0), derive(plane, scale, 0, 2)
    yield smoothed
    yield dxx + dyy
    yield cv2.magnitude(dx, dy)
    yield smoothed - smooth(plane, 0.66 * scale)
    outer = 0.5 * scale
    yield from eigenvalues(smooth(dx * dx, outer), smooth(dx * dy, outer), smooth(dy * dy, outer))
    yield from eigenvalues(dxx, derive(plane, scale, 1, 1), dyy)


def smooth(plane: np.ndarray, scale: float) -> np.ndarray:
    """Averages with the weights of a Gaussian."""
    return derive(plane, scale, 0, 0)


def derive(plane: np.ndarray, scale: float, across: int, down: int) -> np.ndarray:
    """Filters with derivatives of a Gaussian, so many times across and down."""
    return cv2.sepFilter2D(plane, cv2.CV_32F, kernel(scale, across), kernel(scale, down))


def kernel(scale: float, order: int) -> np.ndarray:
    """Samples a derivative of a Gaussian, and corrects it so that it is exact on parabolas."""
    radius = int(WINDOW * scale + 0.5 * order + 0.5)
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (x / scale) ** 2)
    weights /= weights.sum()
    if order == 1:
        # sepFilter2D correlates; x * weights then rises where the plane rises.
        weights = x * weights
        weights /= (x * weights).sum()
    elif order == 2:
        weights = (x**2 - scale**2) * weights
        weights -= weights.mean()
        weights *= 2 / (x**2 * weights).sum()
    return weights.astype(np.float32)


def eigenvalues(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the larger, then the smaller eigenvalue of a symmetric matrix in every pixel."""
    middle = 0.5 * (xx + yy)
    spread = cv2.magnitude(0.5 * (xx - yy), xy)
    return middle + spread, middle - spread
