"""Prepares a dataset for tools that must not know each other: what they learn from, what judges.

Every tool gets the same `train/`, and is shown the images of `test/` only when it is trained. Their
masks lie in `truth/`, which no tool is ever told of.
"""

import json
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

import fewmask
from fewmask.data.classes import Classes
from fewmask.data.folders.names import part_named
from fewmask.data.imageio import read_mask_values, write_png
from fewmask.files import whole_folder, write_text

DECISIONS = Path(__file__).with_name("datasets.toml")
DEMO = "demo/chairs"


class Prepared(NamedTuple):
    """A dataset as tools are given it.

    Args:
        folder: The folder of all of it.
        classes: Its classes.
    """

    folder: Path
    classes: Classes

    @property
    def train(self) -> Path:
        """`images/`, `masks/` with class ids, `task.json`, and the same as `fewmask.toml`."""
        return self.folder / "train"

    @property
    def test(self) -> Path:
        """The test images, and nothing else."""
        return self.folder / "test"

    def truth(self) -> Iterator[tuple[str, Any]]:
        """Yields the name of each test image and its class ids `(H, W)`, in the order of names."""
        for path in sorted((self.folder / "truth").iterdir()):
            yield path.stem, read_mask_values(path).values


def read_decisions(path: Path = DECISIONS) -> dict[str, dict[str, Any]]:
    """Reads what is decided about each dataset, by its name."""
    return tomllib.loads(path.read_text("utf-8"))


def prepare(name: str, data: Path, work: Path, decided: dict[str, Any]) -> Prepared:
    """Writes a dataset for the tools, unless that was done before.

    Args:
        name: Its name in `datasets.toml`.
        data: The folder that it lies in.
        work: The folder that gets one for it.
        decided: What `datasets.toml` says of it.
    """
    folder = work / name.replace("/", "-")
    about = folder / "about.json"
    if not folder.exists():
        source = DEMO if name == DEMO else data / name
        dataset = fewmask.load_dataset(source, classes=decided["classes"])
        with whole_folder(folder) as beside:
            write_parts(beside, dataset, decided)
            facts = {"decided": decided, "classes": dataset.classes.to_json()}
            write_text(beside / about.name, json.dumps(facts, indent=1) + "\n")
    facts = json.loads(about.read_text("utf-8"))
    if facts["decided"] != decided:
        sys.exit(
            f"{folder}: prepared from other decisions. Remove it and the scores measured on it."
        )
    return Prepared(folder, Classes.from_json(facts["classes"]))


def write_parts(folder: Path, dataset: fewmask.Dataset, decided: dict[str, Any]) -> None:
    """Writes both parts, and checks that no image is in both."""
    held_back = [is_test(dataset, place, decided) for place in range(len(dataset))]
    if len(set(held_back)) < 2:
        sys.exit(f"{dataset.name}: expected images to learn from and images that judge.")
    places = {
        test: [place for place, held in enumerate(held_back) if held is test]
        for test in (False, True)
    }
    train, test, truth = folder / "train", folder / "test", folder / "truth"
    write_images(dataset, places[False], train / "images", train / "masks")
    write_images(dataset, places[True], test, truth)
    if shared := digests((train / "images").iterdir()) & digests(test.iterdir()):
        sys.exit(f"{dataset.name}: {len(shared)} images are in both parts.")
    facts = {
        "names": dataset.classes.names,
        "ignore_index": dataset.classes.ignore_index,
        "view": decided["view"],
        "num_test": len(places[True]),
    }
    write_text(train / "task.json", json.dumps(facts, indent=1) + "\n")
    settings: dict[str, Any] = {
        "classes": [f"{name}={value}" for value, name in enumerate(dataset.classes.names)]
    }
    if dataset.classes.ignore_index is not None:
        settings["ignore_index"] = dataset.classes.ignore_index
    write_text(train / "fewmask.toml", tomli_w.dumps(settings))


def is_test(dataset: fewmask.Dataset, place: int, decided: dict[str, Any]) -> bool:
    """Says whether an image is one that judges."""
    if "test_part" in decided:
        return part_named(dataset[place].part) == decided["test_part"]
    return Path(dataset.sample_id(place)).name in decided["test_samples"]


def write_images(dataset: fewmask.Dataset, places: list[int], images: Path, masks: Path) -> None:
    """Copies image files as they are, and writes their masks as class ids."""
    images.mkdir(parents=True)
    for place in places:
        source = dataset.image_path(place)
        target = images / source.name
        mask = masks / f"{target.stem}.png"
        if mask.exists():
            sys.exit(f"{dataset.name}: two images are called {target.stem}.")
        shutil.copyfile(source, target)
        write_png(mask, dataset.read_mask(place))


def digests(files: Iterable[Path]) -> set[str]:
    """Returns what tells the contents of files apart."""
    return {sha256(path.read_bytes()).hexdigest() for path in files}
