"""The rule `Frame`: an image of any size is laid into a square, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.scale.resampling import resample, resampling_weights


@dataclass(frozen=True)
class Frame:
    """The rule "longest side becomes `size` pixels", for models that look at whole objects.

    An image is resampled to that scale (antialiased linear filter), placed in the middle of a
    `size` × `size` square, and what the square has left is filled by reflecting the image.

    Args:
        size: Side of the square in pixels, a multiple of the model's stride.
    """

    size: int

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into an equal rule."""
        return {"rule": "frame", "size": self.size}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Frame:
        """Rebuilds the rule from what `to_json` returned."""
        return cls(int(values["size"]))


def frame_placement(length: int, longest: int, size: int) -> tuple[float, int, int]:
    """Says where one side of an image lies inside the square.

    Args:
        length: Pixels of this side of the image, at least 1.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        `(scale, offset, inner)`: square pixels per image pixel, first square pixel that
        holds image, and number of square pixels that do (at least 1).

    Example:

    >>> frame_placement(480, longest=640, size=256)
    (0.4, 32, 192)
    """
    # Whole numbers, so that the exported models round the very same way.
    inner = max(1, (2 * length * size + longest) // (2 * longest))
    return size / longest, (size - inner) // 2, inner


def weights_into_frame(length: int, longest: int, size: int) -> NDArray[np.float32]:
    """Builds the matrix that lays one side of an image into the square.

    Args:
        length: Pixels of this side of the image.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        Weights of shape `(size, length)`; rows outside the image repeat its reflection
        (`dcba|abcd|dcba`).
    """
    scale, offset, inner = frame_placement(length, longest, size)
    place = (np.arange(size) - offset) % (2 * inner)
    place = np.minimum(place, 2 * inner - 1 - place)
    centers = np.clip((place + 0.5) / scale, 0.5, length - 0.5)
    return resampling_weights(centers, length, max(1.0, 1.0 / scale))


def weights_out_of_frame(length: int, longest: int, size: int) -> NDArray[np.float32]:
    """Builds the matrix that brings one side of the square back to the image's own pixels.

    Args:
        length: Pixels of this side of the image.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        Weights of shape `(length, size)`.
    """
    scale, offset, inner = frame_placement(length, longest, size)
    place = np.clip((np.arange(length) + 0.5) * scale, 0.5, inner - 0.5)
    return resampling_weights(place + offset, size, max(1.0, scale))


def into_frame(image: NDArray[Any], size: int) -> NDArray[np.float32]:
    """Lays an image into the square that the model sees.

    Args:
        image: Shape `(H, W, C)`, any numeric dtype.
        size: Side of the square.

    Returns:
        Shape `(size, size, C)`, in the range of `image`.
    """
    height, width, _ = image.shape
    longest = max(height, width)
    rows, columns = (weights_into_frame(side, longest, size) for side in (height, width))
    return resample(image.astype(np.float32), rows, columns)


def out_of_frame(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Brings maps in the square back to the image's own height and width.

    Args:
        maps: Shape `(size, size, K)`, probability maps say.
        height: Height of the image in pixels.
        width: Its width.

    Returns:
        Shape `(height, width, K)`.
    """
    size, longest = maps.shape[0], max(height, width)
    rows, columns = (weights_out_of_frame(side, longest, size) for side in (height, width))
    return resample(maps, rows, columns)
