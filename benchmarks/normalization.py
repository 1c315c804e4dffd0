"""Compares batch with group normalisation in a U-Net that learns from nothing.

    python benchmarks/normalization.py [FOLDER or demo/chairs] [--epochs 44] [--seeds 1]

Both are trained as `fewmask train --model unet` does it, on the same images, and scored on the
test part, which chooses nothing.
"""

import argparse
import tempfile
from pathlib import Path

from machine import describe_machine

import fewmask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", default="demo/chairs")
    parser.add_argument("--epochs", type=int, default=44)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    dataset = fewmask.load_dataset(asked.dataset)
    for seed in range(asked.seeds):
        for normalization in ("group", "batch"):
            with tempfile.TemporaryDirectory() as folder:
                run = fewmask.train(
                    dataset,
                    runs=Path(folder),
                    model="unet",
                    size=192,
                    epochs=asked.epochs,
                    normalization=normalization,
                    seed=seed,
                    listener=lambda event: None,
                )
                scores = run.read_json("scores.json")
                low, high = scores["interval"]
                print(
                    f"{asked.dataset}, {asked.epochs} epochs, seed {seed}, {normalization}: mean "
                    f"Dice {scores['mean_dice']:.3f} ({low:.2f} to {high:.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
