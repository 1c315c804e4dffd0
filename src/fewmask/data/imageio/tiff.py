"""TIFF files: what their header says, and the pixels of those that Pillow does not read.

Pillow decodes the everyday ones, in all their compressions. It takes 16-bit colours for 8-bit
ones without a word, knows no more than four channels and leaves missing strips black, so the
header is always read here.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fewmask.data.imageio.orientation import UPRIGHT
from fewmask.data.packed import SampleFile
from fewmask.errors import DataError

# What tifffile logs of a damaged file would land on the screen, beside the error that says it.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ALPHA = (1, 2)  # the kinds of extra channel that are transparency
_NO_COMPRESSION = 1
_PILLOW_COLORS = {
    1: ("MINISBLACK", "MINISWHITE", "PALETTE"),
    3: ("RGB", "YCBCR"),
    4: ("SEPARATED",),
}


class TiffHeader(NamedTuple):
    """What the header of a TIFF file says.

    Args:
        height: Rows as stored, before the orientation is applied.
        width: Columns as stored.
        channels: Number of channels, a transparency channel included.
        has_alpha: Whether the last channel is transparency.
        orientation: As in EXIF, 1 to 8.
        bits: Bits of one value.
        zero_is_white: Whether 0 is meant to be shown as white.
        suits_pillow: Whether Pillow reads these pixels without loss.
    """

    height: int
    width: int
    channels: int
    has_alpha: bool
    orientation: int
    bits: int
    zero_is_white: bool
    suits_pillow: bool


def is_tiff(file: BinaryIO) -> bool:
    """Says whether an open file begins like a TIFF file; its position is moved."""
    file.seek(0)
    return file.read(4) in TIFF_SIGNATURES


def read_tiff_header(file: BinaryIO, path: str | SampleFile) -> TiffHeader:
    """Reads what a TIFF file declares and checks that it is one picture with all its pixels.

    Args:
        file: The open file.
        path: Its name, for errors.

    Raises:
        DataError: If the file holds several pictures, other than whole numbers, or less data
            than it declares.
    """
    with _pictures(file) as (series, *others):
        page = series.keyframe
        axes = _axes(series, path)
        more = [other for other in others if _counts_beside(page, other.keyframe)]
        if more:
            remedy = "Save each as its own file."
            raise DataError(path, "one picture", f"{1 + len(more)} in one file", remedy)
        lengths = dict(zip(axes, series.shape, strict=True))
        channels = math.prod(size for axis, size in lengths.items() if axis not in "YX")
        if page.dtype is None or page.dtype.kind not in "uib":
            raise DataError(
                path,
                "8- or 16-bit whole numbers",
                f"values of type {page.dtype}",
                "Scale them to 0-65535 and save them as uint16, so that nothing is rounded unseen.",
            )
        if any(_lacks_data(each) for each in series.pages if each is not None):
            raise DataError(
                path,
                "a whole picture",
                "a damaged or cut-off one (it holds less data than its header declares)",
                "Copy or export the file again, or leave it out.",
            )
        has_alpha = bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA
        bits = int(page.bitspersample)
        zero_is_white = page.photometric.name == "MINISWHITE"
        return TiffHeader(
            lengths["Y"],
            lengths["X"],
            channels,
            has_alpha,
            _orientation(page),
            bits,
            zero_is_white,
            suits_pillow=len(series.pages) == 1
            and page.dtype.kind in "ub"
            # Of 16-bit values below a white 0 it reads only one order of bytes.
            and (bits <= 8 or (bits == 16 and channels == 1 and not zero_is_white))
            and page.photometric.name in _PILLOW_COLORS.get(channels - has_alpha, ()),
        )


def read_tiff_pixels(file: BinaryIO, path: str | SampleFile) -> NDArray[Any]:
    """Reads the pixels of a TIFF file of 8 or 16 bits, however many channels it has.

    Args:
        file: The open file, whose header has been read and found good.
        path: Its name, for errors.

    Returns:
        Shape `(H, W, C)` as stored, uint8 or uint16. Wider whole numbers, as labelling tools
        like to write them, come back as uint16.

    Raises:
        DataError: If a value is below 0 or above 65535, or the compression is not supported.
    """
    with _pictures(file) as (series, *_):
        axes = _axes(series, path)
        try:
            stored = series.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise DataError(
                path,
                "a compression that can be read",
                f"{series.keyframe.compression.name}",
                "Save it without compression, or run: pip install imagecodecs",
            ) from error
    rows, columns = axes.index("Y"), axes.index("X")
    pixels = np.moveaxis(stored, (rows, columns), (0, 1))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.dtype in (np.uint8, np.bool_):
        return np.asarray(pixels, np.uint8)
    if pixels.dtype != np.uint16:
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > 65535:
            raise DataError(
                path,
                "whole numbers from 0 to 65535",
                f"values from {low} to {high}",
                "Scale them to that range and save them as uint16.",
            )
    return np.asarray(pixels, np.uint16)


def encode_tiff(array: NDArray[Any]) -> bytes:
    """Packs an array as a TIFF file, compressed without loss.

    Args:
        array: Shape `(H, W)`, uint8 or uint16.

    Returns:
        The bytes of the file.

    Example:

    >>> encode_tiff(np.zeros((2, 2), np.uint16))[:2]
    b'II'
    """
    import tifffile

    packed = io.BytesIO()
    tifffile.imwrite(
        packed, array, byteorder="<", photometric="minisblack", compression="zlib", metadata=None
    )
    return packed.getvalue()


@contextmanager
def _pictures(file: BinaryIO) -> Iterator[list[Any]]:
    """Lends the pictures of an open file, as series of pages that are alike."""
    file.seek(0)
    # Imported here: it takes as long as reading twenty JPEGs, and few people have TIFFs.
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        yield tiff.series


def _counts_beside(first: Any, page: Any) -> bool:
    """Says whether a page is a picture of its own: no mask of the first, and no smaller copy."""
    small = page.imagelength * page.imagewidth < first.imagelength * first.imagewidth
    return not (small or page.is_reduced or page.is_mask)


def _axes(series: Any, path: str | SampleFile) -> str:
    """Returns the axes in stored order: rows Y, columns X, channels S or C, others of length 1."""
    axes = str(series.axes)
    more = [size for axis, size in zip(axes, series.shape, strict=True) if axis not in "YXSC"]
    if math.prod(more) != 1 or not set("YX") <= set(axes):
        raise DataError(
            path,
            "one picture",
            f"{math.prod(more)} (axes {axes})",
            "Save each as its own file, or as channels of one picture (axes CYX).",
        )
    return axes


def _lacks_data(page: Any) -> bool:
    pieces = math.prod(page.chunked)
    counts = page.databytecounts
    if len(counts) < pieces or not all(counts):
        return True
    needed = page.size * page.bitspersample if page.compression == _NO_COMPRESSION else 0
    return bool(sum(counts) * 8 < needed)


def _orientation(page: Any) -> int:
    tag = page.tags.get("Orientation")
    stored = int(tag.value) if tag is not None else UPRIGHT
    return stored if 1 <= stored <= 8 else UPRIGHT
