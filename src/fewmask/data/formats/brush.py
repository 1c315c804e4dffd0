"""Label Studio's brush: the pixels of a painting, packed bit by bit.

The packing is that of the JavaScript package rle-pack: 32 bits with the number of values, 5 with
the bits of a value, four times 4 with the bits of a length, then blocks. A block begins with a bit
that says whether one value is repeated, 2 that choose one of the four lengths, and the length less
one; then come the value or the values. Label Studio packs red, green, blue and opacity of each
pixel that way; what is opaque was painted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fewmask.data.formats.filling import Bitmap
from fewmask.errors import DataError

_CHANNELS = 4
_LENGTHS = (3, 4, 8, 16)
"""Bits of the four kinds of length that we write, as Label Studio's own tools do."""


def unpack_brush(packed: Sequence[int], height: int, width: int, where: str) -> Bitmap:
    """Unpacks a painting.

    Args:
        packed: The bytes, as the list `rle` holds them.
        height: Rows of the image.
        width: Columns of the image.
        where: Whose they are, for the error.

    Returns:
        The rows that were painted in, True where they were.

    Raises:
        DataError: If these are no such bytes, or for an image of another size.

    Example:

    >>> painted = unpack_brush(pack_brush(np.array([3, 1, 2])), 3, 2, "a.json")
    >>> painted.top, painted.pixels.astype(int).tolist()
    (1, [[0, 1]])
    """
    try:
        content = bytes(packed)
    except (TypeError, ValueError) as error:
        raise _wrong(where, "bytes as 'rle'", "something else") from error
    count = height * width * _CHANNELS
    bits = f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}" if content else ""
    declared = int(bits[:32] or "0", 2)
    if declared != count:
        expected = f"{count:,} values for {height} × {width} pixels (height × width)"
        raise _wrong(where, expected, f"{declared:,}")
    try:
        painted = [block for block in _blocks(bits, count) if np.any(block[2])]
    except ValueError as error:
        raise _wrong(where, "whole blocks of pixels", f"something else ({error})") from error
    if not painted:
        return Bitmap(np.zeros((0, 0), np.bool_))
    row = width * _CHANNELS
    first, last = painted[0][0] // row, (painted[-1][1] - 1) // row
    values = np.zeros((last - first + 1) * row, np.uint8)
    for start, stop, some in painted:
        values[start - first * row : stop - first * row] = some
    return Bitmap(values.reshape(-1, width, _CHANNELS)[..., 3] > 0, first, 0)


def pack_brush(counts: NDArray[np.int64]) -> list[int]:
    """Packs an area as Label Studio does.

    Args:
        counts: Lengths of its runs along the rows, outside and inside in turn.

    Returns:
        Bytes as whole numbers.
    """
    total = int(counts.sum()) * _CHANNELS
    bits = [f"{total:032b}", f"{8 - 1:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    for number, count in enumerate(counts.tolist()):
        value = "11111111" if number % 2 else "00000000"
        for some in _cut(count * _CHANNELS):
            kind = next(n for n, size in enumerate(_LENGTHS) if some <= 2**size)
            bits.append(f"1{kind:02b}{some - 1:0{_LENGTHS[kind]}b}{value}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def _cut(length: int) -> Iterator[int]:
    """Cuts a run into lengths that can be written."""
    longest = 2 ** _LENGTHS[-1]
    while length > 0:
        yield min(length, longest)
        length -= longest


def _blocks(bits: str, count: int) -> Iterator[tuple[int, int, NDArray[np.uint8] | int]]:
    """Yields where each block begins and ends, and its value or values; ValueError at the end."""
    size = int(bits[32:37], 2) + 1
    lengths = [int(bits[place : place + 4], 2) + 1 for place in range(37, 53, 4)]
    if size != 8:
        raise ValueError(f"values of {size} bits")
    here, done = 53, 0
    while done < count:
        repeated = bits[here : here + 1] == "1"
        length_bits = lengths[int(bits[here + 1 : here + 3] or "0", 2)]
        length = int(bits[here + 3 : here + 3 + length_bits] or "0", 2) + 1
        here += 3 + length_bits
        stop = min(done + length, count)
        number = 1 if repeated else stop - done
        text = bits[here : here + number * size]
        if len(text) < number * size:
            raise ValueError("it was cut off")
        stored = int(text, 2).to_bytes(number, "big")
        here += number * size
        yield done, stop, stored[0] if repeated else np.frombuffer(stored, np.uint8)
        done = stop


def _wrong(where: str, expected: str, found: str) -> DataError:
    return DataError(where, expected, found, "Use the image that was labelled, or export again.")
