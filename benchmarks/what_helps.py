"""Measures what augmentation and a pretrained encoder bring, each in the same minutes.

    python benchmarks/what_helps.py --data FOLDER [--minutes 5] [--seeds 2] [--only ROW ...]

Five rows: the network of 2017 with its recipe (`examples/chairs_2017.py`), the U-Net of fewmask
that begins at random, without and with augmentation, and the one with a pretrained encoder,
likewise. All train on the same images, choose by the same images cut from them, and are scored
once, by `fewmask.evaluate`, on the test part, which chooses nothing.

How many epochs fill the minutes is found beforehand from the speed of a few steps, and fixed.
Every row and seed is a process of its own, and what it found is a line in `what_helps.csv`: killed,
this goes on when started again, a training after its last whole epoch. Scores that are there are
not measured again; delete their lines, and the folder below `--work`, to have them again. At the
end the tables in the documentation are written anew, and six test images are drawn. Pretrained
weights must be in Keras' cache, or a network at hand.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from machine import count_cores, name_commit, name_processor
from marked_page import around_markers, write_between
from score_file import add_score, read_scores
from what_helps_page import (
    KEY,
    PRETRAINED,
    ROWS,
    SCRIPT,
    cell_name,
    draw_sheet,
    picture_of,
    read_label_maps,
    shown_places,
    tables,
)

import fewmask
from fewmask.bundle import Bundle
from fewmask.data.parts import Parts, assign_parts
from fewmask.data.wording import counted
from fewmask.files import whole_file, write_text
from fewmask.inference.predict import Predictor
from fewmask.models.backend import keras
from fewmask.models.pretrained import find_weights
from fewmask.scale import Frame
from fewmask.training.events import EpochDone, Event, print_events
from fewmask.training.lock import locked

ROOT = Path(__file__).parents[1]
SCORES = Path(__file__).with_suffix(".csv")
PAGE = ROOT / "docs" / "explanation" / "what-augmentation-and-pretraining-bring.md"
DEMO = "demo/chairs"
WORK = Path("runs") / "what-helps"


class Trained(NamedTuple):
    """A model, and what it took.

    Args:
        predictor: The model.
        epochs: Epochs that it was trained for.
        seconds: What they took, judging and saving included.
    """

    predictor: Predictor
    epochs: int
    seconds: float


class Measured(Exception):
    """Enough epochs were trained to know how long one takes."""


def train_ours(
    name: str, dataset: fewmask.Dataset, epochs: int, seed: int, folder: Path
) -> Trained:
    """Trains by `fewmask.train`, or goes on where it was killed."""
    if (folder / "plan.toml").exists():
        run = fewmask.resume(folder, dataset)
    else:
        # A kill came before there was anything to go on from.
        shutil.rmtree(folder, ignore_errors=True)
        asked = options_of(name)
        run = fewmask.train(
            dataset, name=folder.name, runs=folder.parent, epochs=epochs, seed=seed, **asked
        )
    facts = run.read_json("run.json")
    if facts["state"] != "finished":
        raise KeyboardInterrupt
    return Trained(fewmask.load(run), int(facts["epochs"]), float(facts["seconds"]))


def options_of(name: str) -> dict[str, Any]:
    """Returns what a row asks of `fewmask.train`; everything else is as fewmask chooses it."""
    row = ROWS[name]
    if row.begins == PRETRAINED and find_weights(str(row.model)) is None:
        sys.exit(f"{name}: its pretrained weights are neither in Keras' cache nor to be had.")
    return {"model": row.model, "augment": row.augment}


def time_ours(name: str, dataset: fewmask.Dataset) -> float:
    """Measures seconds an epoch, on the second one: the first builds things."""
    ends: list[float] = []

    def listen(event: Event) -> None:
        print_events(event)
        if isinstance(event, EpochDone):
            ends.append(event.row["seconds"])
            if len(ends) == 2:
                raise Measured

    with tempfile.TemporaryDirectory() as runs, suppress(Measured):
        fewmask.train(dataset, runs=runs, listener=listen, **options_of(name))
    return ends[1] - ends[0]


def train_as_in_2017(parts: Parts, epochs: int, seed: int, folder: Path) -> Trained:
    """Trains by the script of 2017, or goes on where it was killed.

    One thing is changed: its callbacks watch the images that fewmask, too, cuts from the training
    images to choose by. In 2017 they watched the 20 that the score was reported on.
    """
    story = load_story()
    keras.utils.set_random_seed(seed)
    story.random = np.random.default_rng(seed)
    network = story.make_network()
    bookmark = story.train(network, parts.train, parts.validation, folder, epochs)

    def model(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        label_map = story.predict(network, image)
        return label_map, np.stack([1 - label_map, label_map], axis=2).astype(np.float32)

    bundle = Bundle(parts.test.classes, Frame(story.SIZE))
    return Trained(Predictor(bundle, model), bookmark.epoch, bookmark.seconds)


def time_2017(parts: Parts) -> float:
    """Estimates seconds an epoch from some steps; the first, which build things, do not count."""
    story = load_story()
    network = story.make_network()
    batches = parts.train.to_keras("image", "mask", 1, story.train_process)
    image, mask = next(batches)
    step = median_time(lambda: network.train_on_batch(image, mask))
    look = median_time(lambda: network.test_on_batch(image, mask))
    return len(parts.train) * step + len(parts.validation or ()) * look


def median_time(work: Callable[[], Any]) -> float:
    """Measures seconds, the median of five times after two."""
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds[2:])[2]


def load_story() -> Any:
    """Imports the script of 2017, which lies in no package."""
    path = ROOT / "examples" / "chairs_2017.py"
    spec = importlib.util.spec_from_file_location("chairs_2017", path)
    assert spec is not None
    assert spec.loader is not None
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    return story


def seconds_per_epoch(name: str, dataset: fewmask.Dataset, parts: Parts, notes: Path) -> float:
    """Returns what an epoch of a row takes here: measured once, for all seeds and minutes."""
    known = json.loads(notes.read_text("utf-8")) if notes.exists() else {}
    if name not in known:
        print(f"{name}: measuring how long an epoch takes.", flush=True)
        known[name] = time_2017(parts) if name == "2017" else time_ours(name, dataset)
        write_text(notes, json.dumps(known, indent=1) + "\n")
    return float(known[name])


def folder_of(dataset: fewmask.Dataset, asked: argparse.Namespace) -> Path:
    """Returns the folder of everything that is done with a dataset; makes it."""
    folder: Path = asked.work / dataset.name.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measure(name: str, seed: int, asked: argparse.Namespace) -> None:
    """Trains and scores one cell: one row with one seed."""
    dataset = fewmask.load_dataset(asked.data)
    parts = assign_parts(dataset, seed)
    folder = folder_of(dataset, asked)
    seconds = seconds_per_epoch(name, dataset, parts, folder / "seconds-per-epoch.json")
    epochs = max(1, round(60 * asked.minutes / seconds))
    print(
        f"{name}, seed {seed}: {epochs} epochs of {seconds:.1f} s fill {asked.minutes:g} minutes."
    )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    cell = folder / cell_name(name, asked.minutes, seed)
    if name == "2017":
        trained = train_as_in_2017(parts, epochs, seed, cell)
    else:
        trained = train_ours(name, dataset, epochs, seed, cell)
    evaluation = fewmask.evaluate(trained.predictor, parts.test, part="test")
    maps = {
        f"{place:04d}": trained.predictor.predict(parts.test.read_image(place)).label_map
        for place in shown_places(parts.test)
    }
    with whole_file(cell.with_name(f"{cell.name}.npz")) as beside:
        np.savez_compressed(beside, **maps)
    add_score(
        asked.scores,
        {
            "dataset": dataset.name,
            "row": name,
            "minutes": f"{asked.minutes:g}",
            "seed": str(seed),
            "mean_dice": f"{evaluation.mean_dice:.4f}",
            "low": f"{evaluation.interval.low:.4f}",
            "high": f"{evaluation.interval.high:.4f}",
            "epochs": str(trained.epochs),
            "seconds": f"{trained.seconds:.0f}",
            "images_per_second": f"{trained.epochs * len(parts.train) / trained.seconds:.2f}",
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "load": f"{load:.1f}",
            "commit": name_commit(),
            "machine": f"{name_processor()}, {counted(count_cores(), 'core')}, "
            + ", ".join(f"{each} {metadata.version(each)}" for each in ("keras", "torch")),
            "dice_of_images": " ".join(f"{row.mean_dice:.4f}" for row in evaluation.images),
        },
        KEY,
    )
    print(f"{name}, seed {seed}: {evaluation.summary_lines()[0]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=DEMO, help="folder or name of a dataset")
    parser.add_argument("--minutes", type=float, default=5.0, help="that each training is given")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each row")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows")
    parser.add_argument("--scores", type=Path, default=SCORES, help="file that scores are added to")
    parser.add_argument("--page", type=Path, default=PAGE, help="page that tables are written into")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for all else")
    parser.add_argument("--cell", nargs=2, metavar=("ROW", "SEED"), help="measure this one alone")
    asked = parser.parse_args()
    try:
        if asked.cell:
            # A parent that was killed may have left a child at work.
            with locked(fewmask.Run(folder_of(fewmask.load_dataset(asked.data), asked))):
                measure(asked.cell[0], int(asked.cell[1]), asked)
        else:
            measure_all(asked)
    except fewmask.FewmaskError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on.")


def measure_all(asked: argparse.Namespace) -> None:
    """Measures every cell that has no score yet, then shows them all."""
    # What would end it after an hour ends it now.
    around_markers(asked.page, SCRIPT)
    for name in asked.only:
        options_of(name)
    dataset = fewmask.load_dataset(asked.data)
    if not dataset.has_column("part"):
        sys.exit(f"{asked.data}: its test part must be declared, or each seed would draw another.")
    cells = [(name, seed) for seed in range(asked.seeds) for name in asked.only]
    for name, seed in cells:
        key = (dataset.name, name, f"{asked.minutes:g}", str(seed))
        if key not in {tuple(s[k] for k in KEY) for s in read_scores(asked.scores)}:
            command = [sys.executable, __file__, *sys.argv[1:], "--cell", name, str(seed)]
            if code := subprocess.run(command, check=False).returncode:
                sys.exit(code)
    sheet = draw(asked, dataset)
    write_between(asked.page, SCRIPT, tables(read_scores(asked.scores), asked.page))
    print(f"Tables: {asked.page}\nDrawing: {sheet}\nNext: make docs")


def draw(asked: argparse.Namespace, dataset: fewmask.Dataset) -> Path:
    """Draws the six test images under every row that has been trained with seed 0."""
    folder = folder_of(dataset, asked)
    sheet = picture_of(asked.page, dataset.name, asked.minutes)
    if dataset.name != DEMO:
        # The documentation shows only images that are ours to show.
        sheet = folder / sheet.name
    draw_sheet(sheet, assign_parts(dataset).test, read_label_maps(folder, asked.minutes))
    return sheet


if __name__ == "__main__":
    main()
