"""Pictures as Pillow decodes them, without what it makes up.

A picture is opened by its first bytes, never by its suffix, and by the decoder of that format
alone. So Pillow's own limit on pixels, a process-wide variable that other code may rely on, is
left as it is: ours is checked on the header, before any pixel is decoded.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fewmask.data.classes import Color
from fewmask.data.imageio.orientation import UPRIGHT, exif_orientation
from fewmask.data.imageio.strict import open_ended_jpeg, png_chunks, png_is_short
from fewmask.data.imageio.tiff import TIFF_SIGNATURES
from fewmask.data.packed import SampleFile
from fewmask.errors import DataError

Pixels = NDArray[Any]

# Pillow gives the memory of each picture back to the system. Threads that decode side by side then
# spend as long on getting pages anew as on decoding. So it keeps 16 MB, in blocks so small that
# they suit pictures of all sizes and need not be grown.
Image.core.set_block_size(256 * 1024)  # type: ignore[attr-defined]
Image.core.set_blocks_max(64)  # type: ignore[attr-defined]

_FORMATS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"BM", BmpImageFile),
    (b"GIF8", GifImageFile),
    (b"RIFF", WebPImageFile),
    *((signature, TiffImageFile) for signature in TIFF_SIGNATURES),
)
_SUFFIXES = {
    PngImageFile: ".png",
    BmpImageFile: ".bmp",
    GifImageFile: ".gif",
    WebPImageFile: ".webp",
    TiffImageFile: ".tif",
}
_WIDTH, _HEIGHT = 256, 257  # tags of TIFF
_GREY_WITH_ALPHA = 4  # colour type of PNG
_UNUSUAL = 167
"""What pixels are before a PNG decoder writes them; few pictures end with a row of these."""
_BLACK_WHITE: tuple[Color, ...] = ((0, 0, 0), (255, 255, 255))


def usual_suffix(content: bytes) -> str:
    """Returns the suffix that files with such contents have, whatever this one is called.

    Args:
        content: The bytes of an image file; its beginning is enough.

    Example:

    >>> usual_suffix(b"GIF89a"), usual_suffix(bytes.fromhex("ffd8ffe0"))
    ('.gif', '.jpg')
    """
    kinds = (kind for signature, kind in _FORMATS if content.startswith(signature))
    return next((_SUFFIXES[kind] for kind in kinds), ".jpg")


def damaged(path: str | SampleFile, reason: str) -> DataError:
    """Makes the error for a picture that cannot be decoded whole."""
    return DataError(
        path,
        "a whole picture",
        f"a damaged or cut-off one ({reason.strip().rstrip('.') or 'it cannot be decoded'})",
        "Copy or export the file again, or leave it out.",
    )


def check_pixels(path: str | SampleFile, height: int, width: int, max_pixels: int) -> None:
    """Refuses a picture of more pixels than allowed.

    Raises:
        DataError: If height times width is larger than `max_pixels`.
    """
    if height * width > max_pixels:
        raise DataError(
            path,
            f"at most {max_pixels:,} pixels",
            f"{height:,} × {width:,} = {height * width:,}",
            f"If the file is meant to be so large, allow it with --max-pixels {height * width}.",
        )


def open_raster(
    file: BinaryIO, path: str | SampleFile, max_pixels: int, at_least: int | None = None
) -> ImageFile:
    """Opens a picture with the Pillow decoder of its format; no pixel is decoded yet.

    Args:
        file: The open file.
        path: Its name, for errors.
        max_pixels: Largest height times width allowed.
        at_least: Pixels that the longest side keeps if a JPEG decoder can shrink the picture.

    Returns:
        Pillow's picture, to be handed to the functions below.

    Raises:
        DataError: If it is no picture, in a format without a decoder, or too large.
    """
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    if start.startswith(b"\xff\xd8\xff"):
        picture: ImageFile = JpegImageFile(io.BytesIO(open_ended_jpeg(file.read())))
    else:
        picture = _format_of(path, start)(file)
    width, height = picture.size
    check_pixels(path, height, width, max_pixels)
    longest = max(width, height)
    if at_least and longest > at_least:
        picture.draft(None, (-(-width * at_least // longest), -(-height * at_least // longest)))
    return picture


def _format_of(path: str | SampleFile, start: bytes) -> type[ImageFile]:
    for signature, kind in _FORMATS:
        if start.startswith(signature):
            return kind
    found, remedy = "something else", "Leave it out, or convert it to PNG."
    if start[4:8] == b"ftyp":
        found = f"a picture or video of the kind {start[8:12].decode('latin-1').strip()}"
        if start[8:10] in (b"he", b"mi", b"av"):
            found = "an AVIF picture" if start[8:10] == b"av" else "a HEIC picture"
        remedy = "Convert it to JPEG or PNG, for example with: magick mogrify -format jpg *.heic"
    elif not start:
        found, remedy = "an empty file", "Copy or export the file again, or leave it out."
    raise DataError(path, "a PNG, JPEG, TIFF, BMP, GIF or WebP picture", found, remedy)


def raster_orientation(picture: ImageFile, file: BinaryIO) -> int:
    """Returns how an opened picture is yet to be turned, as an EXIF orientation."""
    if isinstance(picture, TiffImageFile):
        return UPRIGHT  # Pillow turns these while decoding, and only these
    exif = picture.info.get("exif", b"")
    if isinstance(picture, PngImageFile):
        # The block may stand behind the pixels, where Pillow sees it only after decoding them.
        for name, start, length in png_chunks(file):
            if name == b"eXIf":
                file.seek(start)
                exif = file.read(length)
    return exif_orientation(exif)


def raster_bits(picture: ImageFile, file: BinaryIO) -> int:
    """Returns the bits of one stored value; 8 for every format but PNG."""
    if not isinstance(picture, PngImageFile):
        return 8
    file.seek(24)
    return file.read(1)[0]


def _decode(picture: ImageFile, file: BinaryIO, path: str | SampleFile) -> Pixels:
    """Decodes the pixels in Pillow's mode, and refuses what the decoder had to make up."""
    is_png, mode = isinstance(picture, PngImageFile), picture.mode
    if is_png:
        picture.im = Image.new(mode, picture.size, _UNUSUAL).im
    elif isinstance(picture, TiffImageFile):
        # Its decoder applies Pillow's limit unless the memory is there; sides as yet unturned.
        stored_size = int(picture.tag_v2[_WIDTH]), int(picture.tag_v2[_HEIGHT])
        picture.im = Image.new(mode, stored_size).im
    picture.load()
    stored: Pixels = np.asarray(picture)
    if is_png:
        # Missing rows stay as they were, so only a last row of that needs a second look.
        untouched = np.asarray(Image.new(mode, (picture.width, 1), _UNUSUAL))[0]
        if np.array_equal(stored[-1], untouched) and png_is_short(file):
            raise damaged(path, "it holds fewer rows than its header declares")
        if stored.dtype == np.uint8 and raster_bits(picture, file) == 16:
            return _deep_colors(file)
    if picture.mode == "I" and not (stored.min() >= 0 and stored.max() <= 65535):
        raise DataError(
            path,
            "whole numbers from 0 to 65535",
            f"values from {stored.min()} to {stored.max()}",
            "Scale them to that range and save them as 16 bits.",
        )
    # Modes I and I;16B: numbers of four bytes, or of two in the other order.
    return stored.astype(np.uint16) if stored.dtype.itemsize > 1 else stored


def _deep_colors(file: BinaryIO) -> Pixels:
    """Decodes a PNG file with 16-bit colours, of which Pillow keeps only the upper 8 bits."""
    file.seek(0)
    content = file.read()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise OSError("its 16-bit colours cannot be decoded")
    # OpenCV has BGR, and makes colours of grey with transparency, as Pillow does.
    kept = [0, 3] if content[25] == _GREY_WITH_ALPHA else [2, 1, 0, 3][: pixels.shape[2]]
    return np.take(pixels, kept, axis=-1)


def image_pixels(picture: ImageFile, file: BinaryIO, path: str | SampleFile) -> Pixels:
    """Decodes an image for the eye: palettes as RGB, without transparency.

    Returns:
        Shape `(H, W)` or `(H, W, 3)`, uint8 or uint16, not turned upright yet.

    Raises:
        DataError: If the file holds fewer pixels than it declares, or wider numbers.
    """
    stored = _decode(picture, file, path)
    if stored.dtype == np.uint16:
        if stored.ndim == 3:
            return stored[..., 0] if stored.shape[2] == 2 else stored[..., :3]
        return stored
    if picture.mode in ("L", "RGB"):
        return stored
    return np.asarray(picture.convert("L" if picture.mode in ("1", "LA") else "RGB"))


def mask_pixels(
    picture: ImageFile, file: BinaryIO, path: str | SampleFile
) -> tuple[Pixels, tuple[Color, ...] | None]:
    """Decodes a mask as stored: palette indices, grey values, colours with their transparency.

    Returns:
        Pixels of shape `(H, W)` or `(H, W, 2 to 4)`, not turned upright yet, and the palette of
        files that have one.

    Raises:
        DataError: If the file holds fewer pixels than it declares, or wider numbers.
    """
    stored = _decode(picture, file, path)
    if picture.mode == "1":
        return stored.astype(np.uint8), _BLACK_WHITE
    if picture.mode == "P":
        parts = picture.getpalette("RGB") or []
        return stored, tuple(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    if picture.mode in ("L", "LA", "RGB", "RGBA") or stored.dtype == np.uint16:
        return stored, None
    return np.asarray(picture.convert("RGBA" if picture.mode == "PA" else "RGB")), None
