"""The same network in fewer operators: what an exporter leaves of Keras' small steps, joined.

Keras on torch pads before a convolution, and normalises behind it by a subtraction, a
multiplication and an addition, each a walk over the whole array; between them the exporter writes
casts of floats to floats. A convolution can do all of this by itself, in the one walk that it takes
anyway. The results are the same but for rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Known = dict[str, NDArray[Any]]
"""Arrays that are part of the model, by name."""


def make_lean(model: Any) -> Any:
    """Joins operators of an exported network.

    Args:
        model: An `onnx.ModelProto`, which stays as it is.

    Returns:
        Another one of the same inputs and outputs, with arrays in the place of what can be
        calculated beforehand, without operators that do nothing, and with paddings and
        normalisations as part of the convolutions beside them.
    """
    lean = onnx.ModelProto()
    lean.CopyFrom(model)
    graph = lean.graph
    outputs = {output.name for output in graph.output}
    known = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
    nodes = _without_idle(graph.node, _element_types(lean), outputs)
    nodes = _calculate(nodes, known, {each.domain: each.version for each in lean.opset_import})
    nodes = _fold(nodes, known, outputs)
    used = _used(nodes, outputs)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in known.items() if used[name]
    )
    return lean


def _element_types(model: Any) -> dict[str, int]:
    """Returns the type of the elements of each array, where ONNX can tell."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    arrays = (*graph.input, *graph.value_info)
    types = {array.name: array.type.tensor_type.elem_type for array in arrays}
    return types | {array.name: array.data_type for array in graph.initializer}


def _without_idle(nodes: Iterable[Any], types: dict[str, int], outputs: set[str]) -> list[Any]:
    """Leaves out copies, and casts to the type that an array has."""
    originals: dict[str, str] = {}
    kept = []
    for node in nodes:
        for place, name in enumerate(node.input):
            node.input[place] = originals.get(name, name)
        cast = node.op_type == "Cast" and _attributes(node)["to"] == types.get(node.input[0])
        if (cast or node.op_type == "Identity") and node.output[0] not in outputs:
            originals[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    return kept


def _calculate(nodes: Iterable[Any], known: Known, opsets: dict[str, int]) -> list[Any]:
    """Calculates what depends on no input, and returns the nodes that are left."""
    left = []
    for node in nodes:
        if all(name in known or not name for name in node.input):
            arrays = {name: known[name] for name in node.input if name}
            results = ReferenceEvaluator(node, opsets=opsets).run(None, arrays)
            known.update(zip(node.output, results, strict=True))
        else:
            left.append(node)
    return left


def _fold(nodes: list[Any], known: Known, outputs: set[str]) -> list[Any]:
    """Lets each convolution pad, scale and shift, where nobody else needs what goes between."""
    used = _used(nodes, outputs)
    makers = {name: node for node in nodes for name in node.output}
    users = {name: node for node in nodes for name in node.input if used[name] == 1}
    gone: set[int] = set()
    for node in nodes:
        if node.op_type != "Conv":
            continue
        before = makers.get(node.input[0])
        if before is not None and used[node.input[0]] == 1 and _take_padding(node, before, known):
            gone.add(id(before))
        for each in _take_normalization(node, users, known):
            gone.add(id(each))
    return [node for node in nodes if id(node) not in gone]


def _take_padding(convolution: Any, padding: Any, known: Known) -> bool:
    """Lets a convolution add the zeros of the padding before it, if that is what it does."""
    if padding.op_type != "Pad":
        return False
    its_own, pads = _attributes(convolution), _attributes(padding)
    amounts, *value = padding.input[1:]
    if (
        pads.get("mode", b"constant") != b"constant"
        or its_own.get("auto_pad", b"NOTSET") != b"NOTSET"
        or amounts not in known
        or any(known.get(name, np.ones(1)).any() for name in value if name)
    ):
        return False
    first, last = np.split(known[amounts], 2)
    if first[:2].any() or last[:2].any() or (known[amounts] < 0).any():
        return False
    sides = [*first[2:], *last[2:]]
    more = [int(a + b) for a, b in zip(its_own.get("pads", [0] * len(sides)), sides, strict=True)]
    kept = [each for each in convolution.attribute if each.name != "pads"]
    del convolution.attribute[:]
    convolution.attribute.extend([*kept, helper.make_attribute("pads", more)])
    convolution.input[0] = padding.input[0]
    return True


def _take_normalization(convolution: Any, users: dict[str, Any], known: Known) -> list[Any]:
    """Lets a convolution do what comes behind it, channel by channel; returns what that was."""
    kernel = known.get(convolution.input[1])
    no_bias = len(convolution.input) == 2
    if kernel is None or not (no_bias or convolution.input[2] in known):
        return []
    bias = np.zeros(len(kernel), kernel.dtype) if no_bias else known[convolution.input[2]]
    taken = []
    end = convolution.output[0]
    while (user := users.get(end)) is not None and user.op_type in ("Add", "Sub", "Mul"):
        each = known.get(user.input[1])
        if user.input[0] != end or each is None or each.shape != (1, len(kernel), 1, 1):
            break
        each = each.reshape(-1)
        if user.op_type == "Mul":
            kernel, bias = kernel * each[:, None, None, None], bias * each
        else:
            bias = bias + each if user.op_type == "Add" else bias - each
        taken.append(user)
        end = user.output[0]
    if taken:
        names = [f"{convolution.output[0]}_kernel", f"{convolution.output[0]}_bias"]
        known.update(zip(names, (kernel, bias), strict=True))
        convolution.input[:] = [convolution.input[0], *names]
        convolution.output[0] = end
    return taken


def _attributes(node: Any) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _used(nodes: Iterable[Any], outputs: set[str]) -> Counter[str]:
    """Counts how often each array is used, the outputs of the whole included."""
    return Counter(name for node in nodes for name in node.input) + Counter(outputs)
