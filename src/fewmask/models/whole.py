"""The whole model: the core behind its scale rule, for pictures of any height and width.

It is made of Keras' own layers and operations only, so that `keras.saving.load_model` opens it
on a machine that has never heard of fewmask. `fewmask.scale` holds the same arithmetic in NumPy
and says what it means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.models.backend import keras, keras_settings
from fewmask.models.keras_frame import KerasFrame
from fewmask.models.keras_pixels import KerasPixels
from fewmask.models.spec import ModelSpec, build
from fewmask.scale import Frame


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


def whole_model(core: Any, bundle: Bundle) -> Any:
    """Wraps a core into a model for pictures of any height and width.

    Args:
        core: A core in `channels_last`.
        bundle: Says by which rule it sees pictures, and whether it sees their mirror image too.

    Returns:
        A `keras.Model`: raw pixels 0-255 of any numeric dtype, `(N, H, W, C)`, to probability
        maps `(N, H, W, K)`, float32 in [0, 1].
    """
    with keras_settings("channels_last", "float32"):
        return _whole_model(core, bundle)


def predict_whole(
    model: Any, image: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Predicts the class of every pixel, and how probable each class is.

    Args:
        model: A model of `whole_model`.
        image: Shape `(H, W, C)`, uint8.

    Returns:
        The label map, `(H, W)` uint8, and the probability map, `(H, W, K)` float32 in [0, 1].
    """
    maps: NDArray[np.float32] = np.asarray(model.predict_on_batch(image[None]))[0]
    return maps.argmax(axis=-1).astype(np.uint8), maps


def _whole_model(core: Any, bundle: Bundle) -> Any:
    rule = bundle.scale
    image = keras.Input((None, None, core.input_shape[-1]), dtype="float32", name="image")
    way = KerasFrame(image, rule) if isinstance(rule, Frame) else KerasPixels(image, rule)
    seen = way.enter()
    logits = core(seen)
    if bundle.mirrored:
        of_mirror_image = core(keras.ops.flip(seen, axis=2))
        logits = (logits + keras.ops.flip(of_mirror_image, axis=2)) / 2
    maps = keras.ops.sigmoid(logits) if logits.shape[-1] == 1 else keras.ops.softmax(logits)
    maps = way.leave(maps)
    if maps.shape[-1] == 1:
        maps = keras.ops.concatenate([1.0 - maps, maps], axis=-1)
    return keras.Model(image, maps, name="fewmask")
