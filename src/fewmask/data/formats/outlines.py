"""Outlines around the pixels of a class, for formats that hold polygons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.formats.filling import Outline, Ring, fill_outline

AGREEMENT = 0.995
"""IoU between the pixels of a piece and what its outline encloses, at least."""
_TOLERANCES = (1.0, 0.5)
"""Pixels by which an outline may stray, the widest that agrees is taken."""
_EXACT = 0.25
"""A border that strays this far passes no centre of a pixel: these lie 0.35 away or more."""
_CROSS = np.ones((3, 3), np.uint8)
_STEPS = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])  # right, down, left, up as (row, column)


@dataclass(frozen=True, eq=False)
class Piece:
    """Pixels of one class that hang together, if only by a corner.

    Args:
        class_id: Their class.
        pixels: Shape `(h, w)`, bool.
        top: Row of the image in which they begin.
        left: Column likewise.
        touches: Whether a neighbouring pixel is of another class than the background.
    """

    class_id: int
    pixels: NDArray[np.bool_]
    top: int = 0
    left: int = 0
    touches: bool = False


def find_pieces(mask: NDArray[np.uint8], class_id: int) -> Iterator[Piece]:
    """Takes the pixels of a class apart into what hangs together.

    Args:
        mask: Class ids of shape `(H, W)`, uint8.
        class_id: The class.

    Yields:
        The pieces, from the top down.

    Example:

    >>> mask = np.array([[1, 0, 1, 2]], np.uint8)
    >>> [(piece.left, piece.touches) for piece in find_pieces(mask, 1)]
    [(0, False), (2, True)]
    """
    area = (mask == class_id).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(area, connectivity=8)
    for label in range(1, count):
        left, top, width, height = (int(value) for value in boxes[label, :4])
        # With the pixels around it, as far as the image has some.
        rows = slice(max(top - 1, 0), top + height + 1)
        columns = slice(max(left - 1, 0), left + width + 1)
        around = labels[rows, columns] == label
        others = (mask[rows, columns] != 0) & (mask[rows, columns] != class_id)
        touches = bool((others & (cv2.dilate(around.astype(np.uint8), _CROSS) > 0)).any())
        pixels = labels[top : top + height, left : left + width] == label
        yield Piece(class_id, np.asarray(pixels), top, left, touches)


def trace(piece: Piece) -> Outline:
    """Finds the outline of a piece: as few corners as agree with its pixels.

    Args:
        piece: What to go round.

    Returns:
        An outline whose `fill`, less those of its holes, agrees with the pixels to an IoU of
        at least 0.995; exactly where the piece is small, or touches another class: no gap must
        open between the two.
    """
    rings = _rings(piece.pixels)
    for tolerance in (_EXACT,) if piece.touches else (*_TOLERANCES, _EXACT):
        outer, *holes = (_simplify(ring, tolerance) for ring in rings)
        if tolerance == _EXACT:
            break
        if _agreement(piece.pixels, Outline(outer, tuple(holes))) >= AGREEMENT:
            break
    shift = np.array([piece.left, piece.top], np.float64)
    return Outline(outer + shift, tuple(hole + shift for hole in holes))


def join_holes(outline: Outline) -> Ring:
    """Makes one ring of an outline with holes, for formats that know no holes.

    Each hole is joined to the outside by a slit of no width, which `fill` and other tools fill
    as if it were not there.

    Args:
        outline: Any outline.

    Returns:
        The ring; the outer one itself if there are no holes.
    """
    ring = outline.ring
    # The hole that is farthest to the right first: the slit of the next may end on it.
    for hole in sorted(outline.holes, key=lambda hole: -float(hole[:, 0].max())):
        start = int(hole[:, 0].argmax())
        at = int(((ring - hole[start]) ** 2).sum(axis=1).argmin())
        tour = np.roll(hole, -start, axis=0)
        ring = np.concatenate([ring[: at + 1], tour, tour[:1], ring[at:]])
    return ring


def _rings(area: NDArray[np.bool_]) -> list[Ring]:
    """Follows the borders of a piece, the outer one first.

    The borders run along the sides of pixels with the area to their right. A ring goes through
    the middle of each such side, so that it cuts corners and no centre of a pixel.
    """
    padded = np.pad(area, 1)
    upper, lower = padded[:-1], padded[1:]
    left, right = padded[:, :-1], padded[:, 1:]
    below = lower & ~upper
    above = upper & ~lower
    before = left & ~right
    behind = right & ~left
    height, width = area.shape[0] + 1, area.shape[1] + 1
    # By the corner where it begins, whether a side of a pixel runs right, down, left, up.
    sides = np.zeros((4, height, width), np.bool_)
    sides[0, :, :-1] = below[:, 1:-1]
    sides[1, :-1] = before[1:-1]
    sides[2, :, 1:] = above[:, 1:-1]
    sides[3, 1:] = behind[1:-1]
    way, row, column = np.nonzero(sides)
    end = np.stack([row, column], axis=1) + _STEPS[way]
    # Where two sides begin, turning left keeps pixels together that touch by a corner.
    turns = [(way + turn) % 4 for turn in (3, 0, 1)]
    next_way = np.select(
        [sides[turn, end[:, 0], end[:, 1]] for turn in turns[:2]], turns[:2], turns[2]
    )
    numbers = np.zeros(sides.shape, np.int64)
    numbers[way, row, column] = np.arange(len(way))
    successor = numbers[next_way, end[:, 0], end[:, 1]].tolist()
    middles = np.stack([column, row], axis=1) + _STEPS[way][:, ::-1] * 0.5
    seen = bytearray(len(successor))
    rings = []
    for start in range(len(successor)):
        if seen[start]:
            continue
        walk, here = [], start
        while not seen[here]:
            seen[here] = 1
            walk.append(here)
            here = successor[here]
        rings.append(middles[walk])
    # The topmost side that runs right belongs to the outer border, and np.nonzero finds it first.
    return rings


def _simplify(ring: Ring, tolerance: float) -> Ring:
    simple = cv2.approxPolyDP(ring.astype(np.float32), tolerance, closed=True)[:, 0]
    return np.asarray(simple if len(simple) >= 3 else ring, np.float64)


def _agreement(pixels: NDArray[np.bool_], outline: Outline) -> float:
    filled = np.zeros_like(pixels)
    rows, columns, inside = fill_outline(outline, *pixels.shape).window(*pixels.shape)
    filled[rows, columns] = inside
    return np.count_nonzero(filled & pixels) / np.count_nonzero(filled | pixels)
