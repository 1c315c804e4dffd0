"""Writes ONNX graphs node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

IR_VERSION = 8
"""Version of the file format, that of opset 13 to 17; ONNX Runtime reads it since 1.10."""


class Graph:
    """An ONNX graph in the making; values in it go by name.

    Args:
        name: Name of the graph.

    Example:

    >>> graph = Graph("doubled")
    >>> x = graph.input("x", np.float32, ["n"])
    >>> graph.output("y", graph.add("Mul", x, 2.0), np.float32, ["n"])
    >>> [node.op_type for node in graph.model(opset=17).graph.node]
    ['Mul', 'Identity']
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: list[Any] = []

    def input(self, name: str, dtype: type, shape: Sequence[int | str]) -> str:
        """Adds an input.

        Args:
            name: Its name, which callers of the model use.
            dtype: Its NumPy dtype.
            shape: A number for each fixed side, a name for each free one.

        Returns:
            The name.
        """
        self._inputs.append(_tensor(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: type, shape: Sequence[int | str]) -> None:
        """Makes a value an output; the arguments are those of `input`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(_tensor(name, dtype, shape))

    def constant(self, value: NDArray[Any]) -> str:
        """Adds an array that is part of the model.

        Args:
            value: The array.

        Returns:
            Its name.
        """
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, operator: str, *operands: Any, **attributes: Any) -> str:
        """Adds one node.

        Args:
            operator: Name of the ONNX operator.
            *operands: What it is applied to: names of values; arrays; whole numbers, which
                become int64, and other numbers, which become float32.
            **attributes: Its attributes; a NumPy dtype stands for the element type it names.

        Returns:
            The name of its first output.
        """
        inputs = [
            operand if isinstance(operand, str) else self.constant(_array(operand))
            for operand in operands
        ]
        output = f"{operator.lower()}_{len(self._nodes)}"
        for name, value in attributes.items():
            if isinstance(value, type):
                attributes[name] = helper.np_dtype_to_tensor_dtype(np.dtype(value))
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def model(self, opset: int, metadata: dict[str, str] | None = None) -> Any:
        """Ends the graph.

        Args:
            opset: Version of the ONNX operators that it is written in.
            metadata: Texts that travel with the model.

        Returns:
            A checked `onnx.ModelProto`.
        """
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._constants
        )
        model = helper.make_model(
            graph,
            producer_name="fewmask",
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, metadata or {})
        onnx.checker.check_model(model)
        return model


def _array(number: Any) -> NDArray[Any]:
    if isinstance(number, np.ndarray):
        return number
    return np.array(number, np.int64 if isinstance(number, int) else np.float32)


def _tensor(name: str, dtype: type, shape: Sequence[int | str]) -> Any:
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, element, list(shape))
