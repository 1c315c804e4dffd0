"""Packs checked samples into shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fewmask.data.ahead import work_ahead
from fewmask.data.dataset import Dataset
from fewmask.errors import DataError
from fewmask.packages.checking import Checked
from fewmask.packages.features import PART, stored_columns
from fewmask.packages.manifest import Manifest
from fewmask.packages.progress import Progress
from fewmask.packages.rows import id_of
from fewmask.packages.shard import Shard, write_shard
from fewmask.packages.sharing import (
    count_shards,
    group_rows,
    hash_id,
    shard_of,
    shard_path,
    shards_of_part,
)

_THREADS = 2
"""Shards written at once; each holds one group of rows in memory."""


@dataclass(frozen=True)
class Packing:
    """What all shards of one build have in common.

    Args:
        dataset: The samples.
        checked: What was found when their pixels were read.
        paths: What the images and masks of each row are called in the package.
        notes: Texts that the schema of each shard carries.
        folder: Where the shards go.
    """

    dataset: Dataset
    checked: Checked
    paths: tuple[dict[str, str], ...]
    notes: dict[str, str]
    folder: Path


def write_shards(
    plan: Packing,
    parts: Mapping[str, list[int]],
    before: Manifest | None,
    progress: Progress | None,
) -> dict[str, Shard]:
    """Writes the shards of a package.

    Args:
        plan: What to pack, and where to.
        parts: The rows of each part.
        before: The version before, whose number of shards is kept if it can be.
        progress: Called with the rows packed, then the rows of all.

    Returns:
        The shards by their paths in the package.

    Raises:
        DataError: If an image is gone or changed since it was checked.
        FewmaskError: If they cannot be written.
    """
    paths_before = [file.path for file in before.files] if before else []
    tasks: list[tuple[str, list[int]]] = []
    for part, rows in parts.items():
        size = sum(plan.checked.sizes[row] for row in rows)
        count = count_shards(len(rows), size, shards_of_part(part, paths_before))
        divided: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for row in rows:
            number = hash_id(id_of(plan.paths[row][plan.dataset.image_column]))
            divided[shard_of(number, count)].append((number, row))
        tasks += [
            (shard_path(part, number, count), [row for _, row in sorted(members)])
            for number, members in enumerate(divided)
        ]
    shards: dict[str, Shard] = {}
    done = 0
    written = work_ahead(partial(_write_shard, plan), tasks, _THREADS, _THREADS)
    for (path, rows), shard in zip(tasks, written, strict=True):
        shards[path] = shard
        done += len(rows)
        if progress is not None:
            progress(done, len(plan.dataset))
    return shards


def _write_shard(plan: Packing, task: tuple[str, list[int]]) -> Shard:
    path, rows = task
    groups = group_rows([plan.checked.sizes[row] for row in rows])
    values = ([_values(plan, rows[place]) for place in group] for group in groups)
    columns = stored_columns(plan.dataset.columns)
    return write_shard(plan.folder / path, columns, values, plan.notes)


def _values(plan: Packing, row: int) -> list[Any]:
    """Returns what the shard holds of a row."""
    values: list[Any] = []
    named = zip(plan.dataset.columns, plan.dataset.rows[row], strict=True)
    for column, value in named:
        kind = column.kind.removesuffix(" array")
        if column.name == PART:
            continue
        if kind == "image":
            values.append((plan.paths[row][column.name], _read(plan.dataset, value)))
        elif kind == "mask":
            values.append((plan.paths[row][column.name], plan.checked.mask(row)))
        elif kind == "category":
            numbers = {name: number for number, name in enumerate(column.categories)}
            values.append([numbers[item] for item in value] if column.is_array else numbers[value])
        else:
            values.append(value)
    return values


def _read(dataset: Dataset, path: str) -> bytes:
    file = dataset.file(path)
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(
            file,
            "the image that was read a moment ago",
            str(error.strerror or error),
            "Let nobody change the folder meanwhile, and build again.",
        ) from error
