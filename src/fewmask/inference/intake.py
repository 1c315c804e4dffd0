"""Brings an image of any origin to the channels and values that a model takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.imageio import DEFAULT_MAX_PIXELS, read_image
from fewmask.data.imageio.orientation import UPRIGHT, turn_upright
from fewmask.data.packed import PackedFile, SampleFile
from fewmask.data.pixels import to_8_bit
from fewmask.errors import ArgumentError, DataError
from fewmask.files import expanded

_ORIENTATION = 274
"""Number of the EXIF entry that says how the camera was held."""

_GREY = ("1", "L", "LA")


@runtime_checkable
class Picture(Protocol):
    """What is used here of a `PIL.Image.Image`."""

    def getexif(self) -> Any:
        """Returns the camera's notes by number."""

    def convert(self, mode: str) -> Any:
        """Returns the picture in another mode."""


Image: TypeAlias = str | SampleFile | NDArray[Any] | Picture
"""An image file, stored pixel values `(H, W, C)` or `(H, W)`, or a Pillow image."""


def take_in(
    image: Image, bundle: Bundle, max_pixels: int = DEFAULT_MAX_PIXELS
) -> NDArray[np.uint8]:
    """Brings an image to the channels and values that a model takes.

    Grey becomes colour and colour grey where the model needs it; a file's or Pillow image's
    orientation is applied and its alpha dropped. Nothing else is guessed.

    Args:
        image: A file; stored pixel values `(H, W, C)` or `(H, W)`, uint8 or uint16; or a Pillow
            image.
        bundle: Channels and pixel range of the model.
        max_pixels: Files with more pixels are refused before they fill the memory.

    Returns:
        Shape `(H, W, C)`, uint8, with the C of the bundle.

    Raises:
        DataError: If the file cannot be read, or it holds other channels or values than the
            model was trained on.
        ArgumentError: If the array is no image.

    Example:

    >>> from fewmask.data.classes import Classes
    >>> from fewmask.scale import Frame
    >>> bundle = Bundle(Classes(("background", "cell")), Frame(256), channels=3)
    >>> take_in(np.array([[7, 9]], np.uint8), bundle).tolist()
    [[[7, 7, 7], [9, 9, 9]]]
    """
    if isinstance(image, str | Path | PackedFile):
        # Other numbers of channels than grey's and colour's cannot be converted, only compared.
        wanted = bundle.channels if bundle.channels in (1, 3) else None
        file = image if isinstance(image, PackedFile) else expanded(image)
        stored = read_image(file, channels=wanted, max_pixels=max_pixels)
        where: object = image
    else:
        stored = _checked(_upright(image) if isinstance(image, Picture) else np.asarray(image))
        where = "image"
    stored = _with_channels(stored, bundle.channels, where)
    _check_depth(stored, bundle.value_range, where)
    return to_8_bit(stored, bundle.value_range)


def _upright(picture: Picture) -> NDArray[Any]:
    """Returns the pixel values of a Pillow image as `read_image` returns those of its file."""
    mode: str = getattr(picture, "mode", "RGB")
    wide = mode.startswith(("I", "F"))  # more than 8 bits a value, which converting would clip
    pixels = np.asarray(picture if wide else picture.convert("L" if mode in _GREY else "RGB"))
    # Asked after the pixels: Pillow turns a TIFF when it reads them, then forgets its entry.
    orientation = picture.getexif().get(_ORIENTATION)
    return turn_upright(pixels, orientation if orientation in range(1, 9) else UPRIGHT)


def _checked(pixels: NDArray[Any]) -> NDArray[Any]:
    # FITS, raw and some TIFF files hold the higher byte first, which changes no value.
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ArgumentError(
            "image",
            "stored pixel values, uint8 or uint16",
            str(pixels.dtype),
            "Give the values as the file holds them, neither scaled nor normalised.",
        )
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise ArgumentError(
            "image",
            "an array of shape (H, W, C) or (H, W)",
            f"shape {pixels.shape}",
            "Give one image a call, channels last.",
        )
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _with_channels(image: NDArray[Any], channels: int, where: object) -> NDArray[Any]:
    found = image.shape[2]
    if found == channels:
        return image
    if (found, channels) == (1, 3):
        return np.repeat(image, 3, axis=2)
    if (found, channels) == (3, 1):
        # The weights by which Pillow makes grey of a file, in its whole numbers.
        luma = image.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
        return ((luma + 32768) >> 16).astype(image.dtype)[..., None]
    raise DataError(
        where,
        f"an image of {channels} channel{'s' if channels > 1 else ''}, as the model was trained on",
        f"{found}",
        "Keep the channels of the training images, in their order.",
    )


def _check_depth(image: NDArray[Any], value_range: tuple[int, int], where: object) -> None:
    """Refuses values that the model's pixel range would turn all white or all black."""
    low, high = value_range
    if image.dtype == np.uint8 and high > 255:
        raise DataError(
            where,
            f"16-bit values from {low} to {high}, as the model was trained on",
            "an 8-bit image",
            "Predict the 16-bit original of this image.",
        )
    if image.dtype == np.uint16 and value_range == (0, 255) and image.max() > 255:
        raise DataError(
            where,
            "8-bit values, as the model was trained on",
            f"16-bit values up to {image.max()}",
            "Convert it to 8 bits in the way the training images were.",
        )
