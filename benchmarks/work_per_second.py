"""Says which share of this machine's arithmetic a training step uses, and where the rest goes.

    python benchmarks/work_per_second.py [--model unet mobilenet_v2] [--size 256] [--batch-size 8]

The yardstick is the product of two square matrices of float32, by torch or by NumPy, whichever is
faster here. The work is the multiply-adds of the convolutions of a step: forwards as
torch counts them, and twice as many backwards, for the images and for the kernels. All else that a
step does counts as no work at all. The goal is 0.60. Below it stands what the time of a step is
spent on, by torch's profiler. Where this machine learns faster in bfloat16, both are measured, in
turns.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from machine import describe_machine
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

import fewmask
from fewmask.data.fingerprint import take_fingerprint
from fewmask.models.backend import fast_data_format
from fewmask.models.precision import fast_precision
from fewmask.models.pretrained import find_weights
from fewmask.training.network import make_network
from fewmask.training.recipe import make_recipe
from fewmask.training.usual_plan import make_plan

SIDE = 2048
"""Side of the matrices; larger ones are not faster."""
TURNS = 5
"""How often each precision is measured; the fastest step counts, since other work only adds."""
KINDS = (
    ("convolution_backward", "convolutions, backwards"),
    ("convolution", "convolutions, forwards"),
    ("native_batch_norm", "normalisation"),
    ("native_group_norm", "normalisation"),
    ("optimizer", "optimiser"),
    ("_foreach", "optimiser"),
    ("adam", "optimiser"),
    ("upsample", "doubling"),
    ("cat", "joining"),
)
"""What torch's operations are put together as; the first name that an operation's holds decides."""


def best_of(work: Callable[[], object], times: int) -> float:
    """Returns the seconds of the fastest of some runs: other work on the machine only adds."""
    work()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def product_rate() -> float:
    """Returns the multiply-adds a second of a matrix product."""
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    by_torch = best_of(lambda: left @ right, 10)
    by_numpy = best_of(lambda: left.numpy() @ right.numpy(), 10)
    return SIDE**3 / min(by_torch, by_numpy)


def training_step(
    model: str, size: int, batch_size: int, precision: str
) -> tuple[Callable[[], object], float]:
    """Builds the network that a plan for the demo would have.

    Returns:
        A step of it on random images, and the multiply-adds of that step.
    """
    dataset = fewmask.load_dataset("demo/chairs")
    weights = find_weights(model) if model != "unet" else None
    plan = make_plan(
        make_recipe(model=model, size=size, batch_size=batch_size),
        take_fingerprint(dataset),
        num_train=len(dataset),
        num_classes=2,
        weights_at_hand=weights is not None,
        data_format=fast_data_format(),
        precision=precision,
    )
    core = make_network(plan, weights)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch_size, size, size, 3)).astype(np.float32)
    masks = rng.integers(0, 2, images.shape[:3]).astype(np.uint8)
    if plan.data_format == "channels_first":
        images = images.transpose(0, 3, 1, 2)
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        core(images, training=True)
    # Two operations each, and the counter takes no notice of groups on the way back.
    return lambda: core.train_on_batch(images, masks), 3 * counted.get_total_flops() / 2


def spent_on(step: Callable[[], object]) -> Counter[str]:
    """Returns the seconds of a step by kind of operation."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        step()
    spent: Counter[str] = Counter()
    for event in profiled.key_averages():
        kind = next((name for part, name in KINDS if part in event.key.lower()), "all else")
        spent[kind] += event.self_cpu_time_total / 1e6
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["unet", "mobilenet_v2"])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=8)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    precisions = sorted({"float32", fast_precision()}, reverse=True)
    for model in asked.model:
        rate = product_rate()
        steps = {
            each: training_step(model, asked.size, asked.batch_size, each) for each in precisions
        }
        seconds = dict.fromkeys(precisions, math.inf)
        for each in precisions * TURNS:
            seconds[each] = min(seconds[each], best_of(steps[each][0], 2))
        for each, (step, work) in steps.items():
            print(
                f"{model}, {asked.batch_size} images of {asked.size} × {asked.size} a step, "
                f"{each}: {work / 1e9:.1f} billion multiply-adds in {seconds[each]:.3f} s, "
                f"{work / seconds[each] / 1e9:.0f} a second of {rate / 1e9:.0f}: "
                f"{work / seconds[each] / rate:.2f}"
            )
            spent = spent_on(step)
            whole = sum(spent.values())
            for kind, part in spent.most_common():
                print(f"  {part / whole:4.0%} {kind}")


if __name__ == "__main__":
    main()
