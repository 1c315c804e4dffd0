"""What a run has seen: `parts.csv`, the part and the content of every image."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fewmask.data.dataset import Dataset
from fewmask.data.packed import sha256_of
from fewmask.data.parts import PARTS, Parts
from fewmask.data.wording import counted
from fewmask.errors import RunError
from fewmask.files import write_text

COLUMNS = ("sample", "part", "image_sha256", "mask_sha256")


@dataclass(frozen=True)
class SeenSample:
    """What a run did with one sample.

    Args:
        part: `"train"`, `"validation"` or `"test"`.
        image: SHA-256 of its image file.
        mask: SHA-256 of its mask file.
    """

    part: str
    image: str
    mask: str


@dataclass(frozen=True)
class Seen:
    """The samples of a training, by name and by content.

    Args:
        samples: Sample id → what the run did with it.
    """

    samples: dict[str, SeenSample]

    def parts_of(self, images: Sequence[str]) -> list[str]:
        """Says what the run did with each image of any dataset.

        An image that lay twice in the training's dataset counts as what teaches most: train
        before validation before test.

        Args:
            images: SHA-256 of each, by which it is known again whatever it is called.

        Returns:
            `"train"`, `"validation"`, `"test"` or `"unseen"` for each image.
        """
        parts = {
            sample.image: sample.part
            for part in ("test", "validation", "train")  # the last one stays
            for sample in self.samples.values()
            if sample.part == part
        }
        return [parts.get(image, "unseen") for image in images]

    def findings(self) -> list[str]:
        """Says which test images are copies of images that the model is made with.

        Returns:
            A sentence for the copies of training images and one for those of validation images,
            if there are any.
        """
        tests = {name: sample for name, sample in self.samples.items() if sample.part == "test"}
        sentences = []
        for part, consequence in (
            ("train", "scores may flatter the model."),
            ("validation", "scores may be a little too high."),
        ):
            # Of equal images the first one is named.
            others = {
                sample.image: name
                for name, sample in reversed(self.samples.items())
                if sample.part == part
            }
            copies = [name for name, sample in tests.items() if sample.image in others]
            if copies:
                first, other = copies[0], others[tests[copies[0]].image]
                kind = "training" if part == "train" else part
                verb = "is" if len(copies) == 1 else "are"
                sentences.append(
                    f"{len(copies)} of {counted(len(tests), 'test image')} {verb} byte for byte "
                    f"among the {kind} images too ({first} is {other}, for one): {consequence}"
                )
        return sentences


def write_seen(path: Path, parts: Parts) -> None:
    """Writes `parts.csv`.

    Args:
        path: The file to be.
        parts: The samples of each part.

    Raises:
        DataError: If an image or a mask cannot be read.
        FewmaskError: If the file cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    named = (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    for name, dataset in named:
        if dataset is None:
            continue
        for index in range(len(dataset)):
            table.writerow((dataset.sample_id(index), name, *digests(dataset, index)))
    write_text(path, text.getvalue())


def read_seen(path: Path) -> Seen:
    """Reads what `write_seen` wrote.

    Args:
        path: The file.

    Raises:
        RunError: If it is missing, cannot be read or is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [tuple(row[column] for column in COLUMNS) for row in csv.DictReader(file)]
    except FileNotFoundError:
        raise RunError(
            path, "a file that every run holds", "nothing", "Train again: the run is not whole."
        ) from None
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise RunError(path, "a table that can be read", found, "Check its rights.") from error
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(
            path,
            f"the columns {', '.join(COLUMNS)}",
            f"no {error}" if isinstance(error, KeyError) else str(error),
            "Restore the file or train again.",
        ) from error
    if not rows:  # every image would count as one that was never learnt from
        raise RunError(path, "a line for each sample", "none", "Restore the file or train again.")
    for line, row in enumerate(rows, start=2):
        if row[1] not in PARTS or None in row:
            raise RunError(
                f"{path}, line {line}",
                "a sample, its part (train, validation or test) and two SHA-256",
                ", ".join(cell for cell in row if cell is not None),
                "Restore the file or train again.",
            )
    return Seen({sample: SeenSample(part, image, mask) for sample, part, image, mask in rows})


def divide_as_seen(dataset: Dataset, seen: Seen, where: object) -> Parts:
    """Divides a dataset as a training before did.

    Args:
        dataset: The dataset, read again.
        seen: What the training saw.
        where: The run, for the error.

    Raises:
        RunError: If an image or mask is missing, new, or not what it was.
        DataError: If one cannot be read.
    """
    places: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    changed = set(seen.samples)
    for index in range(len(dataset)):
        sample = dataset.sample_id(index)
        before = seen.samples.get(sample)
        if before is None or (before.image, before.mask) != digests(dataset, index):
            changed = {sample}
            break
        changed.discard(sample)
        places[before.part].append(index)
    if changed:
        raise RunError(
            where,
            "the dataset that the training began with",
            f"{dataset.name} with files missing, new or changed: {min(changed)}, for one",
            "Restore the dataset, or train again: fewmask train FOLDER",
        )
    validation = dataset.take(places["validation"]) if places["validation"] else None
    return Parts(dataset.take(places["train"]), validation, dataset.take(places["test"]), ())


def image_digests(dataset: Dataset) -> list[str]:
    """Returns the SHA-256 of every image file of a dataset, in its order."""
    return [sha256_of(dataset.image_path(index)) for index in range(len(dataset))]


def digests(dataset: Dataset, index: int) -> tuple[str, str]:
    """Returns the SHA-256 of a sample's image file and of its mask file, in hexadecimal."""
    return sha256_of(dataset.image_path(index)), sha256_of(dataset.mask_path(index))
