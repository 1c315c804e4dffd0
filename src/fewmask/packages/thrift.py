"""The notation that Parquet files write their notes in: Thrift's compact protocol.

Only what the notes of a Parquet file need; see the specification at
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct as bits
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 4, 5, 6, 7, 8, 9, 12
_TRUE, _FALSE, _BYTE, _SET = 1, 2, 3, 10


class Encoded(NamedTuple):
    """A value ready to be written.

    Args:
        kind: Number of its type in the protocol.
        content: Its bytes.
    """

    kind: int
    content: bytes


def i16(number: int) -> Encoded:
    """Encodes a whole number of 16 bits."""
    return Encoded(_I16, varint(number << 1 ^ number >> 15))


def i32(number: int) -> Encoded:
    """Encodes a whole number of 32 bits."""
    return Encoded(_I32, varint(number << 1 ^ number >> 31))


def i64(number: int) -> Encoded:
    """Encodes a whole number of 64 bits."""
    return Encoded(_I64, varint(number << 1 ^ number >> 63))


def binary(content: bytes | str) -> Encoded:
    """Encodes bytes, or a text in UTF-8."""
    content = content.encode("utf-8") if isinstance(content, str) else content
    return Encoded(_BINARY, varint(len(content)) + content)


def listing(items: Iterable[Encoded]) -> Encoded:
    """Encodes a list of values of one type; an empty one is of structs."""
    items = list(items)
    count, kind = len(items), items[0].kind if items else _STRUCT
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + varint(count)
    return Encoded(_LIST, head + b"".join(item.content for item in items))


def struct(fields: Mapping[int, Encoded]) -> Encoded:
    """Encodes a struct.

    Args:
        fields: Number of each field, ascending and at most 15 apart, and its value.

    Example:

    >>> struct({1: i32(0), 3: binary("ab")}).content.hex()
    '15002802616200'
    """
    content, before = bytearray(), 0
    for number, value in fields.items():
        content.append(number - before << 4 | value.kind)
        content += value.content
        before = number
    return Encoded(_STRUCT, bytes(content) + b"\0")


def read_struct(content: bytes, start: int = 0) -> tuple[dict[int, Any], int]:
    """Reads a struct.

    Args:
        content: Bytes that hold it.
        start: Where it begins.

    Returns:
        Number of each field and its value (structs as dictionaries again, binaries as bytes),
        and the place behind its end.

    Raises:
        IndexError: If the bytes end before it does.
        ValueError: If it holds a type that Parquet's notes never do.

    Example:

    >>> read_struct(struct({1: i32(-7), 3: binary("ab")}).content)
    ({1: -7, 3: b'ab'}, 7)
    """
    fields: dict[int, Any] = {}
    number, place = 0, start
    while head := content[place]:
        place += 1
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, place = _read_number(content, place)
        fields[number], place = _read_value(kind, content, place)
    return fields, place + 1


def _read_value(kind: int, content: bytes, place: int) -> tuple[Any, int]:
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, place
    if kind in (_I16, _I32, _I64):
        return _read_number(content, place)
    if kind == _BYTE:
        return content[place], place + 1
    if kind == _DOUBLE:
        return bits.unpack_from("<d", content, place)[0], place + 8
    if kind == _BINARY:
        size, place = _read_varint(content, place)
        if place + size > len(content):
            raise IndexError("the bytes end inside a text")
        return content[place : place + size], place + size
    if kind == _STRUCT:
        return read_struct(content, place)
    if kind not in (_LIST, _SET):
        raise ValueError(f"{kind} is no type of Parquet's notes")
    count, kind = content[place] >> 4, content[place] & 15
    place += 1
    if count == 15:
        count, place = _read_varint(content, place)
    items = []
    for _ in range(count):
        # In a list a truth value takes a byte of its own.
        item, place = _read_value(_BYTE if kind in (_TRUE, _FALSE) else kind, content, place)
        items.append(item)
    return items, place


def varint(number: int) -> bytes:
    """Encodes a whole number from 0 up: seven bits a byte, the lowest first."""
    content = bytearray()
    while number > 127:
        content.append(number & 127 | 128)
        number >>= 7
    content.append(number)
    return bytes(content)


def _read_varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
        shift += 7


def _read_number(content: bytes, place: int) -> tuple[int, int]:
    number, place = _read_varint(content, place)
    return number >> 1 ^ -(number & 1), place
