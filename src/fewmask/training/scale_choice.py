"""Chooses between whole images and patches, by how thick the things in the images are."""

from __future__ import annotations

import math

import numpy as np

from fewmask.data.fingerprint import Fingerprint

FRAME = 256
"""Side of the frame that whole images are thought into."""
THIN = 16
"""Pixels in a frame of 256 below which things are too thin to be seen in whole images."""
THICK_ENOUGH = 16
"""Pixels that things should be thick in patches: images of thicker ones are shrunk, so that a
patch shows more of what is around."""


def choose_scale(fingerprint: Fingerprint) -> tuple[float | None, str]:
    """Chooses between whole images and patches, by how thick the things in the images are.

    Args:
        fingerprint: What was measured of the training part.

    Returns:
        None for whole images, or the scale of the patches; and why.
    """
    longest = [max(height, width) for height, width, count in fingerprint.sizes]
    typical = float(np.median(np.repeat(longest, [count for *_, count in fingerprint.sizes])))
    thickness = _measured(fingerprint)
    if not thickness:
        return None, "whole images: the masks hold nothing whose size could be measured."
    # The thinner half decides: it is what a frame would lose first.
    thin = float(np.quantile(thickness, 0.2)) * FRAME / typical
    middle = float(np.median(thickness))
    if thin >= THIN:
        return None, (
            f"whole images: their things are about {middle:.0f} pixels thick and still "
            f"{thin:.0f} or more where the longest side is {FRAME}."
        )
    # Halves, quarters and so on: a round number tells more than an exact one.
    halvings = max(0, math.floor(math.log2(max(1.0, middle / THICK_ENOUGH))))
    return 0.5**halvings, (
        f"patches: things are about {middle:.0f} pixels thick, and the thin ones only "
        f"{thin:.0f} where the longest side of a whole image is {FRAME}; "
        "--size keeps whole images."
    )


def are_thin(fingerprint: Fingerprint, scale: float) -> bool:
    """Tells whether most outlines are of things so thin that every pixel of them counts.

    Args:
        fingerprint: What was measured of the training part.
        scale: Pixels that the network sees per image pixel.
    """
    thickness = _measured(fingerprint)
    return bool(thickness) and float(np.median(thickness)) * scale < THICK_ENOUGH


def _measured(fingerprint: Fingerprint) -> list[float]:
    """Returns the thickness of the masks that hold something to measure."""
    return [value for value in fingerprint.thickness if value > 0]
