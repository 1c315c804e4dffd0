"""The plan of a training with a budget: what this machine can do in the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from fewmask.data.fingerprint import Fingerprint
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError
from fewmask.scale.pixels import pixels_placement
from fewmask.training.clock import Clock
from fewmask.training.comparing import choose_pieces
from fewmask.training.events import duration
from fewmask.training.pace import Pace
from fewmask.training.plan import SHARE_OF_AVERAGE, SHARE_OF_WARM_UP, Plan
from fewmask.training.probe import Probe, Speed
from fewmask.training.recipe import Recipe
from fewmask.training.windows import count_windows

MakePlan: TypeAlias = Callable[[Recipe], Plan]

SIZES = (64, 96, 128, 160, 192, 224, 256, 320, 384)
FIRST_SIZE = 256
"""The size that is measured first; most budgets of minutes end near it."""

ENOUGH = 1500
"""Images or patches that a training should show, the same ones changed again and again. A larger
size is not worth fewer: benchmarks/budget_choices.py."""

WORTH_MEASURING = 0.8
"""Share of these that a larger size must promise by its area; it may be faster than its area."""

FEWEST_STEPS = 20
BATCH_SIZE = 8

THIN = 16
"""Pixels in a frame of 256 below which things are too thin to be seen in whole images."""
THICK_ENOUGH = 16
"""Pixels that things should be thick in patches: images of thicker ones are shrunk, so that a
patch shows more of what is around."""

EXPORT = 11.0
"""Seconds of writing and opening the model files, per second of building the network: the same
for networks whose export takes half a second and five seconds."""
A_FILE = 0.02
"""Seconds of reading an image or a mask."""

SHARE_OF_STEPS = 0.95
"""Share of the training's time that its steps take; the rest is for judging and keeping epochs."""
LOOKS_APART = 12
"""An epoch is so many times as long as it takes to judge it and to keep it."""
KEEPING = 0.5
"""Seconds of keeping an epoch: the state, the samples, the curve."""
MOST_EPOCHS = 40


@dataclass(frozen=True)
class Ending:
    """What the end of a training has to do.

    Args:
        sizes: `(height, width)` of the test images.
        num_train: Number of training images, whose masks one of the baselines reads.
    """

    sizes: Sequence[tuple[int, int]]
    num_train: int

    def seconds(self, plan: Plan, speed: Speed, building: float) -> float:
        """Estimates how long it takes to write the model and to score it.

        Args:
            plan: The plan.
            speed: How fast the network is at the plan's size.
            building: Seconds that building the network took.
        """
        pieces = choose_pieces(self.sizes).values()
        # Both model files look at the pieces; one of them scores whole images.
        squares = sum(_squares(plan, *size) for size in (*pieces, *pieces, *self.sizes))
        files = len(pieces) + 2 * len(self.sizes) + self.num_train
        return EXPORT * building + squares * speed.look + files * A_FILE


def _squares(plan: Plan, height: int, width: int) -> int:
    """Counts the squares that the network sees of an image of this size."""
    if plan.pixels is None:
        return 1
    rows, columns = (pixels_placement(side, plan.pixels)[1] for side in (height, width))
    return rows * columns


def choose_scale(fingerprint: Fingerprint) -> tuple[float | None, str]:
    """Chooses between whole images and patches, by how thick the things in the images are.

    Args:
        fingerprint: What was measured of the training part.

    Returns:
        None for whole images, or the scale of the patches; and why.
    """
    longest = [max(height, width) for height, width, count in fingerprint.sizes]
    typical = float(np.median(np.repeat(longest, [count for *_, count in fingerprint.sizes])))
    thickness = [value for value in fingerprint.thickness if value > 0]
    if not thickness:
        return None, "whole images: the masks hold nothing whose size could be measured."
    # The thinner half decides: it is what a frame would lose first.
    thin = float(np.quantile(thickness, 0.2)) * FIRST_SIZE / typical
    middle = float(np.median(thickness))
    if thin >= THIN:
        return None, (
            f"whole images: their things are about {middle:.0f} pixels thick and still "
            f"{thin:.0f} or more where the longest side is {FIRST_SIZE}."
        )
    # Halves, quarters and so on: a round number tells more than an exact one.
    halvings = max(0, math.floor(math.log2(max(1.0, middle / THICK_ENOUGH))))
    return 0.5**halvings, (
        f"patches: things are about {middle:.0f} pixels thick, and the thin ones only "
        f"{thin:.0f} where the longest side of a whole image is {FIRST_SIZE}; "
        "--size keeps whole images."
    )


def plan_for_budget(
    recipe: Recipe,
    make: MakePlan,
    fingerprint: Fingerprint,
    clock: Clock,
    ending: Ending,
    judged_by: Sequence[tuple[int, int]],
    probe_of: Callable[[Plan], tuple[Probe, float]],
) -> tuple[Plan, Clock]:
    """Derives the plan that ends on time.

    Args:
        recipe: What the user asks, with a budget.
        make: Makes the plan of a recipe without one.
        fingerprint: What was measured of the training part.
        clock: The budget, running.
        ending: What is to be done at the end.
        judged_by: `(height, width)` of the images that every epoch is judged by.
        probe_of: Builds a plan's network to measure it, and says how long building took.

    Returns:
        The plan, and the clock with the time that the end needs set aside.

    Raises:
        ArgumentError: If the budget is too short for anything.
    """
    recipe = replace(recipe, batch_size=recipe.batch_size or BATCH_SIZE)
    why_scale = ""
    if recipe.scale is None and recipe.size is None:
        scale, why_scale = choose_scale(fingerprint)
        recipe = replace(recipe, scale=scale)
    first = make(recipe)
    probe, building = probe_of(first)
    sizes = _sizes_for(recipe, first, fingerprint)
    plans = {size: make(replace(recipe, size=size)) for size in sizes}
    speeds: dict[int, Speed] = {}

    def shown(size: int) -> float:
        """Measures a size; returns how many images or patches a training at it would show."""
        speeds[size] = probe(size)
        reserve = ending.seconds(plans[size], speeds[size], building)
        steps = SHARE_OF_STEPS * (clock.left - reserve) / speeds[size].step
        return steps * first.batch_size

    size = _choose_size(sizes, shown)
    plan, speed = plans[size], speeds[size]
    reserve = ending.seconds(plan, speed, building)
    # Measuring a size in vain has taken time too.
    seconds = SHARE_OF_STEPS * (clock.left - reserve)
    steps = round(seconds / speed.step)
    if steps < FEWEST_STEPS:
        needed = clock.spent + reserve + FEWEST_STEPS * speed.step / SHARE_OF_STEPS
        smallest = 5 * math.ceil(1.1 * needed / 5)
        raise ArgumentError(
            "--budget",
            f"at least {smallest}s for these images on this machine",
            f"{clock.budget:g}s, of which {max(0.0, seconds):.0f} are left for learning",
            f"Try --budget {smallest}s.",
        )
    looks = len(judged_by) if plan.pixels is None else count_windows(judged_by, plan.pixels)
    judging = KEEPING + looks * speed.look
    epoch = max(LOOKS_APART * judging, seconds / MOST_EPOCHS)
    steps_per_epoch = min(steps, max(1, round(epoch / speed.step)))
    measured = ", ".join(
        f"{first.batch_size / speeds[each].step:.0f} at {each}" for each in sorted(speeds)
    )
    what = "images" if plan.pixels is None else "patches"
    passes = ""
    if plan.pixels is None:
        rounds = steps * plan.batch_size / max(1, ending.num_train)
        passes = (
            f", each of {counted(ending.num_train, 'image')} about {max(1, round(rounds))} times"
        )
    reasons = (
        *((why_scale,) if why_scale else ()),
        *plan.reasons,
        f"size {size}: this machine learns from {measured} pixels a side, in {what} a second; "
        f"{steps * plan.batch_size:,} of them fit into the budget{passes}.",
        f"budget {duration(clock.budget)}: {duration(clock.spent)} are spent, "
        f"{duration(reserve)} are kept for model files, scores and report.",
    )
    plan = replace(
        plan,
        pace=Pace.even(steps),
        steps_per_epoch=steps_per_epoch,
        warm_up_steps=max(1, round(steps * SHARE_OF_WARM_UP)) if plan.warm_up_steps else 0,
        average_every=min(4, steps_per_epoch) if plan.average_every else 0,
        average_horizon=max(1, round(steps * SHARE_OF_AVERAGE)),
        reasons=reasons,
    )
    return plan, replace(clock, reserve=reserve)


def _choose_size(sizes: Sequence[int], shown: Callable[[int], float]) -> int:
    """Finds the largest size at which a training shows enough, or else the smallest of all.

    A step takes about as long as its area is large. That tells which sizes are worth measuring;
    on a slow machine measuring all of them would use up the budget.

    Args:
        sizes: The sizes, smallest first.
        shown: Measures a size, and says how many images or patches a training would show.
    """
    place = max(0, sum(size <= FIRST_SIZE for size in sizes) - 1)
    many = shown(sizes[place])
    while many < ENOUGH and place > 0:
        fitting = sizes[place] * math.sqrt(max(0.0, many) / ENOUGH)
        place = max(0, sum(size <= fitting for size in sizes[:place]) - 1)
        many = shown(sizes[place])
        if many >= ENOUGH:
            return sizes[place]
    size = sizes[place]
    for larger in sizes[place + 1 :]:
        if many * (size / larger) ** 2 < WORTH_MEASURING * ENOUGH:
            break
        many_of_larger = shown(larger)
        if many_of_larger < ENOUGH:
            break
        size, many = larger, many_of_larger
    return size


def _sizes_for(recipe: Recipe, first: Plan, fingerprint: Fingerprint) -> list[int]:
    """Lists the sizes worth measuring, smallest first."""
    if recipe.size is not None:
        return [first.size]
    longest = max(max(height, width) for height, width, _ in fingerprint.sizes)
    seen = math.ceil(longest * (first.pixels.scale if first.pixels else 1.0))
    # Up to the first size that holds the whole image: nothing is gained beyond.
    fitting = [size for size in SIZES if size < seen]
    fitting += [size for size in SIZES if size >= seen][:1]
    stride = first.model.stride
    return sorted({math.ceil(size / stride) * stride for size in fitting})
