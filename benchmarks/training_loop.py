"""Compares our training loop with a hand-written PyTorch loop of the same U-Net.

Ours is the whole of it: pictures read from the copies on disk, augmented in a thread, Keras' fit
with every callback, checkpoints, averaged weights. The other is written by hand in plain PyTorch,
modules and loop, and is handed tensors that are in memory already. Both take turns, and the
figure is the ratio of their medians.

    python benchmarks/training_loop.py [--size 192] [--width 16] [--rounds 3]
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from machine import describe_machine
from torch import nn
from torch.nn import functional

from fewmask.data.fingerprint import take_fingerprint
from fewmask.data.frame_copies import make_copies
from fewmask.packages.load import load_dataset
from fewmask.run import create_run
from fewmask.training.checkpoint import State
from fewmask.training.events import EpochDone
from fewmask.training.fit import fit
from fewmask.training.plan import Plan, make_plan
from fewmask.training.recipe import make_recipe

IMAGES = 72
BATCH = 4


class Block(nn.Sequential):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


class HandWritten(nn.Module):
    """The U-Net of `fewmask.models.unet` in PyTorch's own modules."""

    def __init__(self, width: int, depth: int, plan: Plan) -> None:
        super().__init__()
        self.mean = torch.tensor(plan.model.mean).reshape(1, -1, 1, 1)
        self.std = torch.tensor(plan.model.std).reshape(1, -1, 1, 1)
        self.stem = None
        before = 3
        if plan.model.stem_stride == 2:
            self.stem = Block(3, width)
            self.stem[0].stride = (2, 2)
            before = width
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            nn.Sequential(Block(first, each), Block(each, each))
            for first, each in zip([before, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            nn.Sequential(Block(each + 2 * each, each), Block(each, each)) for each in widths[:-1]
        )
        self.head = (
            nn.ConvTranspose2d(width, 1, 2, 2) if self.stem is not None else nn.Conv2d(width, 1, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) / self.std
        if self.stem is not None:
            x = self.stem(x)
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.down[-1](x)
        for block, skip in zip(reversed(self.up), reversed(skips), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0), skip], 1))
        return self.head(x)


def hand_written_loop(network: HandWritten, images: torch.Tensor, masks: torch.Tensor) -> float:
    """Trains one pass over tensors in memory; returns images a second."""
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    began = time.perf_counter()
    for start in range(0, len(images), BATCH):
        truth = masks[start : start + BATCH]
        logits = network(images[start : start + BATCH])[:, 0]
        chance = torch.sigmoid(logits)
        dice = (2 * (chance * truth).sum() + 1) / (chance.sum() + truth.sum() + 1)
        loss = functional.binary_cross_entropy_with_logits(logits, truth) + 1 - dice
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    return len(images) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch", "opencv-python-headless")))

    dataset = load_dataset("demo/chairs")[:IMAGES]
    recipe = make_recipe(
        model="unet", size=asked.size, width=asked.width, epochs=2, batch_size=BATCH
    )
    plan = make_plan(
        recipe,
        take_fingerprint(dataset),
        num_train=IMAGES,
        num_classes=2,
        weights_at_hand=False,
        data_format="channels_first",
    )
    plan = replace(plan, schedule="constant")
    ours, steps, waiting, peer = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        copies = make_copies(dataset, Path(folder), 2 * plan.size, 3, (0, 255))
        network = HandWritten(asked.width, plan.model.depth, plan)
        generator = np.random.default_rng(0)
        shape = (IMAGES, 3, plan.size, plan.size)
        images = torch.tensor(generator.integers(0, 256, shape).astype(np.float32))
        masks = torch.tensor(
            generator.integers(0, 2, (IMAGES, plan.size, plan.size)).astype(np.float32)
        )
        hand_written_loop(network, images[:BATCH], masks[:BATCH])
        for number in range(asked.rounds):
            rows: list[dict[str, float]] = []
            waited = fit(
                plan,
                copies,
                range(IMAGES),
                range(0),
                dataset.classes,
                create_run(f"round-{number}", Path(folder) / "runs"),
                State(),
                None,
                lambda event, rows=rows: (
                    rows.append(event.row) if isinstance(event, EpochDone) else None
                ),
            )
            # The first epoch carries what is built once; a training has many more.
            steps.append(rows[-1]["images_per_second"])
            ours.append(IMAGES / (rows[-1]["seconds"] - rows[-2]["seconds"]))
            waiting.append(waited)
            peer.append(hand_written_loop(network, images, masks))
            print(
                f"round {number + 1}: fewmask {steps[-1]:.2f} images/s, by hand {peer[-1]:.2f}, "
                f"waited {waited:.1%}"
            )
        copies.close()
    by_hand = statistics.median(peer)
    print(f"U-Net of width {asked.width} at {plan.size} × {plan.size}, batch {BATCH}")
    print(f"by hand, tensors in memory: {by_hand:.2f} images/s")
    for what, measured in (
        ("fewmask, its steps (data, augmentation, callbacks)", steps),
        ("fewmask, whole epochs (checkpoints and sample images too)", ours),
    ):
        speed = statistics.median(measured)
        print(f"{what}: {speed:.2f} images/s, ratio {speed / by_hand:.2f}")
    print(f"waiting for data: {statistics.median(waiting):.1%} of the time")


if __name__ == "__main__":
    main()
