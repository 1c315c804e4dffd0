"""Compares the three FCNs with the U-Net on the same pretrained encoder, and draws what they find.

    python benchmarks/fcn.py [FOLDER or demo/chairs] [--epochs 10] [--size 192] [--out fcn.jpg]

All are trained as `fewmask train --model fcn8` does it, on the same images, and scored on the
test part, which chooses nothing. Drawn are the first five test images: a row each, the mask, then
what each network finds.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from machine import describe_machine

import fewmask
from fewmask.data.imageio import encode_jpeg, resize
from fewmask.inference.outputs import Prediction

MODELS = ("fcn32", "fcn16", "fcn8", "mobilenet_v2")
SIDE, GAP, COUNT = 150, 2, 5


def square(image):
    """Fits an image into a white square."""
    height, width = (max(1, side * SIDE // max(image.shape[:2])) for side in image.shape[:2])
    top, left = GAP + (SIDE - height) // 2, GAP + (SIDE - width) // 2
    field = np.full((SIDE + 2 * GAP, SIDE + 2 * GAP, 3), 255, np.uint8)
    field[top : top + height, left : left + width] = resize(image, height, width, smooth=True)
    return field


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", default="demo/chairs")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--out", type=Path, default=Path("fcn.jpg"))
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    dataset = fewmask.load_dataset(asked.dataset)
    shown = [index for index, row in enumerate(dataset) if row["part"] == "test"][:COUNT]
    columns = []
    for model in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            run = fewmask.train(
                dataset,
                runs=Path(folder),
                model=model,
                size=asked.size,
                epochs=asked.epochs,
                listener=lambda event: None,
            )
            pretrained = run.plan()["model"].get("weights", "nothing")
            scores, seconds = run.read_json("scores.json"), run.read_json("run.json")["seconds"]
            low, high = scores["interval"]
            print(
                f"{asked.dataset}, {model} from {pretrained}, {asked.epochs} epochs in "
                f"{seconds:.0f} s: mean Dice {scores['mean_dice']:.3f} ({low:.2f} to {high:.2f})",
                flush=True,
            )
            predictor = fewmask.load(run)
            found = [predictor.predict(dataset.image_path(index)) for index in shown]
        if not columns:
            masks = [
                Prediction(prediction.image, dataset.read_mask(index), prediction.classes)
                for index, prediction in zip(shown, found, strict=True)
            ]
            columns.append(np.concatenate([square(mask.overlay()) for mask in masks]))
        columns.append(np.concatenate([square(prediction.overlay()) for prediction in found]))
    asked.out.write_bytes(encode_jpeg(np.concatenate(columns, axis=1)))
    print(f"Look at {asked.out}")


if __name__ == "__main__":
    main()
