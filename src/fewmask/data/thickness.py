"""How thick the things in a mask are, in pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LONGEST_MEASURED = 1024
"""Longest side of what is measured; of a larger mask every second pixel will do."""


def measure_thickness(mask: NDArray[np.uint8], num_classes: int) -> float:
    """Measures how thick the things of a mask typically are.

    Of a class it is four times the mean distance of its pixels from the nearest edge to another
    class: the width of a band, and two thirds of the side of a square or of the diameter of a
    disc. What lies beyond the image counts as more of the same.

    Args:
        mask: Class ids of shape `(H, W)`; ids from `num_classes` on are no things.
        num_classes: Number of classes K; 0 is the background.

    Returns:
        Pixels: the mean over the foreground classes in the mask; 0.0 without any, and for a
        class that fills the whole mask its longest side.

    Example:

    >>> bands = np.zeros((32, 32), np.uint8)
    >>> bands[:, 4:12] = bands[:, 20:28] = 1
    >>> round(measure_thickness(bands, num_classes=2))
    8
    """
    step = -(-max(mask.shape) // _LONGEST_MEASURED)
    sampled = mask[::step, ::step]
    found = []
    for class_id in range(1, num_classes):
        inside = (sampled == class_id).astype(np.uint8)
        pixels = int(inside.sum())
        if pixels == inside.size:
            found.append(float(max(mask.shape)))
        elif pixels:
            distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
            # Distances are from pixel to pixel; an edge lies half a pixel nearer.
            found.append(4.0 * step * (float(distance.sum()) / pixels - 0.5))
    return float(np.mean(found)) if found else 0.0
