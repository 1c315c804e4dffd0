"""The part of a plan that says how a network learns from patches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.fingerprint import Fingerprint
from fewmask.scale import Pixels

LARGEST_EPOCH = 500 * 256**2
"""Pixels of all patches of an epoch, at most: large images would make an epoch last for hours."""

LEAST_ON_FOREGROUND = 1 / 3
"""Share of each batch that is centred on foreground, which may be rare in large images."""


@dataclass(frozen=True)
class PatchPlan:
    """How a network learns from patches.

    Args:
        pixels: The scale, and the tiles of prediction.
        steps_per_epoch: Batches in an epoch.
        foreground_share: Share of the patches that are centred on foreground.
        reasons: Why, a sentence each.
        why_epoch: What an epoch is, where the number of epochs is given and not the time.
    """

    pixels: Pixels
    steps_per_epoch: int
    foreground_share: float
    reasons: tuple[str, ...]
    why_epoch: str


def plan_patches(scale: float, fingerprint: Fingerprint, size: int, batch_size: int) -> PatchPlan:
    """Derives the numbers that patches need.

    Args:
        scale: What the user asks for.
        fingerprint: What was measured of the training part.
        size: Side of the patches.
        batch_size: Patches in a batch.

    Returns:
        The scale that is nearest to what was asked for, and the rest.
    """
    pixels = Pixels.near(scale, size)
    area = sum(height * width * count for height, width, count in fingerprint.sizes)
    cover, most = area * pixels.scale**2 / size**2, LARGEST_EPOCH / size**2
    patches = max(fingerprint.num_images, min(cover, most))
    steps = math.ceil(patches / batch_size)
    # A batch of one is centred on foreground every other time.
    share = math.ceil(batch_size * LEAST_ON_FOREGROUND) / batch_size if batch_size > 1 else 0.5
    covers = "as many as cover the training images once"
    if (share_seen := round(100 * patches / cover)) < 100:
        covers = f"which cover {share_seen} % of the training images"
    elif patches > cover:
        covers = "at least one an image"
    met = f"{pixels.scale:.4g}"
    own = "the images' own scale" if met == "1" else f"{met} times the images' own scale"
    reasons = (
        f"scale {scale:g}: patches of {size} pixels at {own}; large images are predicted in tiles "
        f"of {pixels.tile} with {pixels.overlap} pixels of overlap.",
        f"{100 * share:.0f} % of the patches are centred on foreground.",
    )
    why_epoch = f"An epoch is {steps * batch_size:,} patches, {covers}."
    return PatchPlan(pixels, steps, share, reasons, why_epoch)


def augmentation_of_patches() -> Augmentation:
    """Returns how patches are changed.

    Where they lie is drawn already, so nothing shifts them. Nothing in them need stand upright or
    be of one size, so they are turned and zoomed more than whole images.
    """
    return replace(Augmentation(), rotation=15.0, scale=1.4, shift_probability=0.0)
