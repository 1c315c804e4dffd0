"""Writes shards: Parquet files whose bytes depend on their rows alone.

Versions of a dataset share the files that are equal byte for byte. Parquet libraries write
their own version into every file and change their defaults with it, so that the same rows give
other bytes a year later; measured by `benchmarks/parquet_bytes.py`. What is written here is the
plainest Parquet there is, without compression (images are compressed already), dictionaries or
statistics: every reader of Parquet takes it, and where the bytes of an image lie can be computed.
"""

from __future__ import annotations

import hashlib
import struct as bits
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fewmask.data.schema import Column
from fewmask.files import whole_file
from fewmask.packages.thrift import Encoded, binary, i16, i32, i64, listing, struct, varint

MADE_BY = "fewmask shard 1"
"""Changes with the layout of the files, not with the version of fewmask."""
SIGNATURE = b"PAR1"

_INT64, _DOUBLE, _BYTE_ARRAY = 2, 5, 6
_OPTIONAL, _REPEATED = 1, 2
_PLAIN, _RLE, _UNCOMPRESSED, _DATA_PAGE = 0, 3, 0, 0
_TEXT = {6: i32(0), 10: struct({1: struct({})})}
_LIST = {6: i32(3), 10: struct({3: struct({})})}

Packed = tuple[str, bytes]
"""What a row holds in a column of images or masks: the path, and the bytes of the file."""


@dataclass(frozen=True)
class Shard:
    """A shard that was written.

    Args:
        path: The file.
        sha256: Of its bytes.
        size: Number of its bytes.
        rows: Number of its rows.
    """

    path: Path
    sha256: str
    size: int
    rows: int


@dataclass(frozen=True)
class _Leaf:
    """A column as Parquet stores it; an image makes two of them.

    Args:
        path: Names from the root of the schema on.
        depth: How many of these Parquet lets be missing. Nothing ever is, but libraries expect
            columns that may have gaps, and `datasets` knows images by that.
        type: Parquet's number of the type.
        encode: Turns values into bytes.
        pick: Takes its value from what a row holds; for an array, all its values.
        is_array: Whether a row holds any number of values.
    """

    path: tuple[str, ...]
    depth: int
    type: int
    encode: Callable[[Sequence[Any]], bytes]
    pick: Callable[[Any], Any]
    is_array: bool = False


def write_shard(
    path: Path,
    columns: Sequence[Column],
    groups: Iterable[Sequence[Sequence[Any]]],
    notes: Mapping[str, str],
) -> Shard:
    """Writes one shard, whole or not at all.

    Args:
        path: The file to be.
        columns: The columns, at least one.
        groups: The rows, in groups that are held in memory one at a time: one value a column,
            for images and masks `(path, bytes)`, for categories their number.
        notes: Texts that every reader of the schema gets, by key.

    Returns:
        The shard with its hash.

    Raises:
        FewmaskError: If it cannot be written.
    """
    leaves = [leaf for column in columns for leaf in _leaves(column)]
    with whole_file(path) as beside, beside.open("wb", buffering=0) as file:
        out = _Hashed(file)
        out.write(SIGNATURE)
        written = [
            _write_group(out, leaves, columns, rows, number) for number, rows in enumerate(groups)
        ]
        footer = _footer(columns, written, notes)
        out.write(footer, bits.pack("<I", len(footer)), SIGNATURE)
    rows = sum(count for _, count in written)
    return Shard(path, out.digest.hexdigest(), out.size, rows)


class _Hashed:
    """Writes a file and computes its hash on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.digest.update(piece)
            view = memoryview(piece)
            while view:  # a single write may take only a part
                view = view[self._file.write(view) :]
            self.size += len(piece)


def _leaves(column: Column) -> Iterator[_Leaf]:
    if column.kind in ("image", "mask"):
        yield _Leaf((column.name, "bytes"), 2, _BYTE_ARRAY, _encode_bytes, lambda value: value[1])
        yield _Leaf((column.name, "path"), 2, _BYTE_ARRAY, _encode_texts, lambda value: value[0])
        return
    kind = column.kind.removesuffix(" array")
    type_: int = _BYTE_ARRAY
    encode: Callable[[Sequence[Any]], bytes] = _encode_texts
    if kind in ("integer", "category"):
        type_, encode = _INT64, _encode_integers
    elif kind == "float":
        type_, encode = _DOUBLE, _encode_floats
    path: tuple[str, ...] = (column.name,)
    depth = 1
    if column.is_array:
        path, depth = (column.name, "list", "element"), 3
    yield _Leaf(path, depth, type_, encode, lambda value: value, column.is_array)


def _encode_bytes(values: Sequence[bytes]) -> bytes:
    return b"".join(
        piece for value in values for piece in (len(value).to_bytes(4, "little"), value)
    )


def _encode_texts(values: Sequence[str]) -> bytes:
    return _encode_bytes([value.encode("utf-8") for value in values])


def _encode_integers(values: Sequence[int]) -> bytes:
    return bits.pack(f"<{len(values)}q", *values)


def _encode_floats(values: Sequence[float]) -> bytes:
    return bits.pack(f"<{len(values)}d", *values)


def _write_group(
    out: _Hashed,
    leaves: Sequence[_Leaf],
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    number: int,
) -> tuple[Encoded, int]:
    """Writes the pages of one group, one a leaf, and returns what the footer says of them."""
    places = {column.name: place for place, column in enumerate(columns)}
    start, chunks = out.size, []
    for leaf in leaves:
        place = places[leaf.path[0]]
        values = [leaf.pick(row[place]) for row in rows]
        levels, count = _runs([(leaf.depth, len(values))]), len(values)
        if leaf.is_array:
            levels, count = _levels_of_arrays(values)
            values = [item for value in values for item in value]
        content = leaf.encode(values)
        size = len(levels) + len(content)
        page = {1: i32(count), 2: i32(_PLAIN), 3: i32(_RLE), 4: i32(_RLE)}
        head = struct({1: i32(_DATA_PAGE), 2: i32(size), 3: i32(size), 5: struct(page)}).content
        chunk = {
            1: i32(leaf.type),
            2: listing([i32(_PLAIN), i32(_RLE)]),
            3: listing(map(binary, leaf.path)),
            4: i32(_UNCOMPRESSED),
            5: i64(count),
            6: i64(len(head) + size),
            7: i64(len(head) + size),
            9: i64(out.size),
        }
        chunks.append(struct({2: i64(out.size), 3: struct(chunk)}))
        out.write(head, levels, content)
    size = out.size - start
    group = {
        1: listing(chunks),
        2: i64(size),
        3: i64(len(rows)),
        5: i64(start),
        6: i64(size),
        7: i16(number),
    }
    return struct(group), len(rows)


def _levels_of_arrays(arrays: Sequence[Sequence[Any]]) -> tuple[bytes, int]:
    """Writes where arrays begin and which are empty; counts the values, an empty array as one."""
    begins, filled = [], []
    for array in arrays:
        begins += [(0, 1), (1, len(array) - 1)]
        filled.append((3, len(array)) if array else (1, 1))
    return _runs(begins) + _runs(filled), sum(count for _, count in filled)


def _runs(runs: Sequence[tuple[int, int]]) -> bytes:
    """Writes runs of a number: `(number, how often)`."""
    content = bytearray()
    for number, count in runs:
        if count > 0:
            content += varint(count << 1)  # the last bit says: a run of one number
            content.append(number)
    return bits.pack("<I", len(content)) + bytes(content)


def _footer(
    columns: Sequence[Column], groups: Sequence[tuple[Encoded, int]], notes: Mapping[str, str]
) -> bytes:
    schema = [struct({4: binary("schema"), 5: i32(len(columns))})]
    for column in columns:
        schema.extend(_schema_of(column))
    fields = {
        1: i32(2),
        2: listing(schema),
        3: i64(sum(count for _, count in groups)),
        4: listing(group for group, _ in groups),
        5: listing(
            struct({1: binary(key), 2: binary(text)}) for key, text in sorted(notes.items())
        ),
        6: binary(MADE_BY),
    }
    return struct(fields).content


def _schema_of(column: Column) -> Iterator[Encoded]:
    name = binary(column.name)
    if column.kind in ("image", "mask"):
        yield struct({3: i32(_OPTIONAL), 4: name, 5: i32(2)})
        yield struct({1: i32(_BYTE_ARRAY), 3: i32(_OPTIONAL), 4: binary("bytes")})
        yield struct({1: i32(_BYTE_ARRAY), 3: i32(_OPTIONAL), 4: binary("path"), **_TEXT})
        return
    (leaf,) = _leaves(column)
    text = _TEXT if leaf.encode is _encode_texts else {}
    if column.is_array:
        yield struct({3: i32(_OPTIONAL), 4: name, 5: i32(1), **_LIST})
        yield struct({3: i32(_REPEATED), 4: binary("list"), 5: i32(1)})
        name = binary("element")
    yield struct({1: i32(leaf.type), 3: i32(_OPTIONAL), 4: name, **text})
