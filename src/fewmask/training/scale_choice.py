"""Chooses between whole images and patches, by how thick the things in the images are."""

from __future__ import annotations

import math

import numpy as np

from fewmask.data.fingerprint import Fingerprint

FRAME = 256
"""Side of the frame that whole images are thought into."""
THIN = 16
"""Pixels in a frame of 256 below which things are too thin to be seen in whole images."""
THICK_ENOUGH, LEAST = 16, 4
"""Pixels that things should typically be thick in patches, and that all but the thinnest should:
images of thicker ones are shrunk, so that a patch shows more of what is around."""
THINNEST = 0.2
"""Share of all things that may be thinner: a class of a mask is one thing. What is thin decides,
because each class counts the same, however few its pixels."""


def choose_scale(fingerprint: Fingerprint) -> tuple[float | None, str]:
    """Chooses between whole images and patches, by how thick the things in the images are.

    Args:
        fingerprint: What was measured of the training part.

    Returns:
        None for whole images, or the scale of the patches; and why.
    """
    longest = [max(height, width) for height, width, count in fingerprint.sizes]
    typical = float(np.median(np.repeat(longest, [count for *_, count in fingerprint.sizes])))
    of_masks = _means_of_masks(fingerprint)
    if not of_masks:
        return None, "whole images: the masks hold nothing whose size could be measured."
    middle = float(np.median(of_masks))
    thin = float(np.quantile([each for mask in fingerprint.thickness for each in mask], THINNEST))
    in_frame = thin * FRAME / typical
    if in_frame >= THIN:
        return None, (
            f"whole images: their things are about {middle:.0f} pixels thick and still "
            f"{in_frame:.0f} or more where the longest side is {FRAME}."
        )
    # Halves, quarters and so on: a round number tells more than an exact one.
    room = max(1.0, min(middle / THICK_ENOUGH, thin / LEAST))
    return 0.5 ** math.floor(math.log2(room)), (
        f"patches: things are about {middle:.0f} pixels thick, and the thin ones only "
        f"{in_frame:.0f} where the longest side of a whole image is {FRAME}; "
        "--size keeps whole images."
    )


def are_thin(fingerprint: Fingerprint, scale: float) -> bool:
    """Tells whether most outlines are of things so thin that every pixel of them counts.

    Args:
        fingerprint: What was measured of the training part.
        scale: Pixels that the network sees per image pixel.
    """
    of_masks = _means_of_masks(fingerprint)
    return bool(of_masks) and float(np.median(of_masks)) * scale < THICK_ENOUGH


def _means_of_masks(fingerprint: Fingerprint) -> list[float]:
    """Returns how thick things are in each mask that holds any."""
    return [float(np.mean(of_classes)) for of_classes in fingerprint.thickness if of_classes]
