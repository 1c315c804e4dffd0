"""What every tool is given: images with masks to learn from, minutes, a seed.

A tool is one file beside this one that ends in `run_tool(train)`. It is started by `quality.py` as
a process of its own, in an environment of its own; its minutes begin there. `train` gets a `Task`,
which knows nothing of the test images, and returns, before the minutes are over, what predicts the
class ids of an image file. Only then are the test images predicted, each at its own size.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

Batch = TypeVar("Batch")

Predict = Callable[[Path], np.ndarray]
"""Image file → class ids `(H, W)`, at the size of the image."""


@dataclass(frozen=True)
class Task:
    """What there is to learn from, and how long.

    Args:
        folder: The folder of the training part: `images/`, `masks/` with class ids, `task.json`.
        out: Where the tool may write.
        cache: Where what it prepared by `set_up` lies.
        began: When the process was started, in seconds as `time.time` counts them.
        minutes: Minutes from then to the trained model.
        seed: Equal seeds should draw alike.
        scratch: Whether to begin at random instead of with pretrained weights.
        names: The names of the classes, in the order of their ids.
        ignore_index: Value of mask pixels that do not count, or None.
        view: `"whole"` images shrunk to one size, or `"crops"` at the images' own scale.
        num_test: How many images will be predicted in the end; nothing else is known of them.
    """

    folder: Path
    out: Path
    cache: Path
    began: float
    minutes: float
    seed: int
    scratch: bool
    names: tuple[str, ...]
    ignore_index: int | None
    view: str
    num_test: int

    @property
    def num_classes(self) -> int:
        """Number of classes, the background included."""
        return len(self.names)

    def seconds_used(self) -> float:
        """Returns the seconds since the process began."""
        return time.time() - self.began

    def seconds_left(self) -> float:
        """Returns the seconds until the model must be trained."""
        return 60 * self.minutes - self.seconds_used()

    def share_used(self) -> float:
        """Returns how much of the minutes is over, in [0, 1]: for what ends with them."""
        return min(1.0, self.seconds_used() / (60 * self.minutes))

    def while_time_lasts(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yields batches as long as one more step, taking what the last one took, is in time."""
        took = 0.0
        for batch in batches:
            began = self.seconds_used()
            if self.seconds_left() < took:
                return
            yield batch
            took = self.seconds_used() - began

    def samples(self) -> list[tuple[Path, Path]]:
        """Returns the files of each image and its mask, in the order of their names."""
        masks = self.folder / "masks"
        images = sorted((self.folder / "images").iterdir())
        return [(image, masks / f"{image.stem}.png") for image in images]


def read_image(path: Path) -> np.ndarray:
    """Reads `(H, W, 3)` uint8, red first, whatever channels the file has."""
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> np.ndarray:
    """Reads class ids `(H, W)` uint8."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def read_samples(task: Task) -> list[tuple[np.ndarray, np.ndarray]]:
    """Reads all training images and masks."""
    return [(read_image(image), read_mask(mask)) for image, mask in task.samples()]


def run_tool(
    train: Callable[[Task], Predict],
    packages: Sequence[str],
    set_up: Callable[[Path], None] | None = None,
) -> None:
    """Does what the command line of a tool asks.

    Args:
        train: Trains within the minutes of the task, and returns what predicts.
        packages: Packages whose versions matter.
        set_up: Prepares once, in a folder that it is given, what a user would have at hand before
            the minutes begin; it must find out by itself that this was done already.
    """
    asked = parse_arguments()
    asked.cache.mkdir(parents=True, exist_ok=True)
    if asked.set_up:
        if set_up is not None:
            set_up(asked.cache)
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    facts = json.loads((asked.train / "task.json").read_text("utf-8"))
    task = Task(
        folder=asked.train,
        out=asked.out,
        cache=asked.cache,
        began=asked.began,
        minutes=asked.minutes,
        seed=asked.seed,
        scratch=asked.scratch,
        names=tuple(facts["names"]),
        ignore_index=facts["ignore_index"],
        view=facts["view"],
        num_test=facts["num_test"],
    )
    predict = train(task)
    seconds = task.seconds_used()
    print(f"Trained after {seconds:.1f} of {60 * task.minutes:g} s; predicting.", flush=True)
    predict_all(predict, asked.test, asked.out / "predicted")
    versions = {name: metadata.version(name) for name in packages}
    written = {"seconds": seconds, "packages": versions}
    (asked.out / "facts.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")


def predict_all(predict: Predict, test: Path, out: Path) -> None:
    """Writes a PNG of class ids for every image of a folder."""
    out.mkdir(exist_ok=True)
    for path in sorted(test.iterdir()):
        label_map = predict(path).astype(np.uint8)
        if not cv2.imwrite(str(out / f"{path.stem}.png"), label_map):
            raise OSError(f"{out}: the label map of {path.name} could not be written.")


def parse_arguments() -> argparse.Namespace:
    """Parses the command line that all tools have."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, required=True, help="folder of what is set up once")
    parser.add_argument("--set-up", action="store_true", help="set up, and do no more")
    parser.add_argument("--train", type=Path, help="folder of the training part")
    parser.add_argument("--test", type=Path, help="folder of the test images")
    parser.add_argument("--out", type=Path, help="folder for all that is written")
    parser.add_argument("--began", type=float, help="when the process was started")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--scratch", action="store_true", help="use no pretrained weights")
    return parser.parse_args()
