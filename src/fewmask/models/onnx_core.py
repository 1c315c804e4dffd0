"""The core in ONNX operators: every layer of it as the one operator, or the few, that it is.

An exporter sees the small steps that a backend takes for a layer, a kernel turned or a size
computed, and writes them all down. A layer's settings and weights say what it is, whatever the
backend and the layout, and a runtime does best with operators that say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import ModelError
from fewmask.models.backend import keras
from fewmask.models.graph import Graph
from fewmask.models.wiring import Call, fetch, wiring_of

PLAIN = {
    "center": True,
    "dilation_rate": (1, 1),
    "interpolation": "nearest",
    "invert": False,
    "negative_slope": 0,
    "output_padding": None,
    "scale": True,
    "threshold": 0,
}
"""Settings of layers that have one value in all networks here, which the operators rely on."""


def write_core(graph: Graph, core: Any, seen: str) -> str:
    """Adds a core to a graph.

    Args:
        graph: The graph.
        core: The core, in either layout and of any dtype policy.
        seen: What it is applied to: raw pixels `(N, C, H, W)`, float32, height and width
            multiples of its stride. How many images there are is left open.

    Returns:
        The logits, `(N, 1 or K, H, W)`.

    Raises:
        ModelError: If it has a layer that is not known here.
    """
    # Height and width are free, the number of channels is not.
    channel_axis = -1 if core.input_shape[1] is None else 1
    (logits,) = _write_network(graph, core, [seen], channel_axis)
    return logits


def flip(graph: Graph, planes: str, axis: int) -> str:
    """Reverses `(N, C, H, W)` along an axis.

    Args:
        graph: The graph.
        planes: What to reverse.
        axis: From 0 to 3.
    """
    last, before_first = np.array([-1]), np.array([np.iinfo(np.int64).min])
    return graph.add("Slice", planes, last, before_first, np.array([axis]), np.array([-1]))


def _write_network(graph: Graph, network: Any, arrays: list[str], channel_axis: int) -> list[str]:
    wiring = wiring_of(network)
    if wiring is None:
        raise _unknown(network)
    made = {link.maker: [array] for link, array in zip(wiring.sources, arrays, strict=True)}
    for call in wiring.calls:
        arguments = fetch(call.arguments, made)
        if isinstance(arguments[0], list):
            (arguments,) = arguments
        if isinstance(call.layer, keras.Model):
            made[call.layer.name] = _write_network(graph, call.layer, arguments, channel_axis)
            continue
        write = WRITERS.get(type(call.layer).__name__)
        if write is None or not _is_plain(call, channel_axis):
            raise _unknown(call.layer)
        made[call.layer.name] = [write(graph, call.layer, *arguments)]
    return [made[link.maker][link.place] for link in wiring.results]


def _is_plain(call: Call, channel_axis: int) -> bool:
    axes = np.ravel(getattr(call.layer, "axis", channel_axis)) % 4
    return (
        call.options in ({}, {"training": False})
        and list(axes) == [channel_axis % 4]
        and all(getattr(call.layer, name, value) == value for name, value in PLAIN.items())
    )


def _unknown(layer: Any) -> ModelError:
    return ModelError(
        "model.onnx",
        "a network of layers that can be written as ONNX operators",
        f"the layer {layer.name} ({type(layer).__name__})",
        "Please report it.",
    )


def _convolve(graph: Graph, layer: Any, x: str) -> str:
    kernel = _array(layer.kernel).transpose(3, 2, 0, 1)
    return _run_kernel(graph, "Conv", layer, x, kernel, layer.groups)


def _convolve_channels(graph: Graph, layer: Any, x: str) -> str:
    kernel = _array(layer.kernel).transpose(2, 3, 0, 1)
    channels = len(kernel)
    kernel = kernel.reshape(-1, 1, *layer.kernel_size)
    return _run_kernel(graph, "Conv", layer, x, kernel, channels)


def _convolve_transposed(graph: Graph, layer: Any, x: str) -> str:
    kernel = _array(layer.kernel).transpose(3, 2, 0, 1)
    return _run_kernel(graph, "ConvTranspose", layer, x, kernel)


def _run_kernel(
    graph: Graph, operator: str, layer: Any, x: str, kernel: NDArray[np.float32], group: int = 1
) -> str:
    bias = [_array(layer.bias)] if layer.use_bias else []
    strides, pads = list(layer.strides), _pads(layer, layer.kernel_size)
    y = graph.add(operator, x, kernel, *bias, strides=strides, pads=pads, group=group)
    return _activate(graph, layer, y)


def _pads(layer: Any, window: tuple[int, int]) -> list[int]:
    """Returns the margins top, left, bottom, right; an odd pixel is at the far side.

    What a layer takes is a multiple of its stride in height and width: no size is needed here.
    """
    if layer.padding == "valid":
        return [0, 0, 0, 0]
    missing = [max(side - step, 0) for side, step in zip(window, layer.strides, strict=True)]
    near = [each // 2 for each in missing]
    return [*near, *(each - first for each, first in zip(missing, near, strict=True))]


def _activate(graph: Graph, layer: Any, x: str) -> str:
    match layer.activation.__name__:
        case "linear":
            return x
        case "relu":
            return graph.add("Relu", x)
        case "sigmoid":
            return graph.add("Sigmoid", x)
        case "silu":
            return graph.add("Mul", x, graph.add("Sigmoid", x))
        case "hard_silu":
            return graph.add("HardSwish", x)
        case _:
            raise _unknown(layer)


def _cut(graph: Graph, layer: Any, x: str) -> str:
    if layer.max_value is None:
        return graph.add("Relu", x)
    return graph.add("Clip", x, 0.0, float(layer.max_value))


def _normalize_pixels(graph: Graph, layer: Any, x: str) -> str:
    mean, variance = (_array(each).ravel() for each in (layer.mean, layer.variance))
    one, zero = np.ones_like(mean), np.zeros_like(mean)
    # One walk over the image, where a subtraction and a division take two.
    return graph.add("BatchNormalization", x, one, zero, mean, variance, epsilon=0.0)


def _normalize_by_batch(graph: Graph, layer: Any, x: str) -> str:
    weights = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    arrays = map(_array, weights)
    return graph.add("BatchNormalization", x, *arrays, epsilon=layer.epsilon)


def _normalize_by_group(graph: Graph, layer: Any, x: str) -> str:
    # The operator of this name is younger than our opset. A group is an instance of one channel.
    one, zero = np.ones(layer.groups, np.float32), np.zeros(layer.groups, np.float32)
    groups = graph.add("Reshape", x, np.array([0, layer.groups, -1]))
    groups = graph.add("InstanceNormalization", groups, one, zero, epsilon=layer.epsilon)
    y = graph.add("Reshape", groups, graph.add("Shape", x))
    gamma, beta = (_array(each).reshape(-1, 1, 1) for each in (layer.gamma, layer.beta))
    return graph.add("Add", graph.add("Mul", y, gamma), beta)


def _pad(graph: Graph, layer: Any, x: str) -> str:
    (top, bottom), (left, right) = layer.padding
    return graph.add("Pad", x, np.array([0, 0, top, left, 0, 0, bottom, right]))


def _pool(graph: Graph, layer: Any, x: str) -> str:
    window, pads = list(layer.pool_size), _pads(layer, layer.pool_size)
    return graph.add("MaxPool", x, kernel_shape=window, strides=list(layer.strides), pads=pads)


def _average(graph: Graph, layer: Any, x: str) -> str:
    # A vector stays a map of 1 × 1, whether or not the layer keeps it one.
    return graph.add("GlobalAveragePool", x)


def _reshape(graph: Graph, layer: Any, x: str) -> str:
    if sorted(layer.target_shape)[:2] != [1, 1]:
        raise _unknown(layer)
    return x


def _enlarge(graph: Graph, layer: Any, x: str) -> str:
    scales = np.array([1, 1, *layer.size], np.float32)
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph.add("Resize", x, "", scales, mode="nearest", **how)


def _pass_on(graph: Graph, layer: Any, x: str) -> str:
    return x


def _join(operator: str) -> Writer:
    """Makes what joins arrays, or an array and a number, two by two."""

    def write(graph: Graph, layer: Any, *operands: str | float) -> str:
        # A whole number among floats is one of them.
        first, *others = (each if isinstance(each, str) else float(each) for each in operands)
        return str(reduce(lambda made, other: graph.add(operator, made, other), others, first))

    return write


Writer = Callable[..., str]
"""Adds a layer to a graph: takes the graph, the layer, and the names of what it is applied to."""

# By the names of classes: the operations behind `+`, `*` and `keras.ops` are not public.
WRITERS: dict[str, Writer] = {
    "Activation": _activate,
    "Add": _join("Add"),
    "Average": lambda graph, layer, *arrays: graph.add("Mean", *arrays),
    "BatchNormalization": _normalize_by_batch,
    "Concatenate": lambda graph, layer, *arrays: graph.add("Concat", *arrays, axis=1),
    "Conv2D": _convolve,
    "Conv2DTranspose": _convolve_transposed,
    "DepthwiseConv2D": _convolve_channels,
    "Dropout": _pass_on,
    "Flip": lambda graph, layer, x: flip(graph, x, axis=1),
    "GlobalAveragePooling2D": _average,
    "GroupNormalization": _normalize_by_group,
    "MaxPooling2D": _pool,
    "Multiply": _join("Mul"),
    "Normalization": _normalize_pixels,
    "ReLU": _cut,
    "Reshape": _reshape,
    "SpatialDropout2D": _pass_on,
    "UpSampling2D": _enlarge,
    "ZeroPadding2D": _pad,
}


def _array(weights: Any) -> NDArray[np.float32]:
    return np.asarray(keras.ops.convert_to_numpy(weights), np.float32)
