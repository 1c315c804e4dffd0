"""The probe: how fast this machine trains a network, measured by training it for a moment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fewmask.models.backend import says_out_of_memory
from fewmask.training.network import make_network
from fewmask.training.plan import Plan

STEPS, ENOUGH = 3, 0.5
"""Steps that are measured at most, and seconds after which no other one is: the median counts, and
long steps differ little."""


@dataclass(frozen=True)
class Speed:
    """How fast a network is at one size of its input.

    Args:
        step: Seconds for one update of the weights.
        look: Seconds for the prediction of one square.
    """

    step: float
    look: float


class OutOfMemory(Exception):
    """A step does not fit into the memory of the machine, or of its accelerator."""


Probe: TypeAlias = Callable[[int], Speed]
"""Measures the network at a size of its input; raises `OutOfMemory`."""


def make_probe(plan: Plan, weights_file: Path | None) -> Probe:
    """Builds a plan's network to measure it; what it learns meanwhile is thrown away.

    Args:
        plan: The plan; its size does not matter here.
        weights_file: Pretrained weights, for the speed of which they make no difference, but
            without which no statistics are frozen.

    Returns:
        A function that measures it at any size.
    """
    core = make_network(plan, weights_file)

    def probe(size: int) -> Speed:
        rng = np.random.default_rng(0)
        shape = (plan.batch_size, size, size, plan.model.channels)
        images = rng.integers(0, 256, shape).astype(np.float32)
        if plan.data_format == "channels_first":
            images = images.transpose(0, 3, 1, 2)
        masks = rng.integers(0, plan.model.num_classes, shape[:3]).astype(np.uint8)
        # The first of each builds things and is not measured.
        try:
            core.train_on_batch(images, masks)
        except Exception as error:
            if says_out_of_memory(error):
                raise OutOfMemory from error
            raise
        step = _median_time(lambda: core.train_on_batch(images, masks))
        # Whole images are predicted one by one, the tiles of a large one many at a time.
        seen = images[:1] if plan.pixels is None else images
        core.predict_on_batch(seen)
        look = _median_time(lambda: core.predict_on_batch(seen)) / len(seen)
        return Speed(step, look)

    return probe


def _median_time(work: Callable[[], object]) -> float:
    seconds: list[float] = []
    while len(seconds) < STEPS and sum(seconds) < ENOUGH:
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
