"""Solid things as flat faces in space: outlines drawn along paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewmask.data.demo.textures import Material

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """One flat convex piece of a surface.

    Lengths are metres, x runs to the right, y away from the onlooker, z up.

    Args:
        points: Corners in order around the face, shape `(n, 3)`.
        normal: Unit vector pointing out of the solid, shape `(3,)`.
        grain: Unit vector in the face that the texture runs along, shape `(3,)`.
        bend: How fast the normal of the *meant* surface turns along the grain and across it,
            per metre. It makes a rod of ten flat faces look round.
        shift: Where in the texture its centre is, in metres along the grain and across it.
        material: What the surface is made of.
    """

    points: Points
    normal: Points
    grain: Points
    bend: tuple[float, float]
    shift: tuple[float, float]
    material: Material


Solid = list[Face]

_START = (0.0, 0.0)


def cross(first: Points, second: Points) -> Points:
    """Returns the cross product along the last axis; NumPy's own is slow on few vectors."""
    after, before = [1, 2, 0], [2, 0, 1]
    product: Points = (
        first[..., after] * second[..., before] - first[..., before] * second[..., after]
    )
    return product


def turned(points: Points, turn: float) -> Points:
    """Turns points around the upright axis by degrees, counter-clockwise seen from above.

    Example:

    >>> turned(np.array([1.0, 0.0, 5.0]), 90.0).round(6).tolist()
    [0.0, 1.0, 5.0]
    """
    cosine, sine = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)


def place(solid: Solid, turn: float = 0.0, at: ArrayLike = (0.0, 0.0, 0.0)) -> Solid:
    """Turns a solid around the upright axis, then moves it.

    Args:
        solid: The faces.
        turn: Angle in degrees, counter-clockwise seen from above.
        at: Where the origin of the solid goes, shape `(3,)`.

    Returns:
        The same faces elsewhere.
    """
    if not solid:
        return []
    points = turned(np.concatenate([face.points for face in solid]), turn) + np.asarray(at)
    normals = turned(np.array([face.normal for face in solid]), turn)
    grains = turned(np.array([face.grain for face in solid]), turn)
    ends = np.cumsum([len(face.points) for face in solid])
    return [
        Face(
            points[end - len(face.points) : end],
            normal,
            grain,
            face.bend,
            face.shift,
            face.material,
        )
        for face, end, normal, grain in zip(solid, ends, normals, grains, strict=True)
    ]


def extent(solid: Solid) -> Points:
    """Returns the lowest and highest x, y, z of a solid, shape `(2, 3)`."""
    points = np.concatenate([face.points for face in solid])
    return np.stack([points.min(axis=0), points.max(axis=0)])


def loft(
    rings: Points, material: Material, smooth: bool = False, caps: bool = True, hollow: bool = False
) -> Solid:
    """Joins rings of points into a closed surface.

    Args:
        rings: Shape `(m, n, 3)`: m rings of n points each, convex and all turning alike.
        material: What the surface is made of.
        smooth: Whether the surface is round along a ring, as a rod is and a board is not.
        caps: Whether the first and last ring are closed by a face.
        hollow: Whether the rings are not convex: their first half runs beside the second.

    Returns:
        `(m - 1) * n` four-cornered faces, and two caps.
    """
    after = np.roll(rings, -1, axis=1)
    quads = np.stack([rings[:-1], after[:-1], after[1:], rings[1:]], axis=2)
    normals = _unit(cross(quads[:, :, 2] - quads[:, :, 0], quads[:, :, 3] - quads[:, :, 1]))
    # The order of the ring decides which side is out; the middle of the rings tells it.
    middle = 0.5 * (rings[:-1] + rings[1:]).mean(axis=1, keepdims=True)
    centers = quads.mean(axis=2)
    if np.sum(normals * (centers - middle)) < 0:
        normals = -normals
    grain = _unit(quads[:, :, 2] + quads[:, :, 3] - quads[:, :, 0] - quads[:, :, 1])
    grain = _unit(grain - normals * np.sum(grain * normals, axis=-1, keepdims=True))
    across = cross(normals, grain)
    along = _slope(normals, centers, grain, axis=0)
    around = _slope(normals, centers, across, axis=1) if smooth else np.zeros_like(along)
    # The texture runs on from face to face, and begins elsewhere on every board.
    begin = 7.3 * rings[0, 0] + 3.1 * rings[-1, 1]
    u = _lengths(centers, axis=0) + begin[0] + begin[2]
    v = _lengths(centers, axis=1) + begin[1]
    solid = [
        Face(
            quads[i, j],
            normals[i, j],
            grain[i, j],
            (along[i, j], around[i, j]),
            (u[i, j], v[i, j]),
            material,
        )
        for i in range(quads.shape[0])
        for j in range(quads.shape[1])
    ]
    if caps:
        for ring, inner in ((rings[0], rings[1]), (rings[-1], rings[-2])):
            out = _unit(ring.mean(axis=0) - inner.mean(axis=0))
            normal = _unit(cross(ring[1] - ring[0], ring[-1] - ring[0]))
            normal = normal if normal @ out > 0 else -normal
            edge = _unit(ring[1] - ring[0] if len(ring) > 4 else _longer_edge(ring))
            pieces = [ring]
            if hollow:
                pieces = [ring[[j, j + 1, -2 - j, -1 - j]] for j in range(len(ring) // 2 - 1)]
            solid += [Face(piece, normal, edge, (0.0, 0.0), _START, material) for piece in pieces]
    return solid


def _unit(vectors: Points) -> Points:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Points = vectors / np.maximum(length, 1e-12)
    return unit


def _longer_edge(ring: Points) -> Points:
    first: Points = ring[1] - ring[0]
    second: Points = ring[2] - ring[1]
    return first if np.linalg.norm(first) > np.linalg.norm(second) else second


def _lengths(centers: Points, axis: int) -> Points:
    """Measures how far each face is from the first, from centre to centre."""
    steps = np.linalg.norm(np.diff(centers, axis=axis), axis=-1)
    lengths = np.zeros(centers.shape[:2])
    later = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
    lengths[later] = np.cumsum(steps, axis=axis)
    return lengths


def _slope(normals: Points, centers: Points, direction: Points, axis: int) -> Points:
    """Measures how fast normals turn towards `direction` from one face to the next but one."""
    if axis == 0:
        # A surface ends where its path ends, so the outer faces look one way only.
        index = np.arange(len(normals))
        before, after = np.maximum(index - 1, 0), np.minimum(index + 1, len(normals) - 1)
        turn, step = normals[after] - normals[before], centers[after] - centers[before]
    else:
        turn = np.roll(normals, -1, axis=1) - np.roll(normals, 1, axis=1)
        step = np.roll(centers, -1, axis=1) - np.roll(centers, 1, axis=1)
    way = np.sum(step * direction, axis=-1)
    far = np.abs(way) > 1e-6
    slope: Points = np.sum(turn * direction, axis=-1) / np.where(far, way, 1.0) * far
    return slope


def sweep(
    path: ArrayLike,
    section: Points,
    material: Material,
    up: ArrayLike = (0.0, 0.0, 1.0),
    scale: Sequence[float] | None = None,
    smooth: bool = False,
    hollow: bool = False,
) -> Solid:
    """Draws a flat outline along a path.

    Args:
        path: Shape `(m, 3)`, m at least 2.
        section: The outline, shape `(n, 2)`: first number sideways, second along `up`.
        material: What it is made of.
        up: Direction that stays up in the outline; never along the path.
        scale: One factor a point of the path, for things that taper.
        smooth: Whether the outline is round.
        hollow: Whether it is not convex, as in `loft`.

    Returns:
        The faces.
    """
    path = np.asarray(path, dtype=np.float64)
    steps = _unit(np.diff(path, axis=0))
    tangent = _unit(np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]]))
    side = _unit(cross(tangent, np.asarray(up, dtype=np.float64)))
    upright = cross(side, tangent)
    factors = np.ones(len(path)) if scale is None else np.asarray(scale, dtype=np.float64)
    sized = section[None] * factors[:, None, None]
    rings = path[:, None] + sized[..., :1] * side[:, None] + sized[..., 1:] * upright[:, None]
    return loft(rings, material, smooth, hollow=hollow)
