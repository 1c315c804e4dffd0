"""The rule `Frame` of `fewmask.scale` in Keras operations, for images of any height and width."""

from __future__ import annotations

from typing import Any

import numpy as np

from fewmask.models.backend import keras
from fewmask.models.keras_resampling import (
    PixelLine,
    floats,
    reflected,
    resampling_weights,
    within,
)
from fewmask.scale import Frame


class KerasFrame:
    """The way of images into the square that the network sees, and of maps back.

    Args:
        image: Symbolic images `(N, H, W, C)`, float32.
        rule: The rule.
    """

    def __init__(self, image: Any, rule: Frame) -> None:
        rows, columns = PixelLine(image[0, :, 0, 0]), PixelLine(image[0, 0, :, 0])
        longest = keras.ops.maximum(rows.length, columns.length)
        self._image = image
        self._rows = _Side(rows, longest, rule.size)
        self._columns = _Side(columns, longest, rule.size)

    def enter(self) -> Any:
        """Returns what the network sees, `(N, size, size, C)`."""
        seen = keras.ops.einsum("oh,nhwc->nowc", self._rows.into_frame(), self._image)
        return keras.ops.einsum("ow,nhwc->nhoc", self._columns.into_frame(), seen)

    def leave(self, maps: Any) -> Any:
        """Brings maps `(N, size, size, K)` back to `(N, H, W, K)`."""
        maps = keras.ops.einsum("oh,nhwk->nowk", self._rows.out_of_frame(), maps)
        return keras.ops.einsum("ow,nhwk->nhok", self._columns.out_of_frame(), maps)


class _Side:
    def __init__(self, line: PixelLine, longest: Any, size: int) -> None:
        self._line = line
        self._longest = longest
        self._size = size
        # Whole numbers, as in `scale.frame_placement`.
        inner = (2 * size * line.length + longest) // (2 * longest)
        self._inner = keras.ops.maximum(inner, 1)
        self._offset = (size - self._inner) // 2

    def into_frame(self) -> Any:
        """Builds the matrix `scale.weights_into_frame`, `(size, length)`."""
        steps = np.arange(self._size, dtype="int32")
        place = reflected(keras.ops.subtract(steps, self._offset), self._inner)
        shrinking = floats(self._longest) / self._size
        centers = within((floats(place) + 0.5) * shrinking, self._line.length)
        return resampling_weights(centers, self._line.middles, keras.ops.maximum(shrinking, 1.0))

    def out_of_frame(self) -> Any:
        """Builds the matrix `scale.weights_out_of_frame`, `(length, size)`."""
        scale = self._size / floats(self._longest)
        place = within(self._line.middles * scale, self._inner)
        positions = np.arange(self._size, dtype="float32") + np.float32(0.5)
        return resampling_weights(
            place + floats(self._offset), positions, keras.ops.maximum(scale, 1.0)
        )
