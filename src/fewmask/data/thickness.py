"""How thick the things in a mask are, in pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.counting import count_values

_LONGEST_MEASURED = 1024
"""Longest side of what is measured; of a larger mask every second pixel will do."""
_THICK_ENOUGH = 4
"""Sampled pixels that a thing must be thick; thinner ones fall between the pixels of a sample."""


def measure_thickness(mask: NDArray[np.uint8], num_classes: int) -> tuple[float, ...]:
    """Measures how thick the things of each class in a mask typically are.

    Of a class it is four times the mean distance of its pixels from the nearest edge to another
    class: the width of a band, and two thirds of the side of a square or of the diameter of a
    disc. What lies beyond the image counts as more of the same.

    Args:
        mask: Class ids of shape `(H, W)`; ids from `num_classes` on are no things.
        num_classes: Number of classes K; 0 is the background.

    Returns:
        Pixels, one number for each foreground class that is in the mask, in the order of their
        ids; of a class that fills the whole mask its longest side.

    Example:

    >>> bands = np.zeros((32, 32), np.uint8)
    >>> bands[:, 4:12] = bands[:, 20:28] = 1
    >>> [round(thickness) for thickness in measure_thickness(bands, num_classes=2)]
    [8]
    """
    step = -(-max(mask.shape) // _LONGEST_MEASURED)
    there = count_values(mask)
    found = []
    for class_id in range(1, num_classes):
        if not there[class_id]:
            continue
        sampled = mask[::step, ::step] == class_id
        if sampled.all():
            found.append(float(max(mask.shape)))
            continue
        thickness = step * _thickness_of(sampled)
        if step > 1 and thickness < _THICK_ENOUGH * step:
            thickness = _thickness_of(mask == class_id)
        found.append(thickness)
    return tuple(found)


def _thickness_of(inside: NDArray[np.bool_]) -> float:
    """Measures one class, in pixels of the array; 0.0 where there is nothing of it."""
    region = inside.astype(np.uint8)
    left, top, width, height = cv2.boundingRect(region)
    if not width:
        return 0.0
    # With a margin: at the end of an array there is no edge.
    region = region[max(0, top - 1) : top + height + 1, max(0, left - 1) : left + width + 1]
    distance = cv2.distanceTransform(region, cv2.DIST_L2, 3)
    # Distances are from pixel to pixel; an edge lies half a pixel nearer.
    return 4.0 * (float(distance.sum(dtype=np.float64)) / int(region.sum(dtype=np.int64)) - 0.5)
