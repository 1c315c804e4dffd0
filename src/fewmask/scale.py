"""The scale a model sees at: how a picture of any size is laid into its frame, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """The rule "longest side becomes `size` pixels", for models that look at whole objects.

    A picture is resampled to that scale (antialiased linear filter), placed in the middle of a
    `size` × `size` square, and what the square has left is filled by reflecting the picture.
    The same arithmetic stands in `model.keras` and in `model.onnx`; this file is the reference.

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
    """Says where one side of a picture lies inside the square.

    Args:
        length: Pixels of this side of the picture, at least 1.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        `(scale, offset, inner)`: square pixels per picture pixel, first square pixel that
        holds picture, and number of square pixels that do (at least 1).

    Example:

    >>> frame_placement(480, longest=640, size=256)
    (0.4, 32, 192)
    """
    # Whole numbers, so that the exported models round the very same way.
    inner = max(1, (2 * length * size + longest) // (2 * longest))
    return size / longest, (size - inner) // 2, inner


def resampling_weights(
    centers: NDArray[np.float64], length: int, support: float
) -> NDArray[np.float32]:
    """Builds the matrix of an antialiased linear filter along one side.

    Row `i` weighs the source pixels by a tent around `centers[i]`: `max(0, 1 - |j + 0.5 -
    centers[i]| / support)`, scaled so that each row adds up to 1. With `support = max(1,
    shrinking factor)` this is the filter that Pillow calls BILINEAR.

    Args:
        centers: Positions in the source, shape `(n,)`, pixel `j` covers `j` to `j + 1`; within
            `[0.5, length - 0.5]` or less than `support` away from it.
        length: Number of source pixels.
        support: Half width of the tent in source pixels, at least 1.

    Returns:
        Weights of shape `(n, length)`.

    Example:

    >>> resampling_weights(np.array([0.5, 1.0]), length=2, support=1.0)
    array([[1. , 0. ],
           [0.5, 0.5]], dtype=float32)
    """
    distance = np.abs(np.arange(length) + 0.5 - centers[:, None])
    weights = np.maximum(0.0, 1.0 - distance / support)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def weights_into_frame(length: int, longest: int, size: int) -> NDArray[np.float32]:
    """Builds the matrix that lays one side of a picture into the square.

    Args:
        length: Pixels of this side of the picture.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        Weights of shape `(size, length)`; rows outside the picture repeat its reflection
        (`dcba|abcd|dcba`).
    """
    scale, offset, inner = frame_placement(length, longest, size)
    place = (np.arange(size) - offset) % (2 * inner)
    place = np.minimum(place, 2 * inner - 1 - place)
    centers = np.clip((place + 0.5) / scale, 0.5, length - 0.5)
    return resampling_weights(centers, length, max(1.0, 1.0 / scale))


def weights_out_of_frame(length: int, longest: int, size: int) -> NDArray[np.float32]:
    """Builds the matrix that brings one side of the square back to the picture's own pixels.

    Args:
        length: Pixels of this side of the picture.
        longest: Pixels of its longest side.
        size: Side of the square.

    Returns:
        Weights of shape `(length, size)`.
    """
    scale, offset, inner = frame_placement(length, longest, size)
    place = np.clip((np.arange(length) + 0.5) * scale, 0.5, inner - 0.5)
    return resampling_weights(place + offset, size, max(1.0, scale))


def into_frame(image: NDArray[Any], size: int) -> NDArray[np.float32]:
    """Lays a picture into the square that the model sees.

    Args:
        image: Shape `(H, W, C)`, any numeric dtype.
        size: Side of the square.

    Returns:
        Shape `(size, size, C)`, in the range of `image`.
    """
    height, width, channels = image.shape
    longest = max(height, width)
    rows = weights_into_frame(height, longest, size)
    columns = weights_into_frame(width, longest, size)
    narrow = rows @ image.reshape(height, -1).astype(np.float32)
    framed: NDArray[np.float32] = np.matmul(columns, narrow.reshape(size, width, channels))
    return framed


def out_of_frame(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Brings maps in the square back to the picture's own height and width.

    Args:
        maps: Shape `(size, size, K)`, probability maps say.
        height: Height of the picture in pixels.
        width: Its width.

    Returns:
        Shape `(height, width, K)`.
    """
    size, _, depth = maps.shape
    longest = max(height, width)
    rows = weights_out_of_frame(height, longest, size)
    columns = weights_out_of_frame(width, longest, size)
    tall = rows @ maps.reshape(size, -1)
    unframed: NDArray[np.float32] = np.matmul(columns, tall.reshape(height, size, depth))
    return unframed
