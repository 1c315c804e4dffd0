"""Turns a classifier into a fully convolutional network that says what is where.

A classifier looks at one square of pixels. Slid over a larger image, it would say at every
place what it sees there; a convolution does that sliding, without computing anything twice.
"""

from __future__ import annotations

import math
from typing import Any

from fewmask.errors import ModelError
from fewmask.models.backend import keras

_POOLINGS = {
    keras.layers.GlobalAveragePooling2D: keras.layers.AveragePooling2D,
    keras.layers.GlobalMaxPooling2D: keras.layers.MaxPooling2D,
}
_VALUE_BY_VALUE = (
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.GaussianDropout,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
)
# On a map, these do at every place what they did to the one vector of the classifier.
_VECTOR_BY_VECTOR = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Softmax,
)
_SHAPES_ONLY = (keras.layers.Flatten, keras.layers.Reshape)
_KNOWN = (
    *_POOLINGS,
    *_VALUE_BY_VALUE,
    *_VECTOR_BY_VECTOR,
    *_SHAPES_ONLY,
    keras.layers.Conv2D,
    keras.layers.Dense,
)


def convolutionalize(classifier: Any) -> Any:
    """Turns a classifier into a fully convolutional network.

    Dense layers become convolutions, the first one behind a `Flatten` with a kernel as large as
    the feature map that was flattened; global pooling becomes pooling over a window of that size
    at stride 1; dropout and normalisation stay what they are. On an image of the classifier's
    own size the result is the classifier's, as a map of 1 × 1; on a larger one there is a value
    for every place that the window fits at, 32 pixels apart in most networks.

    The weights are copied: the classifier stays as it is, and training one of the two does not
    change the other. Squeeze-and-excitation (in EfficientNet and MobileNetV3) goes on weighing
    channels by the whole image, as it was trained to. The cells of NASNet fit together on images
    that differ from its own size by multiples of 32, and on no others.

    Args:
        classifier: A `keras.Model` from an image of fixed size to one score a class: any of
            `keras.applications` with its top, or a network of your own that ends in global
            pooling or `Flatten` and dense layers. Either data format.

    Returns:
        A `keras.Model`: images `(N, H, W, C)` of free height and width, prepared as the
        classifier wants them, to scores `(N, h, w, classes)`. With a classifier in
        `channels_first`, `(N, C, H, W)` to `(N, classes, h, w)`. Layers keep their names.

    Raises:
        ModelError: If it is no such classifier; says what stands in the way.

    Example:

    >>> classifier = keras.applications.MobileNetV2(weights=None, alpha=0.35, classes=5)
    >>> network = convolutionalize(classifier)
    >>> network.compute_output_shape((1, 224, 224, 3))
    (1, 1, 1, 5)
    >>> network.compute_output_shape((1, 480, 640, 3))
    (1, 9, 14, 5)

    Reference: Long, Shelhamer & Darrell (2015), arXiv:1411.4038.
    """
    _check_classifier(classifier)
    head = _head_of(classifier)
    body = keras.Model(classifier.inputs[0], head[0].input)
    first = head[0].data_format == "channels_first"
    try:
        free = _copy_for_any_size(body, first)
    except (ValueError, TypeError, AttributeError) as error:
        raise _refusal(
            classifier,
            "layers that take images of any size",
            str(error).partition("\n")[0].rstrip("."),
            "Take a classifier whose layers do.",
        ) from error
    if free.outputs[0].shape.count(None) < 3:
        raise _refusal(
            classifier,
            "layers that take images of any size",
            f"features of shape {free.outputs[0].shape} for all of them",
            "Take a classifier whose layers do.",
        )
    free.set_weights(body.get_weights())
    # The layers of a head work on vectors: for them the channels are last in either layout.
    x = keras.layers.Permute((2, 3, 1))(free.outputs[0]) if first else free.outputs[0]
    x = _put_head_on_map(classifier, head, x)
    x = keras.layers.Permute((3, 1, 2))(x) if first else x
    return keras.Model(free.inputs[0], x, name=f"{classifier.name}_convolutional")


def _check_classifier(classifier: Any) -> None:
    if not isinstance(classifier, keras.Model):
        raise ModelError(
            "convolutionalize",
            "a keras.Model that classifies images",
            f"an object of type {type(classifier).__name__}",
            "Try keras.applications.MobileNetV2().",
        )
    inputs, outputs = getattr(classifier, "inputs", None), getattr(classifier, "outputs", None)
    if not inputs or not outputs:
        raise _refusal(
            classifier,
            "a functional or sequential model that knows its input",
            "a subclass of keras.Model, or a model without a keras.Input",
            "Put its layers together with a keras.Input in front.",
        )
    if len(inputs) > 1 or len(outputs) > 1:
        raise _refusal(
            classifier,
            "one input and one output",
            f"{len(inputs)} and {len(outputs)}",
            "Make a keras.Model of one of each.",
        )
    shape = tuple(inputs[0].shape)
    if len(shape) != 4 or None in shape[1:]:
        raise _refusal(
            classifier,
            "images of one size, which tells how large its window is",
            f"an input of shape {shape}",
            "Build it with input_shape=(224, 224, 3), or the size that it was trained on.",
        )


def _head_of(classifier: Any) -> list[Any]:
    """Finds the layers from the last feature map on; the first of them flattens or pools it."""
    head: list[Any] = []
    length = 0
    tensor = classifier.outputs[0]
    for layer in reversed(classifier.layers):
        before, after = _links(layer)
        if type(layer) not in _KNOWN or after is not tensor or not _is_vector(after):
            break
        head.append(layer)
        tensor = before
        if type(layer) in (*_POOLINGS, keras.layers.Flatten):
            length = len(head)
            # Behind their global pooling, some networks flatten a map of 1 × 1 as well.
            if type(layer) in _POOLINGS or _window_of(layer) != (1, 1):
                break
    if length == 0:
        raise _refusal(
            classifier,
            "global pooling or Flatten at its end, then dense layers, each used once",
            f"the layer {layer.name} ({type(layer).__name__})",
            "Build it with its top: include_top=True in keras.applications.",
        )
    return head[length - 1 :: -1]


def _links(layer: Any) -> tuple[Any, Any]:
    """Returns what a layer takes and what it gives; nothing where it is used more than once."""
    try:
        return layer.input, layer.output
    except AttributeError:
        return None, None


def _window_of(layer: Any) -> tuple[int, ...]:
    """Returns height and width of the feature map that a layer takes."""
    _, *sides = layer.input.shape
    return tuple(sides[1:] if layer.data_format == "channels_first" else sides[:-1])


def _copy_for_any_size(model: Any, first: bool) -> Any:
    """Copies a model, and those inside it, for images of free height and width."""

    def copy(layer: Any) -> Any:
        if isinstance(layer, keras.Sequential):
            # Without an input of its own it is built for what it gets.
            return keras.Sequential([copy(inner) for inner in layer.layers], name=layer.name)
        if isinstance(layer, keras.Model):
            return _copy_for_any_size(layer, first)
        return type(layer).from_config(layer.get_config())

    (inputs,) = model.inputs
    _, *sides = inputs.shape
    shape = (sides[0], None, None) if first else (None, None, sides[-1])
    image = keras.Input(shape, dtype=inputs.dtype, name=inputs.name)
    return keras.models.clone_model(model, input_tensors=image, clone_function=copy)


def _put_head_on_map(classifier: Any, head: list[Any], x: Any) -> Any:
    """Puts the layers of a head behind a map `(N, h, w, C)`, each as what it is on a map."""
    # Until a dense layer takes it, a flattened map is as many values as the window has.
    window = _window_of(head[0])
    for layer in head:
        kind = type(layer)
        settings = {"name": layer.name, "dtype": layer.dtype_policy}
        if kind in _POOLINGS:
            twin = _POOLINGS[kind](window, 1, data_format="channels_last", **settings)
            window = (1, 1)
        elif kind is keras.layers.Dense:
            twin = _dense_as_convolution(layer, window)
            window = (1, 1)
        elif kind in _SHAPES_ONLY and (layer is head[0] or _is_vector(layer.input)):
            continue
        elif kind in _VALUE_BY_VALUE or (
            window == (1, 1)
            and (kind in _VECTOR_BY_VECTOR or getattr(layer, "kernel_size", None) == (1, 1))
        ):
            twin = _for_channels_last(layer)
        else:
            raise _refusal(
                classifier,
                "layers at its end that see every place alike",
                f"the layer {layer.name} ({kind.__name__})",
                "Train a head of global pooling and dense layers in its place.",
            )
        x = twin(x)
        pairs = zip(layer.get_weights(), twin.weights, strict=True)
        twin.set_weights([old.reshape(new.shape) for old, new in pairs])
    if window != (1, 1):
        raise _refusal(
            classifier,
            "a dense layer that takes what Flatten gives",
            "none",
            "Take global pooling in its place, or put a dense layer behind it.",
        )
    return x


def _dense_as_convolution(dense: Any, window: tuple[int, ...]) -> Any:
    # Flatten goes through rows, columns and channels in the order of a kernel, in either layout.
    config = dense.get_config()
    shared = {
        key: config[key]
        for key in (
            "name",
            "trainable",
            "dtype",
            "activation",
            "use_bias",
            "kernel_initializer",
            "bias_initializer",
            "kernel_regularizer",
            "bias_regularizer",
        )
    }
    return keras.layers.Conv2D.from_config(
        {**shared, "filters": dense.units, "kernel_size": window, "data_format": "channels_last"}
    )


def _for_channels_last(layer: Any) -> Any:
    config = layer.get_config()
    changes = {"axis": -1, "data_format": "channels_last"}
    config.update({key: value for key, value in changes.items() if key in config})
    return type(layer).from_config(config)


def _is_vector(tensor: Any) -> bool:
    """Says whether a tensor holds one vector an image, be it as a map of 1 × 1."""
    return bool(math.prod(tensor.shape[1:]) == max(tensor.shape[1:], default=1))


def _refusal(classifier: Any, expected: str, found: str, remedy: str) -> ModelError:
    return ModelError(f"convolutionalize({classifier.name})", expected, found, remedy)
