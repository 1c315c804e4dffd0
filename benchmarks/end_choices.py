"""Compares which network becomes the model, and what its label maps leave out, on held-out images.

    python benchmarks/end_choices.py chairs97 --data FOLDER [--budget 3m] [--folds 0 1 2] [--seed 0]
        [--scratch]

Of a dataset of `datasets.toml`, the images that judge the tools are left out. The others are dealt
into three folds. On two thirds `fewmask train --budget` learns; the third that is left is scored
four times: by the network with the highest validation Dice and by the last one, with all classes
that they predict and without those that cover too little. Nothing else should run meanwhile: a
budget is spent by the clock.
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from held_out_choices import lay_out
from machine import describe_machine
from numpy.typing import NDArray
from quality_data import read_decisions

import fewmask
from fewmask.data.fingerprint import Fingerprint
from fewmask.evaluation.evaluate import evaluate
from fewmask.inference.predict import Predictor
from fewmask.models.saving import load_core
from fewmask.run import BEST
from fewmask.scale import Pixels
from fewmask.training.checkpoint import load_weights
from fewmask.training.events import EpochDone, Event
from fewmask.training.looking import look_by, model_by


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=read_decisions())
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--budget", default="3m", help="time of each training")
    parser.add_argument("--folds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scratch", action="store_true", help="begin with random weights")
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    scores: dict[str, list[float]] = defaultdict(list)
    for fold in asked.folds:
        with tempfile.TemporaryDirectory() as folder:
            lay_out(asked.dataset, asked.data, fold, Path(folder))
            for name, found in train(Path(folder), asked).items():
                scores[name] += found
        tell(f"{asked.dataset}, {asked.budget}, folds up to {fold}", scores)


def train(folder: Path, asked: argparse.Namespace) -> dict[str, list[float]]:
    """Trains, and scores the test part with all that could have become the model."""
    highest: list[NDArray[Any]] = []

    def keep_highest(event: Event) -> None:
        if isinstance(event, EpochDone) and event.better:
            highest[:] = load_weights(folder / "runs" / "one" / BEST)

    run = fewmask.train(
        folder,
        runs=folder / "runs",
        name="one",
        budget=asked.budget,
        seed=asked.seed,
        pretrained=not asked.scratch,
        listener=keep_highest,
    )
    core, _, bundle = load_core(run.folder / "model.keras")
    fingerprint = Fingerprint.from_json((run.folder / "fingerprint.json").read_text("utf-8"))
    least = fingerprint.least_areas(at_own_scale=isinstance(bundle.scale, Pixels))
    held_out = fewmask.load_dataset(folder).filter(lambda row: row.part == "test")
    scores: dict[str, list[float]] = {}
    for name, weights in (("highest", highest), ("last", load_weights(run.folder / BEST))):
        core.set_weights(weights)
        model = model_by(look_by(core, channels_first=False), bundle)
        for what, areas in (("all classes", None), ("what covers enough", least)):
            predictor = Predictor(replace(bundle, least_areas=areas), model)
            images = evaluate(predictor, held_out).images
            scores[f"{name}, {what}"] = [image.mean_dice for image in images]
    return scores


def tell(where: str, scores: dict[str, list[float]]) -> None:
    """Prints each mean Dice, and what it is above the first, with its standard error."""
    first, *_ = scores.values()
    for name, found in scores.items():
        apart = np.array(found) - np.array(first)
        apart = apart[np.isfinite(apart)]
        print(
            f"{where}, {name}: mean Dice {np.nanmean(found):.4f}, {apart.mean():+.4f} ± "
            f"{apart.std() / len(apart) ** 0.5:.4f} ({len(apart)} images)",
            flush=True,
        )


if __name__ == "__main__":
    main()
