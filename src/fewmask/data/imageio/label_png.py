"""PNG files of class ids whose bytes depend on the ids and colours alone.

What a general compressor writes changes with its version, and that of some with the processor.
Datasets share files that are equal byte for byte, over years and machines, so masks in them
are compressed by the few lines here: rows as differences to the row above, runs of equal bytes
as one length, and code words chosen for label maps once and for all. That takes about as much
room and time as the usual compression at its fast levels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Color
from fewmask.errors import ArgumentError

_UP = 2
"""Number of the PNG filter that stores each row as its difference to the one above."""
_LONGEST, _SHORTEST = 258, 3
"""Pixels that one length of deflate can stand for."""
_AT_ONCE = 2**16
_BEYOND: Color = (255, 255, 255)


def encode_labels(label_map: NDArray[np.uint8], palette: Sequence[Color]) -> bytes:
    """Packs a label map as a PNG file with a palette, equal on every machine.

    Args:
        label_map: Shape `(H, W)`, uint8, at least one pixel.
        palette: Colours of the values, at most 256; values beyond them are white.

    Returns:
        The bytes of the file.

    Raises:
        ArgumentError: If the array has another shape or type.

    Example:

    >>> encode_labels(np.zeros((2, 2), np.uint8), [(0, 0, 0)])[1:4]
    b'PNG'
    """
    if label_map.ndim != 2 or label_map.dtype != np.uint8 or not label_map.size:
        raise ArgumentError(
            "label map",
            "class ids of shape (H, W), uint8",
            f"{label_map.dtype} of shape {label_map.shape}",
            "Convert it before writing.",
        )
    height, width = label_map.shape
    beyond = max(0, int(label_map.max()) + 1 - len(palette))
    colors = bytes(part for color in (*palette, *[_BEYOND] * beyond) for part in color)
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = label_map[0]
    np.subtract(label_map[1:], label_map[:-1], out=rows[1:, 1:])  # wraps, as the format wants
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            # Eight bits a pixel, a palette; readers that know only whole bytes are many.
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", colors),
            _chunk(b"IDAT", _compress(rows.ravel())),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _compress(values: NDArray[np.uint8]) -> bytes:
    """Packs bytes in the zlib format: one block, runs as lengths."""
    symbols = _symbols(values)
    bits = [_HEAD]
    for start in range(0, len(symbols), _AT_ONCE):
        some = symbols[start : start + _AT_ONCE]
        bits.append(_BITS[some][_USED[some]])
    bits.append(_END)
    packed = np.packbits(np.concatenate(bits), bitorder="little").tobytes()
    return b"\x78\x01" + packed + struct.pack(">I", zlib.adler32(values.tobytes()))


def _symbols(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Writes runs as a byte and lengths of repeating it: 0-255 is a byte, 253 + n a length n.

    A rest of one or two bytes, which no length stands for, is written out.
    """
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    repeats = np.diff(starts, append=len(values)) - 1
    longest, rest = np.divmod(repeats, _LONGEST)
    tail = np.where(rest >= _SHORTEST, 1, rest)
    counts = 1 + longest + tail
    ends = np.cumsum(counts)
    symbols = np.full(ends[-1], 253 + _LONGEST, np.int64)
    bytes_of = values[starts].astype(np.int64)
    symbols[ends - counts] = bytes_of
    for back in (1, 2):
        ending = tail >= back
        written = np.where(rest >= _SHORTEST, 253 + rest, bytes_of)
        symbols[ends[ending] - back] = written[ending]
    return symbols


def _code_words(lengths: Mapping[int, int]) -> dict[int, str]:
    """Gives each symbol its bits, as RFC 1951, 3.2.2, derives them from their number."""
    words, code, before = {}, -1, 0
    for symbol in sorted(lengths, key=lambda symbol: (lengths[symbol], symbol)):
        length = lengths[symbol]
        code = (code + 1) << (length - before if before else 0)
        words[symbol], before = f"{code:0{length}b}", length
    return words


def _word_of_length(length: int) -> str:
    """Returns the bits of repeating the byte before `length` times (RFC 1951, 3.2.5)."""
    if length == _LONGEST:
        return _WORDS[285] + _DISTANCE_1
    extra_bits = max(0, (length - 3).bit_length() - 3)
    word = _WORDS[257 + (extra_bits << 2) + (length - 3 >> extra_bits)]
    extra = (length - 3) % 2**extra_bits
    # Words begin with their highest bit, numbers with their lowest.
    bits = f"{extra:0{extra_bits}b}"[::-1] if extra_bits else ""
    return word + bits + _DISTANCE_1


def _head() -> str:
    """Returns the bits before the symbols: the last block, with code words of its own."""
    numbers = [_LENGTHS[symbol] for symbol in range(286)] + [1, 1]  # two distances
    words = _code_words(_LENGTHS_OF_LENGTHS)
    listed = "".join(f"{_LENGTHS_OF_LENGTHS.get(number, 0):03b}"[::-1] for number in _ORDER)
    counts = "".join(
        f"{count:0{bits}b}"[::-1] for count, bits in ((286 - 257, 5), (2 - 1, 5), (19 - 4, 4))
    )
    return "1" + "01" + counts + listed + "".join(words[number] for number in numbers)


def _bits(words: Iterable[str]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Returns the bits of each word in a row of a table, and which of them count."""
    table = [[int(bit) for bit in word] for word in words]
    widest = max(map(len, table))
    bits = np.array([row + [0] * (widest - len(row)) for row in table], np.uint8)
    return bits, np.array([[place < len(row) for place in range(widest)] for row in table])


_LENGTHS = (
    dict.fromkeys(range(256), 12)
    | dict.fromkeys((*range(4, 23), *range(234, 253)), 11)
    | {0: 2, 1: 3, 255: 3, 2: 4, 254: 6, 3: 7, 253: 7, 256: 12}
    | dict.fromkeys(range(257, 280), 7)
    | {280: 5, 281: 6, 282: 6, 283: 6, 284: 6, 285: 4}
)
"""Bits of each symbol of deflate: bytes, the end (256), lengths. Chosen once, by counting them in
label maps of nuclei, membranes, chairs and land seen from the air; any other choice would change
the bytes of every mask."""
_LENGTHS_OF_LENGTHS = {12: 1, 11: 2, 7: 3, 6: 5, 1: 5, 2: 6, 3: 6, 4: 6, 5: 6}
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_DISTANCE_1 = "0"
_WORDS = _code_words(_LENGTHS)
_HEAD = np.array([int(bit) for bit in _head()], np.uint8)
_END = np.array([int(bit) for bit in _WORDS[256]], np.uint8)
_BITS, _USED = _bits(
    [_WORDS[byte] for byte in range(256)]
    + [_word_of_length(length) for length in range(_SHORTEST, _LONGEST + 1)]
)
