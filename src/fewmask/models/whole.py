"""The whole model: the core in its frame, for pictures of any height and width.

It is made of Keras' own layers and operations only, so that `keras.saving.load_model` opens it
on a machine that has never heard of fewmask. `fewmask.scale` holds the same arithmetic in NumPy
and says what it means; here sizes are known only when a picture comes, so every matrix is
computed from them on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fewmask.models.backend import keras, keras_settings
from fewmask.models.spec import ModelSpec, build


def copy_core(core: Any, spec: ModelSpec, data_format: str) -> Any:
    """Builds a core again, in another layout and in float32, with the same weights.

    Args:
        core: A core in any layout and of any dtype policy.
        spec: What it was built from.
        data_format: Layout of the copy.

    Returns:
        The copy.
    """
    with keras_settings(data_format, "float32"):
        copy = build(spec, data_format)
    copy.set_weights(core.get_weights())
    return copy


def whole_model(core: Any, size: int) -> Any:
    """Wraps a core into a model for pictures of any height and width.

    Args:
        core: A core in `channels_last`: logits for pictures of `size` × `size` pixels.
        size: Side of the frame.

    Returns:
        A `keras.Model`: raw pixels 0-255 of any numeric dtype, `(N, H, W, C)`, to probability
        maps `(N, H, W, K)`, float32 in [0, 1].
    """
    with keras_settings("channels_last", "float32"):
        return _whole_model(core, size)


def _whole_model(core: Any, size: int) -> Any:
    image = keras.Input((None, None, core.input_shape[-1]), dtype="float32", name="image")
    rows, columns = _Side(image[0, :, 0, 0]), _Side(image[0, 0, :, 0])
    longest = keras.ops.maximum(rows.length, columns.length)
    framed = keras.ops.einsum("oh,nhwc->nowc", rows.into_frame(longest, size), image)
    framed = keras.ops.einsum("ow,nhwc->nhoc", columns.into_frame(longest, size), framed)
    logits = core(framed)
    maps = keras.ops.sigmoid(logits) if logits.shape[-1] == 1 else keras.ops.softmax(logits)
    maps = keras.ops.einsum("oh,nhwk->nowk", rows.out_of_frame(longest, size), maps)
    maps = keras.ops.einsum("ow,nhwk->nhok", columns.out_of_frame(longest, size), maps)
    if maps.shape[-1] == 1:
        maps = keras.ops.concatenate([1.0 - maps, maps], axis=-1)
    return keras.Model(image, maps, name="fewmask")


class _Side:
    """One side of the picture: `length` is its number of pixels.

    Args:
        line: Pixels along it, of which only the number matters.
    """

    def __init__(self, line: Any) -> None:
        self._steps = keras.ops.cumsum(keras.ops.ones_like(line, dtype="int32"))
        self.length = keras.ops.max(self._steps)

    def _inner(self, longest: Any, size: int) -> Any:
        # Whole numbers, as in `scale.frame_placement`.
        inner = (2 * size * self.length + longest) // (2 * longest)
        return keras.ops.maximum(inner, 1)

    def into_frame(self, longest: Any, size: int) -> Any:
        """Builds the matrix `scale.weights_into_frame`, `(size, length)`."""
        inner = self._inner(longest, size)
        steps = np.arange(size, dtype="int32")
        place = keras.ops.mod(keras.ops.subtract(steps, (size - inner) // 2), 2 * inner)
        place = keras.ops.minimum(place, 2 * inner - 1 - place)
        shrinking = _floats(longest) / size
        centers = (_floats(place) + 0.5) * shrinking
        centers = keras.ops.minimum(keras.ops.maximum(centers, 0.5), _floats(self.length) - 0.5)
        return _resampling_weights(
            centers, _floats(self._steps) - 0.5, keras.ops.maximum(shrinking, 1.0)
        )

    def out_of_frame(self, longest: Any, size: int) -> Any:
        """Builds the matrix `scale.weights_out_of_frame`, `(length, size)`."""
        inner = self._inner(longest, size)
        scale = size / _floats(longest)
        place = (_floats(self._steps) - 0.5) * scale
        place = keras.ops.minimum(keras.ops.maximum(place, 0.5), _floats(inner) - 0.5)
        positions = np.arange(size, dtype="float32") + np.float32(0.5)
        return _resampling_weights(
            place + _floats((size - inner) // 2), positions, keras.ops.maximum(scale, 1.0)
        )


def _resampling_weights(centers: Any, positions: Any, support: Any) -> Any:
    """Builds `scale.resampling_weights` from pixel middles `positions`."""
    distance = keras.ops.subtract(
        keras.ops.expand_dims(centers, -1), keras.ops.expand_dims(positions, 0)
    )
    weights = keras.ops.relu(1.0 - keras.ops.abs(distance) / support)
    return weights / keras.ops.sum(weights, axis=-1, keepdims=True)


def _floats(whole_numbers: Any) -> Any:
    return keras.ops.cast(whole_numbers, "float32")
