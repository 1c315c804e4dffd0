"""What a quick model knows of a pixel: its colour, its surroundings, its place."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FINE, MIDDLE, COARSE = 1.0, 3.0, 10.0
"""Standard deviations of the Gaussians, in pixels of a small copy of 128 pixels."""


def pixel_features(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describes every pixel of a small image by numbers that need no training.

    For each channel: its value, three Gaussian averages of it, at two scales the steepness and
    the Laplacian, and how rough the surroundings are. Then the place, x and y from -1 to 1.
    Only the place makes a mirrored image look different.

    Args:
        image: Shape `(h, w, C)`, uint8, any number of channels.

    Returns:
        Shape `(h, w, 9 C + 2)`, float32.

    Example:

    >>> pixel_features(np.zeros((4, 6, 3), np.uint8)).shape
    (4, 6, 29)
    """
    height, width, _ = image.shape
    values = image.astype(np.float32) / 255.0
    fine, middle, coarse = (_blur(values, sigma) for sigma in (FINE, MIDDLE, COARSE))
    layers = [values, fine, middle, coarse, _blur(np.abs(values - fine), MIDDLE)]
    for smooth in (fine, middle):
        layers += [np.hypot(*_slopes(smooth)), _filter(cv2.Laplacian, smooth)]
    x, y = np.meshgrid(_places(width), _places(height))
    return np.concatenate([*layers, x[..., None], y[..., None]], axis=2)


def directed_features(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describes every pixel as `pixel_features` does, then by the signs of its slopes.

    They tell from which side the light comes and that an outline was drawn a pixel too far to
    the left. Labels seldom depend on that.

    Args:
        image: Shape `(h, w, C)`, uint8, any number of channels.

    Returns:
        Shape `(h, w, 13 C + 2)`, float32.
    """
    values = image.astype(np.float32) / 255.0
    slopes = [slope for sigma in (FINE, MIDDLE) for slope in _slopes(_blur(values, sigma))]
    return np.concatenate([pixel_features(image), *slopes], axis=2)


def _slopes(smooth: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the slopes to the right and downwards."""
    right, down = (_filter(cv2.Sobel, smooth, *axis, scale=0.125) for axis in ((1, 0), (0, 1)))
    return right, down


def _places(count: int) -> NDArray[np.float32]:
    """Returns the middles of `count` pixels, from -1 to 1 along a side."""
    return np.asarray((2 * np.arange(count) + 1) / count - 1, np.float32)


def _blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32).reshape(values.shape)


def _filter(
    operator: Any, values: NDArray[np.float32], *args: int, **kwargs: float
) -> NDArray[np.float32]:
    # OpenCV drops a channel axis of length one.
    filtered = operator(values, cv2.CV_32F, *args, borderType=cv2.BORDER_REFLECT, **kwargs)
    return np.asarray(filtered, np.float32).reshape(values.shape)
