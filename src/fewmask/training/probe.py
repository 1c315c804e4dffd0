"""The probe: how fast this machine trains a network, measured by training it for a moment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fewmask.models.backend import most_threads, says_out_of_memory, using_threads
from fewmask.training.network import make_network
from fewmask.training.plan import Plan
from fewmask.training.thread_choice import choose_threads

STEPS, ENOUGH = 3, 0.5
"""Steps that are measured at most, and seconds after which no other one is: the median counts, and
long steps differ little."""


@dataclass(frozen=True)
class Speed:
    """How fast a network is at one size of its input.

    Args:
        step: Seconds for one update of the weights.
        look: Seconds for the prediction of one square.
        threads: Over how many threads, out of more; 0 for all there are.
    """

    step: float
    look: float
    threads: int = 0


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
        A function that measures it at any size, with as many threads as are fastest at the first.
    """
    core = make_network(plan, weights_file)
    most, threads = most_threads(), 0

    def probe(size: int) -> Speed:
        nonlocal threads
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

        def step_with(count: int) -> float:
            with using_threads(count):
                return _median_time(lambda: core.train_on_batch(images, masks))

        if threads == 0:
            threads, step = choose_threads(step_with, most)
        else:
            step = step_with(threads)
        # Whole images are predicted one by one, the tiles of a large one many at a time.
        seen = images[:1] if plan.pixels is None else images
        core.predict_on_batch(seen)
        look = _median_time(lambda: core.predict_on_batch(seen)) / len(seen)
        return Speed(step, look, threads if threads < most else 0)

    return probe


def _median_time(work: Callable[[], object]) -> float:
    seconds: list[float] = []
    while len(seconds) < STEPS and sum(seconds) < ENOUGH:
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
