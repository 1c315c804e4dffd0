"""How much light falls where: a window or a lamp, the bright room around, and their shadows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.data.demo.mesh import Mesh
from fewmask.data.demo.raster import painted_faces
from fewmask.data.demo.solids import Points

Values = NDArray[np.float32]

SUN_LOOKS = 4
SKY_LOOKS = 9
"""Directions from which the light of a lamp or window, and that from all around, is gathered."""


@dataclass(frozen=True)
class Panes:
    """The patches of light that a window throws.

    Args:
        origin: A point that the middle of the window shines on, shape `(3,)`.
        size: Width and height of the beam in metres.
        count: Number of panes across and down.
        bar: Width of the bars between panes in metres.
        softness: Width of the edge of the patches in metres.
    """

    origin: Points
    size: tuple[float, float]
    count: tuple[int, int]
    bar: float
    softness: float


@dataclass(frozen=True)
class Light:
    """The light in a room.

    Args:
        sun: Unit vector towards the strongest light, shape `(3,)`.
        sun_color: Its red, green and blue, shape `(3,)`.
        spread: How wide it is, as the radius of a disc one metre away.
        sky_color: Light from everywhere, shape `(3,)`.
        bounce_color: Light thrown back by the floor, shape `(3,)`.
        reach: Metres after which the strongest light has fallen to a half.
        panes: The window it comes through, or None.
    """

    sun: Points
    sun_color: Points
    spread: float
    sky_color: Points
    bounce_color: Points
    reach: float
    panes: Panes | None = None


def basis(direction: Points) -> Points:
    """Returns two unit vectors across a direction and the direction itself, as rows."""
    along = direction / np.linalg.norm(direction)
    helper = np.eye(3)[int(np.argmin(np.abs(along)))]
    first = np.cross(along, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(along, first), along])


class ShadowMap:
    """What keeps light of one direction from a place.

    Only faces turned away from the light are kept in it: a lit face then never shadows itself,
    however coarse the map is.

    Args:
        mesh: The scene.
        direction: Unit vector towards the light, shape `(3,)`.
        size: Side of the map in pixels.
    """

    def __init__(self, mesh: Mesh, direction: Points, size: int) -> None:
        axes = basis(direction)
        turned = mesh.normals @ axes.T
        corners = mesh.corners @ axes.T
        casting = mesh.casts & (turned[:, 2] < -0.02)
        flat = corners[np.repeat(casting, np.diff(mesh.starts)), :2]
        low, high = flat.min(axis=0) - 0.02, flat.max(axis=0) + 0.02
        scale = size / float((high - low).max())
        centers = mesh.centers @ axes.T
        order = np.flatnonzero(casting)
        order = order[np.argsort(centers[order, 2], kind="stable")]
        painted = painted_faces((corners[:, :2] - low) * scale, mesh.starts, order, size)
        # Height of the painted face above each pixel, from the plane of the face.
        slopes = turned[:, :2] / np.minimum(turned[:, 2:], -0.02)
        level = centers[:, 2] + np.sum(slopes * (centers[:, :2] - low), axis=1)
        place = (np.arange(size) + 0.5) / scale
        near = level[painted] - slopes[painted, 0] * place - slopes[painted, 1] * place[:, None]
        near[painted < 0] = -np.inf
        # A rim of nothing, for places outside the map.
        self._near = np.pad(near.astype(np.float32), 1, constant_values=-np.inf)
        self._axes = axes.astype(np.float32)
        self._low = low.astype(np.float32)
        self._scale = np.float32(scale)
        self._size = size

    def lit(self, places: Values) -> NDArray[np.bool_]:
        """Says which places the light reaches.

        Args:
            places: Shape `(n, 3)`.

        Returns:
            Shape `(n,)`.
        """
        s, t, near = self._axes @ places.T
        column = ((s - self._low[0]) * self._scale + np.float32(1)).astype(np.int32)
        row = ((t - self._low[1]) * self._scale + np.float32(1)).astype(np.int32)
        np.clip(column, 0, self._size + 1, out=column)
        np.clip(row, 0, self._size + 1, out=row)
        row *= np.int32(self._size + 2)
        row += column
        reached: NDArray[np.bool_] = near + np.float32(0.004) >= self._near.ravel().take(row)
        return reached


def disc(count: int, radius: float) -> Points:
    """Spreads points evenly over a disc (sunflower), shape `(count, 2)`."""
    index = np.arange(count) + 0.5
    angle, distance = index * 2.399963, radius * np.sqrt(index / count)
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)


def sun_directions(light: Light) -> Points:
    """Returns directions over the disc of the strongest light, shape `(SUN_LOOKS, 3)`."""
    axes = basis(light.sun)
    offsets = disc(SUN_LOOKS, light.spread)
    return np.stack([axes[2] + x * axes[0] + y * axes[1] for x, y in offsets])


def sky_directions() -> Points:
    """Returns directions all over the upper half of the sphere, shape `(SKY_LOOKS, 3)`."""
    index = np.arange(SKY_LOOKS) + 0.5
    up = 0.05 + 0.95 * index / SKY_LOOKS
    angle = index * 2.399963
    flat = np.sqrt(1 - up**2)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), up], axis=1)


def through_panes(panes: Panes, light: Light, places: Values) -> Values:
    """Says how much light comes through the window to each place, shape `(n,)` in [0, 1]."""
    axes = basis(light.sun).astype(np.float32)
    # One edge of the beam stays level, as window sills do.
    level = np.cross(axes[2], (0.0, 0.0, 1.0))
    level = (level / np.linalg.norm(level)).astype(np.float32)
    steep = np.cross(level, axes[2])
    local = places - panes.origin.astype(np.float32)
    share = np.ones(len(places), np.float32)
    for axis, size, count in zip((level, steep), panes.size, panes.count, strict=True):
        offset = local @ axis / size + 0.5
        pane = size / count
        inside = np.minimum(offset, 1 - offset) * size
        to_bar = (0.5 - np.abs((offset * count) % 1 - 0.5)) * pane - panes.bar / 2
        edge = np.minimum(inside, to_bar) / panes.softness + 0.5
        share *= np.clip(edge, 0, 1).astype(np.float32)
    return share
