"""What a training looks at, by either rule: to learn from, to judge epochs by, to draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewmask.data.augmentation.warp import Spot
from fewmask.data.copies import Copies
from fewmask.data.foreground import find_foreground
from fewmask.scale import Pixels
from fewmask.training.judge import Sample, Squares
from fewmask.training.patches import Patches
from fewmask.training.plan import Plan
from fewmask.training.samples import COUNT
from fewmask.training.windows import Window, Windows, cover


@dataclass(frozen=True)
class Views:
    """What a training looks at.

    Args:
        patches: Where patches lie; None where whole images are learnt from.
        judged: What epochs are judged by.
        images: Which image each of these is a part of.
        shown: Up to `COUNT` samples to draw.
        num_shared: How many of the first samples shown are the first ones judged too.
    """

    patches: Patches | None
    judged: Sequence[Sample]
    images: Sequence[int]
    shown: list[Sample]
    num_shared: int


def make_views(
    plan: Plan,
    copies: Copies,
    train: Sequence[int],
    validation: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> Views:
    """Decides what a training looks at.

    Args:
        plan: Every number of the training.
        copies: Images and masks.
        train: Which of the copies to learn from.
        validation: Which of them to judge the epochs by; may be empty.
        progress: Is told `(done, total)` masks that were searched for foreground.
    """
    # Training images fill the sheet where there are not enough that were held back.
    drawn = [*validation, *train][:COUNT]
    if plan.pixels is None:
        judged = Squares(copies, validation, plan.size)
        shown = list(Squares(copies, drawn, plan.size))
        return Views(None, judged, validation, shown, len(validation))
    return _views_of_patches(plan, plan.pixels, copies, train, validation, drawn, progress)


def _views_of_patches(
    plan: Plan,
    pixels: Pixels,
    copies: Copies,
    train: Sequence[int],
    validation: Sequence[int],
    drawn: Sequence[int],
    progress: Callable[[int, int], None] | None,
) -> Views:
    num_classes = plan.model.num_classes
    foreground = find_foreground(copies, train, num_classes, plan.seed, progress)
    patches = Patches(
        copies,
        train,
        foreground,
        size=plan.size,
        scale=pixels.scale,
        steps=plan.steps_per_epoch,
        batch_size=plan.batch_size,
        foreground_share=plan.foreground_share or 0.0,
        seed=plan.seed,
    )
    # What is drawn chooses nothing, so it may be looked for where there is something to see.
    places = find_foreground(copies, drawn, num_classes, plan.seed)
    windows = []
    for index in drawn:
        sides = copies.mask(index).shape
        place = places.first_in(index) or (sides[0] // 2, sides[1] // 2)
        half = math.ceil(plan.size / patches.zoom / 2)
        # Reflections are no sight, so the window stays inside the image where that is larger.
        row, column = (
            min(max(middle, half), side - half) if side > 2 * half else side // 2
            for middle, side in zip(place, sides, strict=True)
        )
        windows.append(Window(index, Spot(row, column, patches.zoom), plan.size))
    judged = Windows(copies, cover(copies, validation, pixels, plan.seed))
    return Views(patches, judged, judged.images, list(Windows(copies, windows)), num_shared=0)
