"""Understands the columns of Parquet datasets that somebody else has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewmask.data.folders.names import part_named, role_of_folder, words_of
from fewmask.data.packed import PackedFile
from fewmask.data.schema import KINDS, Column, Kind
from fewmask.errors import DataError, DecisionNeeded, typed
from fewmask.packages.checks import what_is_wrong_with
from fewmask.packages.features import PART
from fewmask.packages.manifest import PARTS
from fewmask.packages.parquet import Leaf, packed_files, read_columns
from fewmask.packages.rows import id_of

_SIMPLE = ("integer", "float", "string", "integer array", "float array", "string array")


@dataclass(frozen=True)
class ForeignColumns:
    """What the columns of such a dataset are taken for.

    Args:
        columns: The columns that are read, without the part.
        leaves: The column of the file for each.
        findings: What was believed, in sentences.
    """

    columns: tuple[Column, ...]
    leaves: tuple[Leaf, ...]
    findings: tuple[str, ...]


def understand_columns(
    name: str, leaves: Sequence[Leaf], masks: str | None = None
) -> ForeignColumns:
    """Finds the images and the masks among the columns of a file.

    Args:
        name: The dataset, for messages.
        leaves: The columns of its files.
        masks: The column of masks, if its owner has said so.

    Returns:
        The columns, images first, then masks.

    Raises:
        DataError: If no column holds images, or the one that was named is not there.
        DecisionNeeded: If several columns could be the masks.

    Example:

    >>> leaves = [Leaf("pixel_values", "file"), Leaf("label", "file")]
    >>> understand_columns("somebody/roads", leaves).columns
    (pixel_values: image, label: mask)
    """
    files = [leaf.name for leaf in leaves if leaf.kind == "file"]
    if not files:
        kinds = ", ".join(f"{leaf.name} ({leaf.kind})" for leaf in leaves) or "none"
        raise DataError(
            name,
            "a column of images, as bytes or as a struct of bytes and path",
            f"the columns {kinds}",
            "Name a dataset of images, or export its images as files.",
        )
    mask = _find_masks(name, files, masks)
    images = [file for file in files if file != mask]
    if not images:
        raise DataError(
            name, "a column of images beside the masks", f"only {mask}", "Name another dataset."
        )
    # One that is called image comes before others, such as a depth map.
    images.sort(key=lambda file: role_of_folder(file) != "image")
    chosen = [*images, *([mask] if mask else [])]
    columns, kept, left_out = [], [], []
    for leaf in sorted(leaves, key=lambda leaf: _rank(leaf.name, chosen)):
        column = _column(leaf, mask)
        if column is None:
            left_out.append(leaf.name)
        else:
            columns.append(column)
            kept.append(leaf)
    findings = [
        f"Its images are in the column '{images[0]}'"
        + (f", its masks in '{mask}'." if mask else "; it has no masks.")
    ]
    if left_out:
        findings.append(
            f"Left out, because they hold neither images nor values: {', '.join(left_out)}."
        )
    return ForeignColumns(tuple(columns), tuple(kept), tuple(findings))


def _rank(name: str, chosen: Sequence[str]) -> int:
    return chosen.index(name) if name in chosen else len(chosen)


def _find_masks(name: str, files: Sequence[str], masks: str | None) -> str | None:
    if masks is not None:
        if masks not in files:
            raise DataError(
                f"--masks {masks}",
                f"a column of {name} that holds images",
                "no such column",
                f"There are: {', '.join(files)}.",
            )
        return masks
    possible = possible_masks(files)
    if len(possible) > 1:
        raise DecisionNeeded(
            name,
            "one column that can be the masks",
            ", ".join(possible),
            f"Say which it is, for example: {typed('--masks', possible[-1])}",
        )
    return possible[0] if possible else None


def possible_masks(files: Sequence[str]) -> list[str]:
    """Lists the columns that could hold the masks: one where that is clear, none without masks.

    Args:
        files: The columns of images.

    Example:

    >>> possible_masks(["image", "roof", "label"])
    ['label']
    """
    said = [file for file in files if role_of_folder(file) == "mask"]
    if len(said) > 1:
        # `mask` beside `instance_mask`: drawings of single objects are for other tasks.
        said = [file for file in said if words_of(file) in (["mask"], ["masks"])] or said
    if said or len(files) < 2:
        return said
    # What calls itself an image comes first, so that the example of a remedy is another.
    return sorted(files, key=lambda file: role_of_folder(file) != "image")


def _column(leaf: Leaf, mask: str | None) -> Column | None:
    if leaf.kind == "file":
        return Column(leaf.name, "mask" if leaf.name == mask else "image")
    if leaf.kind not in _SIMPLE or leaf.name == PART or leaf.name.startswith("_"):
        return None
    kind: Kind = KINDS[KINDS.index(leaf.kind)]  # type: ignore[assignment]
    if leaf.labels and leaf.kind in ("integer", "integer array"):
        is_array = leaf.kind.endswith("array")
        return Column(leaf.name, "category array" if is_array else "category", leaf.labels)
    return Column(leaf.name, kind)


class ForeignRows:
    """Gathers the rows of such a dataset, shard by shard.

    Args:
        name: The dataset, for messages.
        found: What its columns are taken for.
        with_parts: Whether each row ends with its part.
    """

    def __init__(self, name: str, found: ForeignColumns, with_parts: bool) -> None:
        self.packed: dict[str, PackedFile] = {}
        self._ids: set[str] = set()
        self._name = name
        self._found = found
        self._with_parts = with_parts
        self._cells: list[list[Any]] = [[] for _ in found.columns]
        self._parts: list[str] = []

    def add(self, file: Path, path: str, part: str, count: int) -> None:
        """Reads the rows of one shard.

        Args:
            file: Where it lies.
            path: Its place in the dataset, for messages.
            part: Its part.
            count: Number of its rows.

        Raises:
            DataError: If it is damaged.
        """
        where = f"{self._name}:{path}"
        leaves = self._found.leaves
        keys = [_key(leaf) for leaf in leaves]
        values = read_columns(file, [key for key in keys if key], where)
        for cells, leaf, key in zip(self._cells, leaves, keys, strict=True):
            if leaf.kind == "file":
                names = self._names(leaf.name, part, values[key] if key else [], count)
                listed = packed_files(file, leaf, names, self._name, where)
                self.packed.update(zip(names, listed, strict=True))
                cells += names
            else:
                cells += values[key]
        self._parts += [part] * count

    def _names(self, column: str, part: str, paths: Sequence[Any], count: int) -> list[str]:
        """Says what to call the images of a shard: by their own names, if these are names."""
        folder = f"{part}/{column}" if self._with_parts else column
        names = [f"{folder}/{path}" for path in paths]
        good = all(isinstance(path, str) and not what_is_wrong_with(path) for path in paths)
        stems = {id_of(name) for name in names}
        if len(paths) == count and good and len(stems) == count and not stems & self._ids:
            self._ids |= stems
            return names
        first = self._parts.count(part)
        return [f"{folder}/{first + row:06d}" for row in range(count)]

    def finish(self) -> tuple[list[Column], list[tuple[Any, ...]], tuple[str, ...]]:
        """Returns the columns, the rows, and what was believed.

        A column that is no image and has no value somewhere is left out: nothing is trained on
        it, and no guess is better than none.
        """
        columns, cells, gaps = list[Column](), list[list[Any]](), []
        for column, values in zip(self._found.columns, self._cells, strict=True):
            named = [_named(column, value) for value in values]
            if any(value is None or (column.is_array and None in value) for value in named):
                gaps.append(column.name)
            else:
                columns.append(column)
                cells.append(named)
        if self._with_parts:
            parts = tuple(part for part in PARTS if part in self._parts)
            columns.append(Column(PART, "category", parts))
            cells.append(self._parts)
        findings = self._found.findings
        if gaps:
            findings = (*findings, f"Left out, because rows have no value: {', '.join(gaps)}.")
        return columns, list(zip(*cells, strict=True)), findings


def _key(leaf: Leaf) -> str:
    """Returns what is read of a column: of images their paths, nothing where they have none."""
    if leaf.kind != "file":
        return leaf.name
    return f"{leaf.name}.path" if "path" in leaf.fields else ""


def _named(column: Column, value: Any) -> Any:
    """Turns the numbers of categories into names; None where there is no value."""
    if not column.categories or value is None:
        return value
    numbers = value if column.is_array else [value]
    if not all(number in range(len(column.categories)) for number in numbers):
        return None  # -1 is how `datasets` writes that a row has no category
    names = [column.categories[number] for number in numbers]
    return names if column.is_array else names[0]


def part_of_split(split: str) -> str | None:
    """Returns our name for a split, None for one that is no part to train or judge by.

    Example:

    >>> part_of_split("dev"), part_of_split("train"), part_of_split("unsupervised")
    ('validation', 'train', None)
    """
    return "validation" if split.lower() in ("dev", "eval") else part_named(split)
