"""Perspective: from the room into the picture and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewmask.data.demo.mesh import Mesh
from fewmask.data.demo.raster import nearest_faces
from fewmask.data.demo.solids import Points

NEAR = 0.08
"""Metres before the eye at which things are cut off."""


@dataclass(frozen=True)
class Camera:
    """An eye with a picture before it.

    Args:
        eye: Where it stands, shape `(3,)`.
        axes: Unit vectors to the right, down and forward as rows, shape `(3, 3)`.
        focal: Pixels per unit of `x / depth`.
        center: Pixel that the eye looks at, x before y.
        height: Height of the picture in pixels.
        width: Its width.
    """

    eye: Points
    axes: Points
    focal: float
    center: tuple[float, float]
    height: int
    width: int

    def rays(self, pixels: NDArray[np.int32]) -> NDArray[np.float32]:
        """Returns what to add to the eye to go one metre deep.

        Args:
            pixels: Numbers of pixels, row after row, shape `(n,)`.

        Returns:
            Shape `(n, 3)`.
        """
        row, column = np.divmod(pixels, self.width)
        x = ((column + 0.5 - self.center[0]) / self.focal).astype(np.float32)
        y = ((row + 0.5 - self.center[1]) / self.focal).astype(np.float32)
        right, down, forward = self.axes.astype(np.float32)
        rays: NDArray[np.float32] = x[:, None] * right + y[:, None] * down + forward
        return rays

    def look(self, mesh: Mesh) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Finds the face before each pixel.

        Args:
            mesh: The scene.

        Returns:
            Face numbers, and one over the depth, both `(H, W)`; -1 and minus infinity where
            there is nothing.
        """
        normals = mesh.normals @ self.axes.T
        distance = np.sum((mesh.centers - self.eye) @ self.axes.T * normals, axis=1)
        corners = (mesh.corners - self.eye) @ self.axes.T
        sides = self._sides()
        margins = np.stack([corners @ normal - offset for normal, offset in sides], axis=1)
        whole = np.minimum.reduceat(margins, mesh.starts[:-1], axis=0).min(axis=1) >= 0
        in_sight = np.maximum.reduceat(margins, mesh.starts[:-1], axis=0).min(axis=1) >= 0
        outlines, planes, faces = [], [], []
        for face in np.flatnonzero(np.logical_and(in_sight, distance < -1e-6)):
            outline = corners[mesh.starts[face] : mesh.starts[face + 1]]
            if not whole[face]:
                for normal, offset in sides:
                    outline = _cut(outline, normal, offset)
                if len(outline) < 3:
                    continue
            outlines.append(outline[:, :2] / outline[:, 2:] * self.focal + self.center)
            a, b, c = normals[face] / distance[face]
            shift = (a * self.center[0] + b * self.center[1]) / self.focal
            planes.append((a / self.focal, b / self.focal, c - shift))
            faces.append(face)
        return nearest_faces(outlines, np.array(planes), np.array(faces), self.height, self.width)

    def _sides(self) -> list[tuple[Points, float]]:
        """Returns the planes around a field of view somewhat larger than the picture.

        Far outside it, coordinates grow beyond what fixed-point numbers hold.
        """
        x = 1.2 * max(self.center[0], self.width - self.center[0]) / self.focal
        y = 1.2 * max(self.center[1], self.height - self.center[1]) / self.focal
        normals = ((0, 0, 1), (1, 0, x), (-1, 0, x), (0, 1, y), (0, -1, y))
        offsets = (NEAR, 0.0, 0.0, 0.0, 0.0)
        return [(np.array(normal), offset) for normal, offset in zip(normals, offsets, strict=True)]


def _cut(corners: Points, normal: Points, offset: float) -> Points:
    """Keeps the part of a polygon where `corners @ normal >= offset`."""
    height = corners @ normal - offset
    kept = []
    for here, there, a, b in zip(
        corners, np.roll(corners, -1, axis=0), height, np.roll(height, -1), strict=True
    ):
        if a >= 0:
            kept.append(here)
        if (a >= 0) != (b >= 0):
            kept.append(here + (there - here) * (a / (a - b)))
    return np.array(kept).reshape(-1, 3)


def aim(
    eye: ArrayLike,
    target: Points,
    box: Points,
    share: float,
    roll: float,
    drift: tuple[float, float],
    height: int,
    width: int,
) -> Camera:
    """Sets up a camera so that a thing fills a chosen share of the picture.

    Args:
        eye: Where the camera stands, shape `(3,)`.
        target: Where it looks, shape `(3,)`.
        box: Points that must be in the picture, shape `(n, 3)`.
        share: Share of the picture's height or width that they fill, whichever is tighter.
        roll: Tilt of the camera in degrees.
        drift: How far the thing is from the middle, as shares of the room left, in [-1, 1].
        height: Height of the picture in pixels.
        width: Its width.

    Returns:
        The camera.
    """
    eye = np.asarray(eye, dtype=np.float64)
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cosine, sine = np.cos(np.deg2rad(roll)), np.sin(np.deg2rad(roll))
    axes = np.stack([cosine * right + sine * down, cosine * down - sine * right, forward])
    seen = (box - eye) @ axes.T
    flat = seen[:, :2] / seen[:, 2:]
    low, high = flat.min(axis=0), flat.max(axis=0)
    size = np.array([width, height])
    focal = share * float(np.min(size / (high - low)))
    room = (size - focal * (high - low)) / 2
    center = size / 2 - focal * (low + high) / 2 + np.array(drift) * room
    return Camera(eye, axes, focal, (float(center[0]), float(center[1])), height, width)
