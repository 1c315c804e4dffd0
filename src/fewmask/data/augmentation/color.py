"""Changes of an image that leave every pixel in its place: light, colour, sharpness, noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows: luma and two colour differences (the YIQ of analogue television). Grey has none of these
# differences, so turning and stretching them leaves grey grey and luma as it is.
LUMA_AND_COLOR = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]],
)

# The normal distribution as 256 equally likely values: looking up random bytes here is five
# times as fast as drawing real numbers, and nobody can tell in 8 bits.
NORMAL = np.array([NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)], np.float32)


@dataclass(frozen=True)
class ColorChange:
    """One change of an image's pixel values; without arguments it changes nothing.

    Args:
        gamma: Exponent on values taken as 0 to 1; above 1 darkens the middle tones.
        contrast: Factor on the distance from middle grey.
        brightness: What is added, as a share of the range 0-255.
        saturation: Factor on the distance from grey; only for three channels.
        hue: Degrees by which colours turn around grey; only for three channels.
        blur: Standard deviation of a Gaussian blur, in pixels.
        low_resolution: Factor by which the image is shrunk, then enlarged again.
        noise: Standard deviation of Gaussian noise, in pixel values 0-255.
    """

    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    saturation: float = 1.0
    hue: float = 0.0
    blur: float = 0.0
    low_resolution: float = 1.0
    noise: float = 0.0


def tone_table(gamma: float, contrast: float, brightness: float) -> NDArray[np.uint8]:
    """Builds the table that holds the new value of each pixel value.

    Args:
        gamma: Exponent on values taken as 0 to 1.
        contrast: Factor on the distance from middle grey.
        brightness: What is added, as a share of the range.

    Returns:
        Shape `(256,)`, uint8.

    Example:

    >>> tone_table(1.0, contrast=2.0, brightness=0.0)[[0, 100, 128, 255]].tolist()
    [0, 72, 128, 255]
    """
    tones = (np.arange(256) / 255) ** gamma
    tones = (tones - 0.5) * contrast + 0.5 + brightness
    return np.clip(np.rint(tones * 255), 0, 255).astype(np.uint8)


def color_matrix(saturation: float, hue: float) -> NDArray[np.float64]:
    """Builds the matrix that turns and stretches colours but keeps luma.

    Args:
        saturation: Factor on the distance from grey; 0 makes everything grey.
        hue: Degrees by which colours turn around grey.

    Returns:
        Shape `(3, 3)`, for columns `(red, green, blue)`.
    """
    cos = saturation * math.cos(math.radians(hue))
    sin = saturation * math.sin(math.radians(hue))
    turn = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    return np.asarray(np.linalg.solve(LUMA_AND_COLOR, turn @ LUMA_AND_COLOR), np.float64)


def change_colors(
    image: NDArray[np.uint8], change: ColorChange, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Changes the pixel values of an image as another light or another camera would.

    The order is that of a camera: light and colour of the scene, the lens, the sensor's
    resolution, its noise.

    Args:
        image: Shape `(H, W, C)`, uint8, any number of channels; red, green, blue if C is 3.
        change: What to change.
        rng: Where noise is drawn from; not touched if there is none.

    Returns:
        Shape `(H, W, C)`, uint8; a view of the image where nothing changes.

    Example:

    >>> grey = np.full((1, 2, 3), 100, np.uint8)
    >>> change_colors(grey, ColorChange(brightness=0.1), np.random.default_rng(0))[0, 0].tolist()
    [126, 126, 126]
    """
    changed = image
    if (change.gamma, change.contrast, change.brightness) != (1.0, 1.0, 0.0):
        changed = cv2.LUT(changed, tone_table(change.gamma, change.contrast, change.brightness))
    if image.shape[2] == 3 and (change.saturation, change.hue) != (1.0, 0.0):
        changed = cv2.transform(changed, color_matrix(change.saturation, change.hue))
    # Less than this cannot be seen in 8 bits.
    if change.blur > 0.1:
        changed = cv2.GaussianBlur(changed, (0, 0), change.blur, borderType=cv2.BORDER_REFLECT)
    if change.low_resolution > 1.0:
        changed = lower_resolution(changed, change.low_resolution)
    if change.noise > 0.0:
        noise = cv2.LUT(rng.integers(0, 256, image.shape, np.uint8), change.noise * NORMAL)
        # Rounds, then clips; both lose a channel axis of length one alike.
        changed = cv2.add(
            changed.reshape(image.shape[:2] + noise.shape[2:]), noise, dtype=cv2.CV_8U
        )
    return np.asarray(changed, np.uint8).reshape(image.shape)


def lower_resolution(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Shrinks an image, then brings it back to its size.

    Args:
        image: Shape `(H, W, C)` or `(H, W)`, uint8.
        factor: How many pixels become one, along each side; at least 1.

    Returns:
        The same shape, uint8.
    """
    if image.ndim == 3 and image.shape[2] > 4:  # more than OpenCV's area filter takes at once
        layers = [lower_resolution(image[..., c], factor) for c in range(image.shape[2])]
        return np.stack(layers, axis=-1)
    height, width = image.shape[:2]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.uint8).reshape(image.shape)
