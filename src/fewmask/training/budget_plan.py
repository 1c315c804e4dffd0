"""The plan of a training with a budget: what this machine can do in the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from fewmask.data.fingerprint import Fingerprint
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError
from fewmask.training.clock import Clock
from fewmask.training.ending import Ending
from fewmask.training.events import duration
from fewmask.training.machine import MIRRORED, SHARE_OF_STEPS, Machine
from fewmask.training.pace import Pace
from fewmask.training.plan import Plan
from fewmask.training.probe import OutOfMemory, Probe, Speed
from fewmask.training.recipe import Recipe
from fewmask.training.scale_choice import choose_scale
from fewmask.training.size_choice import choose_size, sizes_for
from fewmask.training.usual_plan import LEARNING_RATE, SHARE_OF_AVERAGE, SHARE_OF_WARM_UP
from fewmask.training.windows import count_windows

MakePlan: TypeAlias = Callable[[Recipe], Plan]

FEWEST_STEPS = 20

MANY_PASSES, FEW_PASSES = 45, 15
"""From so often seeing each image on the learning rate is the usual one; up to so often it is three
times that, and in between falls as the passes rise."""

NETWORKS = 5
"""Networks that are trained where there is time for several, each on four fifths of the images."""
BY_HEART = 60
"""Times that each of several networks must see its images. Below that one network does as well in
their time, and predicts several times as fast."""
WORTH_NETWORKS, WORTH_THEIR_SCORE = 300.0, 1200.0
"""Seconds of a budget from which on there may be several, and from which on they need not be that
far: that every training image can be scored is worth it too."""
FEWEST_GROUPS = 2 * NETWORKS
"""Groups of training images, or single ones, that can be dealt into so many parts."""

LOOKS_APART = 12
"""An epoch is so many times as long as it takes to judge it and to keep it."""
KEEPING = 0.5
"""Seconds of keeping an epoch: the state, the samples, the curve."""
MOST_EPOCHS = 40


def plan_for_budget(
    recipe: Recipe,
    make: MakePlan,
    fingerprint: Fingerprint,
    clock: Clock,
    ending: Ending,
    judged_by: Sequence[tuple[int, int]],
    probe_of: Callable[[Plan], tuple[Probe, float]],
    groups: int,
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
        groups: How many groups of images, or single ones, the training part could be dealt into.

    Returns:
        The plan, and the clock with the time that the end needs set aside, and at which pace.

    Raises:
        ArgumentError: If the budget is too short for anything.
    """
    why: tuple[str, ...] = ()
    if recipe.scale is None and recipe.size is None:
        scale, why_scale = choose_scale(fingerprint)
        recipe, why = replace(recipe, scale=scale), (why_scale,)
    first = make(recipe)
    sizes = [first.size] if recipe.size is not None else sizes_for(first, fingerprint)
    least = BY_HEART if clock.budget < WORTH_THEIR_SCORE else FEW_PASSES
    most = NETWORKS if clock.budget >= WORTH_NETWORKS and groups >= FEWEST_GROUPS else 1
    while True:
        plans = {size: make(replace(recipe, size=size)) for size in sizes}
        try:
            # Of a U-Net the largest is the deepest: smaller ones take less time than is measured.
            machine = Machine(plans, clock, ending, *probe_of(plans[sizes[-1]]))
            size, networks = _choose_size_and_networks(machine, most, least, fingerprint)
            break
        except OutOfMemory as error:
            batch_size = plans[sizes[0]].batch_size
            if batch_size == 1:
                raise ArgumentError(
                    "memory",
                    "room for one image a step",
                    "none left",
                    "Try a smaller --size or --width.",
                ) from error
            recipe = replace(recipe, batch_size=batch_size // 2)
            why = (*why, f"batch size {batch_size // 2}: {batch_size} do not fit into the memory.")
    plan, speed = plans[size], machine.speeds[size]
    reserve = machine.reserve(size, networks)
    seconds = machine.seconds(size, networks)
    steps = round(seconds / speed.step)
    if steps < FEWEST_STEPS:
        learning = FEWEST_STEPS * speed.step / SHARE_OF_STEPS
        smallest = 5 * math.ceil(1.1 * (clock.spent + reserve + learning) / 5)
        raise ArgumentError(
            "--budget",
            f"at least {smallest}s for these images on this machine",
            f"{clock.budget:g}s, of which {max(0.0, seconds):.0f} are left for learning",
            f"Try --budget {smallest}s.",
        )
    judged = judged_by if networks == 1 else ending.learnt_from[::networks]
    looks = len(judged) if plan.pixels is None else count_windows(judged, plan.pixels)
    judging = KEEPING + looks * speed.look
    epoch = max(LOOKS_APART * judging, seconds / MOST_EPOCHS)
    steps_per_epoch = min(steps, max(1, round(epoch / speed.step)))
    passes = steps * plan.batch_size / _in_one_pass(plan, fingerprint, networks)
    if networks > 1:
        why = (*why, _why_networks(networks, clock.budget, passes))
    # A network with a rate of its own keeps it, however often its images come.
    if recipe.learning_rate is None and plan.learning_rate == LEARNING_RATE:
        rate = learning_rate_for(passes)
        plan = make(replace(recipe, size=size, learning_rate=rate))
        why = (*why, _why_learning_rate(rate, passes))
    pace = Pace.even(steps)
    try_mirrored = machine.tries_mirrored(size, networks)
    if not try_mirrored:
        why = (*why, _WHY_NOT_MIRRORED)
    if speed.threads:
        why = (*why, _why_threads(speed.threads))
    plan = replace(
        plan,
        threads=speed.threads,
        try_mirrored=try_mirrored,
        pace=pace,
        later_paces=(pace,) * (networks - 1),
        steps_per_epoch=steps_per_epoch,
        warm_up_steps=max(1, round(steps * SHARE_OF_WARM_UP)) if plan.warm_up_steps else 0,
        average_every=min(4, steps_per_epoch) if plan.average_every else 0,
        average_horizon=max(1, round(steps * SHARE_OF_AVERAGE)),
        reasons=(
            *why,
            *plan.reasons,
            _why_size(plan, steps, networks, machine.speeds),
            f"budget {duration(clock.budget)}: {duration(clock.spent)} are spent, "
            f"{duration(reserve)} are kept for model files, scores and report.",
        ),
    )
    return plan, replace(clock, reserve=reserve, step=speed.step)


_WHY_NOT_MIRRORED = (
    "each image is looked at once: there are so many test images that their mirror images would "
    f"take more than {MIRRORED:.0%} of the budget, and more steps bring more."
)


def _choose_size_and_networks(
    machine: Machine, most: int, least_passes: float, fingerprint: Fingerprint
) -> tuple[int, int]:
    """Finds the size, and whether there is time for several networks of it to learn enough."""
    shown = partial(machine.shown, networks=most)
    size = choose_size(tuple(machine.plans), shown, machine.has_time_to_measure)
    if most > 1:
        in_one_pass = _in_one_pass(machine.plans[size], fingerprint, most)
        if machine.shown(size, most) < least_passes * in_one_pass:
            return _choose_size_and_networks(machine, 1, 0, fingerprint)
    return size, most


def learning_rate_for(passes: float) -> float:
    """Chooses the highest learning rate of a training.

    Images that come a few times only are hardly learnt at the usual rate; images that come many
    times are soon known by heart at a higher one: benchmarks/budget_choices.py.

    Args:
        passes: How often each image is seen.

    Example:

    >>> learning_rate_for(100), learning_rate_for(20), learning_rate_for(3)
    (0.001, 0.00225, 0.003)
    """
    within = min(max(passes, FEW_PASSES), MANY_PASSES)
    return float(f"{LEARNING_RATE * MANY_PASSES / within:.3g}")


def _why_learning_rate(rate: float, passes: float) -> str:
    times = counted(max(1, round(passes)), "time")
    return (
        f"learning rate {rate:g}: each image comes about {times}; "
        "the less often, the more is learnt from it at once."
    )


def _in_one_pass(plan: Plan, fingerprint: Fingerprint, networks: int) -> float:
    """Returns how many images a network learns from, or how many patches cover them."""
    share = 1.0 if networks == 1 else 1.0 - 1.0 / networks
    if plan.pixels is None:
        return share * sum(count for *_, count in fingerprint.sizes)
    scale = plan.pixels.scale
    area = sum(height * width * count for height, width, count in fingerprint.sizes)
    return max(1.0, share * area * scale**2 / plan.size**2)


def _why_networks(networks: int, budget: float, passes: float) -> str:
    return (
        f"{networks} networks: {duration(budget)} are enough for each of them to see its images "
        f"about {round(passes)} times; each leaves out another part of the training images and is "
        "judged by it."
    )


def _why_threads(threads: int) -> str:
    return (
        f"{counted(threads, 'thread')}: with more of them, which wait for each other, a step took "
        "longer when this machine was measured."
    )


def _why_size(plan: Plan, steps: int, networks: int, speeds: Mapping[int, Speed]) -> str:
    """Says what the machine can do, and how much of it fits into the budget."""
    rates = ", ".join(
        f"{plan.batch_size / speeds[size].step:.0f} at {size}" for size in sorted(speeds)
    )
    what = "images" if plan.pixels is None else "patches"
    for_each = "" if networks == 1 else " for each network"
    return (
        f"size {plan.size}: this machine learns from {rates} pixels a side, in {what} a second; "
        f"{steps * plan.batch_size:,} of them fit into the budget{for_each}."
    )
