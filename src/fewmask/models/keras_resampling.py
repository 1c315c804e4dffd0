"""Resampling in Keras operations, along sides whose length is known only when an image comes."""

from __future__ import annotations

from typing import Any

from fewmask.models.backend import keras


class PixelLine:
    """The pixels along one side.

    Args:
        pixels: An array with an element a pixel, of which only the number matters.

    Attributes:
        ones: As many ones, float32.
        steps: The pixels' numbers, from 0 on.
        length: How many there are.
        middles: 0.5, 1.5, and so on.
    """

    def __init__(self, pixels: Any) -> None:
        self.ones = keras.ops.ones_like(pixels, dtype="float32")
        counted = keras.ops.cumsum(keras.ops.cast(self.ones, "int32"))
        self.steps = counted - 1
        self.length = keras.ops.max(counted)
        self.middles = floats(self.steps) + 0.5

    def shortened(self, part: int, whole: int) -> PixelLine:
        """Returns a line of `part / whole` of the length, rounded up."""
        if part == whole:
            return self
        # No operation makes an array of a length that is known only now, but slices shorten one.
        finest = keras.ops.repeat(self.ones, part)
        return PixelLine(finest[(slice(None, None, whole),)])


def within(centers: Any, length: Any) -> Any:
    """Keeps positions between the middles of the first and the last of `length` pixels."""
    return keras.ops.minimum(keras.ops.maximum(centers, 0.5), floats(length) - 0.5)


def reflected(place: Any, length: Any) -> Any:
    """Returns the pixels that lie, or are reflected (`abcd|dcba`), at some places."""
    place = keras.ops.mod(place, 2 * length)
    return keras.ops.minimum(place, 2 * length - 1 - place)


def resampling_weights(centers: Any, positions: Any, support: Any) -> Any:
    """Builds `scale.resampling_weights` from pixel middles `positions`."""
    distance = keras.ops.subtract(keras.ops.expand_dims(centers, -1), positions)
    weights = keras.ops.relu(1.0 - keras.ops.abs(distance) / support)
    return weights / keras.ops.sum(weights, axis=-1, keepdims=True)


def floats(whole_numbers: Any) -> Any:
    """Turns whole numbers into float32."""
    return keras.ops.cast(whole_numbers, "float32")
