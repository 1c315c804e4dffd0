"""Finds where in a Parquet file the bytes of each value lie, so that one can be read alone."""

from __future__ import annotations

import mmap
import struct as bits

from fewmask.packages.thrift import read_struct

_DATA_PAGE, _PLAIN, _RLE = 0, 0, 3
_LONGEST_HEAD = 2**16

Slice = tuple[int, int]
"""Where bytes begin in a file, and how many there are."""


def find_values(
    file: mmap.mmap, start: int, end: int, count: int, depth: int
) -> list[Slice] | None:
    """Walks through a column of byte strings without reading them.

    Args:
        file: The Parquet file.
        start: Where the pages of the column begin, in one row group.
        end: Where they end.
        count: Number of values.
        depth: How many of the names that lead to the column may be missing.

    Returns:
        A slice for each value; None where values are compressed, in a dictionary or missing, or
        the pages contradict all this, so that only a Parquet library may know better.
    """
    slices: list[Slice] = []
    try:
        while len(slices) < count:
            start = _find_in_page(file, start, end, depth, slices)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, bits.error):
        return None
    return slices if len(slices) == count else None


def _find_in_page(file: mmap.mmap, start: int, end: int, depth: int, slices: list[Slice]) -> int:
    """Adds the values of one page and returns where the next begins; raises if it cannot."""
    head, size = read_struct(file[start : min(end, start + _LONGEST_HEAD)])
    place, page_end = start + size, start + size + int(head[3])
    page = head[5]
    count = page[1]
    if head[1] != _DATA_PAGE or head[2] != head[3] or page[2] != _PLAIN or page_end > end:
        raise ValueError("not plain")
    if count < 1:
        raise ValueError("an empty page, which may end where it begins")
    if depth:
        if page[3] != _RLE:
            raise ValueError("an encoding of old")
        (levels,) = bits.unpack_from("<I", file, place)
        _check_none_missing(file[place + 4 : place + 4 + levels], count, depth)
        place += 4 + levels
    for _ in range(count):
        (length,) = bits.unpack_from("<I", file, place)
        slices.append((place + 4, length))
        place += 4 + length
        if place > page_end:
            raise ValueError("a value beyond its page")
    return page_end


def _check_none_missing(levels: bytes, count: int, depth: int) -> None:
    """Raises unless the levels are runs of `depth`, which means that every value is there."""
    place = 0
    while count > 0:
        run = shift = 0
        while True:
            byte = levels[place]
            place += 1
            run |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if run & 1 or levels[place] != depth or run < 2:
            raise ValueError("missing values, or levels written one by one")
        place += 1
        count -= run >> 1
