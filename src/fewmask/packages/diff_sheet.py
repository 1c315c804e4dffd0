"""Draws what changed in masks: pixels that stayed, came and went, in colours."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Color
from fewmask.data.imageio import resize
from fewmask.data.pixels import to_8_bit
from fewmask.packages.diff import ADDED, KEPT, OTHER, REMOVED, Change, Difference, pixel_states

SIDE = 300
"""Pixels of the place of one drawing."""
GAP = 8
_LINE = 22
_MOST = 8
"""Samples that are shown."""

COLORS: dict[int, tuple[str, Color]] = {
    KEPT: ("kept", (0, 158, 115)),
    ADDED: ("added", (0, 140, 255)),
    REMOVED: ("removed", (255, 140, 0)),
    OTHER: ("another class", (200, 60, 200)),
}
"""Colours that differ for every kind of eye."""


def draw_difference(difference: Difference) -> NDArray[np.uint8] | None:
    """Draws the masks that changed most: each whole, and what changed in it enlarged.

    Args:
        difference: What to show.

    Returns:
        Shape `(H, W, 3)`, uint8; None where no mask of equal size changed.
    """
    drawings = []
    for change in difference.changed[:_MOST]:  # those with the most changed pixels come first
        if change.pixels:
            drawings.append(_draw(difference, change))
    if not drawings:
        return None
    columns = 1 if len(drawings) == 1 else 2
    height, width = drawings[0].shape[:2]
    rows = -(-len(drawings) // columns)
    sheet = np.full(
        (GAP + _LINE + rows * (height + GAP), GAP + columns * (width + GAP), 3), 255, np.uint8
    )
    _draw_legend(sheet)
    for number, drawing in enumerate(drawings):
        top = GAP + _LINE + number // columns * (height + GAP)
        left = GAP + number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = drawing
    return sheet


def _draw(difference: Difference, change: Change) -> NDArray[np.uint8]:
    """Draws one sample: its id, the whole, and the changed part of it."""
    old, new = difference.old, difference.new
    stored = new.read_image(change.after, channels=3)
    deep = stored.dtype != np.uint8
    image = to_8_bit(stored, (int(stored.min()), int(stored.max())) if deep else (0, 255))
    states = pixel_states(old, change.before, new, change.after)
    assert states is not None  # noqa: S101 - only masks of one size have pixels that changed
    drawing = np.full((_LINE + SIDE, 2 * SIDE + GAP, 3), 255, np.uint8)
    _write(drawing, change.sample, (2, _LINE - 7), (0, 0, 0))
    top, bottom, left, right = _around_changes(states)
    parts = [(image, states), (image[top:bottom, left:right], states[top:bottom, left:right])]
    for number, (pixels, state) in enumerate(parts):
        small = _overlay(pixels, state)
        height, width = small.shape[:2]
        x = number * (SIDE + GAP) + (SIDE - width) // 2
        y = _LINE + (SIDE - height) // 2
        drawing[y : y + height, x : x + width] = small
    return drawing


def _overlay(image: NDArray[np.uint8], states: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draws states in their colours over a paler image, at the size of a drawing."""
    scale = SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    pale = resize(gray, height, width, smooth=scale < 1).astype(np.float32) * 0.5 + 110
    drawn = np.repeat(pale[..., None], 3, axis=2)
    for state, (_, color) in COLORS.items():
        here = (states == state).astype(np.float32)
        if scale < 1:
            share = cv2.resize(here, (width, height), interpolation=cv2.INTER_AREA)
            # A change of one pixel must not vanish when a large image is shrunk.
            shown = share > (0.5 if state == KEPT else 0.0)
        else:
            shown = cv2.resize(here, (width, height), interpolation=cv2.INTER_NEAREST) > 0
        strength = 0.35 if state == KEPT else 0.85
        drawn[shown] = drawn[shown] * (1 - strength) + np.array(color, np.float32) * strength
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _around_changes(states: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Returns a window around the pixels that changed, with some of their surroundings."""
    window = []
    for axis in (1, 0):
        places = np.flatnonzero((states > KEPT).any(axis=axis))
        first, last = int(places[0]), int(places[-1]) + 1
        margin = max(8, (last - first) // 4)
        window += [max(0, first - margin), min(states.shape[1 - axis], last + margin)]
    return window[0], window[1], window[2], window[3]


def _draw_legend(sheet: NDArray[np.uint8]) -> None:
    left = GAP
    for label, color in COLORS.values():
        cv2.rectangle(sheet, (left, GAP), (left + 12, GAP + 12), color, -1)
        _write(sheet, label, (left + 18, GAP + 11), (0, 0, 0))
        left += 40 + 9 * len(label)


def _write(drawing: NDArray[np.uint8], text: str, place: Sequence[int], color: Color) -> None:
    # The letters that OpenCV knows; a name in others is told apart by the list in the terminal.
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(drawing, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)
