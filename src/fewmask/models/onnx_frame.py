"""The frame rule of `fewmask.scale` in ONNX operators, for pictures of any size."""

from __future__ import annotations

import numpy as np

from fewmask.models.graph import Graph


class Side:
    """One side of the picture, and the matrices that take it into the frame and out again.

    Args:
        graph: The graph that the operators are added to.
        length: Name of a whole number, the pixels of this side.
        longest: Name of a whole number, the pixels of the longest side.
        size: Side of the frame.
    """

    def __init__(self, graph: Graph, length: str, longest: str, size: int) -> None:
        self._graph = graph
        self._length = length
        self._longest = longest
        self._size = size
        # Whole numbers, as in `scale.frame_placement`.
        twice = graph.add("Mul", longest, 2)
        numerator = graph.add("Add", graph.add("Mul", length, 2 * size), longest)
        self._inner = graph.add("Max", graph.add("Div", numerator, twice), 1)
        self._offset = graph.add("Div", graph.add("Sub", size, self._inner), 2)

    def into_frame(self) -> str:
        """Adds the matrix `scale.weights_into_frame`, `(size, length)`."""
        add, inner = self._graph.add, self._inner
        twice = add("Mul", inner, 2)
        place = add("Mod", add("Sub", np.arange(self._size), self._offset), twice)
        place = add("Min", place, add("Sub", add("Sub", twice, 1), place))
        shrinking = add("Div", self._float(self._longest), float(self._size))
        centers = add("Mul", add("Add", self._float(place), 0.5), shrinking)
        last = add("Sub", self._float(self._length), 0.5)
        centers = add("Min", add("Max", centers, 0.5), last)
        return self._weights(centers, self._pixels(), add("Max", shrinking, 1.0))

    def out_of_frame(self) -> str:
        """Adds the matrix `scale.weights_out_of_frame`, `(length, size)`."""
        add = self._graph.add
        scale = add("Div", float(self._size), self._float(self._longest))
        place = add("Mul", self._pixels(), scale)
        last = add("Sub", self._float(self._inner), 0.5)
        place = add("Min", add("Max", place, 0.5), last)
        centers = add("Add", place, self._float(self._offset))
        positions = self._graph.constant(np.arange(self._size, dtype=np.float32) + np.float32(0.5))
        return self._weights(centers, positions, add("Max", scale, 1.0))

    def _pixels(self) -> str:
        """Adds the middles of this side's pixels: 0.5, 1.5, and so on."""
        steps = self._graph.add("Range", 0, self._length, 1)
        return self._graph.add("Add", self._float(steps), 0.5)

    def _weights(self, centers: str, positions: str, support: str) -> str:
        """Adds the matrix `scale.resampling_weights`."""
        add = self._graph.add
        columns = add("Unsqueeze", centers, np.array([1]))
        distance = add("Abs", add("Sub", columns, positions))
        weights = add("Relu", add("Sub", 1.0, add("Div", distance, support)))
        total = add("ReduceSum", weights, np.array([1]), keepdims=1)
        return add("Div", weights, total)

    def _float(self, value: str) -> str:
        return self._graph.add("Cast", value, to=np.float32)


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
