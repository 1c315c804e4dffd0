"""Image files as arrays.

The front of three rooms that know the formats: `raster` (by Pillow), `tiff` (by tifffile) and
`strict` (what decoders do not notice). Nothing else in the project imports Pillow or tifffile.
"""

from __future__ import annotations

import errno
import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewmask.data.classes import Color
from fewmask.data.imageio.orientation import SWAPS_SIDES, turn_upright
from fewmask.data.imageio.raster import (
    check_pixels,
    damaged,
    image_pixels,
    mask_pixels,
    open_raster,
    raster_bits,
    raster_orientation,
)
from fewmask.data.imageio.tiff import is_tiff, read_tiff_header, read_tiff_pixels
from fewmask.data.packed import PackedFile, SampleFile
from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.files import whole_file

DEFAULT_MAX_PIXELS = 200_000_000
"""Height times width above which a picture is refused; 600 MB as RGB, a 16,384 × 12,207 scan."""

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
    | {".heic", ".heif", ".avif"}
)
"""Suffixes of files that are meant as pictures; of the last three, reading says what to do."""

_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError,
    ArithmeticError, RuntimeError, AssertionError, struct.error, zlib.error,
)  # fmt: skip
"""What the decoders raise on files that are cut or damaged, as found by damaging some."""

Pixels = NDArray[Any]


@dataclass(frozen=True)
class MaskValues:
    """What a mask file stores, before anyone says which value is which class.

    Args:
        values: Whole numbers of shape `(H, W)`, uint8 or uint16, or colours of shape
            `(H, W, 3)`, uint8.
        palette: Colour of each value where the file has a palette, else None. A 1-bit file
            holds 0 and 1 with the palette black and white.
        alpha: Opacity of shape `(H, W)`, uint8, where it is not 255 everywhere, else None.
    """

    values: Pixels
    palette: tuple[Color, ...] | None = None
    alpha: NDArray[np.uint8] | None = None


def read_size(path: str | SampleFile, max_pixels: int = DEFAULT_MAX_PIXELS) -> tuple[int, int]:
    """Reads the height and width of a picture from its header.

    Args:
        path: An image or mask file.
        max_pixels: Largest height times width allowed.

    Returns:
        `(height, width)` after the EXIF orientation is applied.

    Raises:
        DataError: If the file is missing, no picture, damaged, or larger than `max_pixels`.
    """
    with _opened(path) as file:
        if is_tiff(file):
            header = read_tiff_header(file, path)
            height, width, orientation = header.height, header.width, header.orientation
            check_pixels(path, height, width, max_pixels)
        else:
            picture = open_raster(file, path, max_pixels)
            width, height = picture.size
            orientation = raster_orientation(picture, file)
    return (width, height) if orientation in SWAPS_SIDES else (height, width)


def read_image(
    path: str | SampleFile,
    channels: int | None = None,
    at_least: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Pixels:
    """Reads an image the way it is meant to be seen: orientation applied, transparency dropped.

    Args:
        path: A PNG, JPEG, TIFF, BMP, GIF (first picture) or WebP file.
        channels: 3 turns grey into RGB, 1 turns RGB into grey; None keeps 1 or 3, or as many
            as a TIFF file has.
        at_least: A JPEG file may come back at a half, quarter or eighth of its size, decoded
            that much faster, as long as its longest side keeps this many pixels.
        max_pixels: Largest height times width allowed, checked before decoding.

    Returns:
        Shape `(H, W, C)`, uint8 or uint16.

    Raises:
        DataError: If the file is missing, no picture, damaged or larger than `max_pixels`,
            holds other than 8- or 16-bit whole numbers, or has not the channels asked for.
    """
    with _opened(path) as file:
        header = read_tiff_header(file, path) if is_tiff(file) else None
        if header and not header.suits_pillow:
            check_pixels(path, header.height, header.width, max_pixels)
            image = read_tiff_pixels(file, path)
            image = image[..., :-1] if header.has_alpha else image
            if header.zero_is_white:
                image = 2 ** min(header.bits, 16) - 1 - image
            orientation = header.orientation
        else:
            picture = open_raster(file, path, max_pixels, at_least)
            image = image_pixels(picture, file, path)
            orientation = raster_orientation(picture, file)
    return _with_channels(turn_upright(image, orientation), channels, path)


def open_picture(path: str | SampleFile, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Opens a picture for showing.

    Args:
        path: An image or mask file; a mask with a palette shows its colours.
        max_pixels: Largest height times width allowed, checked before decoding.

    Returns:
        A grey or RGB Pillow picture, upright; 16-bit ones stretched from their darkest to
        their brightest value, of more than three channels the first three.

    Raises:
        DataError: As `read_image` does.
    """
    image = read_image(path, max_pixels=max_pixels)
    image = image[..., :3] if image.shape[2] >= 3 else image[..., 0]
    if image.dtype != np.uint8:
        low, high = int(image.min()), int(image.max())
        image = ((image.astype(np.float32) - low) * (255 / max(high - low, 1))).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(image))


def read_mask_values(path: str | SampleFile, max_pixels: int = DEFAULT_MAX_PIXELS) -> MaskValues:
    """Reads what a mask file stores, unchanged but for the EXIF orientation.

    Palette indices stay indices, and grey files of 2 or 4 bits keep their ids, which decoders
    else spread over 0 to 255.

    Args:
        path: A mask in any format that `read_image` reads.
        max_pixels: Largest height times width allowed, checked before decoding.

    Returns:
        The stored values, with the palette and the transparency where there are any.

    Raises:
        DataError: As `read_image` does, and for files with neither one nor three channels.
    """
    palette, alpha = None, None
    with _opened(path) as file:
        header = read_tiff_header(file, path) if is_tiff(file) else None
        if header and not header.suits_pillow:
            check_pixels(path, header.height, header.width, max_pixels)
            values, orientation = read_tiff_pixels(file, path), header.orientation
        else:
            picture = open_raster(file, path, max_pixels)
            values, palette = mask_pixels(picture, file, path)
            orientation = raster_orientation(picture, file)
            bits = header.bits if header else raster_bits(picture, file)
            if picture.mode == "L" and bits < 8:
                values = values // (255 // (2**bits - 1))
            if header and header.zero_is_white:
                values, palette = 2**bits - 1 - values, None
    if values.ndim == 3 and values.shape[2] in (2, 4) and values.dtype == np.uint8:
        alpha = turn_upright(values[..., -1], orientation)
        values, alpha = values[..., :-1], None if alpha.min() == 255 else alpha
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim == 3 and (values.shape[2] != 3 or values.dtype != np.uint8):
        raise DataError(
            path,
            "a mask with one channel of class ids or three 8-bit ones of colour",
            f"{values.shape[2]} channels of type {values.dtype}",
            "Save the class ids as one channel, an 8-bit PNG for example.",
        )
    return MaskValues(turn_upright(values, orientation), palette, alpha)


def encode_png(array: Pixels, palette: Sequence[tuple[int, ...]] | None = None) -> bytes:
    """Packs an array as a PNG file.

    Args:
        array: `(H, W)` of uint8, uint16 or bool, or `(H, W, 3)` or `(H, W, 4)` of uint8.
        palette: Colours of the values of a uint8 `(H, W)` array, each red, green and blue, or
            each with its opacity too; values beyond it are white.

    Returns:
        The bytes of the file.

    Raises:
        ArgumentError: If the array has another shape or type.

    Example:

    >>> encode_png(np.zeros((2, 2), np.uint8))[1:4]
    b'PNG'
    """
    kind, small = array.dtype.name, array.dtype == np.uint8
    flat = array.ndim == 2 and (small or (kind in ("uint16", "bool") and not palette))
    if not flat and not (array.ndim == 3 and array.shape[2] in (3, 4) and small and not palette):
        raise ArgumentError(
            "array",
            "(H, W) of uint8" if palette else "(H, W) of uint8, uint16 or bool, or uint8 colours",
            f"{array.dtype} of shape {array.shape}",
            "Convert it before writing.",
        )
    picture = Image.fromarray(np.ascontiguousarray(array))
    options: dict[str, Any] = {}
    if palette:
        kind = "RGB" if len(palette[0]) == 3 else "RGBA"
        beyond = int(array.max(initial=0)) + 1 - len(palette)
        colors = [*palette, *[(255,) * len(kind)] * beyond]
        picture.putpalette([part for color in colors for part in color], kind)
        options["bits"] = 8  # readers that know only whole bytes are many
    packed = io.BytesIO()
    # Against the usual level 6: a third more bytes for half the time on label maps, a seventh
    # more for a quarter of the time on photographs.
    picture.save(packed, "PNG", compress_level=2, **options)
    return packed.getvalue()


def write_png(path: str | Path, array: Pixels, palette: Sequence[Color] | None = None) -> None:
    """Writes an array as a PNG file, whole or not at all.

    Args:
        path: The file to be.
        array: As for `encode_png`.
        palette: As for `encode_png`.

    Raises:
        ArgumentError: If the array has a shape or type that `encode_png` does not take.
        FewmaskError: If the file cannot be written.
    """
    packed = encode_png(array, palette)
    with whole_file(path) as beside:
        beside.write_bytes(packed)


def encode_jpeg(array: Pixels, quality: int = 85) -> bytes:
    """Packs an array as a JPEG file.

    Args:
        array: `(H, W)` or `(H, W, 3)`, uint8.
        quality: 1 to 95.

    Returns:
        The bytes of the file.
    """
    packed = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(packed, "JPEG", quality=quality)
    return packed.getvalue()


def resize(array: Pixels, height: int, width: int, smooth: bool) -> Pixels:
    """Resamples a picture to a given size.

    Args:
        array: Shape `(H, W)` or `(H, W, C)`, uint8 or uint16.
        height: New height in pixels.
        width: New width in pixels.
        smooth: True for the antialiased linear filter, False for the nearest pixel, which is
            what masks need.

    Returns:
        Shape `(height, width)` or `(height, width, C)`, of the same dtype.

    Example:

    >>> resize(np.array([[0, 9]], np.uint8), 1, 4, smooth=False).tolist()
    [[0, 0, 9, 9]]
    """
    if array.ndim == 3 and not (array.shape[2] == 3 and array.dtype == np.uint8):
        layers = [resize(array[..., c], height, width, smooth) for c in range(array.shape[2])]
        return np.stack(layers, axis=-1)
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    deep = array.dtype != np.uint8
    picture = Image.fromarray(np.ascontiguousarray(array.astype(np.float32) if deep else array))
    resized = np.asarray(picture.resize((width, height), method))
    return np.rint(resized).astype(array.dtype) if deep else resized


@contextmanager
def _opened(path: str | SampleFile) -> Iterator[BinaryIO]:
    """Opens a file to read a picture, and puts what decoders complain about into our words."""
    try:
        with path.open() if isinstance(path, PackedFile) else open(path, "rb") as file:
            yield file
    except FewmaskError:
        raise
    except FileNotFoundError as error:
        raise DataError(path, "an image file", "no such file", "Check the path.") from error
    except (IsADirectoryError, PermissionError) as error:
        found = "a folder" if Path(str(path)).is_dir() else "no right to read it"
        raise DataError(path, "an image file", found, "Check the path.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            path,
            "fewer pixels in a GIF or WebP file",
            "more than their decoders take",
            "Convert it to PNG or TIFF.",
        ) from error
    except _DAMAGE as error:
        # Decoders give no number, but for places before the beginning that a damaged file names.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            found = (error.strerror or str(error)).lower()
            raise DataError(path, "an image file", found, "Check the path.") from error
        raise damaged(path, str(error)) from error


def _with_channels(image: Pixels, channels: int | None, path: str | SampleFile) -> Pixels:
    image = image if image.ndim == 3 else image[..., None]
    found = image.shape[2]
    if channels in (None, found):
        return image
    if (found, channels) == (1, 3):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
    if (found, channels) == (3, 1):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[..., None]
    raise DataError(
        path,
        f"an image of {channels} channels",
        f"{found}",
        "Use images that all have the same channels, or save this one with those it needs.",
    )
