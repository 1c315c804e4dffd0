"""Runs of pixels inside and outside an area, as COCO and contests store them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.data.formats.filling import Bitmap
from fewmask.data.formats.outlines import Piece
from fewmask.errors import DataError

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Runs:
    """An area of an image as lengths of runs, outside and inside in turn.

    Args:
        counts: The lengths; the first run is outside and may be empty.
        down: Whether the runs go down the columns, as COCO has it, or along the rows.
        open_end: Whether pixels after the last run are outside; else the runs have to cover
            the image.
    """

    counts: Counts
    down: bool = True
    open_end: bool = False

    def bitmap(self, height: int, width: int, where: str) -> Bitmap:
        """Returns the pixels inside.

        Args:
            height: Rows of the image.
            width: Columns of the image.
            where: Whose runs these are, for the error.

        Raises:
            DataError: If the runs do not fit an image of this size.

        Example:

        >>> runs = Runs(np.array([1, 2, 1]))
        >>> runs.bitmap(2, 2, "a.json").pixels.astype(int).tolist()
        [[0, 1], [1, 0]]
        """
        total, pixels = int(self.counts.sum()), height * width
        if self.counts.size and self.counts.min() < 0:
            raise _wrong(where, "runs of 0 pixels or more", f"one of {self.counts.min()}")
        if total > pixels or (total < pixels and not self.open_end):
            expected = f"runs for {height} × {width} = {pixels:,} pixels (height × width)"
            raise _wrong(where, expected, f"runs for {total:,}")
        line = height if self.down else width
        ends = np.cumsum(self.counts)
        starts, stops = ends[0:-1:2], ends[1::2]
        kept = stops > starts
        starts, stops = starts[kept], stops[kept]
        if not len(starts):
            return Bitmap(np.zeros((0, 0), np.bool_))
        # Only the lines that the area touches are made: it is small, the image may be large.
        first, last = int(starts[0]) // line, (int(stops[-1]) - 1) // line
        turns = np.zeros((last - first + 1) * line + 1, np.int8)
        turns[starts - first * line] += 1
        turns[stops - first * line] -= 1
        inside = np.cumsum(turns[:-1], dtype=np.int8).reshape(-1, line) > 0
        return Bitmap(inside.T, 0, first) if self.down else Bitmap(inside, first, 0)


def find_runs(piece: Piece, height: int, width: int, down: bool = True) -> Counts:
    """Finds the runs of a piece in its image, outside and inside in turn.

    Args:
        piece: Some of the pixels.
        height: Rows of the image.
        width: Columns of the image.
        down: Whether to go down the columns, or along the rows.

    Returns:
        Lengths that add up to the pixels of the image; the first run is outside.

    Example:

    >>> find_runs(Piece(1, np.ones((2, 1), bool), top=0, left=1), height=3, width=2).tolist()
    [3, 2, 1]
    """
    pixels, before, first = piece.pixels, piece.top, piece.left
    if not down:
        pixels, before, first, height, width = pixels.T, first, before, width, height
    # Only the lines that the piece touches: it is small, the image may be large.
    rows, columns = pixels.shape
    flat = np.zeros((columns, height), np.bool_)
    flat[:, before : before + rows] = pixels.T
    changes = np.flatnonzero(np.diff(flat.ravel(), prepend=False, append=False))
    # The last run inside may end with the image: then none outside follows.
    ends = np.unique(np.append(changes + first * height, height * width))
    counts: Counts = np.diff(ends, prepend=0)
    return counts


def counts_of_text(text: str, where: str) -> Counts:
    """Unpacks the text that COCO files hold runs in.

    Each length is written as the difference to the one two before, in letters of 5 bits.
    (pycocotools unpacks too, but where the runs are too short for the image it returns memory
    that it never wrote.)

    Args:
        text: The value of `counts`.
        where: Whose runs these are, for the error.

    Raises:
        DataError: If this is no such text.

    Example:

    >>> counts_of_text("01500000005", "a.json").tolist()
    [0, 1, 5, 1, 5, 1, 5, 1, 5, 1, 10]
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise _wrong(where, "runs in COCO's letters", f"the letter {letter!r}")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:  # more letters follow
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise _wrong(where, "runs in COCO's letters", "a text that was cut off")
    if any(not -(2**40) < count < 2**40 for count in counts):
        raise _wrong(where, "runs of pixels", "a number beyond all images")
    return np.array(counts, np.int64)


def text_of_counts(counts: Counts, height: int, width: int) -> str:
    """Packs the runs of an area, down the columns, into the text that COCO files hold them in.

    Args:
        counts: The lengths.
        height: Rows of the image.
        width: Columns of the image.

    Example:

    >>> text_of_counts(np.array([0, 1, 5, 1, 2]), 3, 3)
    '0150M'
    """
    # Imported here: only those need it who write COCO files.
    from pycocotools import mask as coco_mask

    stored = {"size": [height, width], "counts": counts.tolist()}
    packed: bytes = coco_mask.frPyObjects(stored, height, width)["counts"]
    return packed.decode("ascii")


def _wrong(where: str, expected: str, found: str) -> DataError:
    return DataError(where, expected, found, "Use the image that was labelled, or export again.")
