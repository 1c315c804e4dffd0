"""Reads what the dataset manager brine (2017) built its datasets from.

Its `config.json` names the columns of a CSV table beside it:

    {"columns": [{"name": "image", "type": "image"}, {"name": "kind", "type": "category"}],
     "path": "data.csv"}
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fewmask.data import imageio
from fewmask.data.dataset import Dataset
from fewmask.data.folders.folder import check_folder, relative_path
from fewmask.data.folders.names import role_of_folder
from fewmask.data.folders.sorting import natural_key
from fewmask.data.folders.walking import check_encoding, walk_pictures
from fewmask.data.masks import understand_masks
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.data.masks.legend import find_legend
from fewmask.data.schema import Column, Kind
from fewmask.data.sizes import check_sizes
from fewmask.errors import ArgumentError, DataError, DecisionNeeded
from fewmask.files import expanded
from fewmask.packages.progress import Progress

_TYPES: dict[str, Kind] = {
    "integer": "integer",
    "float": "float",
    "category": "category",
    "string": "string",
    "image": "image",
    "integer_array": "integer array",
    "float_array": "float array",
    "category_array": "category array",
    "string_array": "string array",
}
"""brine's types, and one that it had no array of."""


def _integer(text: str) -> int:
    number = int(text)
    number.to_bytes(8, signed=True)  # which refuses what shards have no room for
    return number


_PARSERS: dict[str, Callable[[str], Any]] = {"integer": _integer, "float": float}


@dataclass(frozen=True)
class _Config:
    columns: tuple[tuple[str, Kind], ...]
    table: Path
    extra: Any


def read_brine_config(
    path: str | Path,
    decisions: MaskDecisions | None = None,
    max_pixels: int = imageio.DEFAULT_MAX_PIXELS,
    progress: Progress | None = None,
    masks: str | None = None,
) -> Dataset:
    """Reads a brine configuration and its table as a dataset.

    brine had no masks, only images. Where there are several columns of images and the name of
    one says that it is a mask (`mask`, `label`), it is read as one.

    Args:
        path: The `config.json`.
        decisions: What is known about the values of the masks.
        max_pixels: Larger images are refused.
        progress: Called with the work done so far, then all of it.
        masks: The column of images that holds the masks, where several could, or none says so.

    Returns:
        The dataset, with the columns of the configuration.

    Raises:
        DataError: If a file is missing or is not what brine took.
        DecisionNeeded: If several columns could be the masks, or their values can be understood
            in more than one way.
    """
    path = expanded(path)
    config = _read_config(path)
    lines = _read_table(config)
    images = [name for name, kind in config.columns if kind == "image"]
    mask = _mask_column(path, images, masks)
    columns, cells = [], []
    for name, kind in config.columns:
        texts = [line[name] for line in lines]
        column, values = _convert(name, "mask" if name == mask else kind, texts, config.table)
        columns.append(column)
        cells.append(values)
    rows = list(zip(*cells, strict=True))
    dataset = Dataset(path.parent.name, path.parent, columns, rows, max_pixels=max_pixels)
    dataset.image_column  # noqa: B018 - raises if there is none
    if mask is None:
        return dataset
    return _with_masks(dataset, decisions or MaskDecisions(), progress)


def extra_data(path: str | Path) -> Any:
    """Returns what a brine configuration holds beside its columns, None if nothing."""
    return _read_config(expanded(path)).extra


def read_images(folder: str | Path, max_pixels: int = imageio.DEFAULT_MAX_PIXELS) -> Dataset:
    """Reads every image below a folder, without masks, as `brine build --data-dir` did.

    Args:
        folder: The folder.
        max_pixels: Larger images are refused.

    Raises:
        DataError: If there is no such folder, no image in it, or a name is not in UTF-8.
    """
    root = check_folder(folder)
    paths = sorted((relative_path(file, root) for file in walk_pictures(root)), key=natural_key)
    if not paths:
        raise DataError(root, "images", "none", "Name the folder that holds them.")
    check_encoding(root, paths)
    rows = [(path,) for path in paths]
    name = root.resolve().name or str(root)
    return Dataset(name, root, [Column("image", "image")], rows, max_pixels=max_pixels)


def _read_config(path: Path) -> _Config:
    try:
        config = json.loads(path.read_text("utf-8-sig"))
        columns = tuple((str(column["name"]), column["type"]) for column in config["columns"])
        table = path.parent / str(config["path"])
    except FileNotFoundError as error:
        raise DataError(path, "a brine configuration", "no such file", "Check the path.") from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(
            path,
            'a brine configuration: JSON with "columns", each with "name" and "type", and "path"',
            f"another text ({type(error).__name__}: {error})",
            "Correct it.",
        ) from error
    strange = [(name, kind) for name, kind in columns if str(kind) not in _TYPES]
    if strange or not columns:
        raise DataError(
            path,
            f"columns of the types {', '.join(_TYPES)}",
            f"'{strange[0][0]}' of type {strange[0][1]!r}" if strange else "no columns",
            "Correct it.",
        )
    kinds = tuple((name, _TYPES[kind]) for name, kind in columns)
    return _Config(kinds, table, config.get("extra_data") or None)


def _read_table(config: _Config) -> list[dict[str, str]]:
    names = [name for name, _ in config.columns]
    try:
        with config.table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
            titles = reader.fieldnames or []
    except FileNotFoundError as error:
        raise DataError(
            config.table, "the table that the configuration names", "no such file", "Check it."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            config.table, "a table in UTF-8", str(error), "Save it as CSV in UTF-8."
        ) from error
    except OSError as error:
        raise DataError(
            config.table,
            "the table that the configuration names",
            (error.strerror or str(error)).lower(),
            "Check it.",
        ) from error
    missing = [name for name in names if name not in titles]
    if missing or not lines:
        raise DataError(
            config.table,
            f"the columns {', '.join(names)} and a line for each image",
            f"no column {', '.join(missing)}" if missing else "no lines",
            "Correct the table or the configuration.",
        )
    for number, line in enumerate(lines, start=2):
        if any(line[name] is None for name in names):
            raise DataError(
                f"{config.table}, line {number}", "a value for each column", "too few", "Fill it."
            )
    return lines


def _mask_column(path: Path, images: Sequence[str], masks: str | None) -> str | None:
    if masks is not None:
        if masks not in images:
            raise DataError(
                f"--masks {masks}",
                f"a column of images in {path}",
                "no such column",
                f"There are: {', '.join(images)}.",
            )
        return masks
    said = [name for name in images if role_of_folder(name) == "mask"]
    if len(said) > 1:
        raise DecisionNeeded(
            path,
            "one column that can be the masks",
            ", ".join(said),
            f"Say which it is, for example: --masks {said[-1]}",
        )
    return said[0] if said and len(images) > 1 else None


def _convert(name: str, kind: Kind, texts: Sequence[str], table: Path) -> tuple[Column, list[Any]]:
    """Turns the texts of one column into its values; arrays stand with spaces between."""
    base = kind.removesuffix(" array")
    is_array = base != kind
    parse = _PARSERS.get(base, str)
    values: list[Any] = []
    for line, text in enumerate(texts, start=2):
        try:
            items = [parse(item) for item in text.split()] if is_array else [parse(text)]
        except (ValueError, OverflowError) as error:
            limit = " of 64 bits" if isinstance(error, OverflowError) else ""
            raise DataError(
                f"{table}, line {line}",
                f"{kind}{limit} in column '{name}'",
                repr(text),
                "Correct it.",
            ) from error
        values.append(items if is_array else items[0])
    categories: tuple[str, ...] = ()
    if base == "category":
        # In the order of their first line, as brine numbered them.
        flat = (item for value in values for item in (value if is_array else [value]))
        categories = tuple(dict.fromkeys(flat)) or ("none",)
    try:
        return Column(name, kind, categories), values
    except ArgumentError as error:
        raise DataError(table, error.expected, error.found, error.remedy) from error


def _with_masks(dataset: Dataset, decisions: MaskDecisions, progress: Progress | None) -> Dataset:
    masks = [dataset.mask_path(index) for index in range(len(dataset))]
    for index, mask in enumerate(masks):
        image = dataset.image_path(index)
        sizes = [imageio.read_size(file, dataset.max_pixels) for file in (image, mask)]
        check_sizes(image, sizes[0], mask, sizes[1])
    legend = find_legend(dataset.root, decisions.classes)
    understanding = understand_masks(masks, decisions, legend, dataset.max_pixels, progress)
    return replace(
        dataset,
        classes=understanding.classes,
        encoding=understanding.encoding,
        findings=(f"'{dataset.mask_column}' is read as masks.", *understanding.findings),
    )
