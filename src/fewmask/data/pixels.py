"""Stored pixel values as models take them, and as people look at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_8_bit(image: NDArray[Any], value_range: tuple[int, int]) -> NDArray[np.uint8]:
    """Brings stored pixel values to the 0-255 that every model takes.

    Args:
        image: Shape `(H, W, C)`, uint8 or uint16.
        value_range: Stored values that become 0 and 255; what lies outside is clipped.

    Returns:
        Shape `(H, W, C)`, uint8; 8-bit pictures with the range `(0, 255)` come back as they are.

    Example:

    >>> to_8_bit(np.array([[[1000], [2000], [9000]]], np.uint16), (1000, 3000)).ravel().tolist()
    [0, 128, 255]
    """
    low, high = value_range
    if image.dtype == np.uint8 and (low, high) == (0, 255):
        return np.asarray(image, np.uint8)
    stretched = (image.astype(np.float32) - low) * (255.0 / max(high - low, 1))
    return np.asarray(np.clip(np.rint(stretched), 0, 255), np.uint8)


def as_color(image: NDArray[Any]) -> NDArray[Any]:
    """Makes an image of any number of channels one that can be looked at.

    Args:
        image: Shape `(H, W, C)`.

    Returns:
        Shape `(H, W, 3)`, of the same type: the first three channels, or of fewer the first as
        grey.
    """
    return image[..., :3] if image.shape[2] >= 3 else np.repeat(image[..., :1], 3, axis=2)
