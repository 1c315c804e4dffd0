"""Which way up a picture is: the EXIF orientation tag."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

UPRIGHT = 1
SWAPS_SIDES = frozenset({5, 6, 7, 8})
"""Orientations that make height of width."""

_TAG = 0x0112


def exif_orientation(exif: bytes) -> int:
    """Reads the orientation out of an EXIF block.

    Cameras and editors write EXIF blocks that are broken in their own ways; one that makes no
    sense here is no reason to refuse a picture, so it counts as upright.

    Args:
        exif: The block, with or without the leading `Exif` signature.

    Returns:
        1 to 8, as the EXIF standard numbers them; 1 is upright.

    Example:

    >>> exif_orientation(bytes.fromhex("4d4d002a 00000008 0001 0112 0003 00000001 0006 0000"))
    6
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * entry)
            if tag == _TAG:
                return int(value) if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass  # the block ends before its table does
    return UPRIGHT


def turn_upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turns stored pixels the way the picture is meant to be seen.

    Args:
        array: Shape `(H, W)` or `(H, W, C)`, as stored.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        The same pixels, `(W, H, ...)` for orientations 5 to 8; contiguous in memory.

    Example:

    >>> turn_upright(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    if orientation in SWAPS_SIDES:
        array = array.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        array = array[::-1]
    if orientation in {2, 3, 6, 7}:
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
