"""Which face lies in front, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.demo.solids import Points

SUBPIXEL_BITS = 4
"""Corners are rounded to 1/16 pixel before they are filled, so that the last bits of sines and
products, which differ between machines, cannot move an edge."""


def nearest_faces(
    outlines: list[Points],
    planes: Points,
    faces: NDArray[np.intp],
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Fills flat outlines and keeps the nearest at each pixel, exactly.

    Nearness is any quantity that grows towards the onlooker and is linear in the picture: in
    perspective, one over the depth.

    Args:
        outlines: Corners in pixels, each of shape `(n, 2)`, x before y; pixel 0 covers 0 to 1.
        planes: Nearness of each outline as `a * x + b * y + c`, shape `(F, 3)`.
        faces: Which number each outline leaves behind, shape `(F,)`.
        height: Height of the picture in pixels.
        width: Its width.

    Returns:
        Number of the nearest face, -1 where there is none, and its nearness, both `(H, W)`.
    """
    seen = np.full((height, width), -1, np.int32)
    nearness = np.full((height, width), -np.inf, np.float32)
    across = np.arange(width, dtype=np.float32) + np.float32(0.5)
    down = (np.arange(height, dtype=np.float32) + np.float32(0.5))[:, None]
    planes32 = planes.astype(np.float32)
    for outline, plane, (a, b, c), face in zip(outlines, planes, planes32, faces, strict=True):
        left, top = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(outline.max(axis=0)) + 1, (width, height)).astype(int)
        if left >= right or top >= bottom:
            continue
        stencil = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillConvexPoly(stencil, _fixed(outline - (left, top)), 1, cv2.LINE_8, SUBPIXEL_BITS)
        near = a * across[left:right] + (b * down[top:bottom] + c)
        # Pixels on the rim lie a little outside the face, where its plane may run off far.
        ends = outline @ plane[:2] + plane[2]
        np.clip(near, np.float32(ends.min()), np.float32(ends.max()), out=near)
        window = (slice(top, bottom), slice(left, right))
        wins = stencil.view(bool) & (near > nearness[window])
        np.copyto(nearness[window], near, where=wins)
        np.copyto(seen[window], np.int32(face), where=wins)
    return seen, nearness


def painted_faces(
    corners: Points, starts: NDArray[np.intp], order: NDArray[np.intp], size: int
) -> NDArray[np.int32]:
    """Fills flat outlines one over another, as a painter does: good enough for shadows.

    Args:
        corners: Corners of all outlines in pixels, shape `(C, 2)`, x before y.
        starts: Where those of each outline begin, and C, shape `(F + 1,)`.
        order: Outlines from the first to the last to be painted.
        size: Height and width of the picture in pixels.

    Returns:
        Number of the last outline painted at each pixel, -1 where there is none, `(H, W)`.
    """
    picture = np.full((size, size), -1, np.int32)
    fixed = _fixed(corners)
    begins, ends = starts[:-1].tolist(), starts[1:].tolist()
    for face in order.tolist():
        outline = fixed[begins[face] : ends[face]]
        cv2.fillConvexPoly(picture, outline, face, cv2.LINE_8, SUBPIXEL_BITS)
    return picture


def _fixed(corners: Points) -> NDArray[np.int32]:
    # OpenCV counts from the centre of the first pixel, we from its edge.
    return np.rint((corners - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)
