"""Decides which images train, which choose and which only judge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fewmask.data.classes import Classes
from fewmask.data.counting import count_values
from fewmask.data.dataset import Dataset
from fewmask.data.folders.names import part_named
from fewmask.data.split import divide
from fewmask.data.wording import counted, some
from fewmask.errors import ArgumentError, DataError

Progress = Callable[[int, int], None]
ClassIds = Sequence[Collection[int]]

PARTS = ("train", "validation", "test")
SHARE_OF_TEST = 0.2
SHARE_OF_VALIDATION = 0.1
SMALLEST_VALIDATION, LARGEST_VALIDATION = 2, 50
FEWEST_TO_CUT_FROM = 8
"""With fewer training images each one is worth more for training than for choosing."""
_DRAWS = 100


@dataclass(frozen=True)
class Parts:
    """A dataset divided by what its images are used for; no image is in two parts.

    Args:
        train: Images to learn from.
        validation: Images to choose by (when to stop, which checkpoint), or None where there
            are too few to spare any.
        test: Images that choose nothing; the scores that are reported come from them.
        findings: How the parts came to be, in sentences.
    """

    train: Dataset
    validation: Dataset | None
    test: Dataset
    findings: tuple[str, ...]

    @property
    def classes(self) -> Classes:
        """The classes of their masks.

        Raises:
            DataError: If the dataset has no masks.
        """
        if self.train.classes is None:
            remedy = "Name their folder with --masks DIR."
            raise DataError(self.train.name, "masks", "none", remedy)
        return self.train.classes


def assign_parts(
    dataset: Dataset,
    seed: int = 0,
    class_ids: ClassIds | None = None,
    progress: Progress | None = None,
) -> Parts:
    """Divides a dataset so that nothing is chosen and reported on the same images.

    - Declared train, validation and test images are used as declared.
    - Declared train images and one other part: the other one is the test part.
    - Nothing declared: a fifth of the images, at least one, is drawn for the test part.

    Where no validation part is declared, a tenth of the training images (2 to 50) is drawn for
    it, unless there are fewer than 8. Groups are kept together. Where the dice would leave a
    class without any training image, they are thrown again.

    Args:
        dataset: A dataset with masks; its column `part`, if it has one, declares.
        seed: Equal seeds draw equal parts.
        class_ids: The class ids in each mask, if they are known (a fingerprint knows them);
            otherwise every mask is read.
        progress: Called with the number of masks read, then the number of all.

    Returns:
        The parts; the rows of each in the order of the dataset.

    Raises:
        DataError: If there are no masks, fewer than two images, nothing to train from, a part of
            another name, too few groups, or a class that training would never see.
    """
    if dataset.mask_column is None:
        raise DataError(
            dataset.name, "images with masks", "images alone", "Draw their masks to train on them."
        )
    if len(dataset) < 2:
        raise DataError(
            dataset.name,
            "at least 2 images with masks, one to train from and one to test on",
            str(len(dataset)),
            "Add images and draw their masks; 20 are a good beginning.",
        )
    if class_ids is None:
        class_ids = _read_class_ids(dataset, progress)
    declared = _declared(dataset)
    findings = []
    if declared["train"] and (declared["validation"] or declared["test"]):
        train, validation, test = (declared[part] for part in PARTS)
        if not test:
            test, validation = validation, []
            findings.append(
                f"The validation part ({counted(len(test), 'image')}) is taken as the test part: "
                "it chooses nothing and gives the reported scores."
            )
        findings.extend(_groups_cut_in_two(dataset, declared))
    else:
        if declared["train"]:
            findings.append("All images are declared as train; the other parts are drawn.")
        train, test = _draw(dataset, range(len(dataset)), SHARE_OF_TEST, 1, None, seed, class_ids)
        validation = []
        findings.append(
            f"Drawn for the test part: {len(test)} of {len(dataset)} images (seed {seed})."
        )
    if not validation:
        train, validation, sentence = _cut_validation(dataset, train, seed, class_ids)
        findings.append(sentence)
    parts = Parts(
        dataset.take(train),
        dataset.take(validation) if validation else None,
        dataset.take(test),
        tuple(findings),
    )
    check_classes_occur(
        parts,
        ([class_ids[i] for i in train], [class_ids[i] for i in (*validation, *test)]),
    )
    return parts


def _declared(dataset: Dataset) -> dict[str, list[int]]:
    """Returns the rows of each declared part; all of them empty if nothing is declared."""
    declared: dict[str, list[int]] = {part: [] for part in PARTS}
    if not dataset.has_column("part"):
        return declared
    for index, name in enumerate(dataset.values("part")):
        part = part_named(str(name))
        if part is None:
            raise DataError(
                f"{dataset.name}, column 'part'",
                "parts named train, validation or test",
                f"'{name}'",
                "Rename it, or leave the column out to have parts drawn.",
            )
        declared[part].append(index)
    if not declared["train"]:
        counts = ", ".join(f"{len(rows)} {part}" for part, rows in declared.items() if rows)
        raise DataError(
            dataset.name,
            "images declared as train",
            f"only {counts}",
            "Move some of them into a folder train, or leave the parts out to have them drawn.",
        )
    return declared


def _cut_validation(
    dataset: Dataset, train: list[int], seed: int, class_ids: ClassIds
) -> tuple[list[int], list[int], str]:
    count = len(train)
    if count < FEWEST_TO_CUT_FROM:
        return (
            train,
            [],
            f"No validation part: {counted(count, 'training image')} cannot spare any.",
        )
    if len(set(groups_of(dataset, train))) < 2:
        return train, [], "No validation part: the training images are a single group."
    kept, cut = _draw(
        dataset,
        train,
        SHARE_OF_VALIDATION,
        SMALLEST_VALIDATION,
        LARGEST_VALIDATION,
        seed,
        class_ids,
    )
    return (
        kept,
        cut,
        (f"Drawn for the validation part: {len(cut)} of {count} training images (seed {seed})."),
    )


def _draw(
    dataset: Dataset,
    rows: Sequence[int],
    share: float,
    least: int,
    most: int | None,
    seed: int,
    class_ids: ClassIds,
) -> tuple[list[int], list[int]]:
    """Draws rows away from `rows`; returns what is left and what was drawn."""
    # Half up, in whole numbers: round() would make 2.5 a 2.
    size = max(least, int(len(rows) * share + 0.5))
    size = size if most is None else min(most, size)
    groups = groups_of(dataset, rows)
    everything = _classes_of(class_ids, rows)
    for attempt in range(_DRAWS):
        try:
            kept, drawn = divide(
                [len(rows) - size, size], groups, seed=seed if attempt == 0 else [seed, attempt]
            )
        except ArgumentError as error:
            raise DataError(
                dataset.name,
                "at least two groups, one to train from and one to test on",
                "a single one",
                "Add images of another group, or declare the parts in split.csv.",
            ) from error
        if _classes_of(class_ids, [rows[i] for i in kept]) == everything:
            break
    return [rows[i] for i in kept], [rows[i] for i in drawn]


def groups_of(dataset: Dataset, rows: Sequence[int]) -> list[object]:
    """Returns the group of each image, each image being its own where none are declared.

    Args:
        dataset: A dataset; its column `group`, if it has one, declares.
        rows: Which of its images.
    """
    if not dataset.has_column("group"):
        return list(rows)
    groups = dataset.values("group")
    return [groups[row] for row in rows]


def _groups_cut_in_two(dataset: Dataset, declared: dict[str, list[int]]) -> list[str]:
    if not dataset.has_column("group"):
        return []
    groups = {part: set(groups_of(dataset, rows)) for part, rows in declared.items()}
    shared = groups["train"] & (groups["validation"] | groups["test"])
    if not shared:
        return []
    names = some(sorted(str(group) for group in shared))
    return [
        f"{counted(len(shared), 'group')} with images both to train from and held back ({names}): "
        "scores may flatter the model."
    ]


def _read_class_ids(dataset: Dataset, progress: Progress | None = None) -> list[set[int]]:
    """Reads the ids of classes alone, as a fingerprint knows them: ignored pixels are none."""
    num_classes = dataset.classes.num_classes if dataset.classes else 0
    class_ids = []
    for index in range(len(dataset)):
        present = count_values(dataset.read_mask(index))[:num_classes].nonzero()[0]
        class_ids.append({int(value) for value in present})
        if progress is not None:
            progress(index + 1, len(dataset))
    return class_ids


def _classes_of(class_ids: ClassIds, rows: Sequence[int]) -> set[int]:
    return {class_id for row in rows for class_id in class_ids[row]}


def check_classes_occur(parts: Parts, class_ids: tuple[ClassIds, ClassIds] | None = None) -> None:
    """Refuses parts of which training would never see a class that scores are counted for.

    Args:
        parts: The parts.
        class_ids: The class ids in each training mask, and in each mask of validation then
            test, if they are known; otherwise every mask is read.

    Raises:
        DataError: If a class stands in validation or test masks only; it names the files.
    """
    held_back = [part for part in (parts.validation, parts.test) if part is not None]
    if class_ids is None:
        train_ids: ClassIds = _read_class_ids(parts.train)
        other_ids: ClassIds = [ids for part in held_back for ids in _read_class_ids(part)]
    else:
        train_ids, other_ids = class_ids
    classes = parts.train.classes
    if classes is None:
        return
    paths = [str(part.mask_path(i)) for part in held_back for i in range(len(part))]
    seen = set().union(*train_ids)
    for class_id, name in enumerate(classes.names):
        files = [path for path, ids in zip(paths, other_ids, strict=True) if class_id in ids]
        if class_id not in seen and files:
            raise DataError(
                parts.train.name,
                "every class in the masks of the training images",
                f"'{name}' only in {some(files)}",
                "Move one of these images to the training part, add images of it, or merge the "
                "class into another with --classes.",
            )
