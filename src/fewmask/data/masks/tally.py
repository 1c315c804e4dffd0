"""Counts the values that mask files hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.ahead import count_cores
from fewmask.data.counting import count_values
from fewmask.data.imageio import DEFAULT_MAX_PIXELS, MaskValues, read_mask_values
from fewmask.data.masks.decisions import pack_color
from fewmask.data.masks.encoding import (
    GRAY,
    find_runs,
    pack_pixels,
    threshold_levels,
    without_alpha,
)
from fewmask.data.packed import SampleFile
from fewmask.errors import DataError

DARK, BRIGHT = 31, 224
"""Grey values up to and from which a pixel may be black or white, smeared by JPEG."""

MAX_COLORS = 256
"""Colours kept a file, the most frequent ones; no legend is that long."""

NO_COLOR = -1
"""Stands for the colour of an index that the palette of its file has none for."""

_NEIGHBOURHOOD = np.ones((7, 7), np.uint8)


@dataclass(frozen=True)
class FileTally:
    """The values that one mask file holds.

    Args:
        path: The file.
        kind: `gray`: one channel, or three that are equal everywhere; `palette`; `color`.
        values: Distinct grey values, palette indices or packed colours, ascending.
        counts: Pixels of each.
        colors: Packed colour that each value shows, or `NO_COLOR`; empty for 16-bit files, which
            show none.
        levels: What a threshold is held against for each value; empty for colours.
        pixels: Pixels of the file; more than the sum of `counts` if it has over 256 colours.
        between: Pixels between black and white, of grey files that hold both.
        at_edges: Those of them that have black and white within three pixels.
        has_alpha: Whether the file has transparency.
        in_alpha: Whether the transparency itself is the mask, as its shapes are black.
    """

    path: SampleFile
    kind: Literal["gray", "palette", "color"]
    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    colors: NDArray[np.int64]
    levels: NDArray[np.int64]
    pixels: int
    between: int = 0
    at_edges: int = 0
    has_alpha: bool = False
    in_alpha: bool = False

    @property
    def name(self) -> str:
        """The file as messages name it: with its folder."""
        return (
            f"{self.path.parent.name}/{self.path.name}" if self.path.parent.name else str(self.path)
        )


@dataclass
class Share:
    """Where in a set of masks one value occurs.

    Args:
        pixels: Pixels that hold it, in all files together.
        files: Number of files that hold it.
        first: Name of the first of them.
        first_pixels: Pixels that hold it there.
    """

    pixels: int
    files: int
    first: str
    first_pixels: int


def tally_files(
    paths: Sequence[SampleFile],
    max_pixels: int = DEFAULT_MAX_PIXELS,
    progress: Callable[[int, int], None] | None = None,
) -> list[FileTally]:
    """Reads mask files and counts their values; only the counts are kept.

    Args:
        paths: The files.
        max_pixels: Largest height times width allowed.
        progress: Called with the number of files done and of all files.

    Returns:
        One tally a file, in the order of `paths`.

    Raises:
        DataError: If a file cannot be read.
    """
    tallies = []
    readers = ThreadPoolExecutor(min(8, count_cores()))
    try:
        for tally in readers.map(lambda path: tally_file(path, max_pixels), paths):
            tallies.append(tally)
            if progress is not None:
                progress(len(tallies), len(paths))
    finally:
        readers.shutdown(cancel_futures=True)
    return tallies


def tally_file(path: SampleFile, max_pixels: int = DEFAULT_MAX_PIXELS) -> FileTally:
    """Counts the values of one mask file.

    Args:
        path: The file.
        max_pixels: Largest height times width allowed.

    Raises:
        DataError: If it cannot be read.
    """
    stored = read_mask_values(path, max_pixels)
    mask, has_alpha = without_alpha(stored), stored.alpha is not None
    if mask.values.ndim == 3:
        packed = pack_pixels(mask.values)
        values, counts = _count(packed)
        if (values % GRAY).any():
            pixels = packed.size
            if len(values) > MAX_COLORS:
                kept = np.sort(np.argsort(-counts)[:MAX_COLORS])
                values, counts = values[kept], counts[kept]
            none = values[:0]
            return FileTally(
                path, "color", values, counts, values, none, pixels, has_alpha=has_alpha
            )
        mask = MaskValues(np.ascontiguousarray(mask.values[..., 0]))
    values, counts = _count(mask.values)
    size = mask.values.size
    if mask.palette is not None:
        shown = np.full(65536, NO_COLOR, np.int64)
        shown[: len(mask.palette)] = [pack_color(color) for color in mask.palette]
        levels = threshold_levels(mask.palette)[values].astype(np.int64)
        return FileTally(path, "palette", values, counts, shown[values], levels, size)
    if mask.values.dtype != np.uint8:
        return FileTally(path, "gray", values, counts, values[:0], values, size)
    between = at_edges = 0
    if len(values) > 2 and values[0] <= DARK and values[-1] >= BRIGHT:
        between, at_edges = _count_between(mask.values)
    colors = values * GRAY
    return FileTally(
        path,
        "gray",
        values,
        counts,
        colors,
        values,
        size,
        between,
        at_edges,
        has_alpha,
        in_alpha=mask.values is stored.alpha and bool(values[-1]),
    )


def sum_shares(tallies: Sequence[FileTally], by_color: bool) -> dict[int, Share]:
    """Adds up where each value occurs.

    Args:
        tallies: The files.
        by_color: Whether to go by the colours seen instead of the values stored.

    Returns:
        Values in ascending order, each with its share.

    Raises:
        DataError: If it goes by the colours and a pixel has none.
    """
    shares: dict[int, Share] = {}
    for tally in tallies:
        # Two indices of a palette may show one colour.
        keys, place = np.unique(tally.colors if by_color else tally.values, return_inverse=True)
        counts = np.bincount(place, weights=tally.counts).astype(np.int64)
        if by_color and NO_COLOR in keys:
            raise DataError(
                tally.name,
                "a colour in the palette for every index",
                f"none for {tally.values[tally.colors == NO_COLOR][0]}, in {counts[0]:,} pixels",
                "Save this mask with its whole palette.",
            )
        for value, count in zip(keys.tolist(), counts.tolist(), strict=True):
            if value in shares:
                shares[value].pixels += count
                shares[value].files += 1
            else:
                shares[value] = Share(count, 1, tally.name, count)
    return dict(sorted(shares.items()))


def _count(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the distinct values in ascending order and the pixels of each."""
    if values.dtype == np.uint8:
        counts = count_values(values)
        present = np.flatnonzero(counts)
        return present, counts[present]
    # Sorting the runs is much less work than sorting the pixels.
    starts, lengths = find_runs(values)
    found, place = np.unique(values.ravel()[starts], return_inverse=True)
    counts = np.bincount(place, weights=lengths)
    return found.astype(np.int64), counts.astype(np.int64)


def _count_between(values: NDArray[np.uint8]) -> tuple[int, int]:
    """Returns how many pixels are neither black nor white, and how many of these at edges."""
    between = (values > DARK) & (values < BRIGHT)
    brightest = cv2.dilate(values, _NEIGHBOURHOOD)
    darkest = cv2.erode(values, _NEIGHBOURHOOD)
    at_edges = between & (brightest >= BRIGHT) & (darkest <= DARK)
    return int(np.count_nonzero(between)), int(np.count_nonzero(at_edges))
