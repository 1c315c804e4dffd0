"""Outlines of plain figures."""

from __future__ import annotations

import math

import numpy as np

from fewmask.data.formats.filling import Ring


def rectangle(left: float, top: float, right: float, bottom: float, degrees: float = 0.0) -> Ring:
    """Returns the corners of a rectangle.

    Args:
        left: One side, in pixels.
        top: The next.
        right: The side across from the first.
        bottom: The last.
        degrees: How far it is turned clockwise about its middle.

    Example:

    >>> rectangle(0, 0, 4, 2, degrees=90).tolist()
    [[3.0, -1.0], [3.0, 3.0], [1.0, 3.0], [1.0, -1.0]]
    """
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    return _turned(corners, degrees)


def ellipse(x: float, y: float, across: float, down: float, degrees: float = 0.0) -> Ring:
    """Returns corners around an ellipse, so close that no pixel notices.

    Args:
        x: Middle, in pixels.
        y: Likewise.
        across: Radius from left to right.
        down: Radius from top to bottom.
        degrees: How far it is turned clockwise about its middle.

    Example:

    >>> ellipse(0, 0, 2, 1).max(axis=0).tolist()
    [2.0, 1.0]
    """
    count = 4 * max(8, math.ceil(2 * math.sqrt(max(abs(across), abs(down)))))
    angles = np.arange(count) * (2 * math.pi / count)
    corners = np.stack([x + across * np.cos(angles), y + down * np.sin(angles)], axis=1)
    return _turned(corners, degrees)


def circle(x: float, y: float, radius: float) -> Ring:
    """Returns corners around a circle."""
    return ellipse(x, y, radius, radius)


def _turned(corners: Ring, degrees: float) -> Ring:
    if degrees % 360 == 0:
        return corners
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return np.asarray((corners - middle) @ turn.round(15) + middle)
