"""Reads Parquet files, ours and those of others. The only place that imports pyarrow."""

from __future__ import annotations

import json
import mmap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fewmask.data.packed import PackedFile, read_slice
from fewmask.errors import DataError
from fewmask.packages.checks import Check, without_controls
from fewmask.packages.pages import Slice, find_values

_GROUPS_KEPT = 4
"""Groups of rows held in memory for files whose images cannot be read one by one."""


class Leaf(NamedTuple):
    """A column of a file as others see it.

    Args:
        name: Its name.
        kind: `"file"` for images by their bytes, `"integer"`, `"float"`, `"string"`, with
            `" array"` for lists of these; `"other"` for what has no place in a dataset here.
        fields: For images: `bytes`, and `path` where they come with one; empty where the column
            holds the bytes themselves.
        labels: Names of its numbers, where it says some.
    """

    name: str
    kind: str
    fields: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """What a Parquet file holds.

    Args:
        path: The file.
        rows: Number of its rows.
        leaves: Its columns.
        notes: The texts that its schema carries, by key.
    """

    path: Path
    rows: int
    leaves: tuple[Leaf, ...]
    notes: dict[str, str]


def read_shape(path: Path, where: object = None) -> Shape:
    """Reads the footer of a Parquet file.

    Args:
        path: The file.
        where: What messages call it; its path when left out.

    Raises:
        DataError: If it is no whole Parquet file.
    """
    with _in_our_words(path, where), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        rows = file.metadata.num_rows
    strange = [name for name in schema.names if name != without_controls(name)]
    Check(path if where is None else where, "Tell whoever publishes the dataset.").that(
        not strange, "columns whose names can be printed", ", ".join(strange)
    )
    notes = {}
    for key, text in (schema.metadata or {}).items():
        with suppress(UnicodeDecodeError):
            notes[key.decode()] = text.decode()
    features = _features(notes)
    leaves = tuple(_leaf(field, features.get(field.name)) for field in schema)
    return Shape(path, rows, leaves, notes)


def read_columns(path: Path, names: Sequence[str], where: object = None) -> dict[str, list[Any]]:
    """Reads some columns whole.

    Args:
        path: The file.
        names: Their names; `image.path` for the paths of a column of images alone.
        where: What messages call the file; its path when left out.

    Returns:
        The values of each, by the names given.

    Raises:
        DataError: If the file is damaged or has no such column.
    """
    with _in_our_words(path, where), pq.ParquetFile(path) as file:
        table = file.read(columns=list(names), use_threads=False)
        values: dict[str, list[Any]] = {}
        for name in names:
            top, field = _top_and_field(name, table.column_names)
            cells = table.column(top).to_pylist()
            values[name] = [cell and cell[field] for cell in cells] if field else cells
    return values


def packed_files(
    path: Path, leaf: Leaf, names: Sequence[str], package: str, where: object = None
) -> list[PackedFile]:
    """Makes the images of one column readable, each alone.

    Where they lie plainly in the file, their places are found now and one is read as fast as a
    file of its own. Otherwise the group of rows around it is read and kept for its neighbours.

    Args:
        path: The file.
        leaf: The column.
        names: What to call each image.
        package: What they lie in, for messages.
        where: What messages call the file; its path when left out.

    Raises:
        DataError: If the file is damaged.
    """
    column = f"{leaf.name}.bytes" if leaf.fields else leaf.name
    files: list[PackedFile] = []
    with (
        _in_our_words(path, where),
        pq.ParquetFile(path) as file,
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        if hasattr(mmap, "MADV_RANDOM"):
            content.madvise(mmap.MADV_RANDOM)
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            some = names[len(files) : len(files) + rows]
            slices = _slices(file, content, group, column)
            if slices is None:
                files += [
                    PackedFile(name, package, partial(read_cell, str(path), group, column, row))
                    for row, name in enumerate(some)
                ]
            else:
                files += [
                    PackedFile(name, package, partial(read_slice, str(path), start, size))
                    for name, (start, size) in zip(some, slices, strict=True)
                ]
    return files


def _slices(file: Any, content: mmap.mmap, group: int, column: str) -> list[Slice] | None:
    """Finds the bytes of each value of a column in a group, if they lie plainly in the file."""
    facts = file.metadata.row_group(group)
    for place in range(facts.num_columns):
        chunk = facts.column(place)
        if chunk.path_in_schema == column:
            leaf = file.schema.column(place)
            plain = chunk.compression == "UNCOMPRESSED" and not chunk.has_dictionary_page
            if not plain or leaf.max_repetition_level or leaf.physical_type != "BYTE_ARRAY":
                return None
            start = chunk.data_page_offset
            end = start + chunk.total_compressed_size
            return find_values(content, start, end, facts.num_rows, leaf.max_definition_level)
    return None


_reading = threading.Lock()


def read_cell(path: str, group: int, column: str, row: int) -> bytes:
    """Reads one value of a column of bytes, with the group of rows around it.

    Args:
        path: The file.
        group: Number of the group.
        column: The column, `image.bytes` for example.
        row: The row in the group.

    Raises:
        DataError: If the file is damaged, or the value is missing.
    """
    # One thread reads, the others find what it read: groups are large.
    with _in_our_words(Path(path), None), _reading:
        value = _read_group(path, group, column)[row].as_py()
    if not isinstance(value, bytes):
        raise DataError(
            f"{path}, row {row} of group {group}",
            f"the bytes of an image in {column}",
            "none",
            "Ask whoever publishes the dataset.",
        )
    return value


@lru_cache(_GROUPS_KEPT)
def _read_group(path: str, group: int, column: str) -> Any:
    with pq.ParquetFile(path) as file:
        table = file.read_row_group(group, columns=[column], use_threads=False)
    top, field = _top_and_field(column, table.column_names)
    cells = table.column(top).combine_chunks()
    return cells.field(field) if field else cells


def _top_and_field(name: str, columns: Sequence[str]) -> tuple[str, str]:
    """Splits `image.path`; the name of a column may have dots itself."""
    if name in columns:
        return name, ""
    top, _, field = name.rpartition(".")
    return top, field


def _features(notes: dict[str, str]) -> dict[str, Any]:
    """Returns what the library `datasets` says of the columns, if it has written the file."""
    try:
        features = json.loads(notes.get("huggingface", "{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _leaf(field: pa.Field, feature: Any) -> Leaf:
    kind, fields = _kind(field.type)
    labels: tuple[str, ...] = ()
    if isinstance(feature, dict):
        inner = feature.get("feature", feature)
        names = inner.get("names") if isinstance(inner, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            labels = tuple(map(without_controls, names))
    return Leaf(field.name, kind, fields, labels)


def _kind(type_: pa.DataType) -> tuple[str, tuple[str, ...]]:
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    if pa.types.is_struct(type_):
        types = {field.name: field.type for field in type_}
        if _is_binary(types.get("bytes", pa.null())):
            return "file", ("bytes", "path") if "path" in types else ("bytes",)
        return "other", ()
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        inner, _ = _kind(type_.value_type)
        return f"{inner} array" if inner in ("integer", "float", "string") else "other", ()
    if _is_binary(type_):
        return "file", ()
    if pa.types.is_integer(type_) and type_ != pa.uint64():  # which no column here has room for
        return "integer", ()
    if pa.types.is_floating(type_):
        return "float", ()
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    return "string" if is_text else "other", ()


def _is_binary(type_: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_))


@contextmanager
def _in_our_words(path: Path, where: object) -> Iterator[None]:
    """Puts what pyarrow and the system complain about into our words."""
    where = path if where is None else where
    remedy = "Find what is damaged with: fewmask dataset verify"
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(where, "a Parquet file", "no such file", remedy) from error
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = (
            str(error).splitlines()[0].rstrip(". ")[:200] if str(error) else "it cannot be read"
        )
        raise DataError(
            where, "a whole Parquet file", f"a damaged or cut-off one ({reason})", remedy
        ) from error
