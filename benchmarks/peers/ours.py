"""fewmask itself: `fewmask train FOLDER --budget`, like anybody would type it."""

import shutil
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from task import Predict, Task, run_tool

import fewmask
from fewmask.cli.keras_model import load_keras_model


def train(task: Task) -> Predict:
    """Runs the command and loads what it left."""
    given = task.out / "given"
    hand_over(task, given)
    command = [sys.executable, "-m", "fewmask", "train", str(given)]
    command += ["--budget", f"{60 * task.minutes - task.seconds_used():.0f}s"]
    command += ["--seed", str(task.seed), "--name", "quality"]
    command += ["--scratch"] if task.scratch else []
    subprocess.run(command, cwd=task.out, check=True)
    predictor = fewmask.load(task.out / "runs" / "quality", keras_model=load_keras_model)

    def predict(path: Path) -> np.ndarray:
        return predictor.predict(path, probabilities=False).label_map

    return predict


def hand_over(task: Task, given: Path) -> None:
    """Makes the folder to train on: the whole training part, and stand-ins for a test part.

    A training always keeps images back to report on. Here that is `quality.py`'s business, so
    that copies of training images take their place: nothing is lost to learn from, and scoring
    them takes the minutes that it would take anyway. What they score is not looked at.
    """
    for folder in ("images", "masks"):
        shutil.copytree(task.folder / folder, given / folder)
    shutil.copyfile(task.folder / "fewmask.toml", given / "fewmask.toml")
    samples = task.samples()
    rows = ["part,image,mask"]
    rows += [f"train,images/{image.name},masks/{mask.name}" for image, mask in samples]
    for number, (image, mask) in enumerate(islice(cycle(samples), task.num_test)):
        names = f"images/stand-in-{number}{image.suffix}", f"masks/stand-in-{number}.png"
        shutil.copyfile(image, given / names[0])
        shutil.copyfile(mask, given / names[1])
        rows.append(f"test,{names[0]},{names[1]}")
    (given / "split.csv").write_text("\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    run_tool(train, ("keras", "torch"))
