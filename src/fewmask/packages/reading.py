"""Opens shards as a dataset; images stay where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fewmask.data import imageio
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.folders.sorting import natural_key
from fewmask.data.masks import understand_masks
from fewmask.data.masks.decisions import MaskDecisions, parse_classes
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.legend import Legend
from fewmask.data.packed import PackedFile, SampleFile
from fewmask.data.schema import Column
from fewmask.data.sizes import check_sizes
from fewmask.errors import ArgumentError, DataError
from fewmask.packages.checks import what_is_wrong_with
from fewmask.packages.features import PART, read_notes, stored_columns
from fewmask.packages.foreign import ForeignRows, understand_columns
from fewmask.packages.parquet import Leaf, Shape, packed_files, read_columns, read_shape
from fewmask.packages.progress import Progress

_KINDS = {"image": "file", "mask": "file", "category": "integer", "category array": "integer array"}
"""How a column is stored, where that is not as its own kind."""


@dataclass(frozen=True)
class ShardFile:
    """A shard, and what it is called.

    Args:
        path: Its place in the package, for messages.
        file: Where it lies.
        part: The part that its rows belong to.
    """

    path: str
    file: Path
    part: str


@dataclass(frozen=True)
class Reading:
    """How whoever loads a dataset wants it read; see `load_dataset`.

    Args:
        masks: Column of the masks, where there could be several.
        decisions: What is known about the values of the masks.
        legend: Class names that lie beside the data.
        painted: What the package says of the masks that it was built from; see `Dataset`.
        max_pixels: Larger images are refused.
        progress: Called with the work done so far, then all of it.
    """

    masks: str | None = None
    decisions: MaskDecisions = field(default_factory=MaskDecisions)
    legend: Legend | None = None
    max_pixels: int = imageio.DEFAULT_MAX_PIXELS
    progress: Progress | None = None
    painted: MaskEncoding | None = None

    @classmethod
    def of(
        cls,
        masks: str | Path | None = None,
        classes: Sequence[str] = (),
        ignore_index: int | None = None,
        threshold: int | None = None,
        max_pixels: int = imageio.DEFAULT_MAX_PIXELS,
    ) -> Reading:
        """Makes one of the arguments of `load_dataset`."""
        column = None if masks is None else str(masks)
        decisions = MaskDecisions(classes, ignore_index, threshold)
        return cls(column, decisions, max_pixels=max_pixels)


def read_shards(name: str, root: Path, shards: Sequence[ShardFile], reading: Reading) -> Dataset:
    """Opens shards as a dataset.

    Shards that `build` wrote say what they hold. Those of others are understood: which column
    holds images, which masks, and what the values of the masks mean.

    Args:
        name: What to call the dataset.
        root: The folder that the shards lie in.
        shards: At least one.
        reading: How to read them.

    Returns:
        The dataset. Rows of ours are in the order of the paths of their images, 2 before 10, as
        in the folder they came from; those of others in the order of the files.

    Raises:
        DataError: If a shard is damaged, has other columns or classes than the first, or holds no
            images.
        DecisionNeeded: If columns or masks can be understood in more than one way.
    """
    shapes = [read_shape(shard.file, f"{name}:{shard.path}") for shard in shards]
    _check_alike(name, shards, shapes)
    notes = read_notes(shapes[0].notes, f"{name}:{shards[0].path}")
    if notes is None:
        return _read_foreign(name, root, shards, shapes, reading)
    return _read_ours(name, root, shards, shapes, *notes, reading)


def _check_alike(name: str, shards: Sequence[ShardFile], shapes: Sequence[Shape]) -> None:
    """Refuses shards of which one has other columns, or other names for its numbers."""
    first = [(leaf.name, leaf.kind) for leaf in shapes[0].leaves]
    labels = {leaf.name: leaf.labels for leaf in shapes[0].leaves}
    notes = read_notes(shapes[0].notes, f"{name}:{shards[0].path}")
    for shard, shape in zip(shards, shapes, strict=True):
        found = [(leaf.name, leaf.kind) for leaf in shape.leaves]
        if sorted(found) != sorted(first):
            raise DataError(
                f"{name}:{shard.path}",
                f"the columns of {shards[0].path}: {_listed(first)}",
                _listed(found),
                "Remove the file that does not belong, or name the folder of one dataset.",
            )
        # A file without names for its numbers may be one of a dataset whose other files have them.
        named = all(
            not leaf.labels or labels[leaf.name] in ((), leaf.labels) for leaf in shape.leaves
        )
        if not named or read_notes(shape.notes, f"{name}:{shard.path}") != notes:
            raise DataError(
                f"{name}:{shard.path}",
                f"the classes and categories of {shards[0].path}",
                "others, so that one number would mean two things",
                "Remove the file that does not belong, or name the folder of one dataset.",
            )


def _listed(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in columns) or "none"


# --- ours -----------------------------------------------------------------------------------


def _read_ours(
    name: str,
    root: Path,
    shards: Sequence[ShardFile],
    shapes: Sequence[Shape],
    columns: Sequence[Column],
    classes: Classes | None,
    reading: Reading,
) -> Dataset:
    leaves = {leaf.name: leaf for leaf in shapes[0].leaves}
    _check_columns(f"{name}:{shards[0].path}", columns, leaves)
    packed: dict[str, PackedFile] = {}
    rows: list[tuple[Any, ...]] = []
    for done, shard in enumerate(shards, start=1):
        rows += _rows_of(name, shard, columns, leaves, packed)
        if reading.progress is not None:
            reading.progress(done, len(shards))
    image = next(place for place, column in enumerate(columns) if column.kind == "image")
    rows.sort(key=lambda row: natural_key(row[image]))
    encoding = None if classes is None else stored_ids(classes)
    dataset = Dataset(
        name,
        root,
        columns,
        rows,
        classes,
        encoding,
        max_pixels=reading.max_pixels,
        packed=packed,
        painted=None if classes is None else reading.painted,
    )
    return _decided(dataset, reading)


def stored_ids(classes: Classes) -> MaskEncoding:
    """Returns the rule of masks that store class ids, as all of ours do."""
    table = [(class_id, class_id) for class_id in range(classes.num_classes)]
    if classes.ignore_index is not None:
        table.append((IGNORED, IGNORED))
    return MaskEncoding("values", tuple(table))


def _check_columns(where: str, columns: Sequence[Column], leaves: Mapping[str, Leaf]) -> None:
    """Refuses a shard whose columns are not what its own text says."""
    stored = stored_columns(columns)
    for column in stored:
        leaf = leaves.get(column.name)
        expected = _KINDS.get(column.kind, column.kind)
        found = leaf.kind if leaf else "no such column"
        if found != expected or (leaf and expected == "file" and leaf.fields != ("bytes", "path")):
            raise DataError(
                where,
                f"a column '{column.name}' of kind {column.kind}, as the shard itself says",
                f"{found}",
                "Ask whoever publishes the dataset, or install it again.",
            )
    if not any(column.kind == "image" for column in stored):
        raise DataError(where, "a column of images", "none", "Ask whoever publishes the dataset.")


def _rows_of(
    name: str,
    shard: ShardFile,
    columns: Sequence[Column],
    leaves: Mapping[str, Leaf],
    packed: dict[str, PackedFile],
) -> list[tuple[Any, ...]]:
    """Reads the rows of one shard, and adds its images and masks to `packed`."""
    where = f"{name}:{shard.path}"
    files = {column.name for column in columns if column.kind in ("image", "mask")}
    keys = {
        column.name: f"{column.name}.path" if column.name in files else column.name
        for column in stored_columns(columns)
    }
    values = read_columns(shard.file, list(keys.values()), where)
    cells: list[list[Any]] = []
    for column in columns:
        if column.name == PART:
            cells.append([shard.part] * len(next(iter(values.values()))))
            continue
        found = values[keys[column.name]]
        if column.name in files:
            _check_paths(where, column.name, found, packed)
            listed = packed_files(shard.file, leaves[column.name], found, name, where)
            packed.update(zip(found, listed, strict=True))
        elif column.categories:
            found = [_named(column, value, where) for value in found]
        cells.append(found)
    return list(zip(*cells, strict=True))


def _check_paths(where: str, column: str, paths: Sequence[Any], packed: Mapping[str, Any]) -> None:
    """Refuses names of images that could lead somewhere when they are written to a disk."""
    seen: set[str] = set()
    for path in paths:
        wrong = "no name" if not isinstance(path, str) else what_is_wrong_with(path)
        if wrong is None and (path in seen or path in packed):
            wrong = "another image or mask of this name"
        if wrong is not None:
            raise DataError(
                f"{where}, column '{column}'",
                "names of files, each once, that stay inside the dataset",
                f"{wrong}: {path!r}",
                "Do not use this package; tell whoever publishes it.",
            )
        seen.add(path)


def _named(column: Column, value: Any, where: str) -> Any:
    """Turns numbers of categories into their names."""
    numbers = value if column.is_array else [value]
    names = []
    for number in numbers if isinstance(numbers, list) else [None]:
        if not isinstance(number, int) or not 0 <= number < len(column.categories):
            raise DataError(
                where,
                f"numbers of categories, 0 to {len(column.categories) - 1}, in '{column.name}'",
                repr(number),
                "Ask whoever publishes the dataset.",
            )
        names.append(column.categories[number])
    return names if column.is_array else names[0]


def _decided(dataset: Dataset, reading: Reading) -> Dataset:
    """Applies what the reader decides about masks that are understood already."""
    if reading.masks not in (None, dataset.mask_column):
        raise ArgumentError(
            f"--masks {reading.masks}",
            f"the column of masks of {dataset.name}",
            "another name",
            f"It is {dataset.mask_column}: leave --masks out."
            if dataset.mask_column
            else "The dataset has none: leave --masks out.",
        )
    classes, decisions = dataset.classes, reading.decisions
    if decisions == MaskDecisions() or classes is None:
        return dataset
    spec = parse_classes(decisions.classes)
    only_names = decisions == MaskDecisions(decisions.classes) and not spec.stored
    if only_names and len(spec.names) == classes.num_classes:
        return replace(dataset, classes=replace(classes, names=spec.names))
    return _understood(dataset, reading)


# --- those of others ------------------------------------------------------------------------


def _read_foreign(
    name: str,
    root: Path,
    shards: Sequence[ShardFile],
    shapes: Sequence[Shape],
    reading: Reading,
) -> Dataset:
    found = understand_columns(name, shapes[0].leaves, reading.masks)
    reader = ForeignRows(name, found, len({shard.part for shard in shards}) > 1)
    for shard, shape in zip(shards, shapes, strict=True):
        reader.add(shard.file, shard.path, shard.part, shape.rows)
    columns, rows, findings = reader.finish()
    dataset = Dataset(
        name,
        root,
        columns,
        rows,
        findings=findings,
        max_pixels=reading.max_pixels,
        packed=reader.packed,
    )
    if len(dataset) == 0:
        raise DataError(name, "at least one row", "none", "Name a folder with samples.")
    if dataset.mask_column is None:
        return dataset
    _check_all_sizes(dataset, reading.progress)
    return _understood(dataset, reading)


def _check_all_sizes(dataset: Dataset, progress: Progress | None) -> None:
    for index in range(len(dataset)):
        image, mask = dataset.image_path(index), dataset.mask_path(index)
        sizes = [imageio.read_size(file, dataset.max_pixels) for file in (image, mask)]
        check_sizes(image, sizes[0], mask, sizes[1])
        if progress is not None:
            progress(index + 1, 2 * len(dataset))


def _understood(dataset: Dataset, reading: Reading) -> Dataset:
    """Finds out what the values of the masks mean, as for the files of a folder."""
    masks: list[SampleFile] = [dataset.mask_path(index) for index in range(len(dataset))]
    count, progress = len(masks), reading.progress
    understanding = understand_masks(
        masks,
        reading.decisions,
        reading.legend,
        reading.max_pixels,
        None if progress is None else lambda done, total: progress(count + done, count + total),
    )
    return replace(
        dataset,
        classes=understanding.classes,
        encoding=understanding.encoding,
        findings=(*dataset.findings, *understanding.findings),
    )
