"""Resampling in ONNX operators, along sides whose length is known only when an image comes."""

from __future__ import annotations

import numpy as np

from fewmask.models.graph import Graph


class Side:
    """One side of the image, and the operators that both rules are made of.

    Args:
        graph: The graph that they are added to.
        length: Name of a whole number, the pixels of this side.
    """

    def __init__(self, graph: Graph, length: str) -> None:
        self.graph = graph
        self.length = length

    def middles(self, length: str) -> str:
        """Adds the middles of so many pixels: 0.5, 1.5, and so on."""
        steps = self.graph.add("Range", 0, length, 1)
        return self.graph.add("Add", self.floats(steps), 0.5)

    def within(self, centers: str, length: str) -> str:
        """Keeps positions between the middles of the first and the last of `length` pixels."""
        last = self.graph.add("Sub", self.floats(length), 0.5)
        return self.graph.add("Min", self.graph.add("Max", centers, 0.5), last)

    def reflected(self, place: str, length: str) -> str:
        """Adds the pixels that lie, or are reflected (`abcd|dcba`), at some places."""
        add = self.graph.add
        twice = add("Mul", length, 2)
        place = add("Mod", place, twice)
        return add("Min", place, add("Sub", add("Sub", twice, 1), place))

    def weights(self, centers: str, positions: str, support: str | float) -> str:
        """Adds the matrix `scale.resampling_weights`."""
        add = self.graph.add
        columns = add("Unsqueeze", centers, np.array([1]))
        distance = add("Abs", add("Sub", columns, positions))
        weights = add("Relu", add("Sub", 1.0, add("Div", distance, support)))
        total = add("ReduceSum", weights, np.array([1]), keepdims=1)
        return add("Div", weights, total)

    def floats(self, whole_numbers: str) -> str:
        """Turns whole numbers into float32."""
        return self.graph.add("Cast", whole_numbers, to=np.float32)


def lengths(graph: Graph, image: str) -> tuple[str, str]:
    """Adds height and width of an image `(1, H, W, C)`."""
    shape = graph.add("Shape", image)
    height, width = (graph.add("Gather", shape, axis) for axis in (1, 2))
    return height, width


def resample(graph: Graph, planes: str, rows: str, columns: str) -> str:
    """Adds the two matrix products that resample along height and width.

    Args:
        graph: The graph that the operators are added to.
        planes: Name of an array `(1, C, H, W)`.
        rows: Name of a matrix `(h, H)`.
        columns: Name of a matrix `(w, W)`.

    Returns:
        The name of an array `(1, C, h, w)`.
    """
    tall = graph.add("MatMul", rows, planes)
    return graph.add("MatMul", tall, graph.add("Transpose", columns, perm=[1, 0]))
