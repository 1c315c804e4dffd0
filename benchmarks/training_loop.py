"""Compares our training loop with a hand-written PyTorch loop of the same network.

Ours is the whole of it: pictures read from the copies on disk, augmented in a thread, Keras' fit
with every callback, checkpoints, averaged weights. The other is written by hand in plain PyTorch,
modules and loop, and is handed tensors that are in memory already, channels side by side. Both
take turns, and the figure is the ratio of their medians. Of MobileNetV2 the weights are random and
the normalisations frozen, as they are where it starts pretrained.

    python benchmarks/training_loop.py [--size 192] [--width 16] [--batch-size 4] [--rounds 3]
        [--model mobilenet_v2] [--decoder pyramid] [--decoder-convs 1]
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hand_written import HandWritten
from machine import describe_machine
from torch.nn import functional

from fewmask.data.fingerprint import take_fingerprint
from fewmask.data.frame_copies import make_copies
from fewmask.packages.load import load_dataset
from fewmask.run import create_run
from fewmask.training.checkpoint import State
from fewmask.training.events import EpochDone
from fewmask.training.fit import fit
from fewmask.training.recipe import make_recipe
from fewmask.training.usual_plan import make_plan

IMAGES = 72


def hand_written_loop(
    network: HandWritten, images: torch.Tensor, masks: torch.Tensor, batch_size: int
) -> float:
    """Trains one pass over tensors in memory; returns images a second."""
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)
    began = time.perf_counter()
    for start in range(0, len(images), batch_size):
        truth = masks[start : start + batch_size]
        logits = network(images[start : start + batch_size])[:, 0]
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
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--model", choices=("unet", "mobilenet_v2"), default="unet")
    parser.add_argument("--decoder", choices=("unet", "pyramid"), default="unet")
    parser.add_argument("--decoder-convs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch", "opencv-python-headless")))

    dataset = load_dataset("demo/chairs")[:IMAGES]
    recipe = make_recipe(
        model=asked.model,
        size=asked.size,
        width=asked.width,
        epochs=2,
        batch_size=asked.batch_size,
    )
    plan = make_plan(
        recipe,
        take_fingerprint(dataset),
        num_train=IMAGES,
        num_classes=2,
        weights_at_hand=True,
        data_format="channels_first",
    )
    spec = replace(plan.model, decoder=asked.decoder, decoder_convs=asked.decoder_convs)
    plan = replace(plan, schedule="constant", model=spec)
    ours, steps, waiting, peer = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        copies = make_copies(dataset, Path(folder), 2 * plan.size, 3, (0, 255))
        network = HandWritten(spec)
        generator = np.random.default_rng(0)
        shape = (IMAGES, plan.size, plan.size, 3)
        images = torch.tensor(generator.integers(0, 256, shape).astype(np.float32))
        images = images.permute(0, 3, 1, 2)
        masks = torch.tensor(
            generator.integers(0, 2, (IMAGES, plan.size, plan.size)).astype(np.float32)
        )
        hand_written_loop(network, images, masks, asked.batch_size)
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
            peer.append(hand_written_loop(network, images, masks, asked.batch_size))
            print(
                f"round {number + 1}: fewmask {steps[-1]:.2f} images/s, by hand {peer[-1]:.2f}, "
                f"waited {waited:.1%}"
            )
        copies.close()
    by_hand = statistics.median(peer)
    print(
        f"{spec.name}, decoder {spec.decoder}, width {spec.width} at {plan.size} × {plan.size}, "
        f"batch {plan.batch_size}"
    )
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
