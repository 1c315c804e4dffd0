"""Rods, boards, boxes, cushions: the pieces that furniture is put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fewmask.data.demo.solids import Face, Points, Solid, loft, sweep
from fewmask.data.demo.textures import Material


def circle(radius: float, sides: int) -> Points:
    """Returns an outline of `sides` points around the origin, shape `(sides, 2)`."""
    angle = np.arange(sides) * (2 * np.pi / sides) + np.pi / sides
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def rectangle(width: float, height: float, rounding: float = 0.0) -> Points:
    """Returns an outline of 4 points, or of 12 where its corners are rounded, shape `(n, 2)`."""
    half = np.array([width, height]) / 2
    if rounding == 0.0:
        return np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * half
    points = []
    for x, y, start in ((1, 1, 0), (-1, 1, 90), (-1, -1, 180), (1, -1, 270)):
        for angle in np.deg2rad([start + 8, start + 45, start + 82]):
            corner = np.array([x, y]) * (half - rounding)
            points.append(corner + rounding * np.array([np.cos(angle), np.sin(angle)]))
    return np.array(points)


def rod(
    start: ArrayLike,
    end: ArrayLike,
    radius: float,
    material: Material,
    taper: float = 1.0,
    sides: int = 8,
) -> Solid:
    """Makes a round bar; `taper` is the radius at its end relative to that at its start."""
    path = np.array([start, end], dtype=np.float64)
    step = path[1] - path[0]
    upright = abs(step[2]) > 0.9 * np.linalg.norm(step)
    up = (0.0, 1.0, 0.0) if upright else (0.0, 0.0, 1.0)
    return sweep(path, circle(radius, sides), material, up, (1.0, taper), smooth=True)


def bar(
    start: ArrayLike,
    end: ArrayLike,
    width: float,
    depth: float,
    material: Material,
    taper: float = 1.0,
) -> Solid:
    """Makes a four-edged upright bar: `width` along x, `depth` along y."""
    path = np.array([start, end], dtype=np.float64)
    return sweep(path, rectangle(width, depth), material, (0.0, 1.0, 0.0), (1.0, taper))


# Axis a face looks along, which end of it, and the two axes within the face.
_BOX = [
    (axis, sign, first, second)
    for axis, first, second in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    for sign in (0, 1)
]
_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))


def _box_corners() -> Points:
    corners = np.empty((6, 4, 3))
    for face, (axis, sign, first, second) in enumerate(_BOX):
        corners[face, :, axis] = sign
        corners[face][:, [first, second]] = _SQUARE
    return corners


_BOX_CORNERS = _box_corners()
_AXES = np.eye(3)


def box(low: ArrayLike, high: ArrayLike, material: Material) -> Solid:
    """Makes a box between two opposite corners; the grain runs along the longer side of a face."""
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    size = high - low
    corners = low + _BOX_CORNERS * size
    begin = 7.3 * float(low.sum()) + 3.1 * float(high[0])
    solid = []
    for (axis, sign, first, second), points in zip(_BOX, corners, strict=True):
        grain = first if size[first] > size[second] else second
        normal = _AXES[axis] if sign else -_AXES[axis]
        shift = (begin + axis, 1.7 * begin)
        solid.append(Face(points, normal, _AXES[grain], (0.0, 0.0), shift, material))
    return solid


def plate(outline: Points, low: float, high: float, material: Material) -> Solid:
    """Raises a flat outline of shape `(n, 2)` from height `low` to height `high`."""
    rings = np.stack([np.insert(outline, 2, height, axis=1) for height in (low, high)])
    return loft(rings, material, smooth=len(outline) > 12)


def cushion(
    low: ArrayLike, high: ArrayLike, material: Material, softness: float = 0.03, axis: int = 2
) -> Solid:
    """Makes a padded box.

    Args:
        low: Its lowest x, y, z.
        high: Its highest x, y, z.
        material: Its cover.
        softness: Radius of its edges in metres.
        axis: Which of x, y, z its two large faces look along.

    Returns:
        The faces; the two large ones bulge.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    size, middle = high - low, (low + high) / 2
    first, second = [other for other in range(3) if other != axis]
    softness = min(softness, 0.45 * float(size.min()))
    rings: list[Points] = []
    # Levels through the thickness, and how far the outline has drawn in at each.
    for level, inset in ((0, 1.0), (0.3, 0.3), (1.0, 0.0), (-1.0, 0.0), (-0.3, 0.3), (0, 1.0)):
        outline = rectangle(
            size[first] - 2 * inset * softness, size[second] - 2 * inset * softness, softness
        )
        ring = np.empty((12, 3))
        ring[:, first], ring[:, second] = outline.T + middle[[first, second], None]
        edge = low[axis] if len(rings) < 3 else high[axis]
        ring[:, axis] = edge + level * softness
        rings.append(ring)
    solid = loft(np.array(rings), material, smooth=True)
    bulge = (0.9 / size[first], 0.9 / size[second])
    return [*solid[:-2], *(replace(cap, bend=bulge) for cap in solid[-2:])]


def lathe(
    profile: Sequence[tuple[float, float]], material: Material, sides: int = 14, caps: bool = True
) -> Solid:
    """Turns a profile of `(radius, height)` pairs around the upright axis."""
    rings = [np.insert(circle(radius, sides), 2, height, axis=1) for radius, height in profile]
    return loft(np.array(rings), material, smooth=True, caps=caps)


def curve(*points: ArrayLike, steps: int = 4) -> Points:
    """Draws a smooth path through points (Catmull-Rom), shape `((n - 1) * steps + 1, 3)`."""
    knots = np.array(points, dtype=np.float64)
    knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    share = (np.arange(steps) / steps)[:, None]
    pieces = [
        0.5
        * (
            2 * b
            + (c - a) * share
            + (2 * a - 5 * b + 4 * c - d) * share**2
            + (3 * b - a - 3 * c + d) * share**3
        )
        for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False)
    ]
    return np.concatenate([*pieces, knots[-2:-1]])
