"""Notices JPEG and PNG files that hold fewer pixels than they declare.

Image decoders are lenient: where a header declares more rows than the file holds, the missing
ones come out grey (JPEG) or black (PNG) without a word. Trained on, they look like background.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0 to SOF15
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_JPEG_SCAN = 0xDA
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
_ADAM7_LAST = (0, 1, 1, 2)


def open_ended_jpeg(data: bytes) -> bytes:
    """Takes the end marker off a JPEG file, so that a decoder cannot stop early.

    At the end marker libjpeg fills what is missing with grey. Without one it asks for more
    data, which Pillow reports as a truncated file. A picture that is whole decodes as ever: the
    zeros put in place of the marker only let the decoder look ahead. They are worth less than
    a hundred 8 × 8 blocks of filler at worst, and a lie smaller than that goes unnoticed.

    Args:
        data: All bytes of the file.

    Returns:
        The bytes to decode; unchanged for progressive files and others of several scans,
        whose decoder needs the marker.
    """
    start = _single_scan_start(data)
    # Inside a scan a byte 255 is always followed by 0 or a restart marker, so this is the end.
    end = data.find(b"\xff\xd9", start) if start else -1
    return data[:end] + bytes(16) if end >= 0 else data


def _single_scan_start(data: bytes) -> int:
    """Returns where the picture's only scan begins, or 0 where there may be more than one."""
    components, place = 0, 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _JPEG_BARE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_FRAMES:
            # Only the sequential kinds 0 and 1 can be done after one scan.
            if marker > 0xC1:
                return 0
            components = data[place + 9]
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == _JPEG_SCAN:
            return place + 2 + length if data[place + 4] == components else 0
        place += 2 + length
    return 0


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Walks through a PNG file without reading the contents of its chunks.

    Args:
        file: The open file; its position is moved.

    Yields:
        `(name, start, length)` of each chunk's content, in bytes.
    """
    place = 8
    while True:
        file.seek(place)
        header = file.read(8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[:4], "big")
        yield header[4:], place + 8, length
        place += 12 + length


def png_is_short(file: BinaryIO) -> bool:
    """Says whether a PNG file holds fewer rows than its header declares.

    Args:
        file: The open file, known to be a PNG; its position is moved.
    """
    file.seek(16)
    header = file.read(13)
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _PNG_SAMPLES.get(header[9], 1)
    passes = (*_ADAM7, _ADAM7_LAST) if header[12] else ((0, 0, 1, 1),)
    missing = 0
    for left, top, step_x, step_y in passes:
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        if columns > 0 and rows > 0:
            missing += rows * (1 + (columns * bits + 7) // 8)
    inflate = zlib.decompressobj()
    for name, start, length in png_chunks(file):
        if missing <= 0:
            break
        if name == b"IDAT":
            file.seek(start)
            missing -= len(inflate.decompress(file.read(length), missing))
    return missing > 0
