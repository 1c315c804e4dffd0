"""The rule `Frame` of `fewmask.scale` in ONNX operators, for images of any height and width."""

from __future__ import annotations

import numpy as np

from fewmask.models.graph import Graph
from fewmask.models.onnx_resampling import Side, lengths, resample
from fewmask.scale import Frame


class OnnxFrame:
    """The way of an image into the square that the network sees, and of maps back.

    Args:
        graph: The graph that the operators are added to.
        image: Name of an image `(1, H, W, C)`.
        rule: The rule.
    """

    def __init__(self, graph: Graph, image: str, rule: Frame) -> None:
        self._graph = graph
        height, width = lengths(graph, image)
        longest = graph.add("Max", height, width)
        self._rows, self._columns = (
            FrameSide(graph, length, longest, rule.size) for length in (height, width)
        )

    def enter(self, planes: str) -> str:
        """Brings planes `(1, C, H, W)` to what the network sees, `(1, C, size, size)`."""
        rows, columns = self._rows.into_frame(), self._columns.into_frame()
        return resample(self._graph, planes, rows, columns)

    def leave(self, maps: str) -> str:
        """Brings maps `(1, K, size, size)` back to `(1, K, H, W)`."""
        rows, columns = self._rows.out_of_frame(), self._columns.out_of_frame()
        return resample(self._graph, maps, rows, columns)


class FrameSide(Side):
    """One side of the image, and the matrices that take it into the frame and out again.

    Args:
        graph: The graph that the operators are added to.
        length: Name of a whole number, the pixels of this side.
        longest: Name of a whole number, the pixels of the longest side.
        size: Side of the frame.
    """

    def __init__(self, graph: Graph, length: str, longest: str, size: int) -> None:
        super().__init__(graph, length)
        self._longest = longest
        self._size = size
        # Whole numbers, as in `scale.frame_placement`.
        numerator = graph.add("Add", graph.add("Mul", length, 2 * size), longest)
        inner = graph.add("Div", numerator, graph.add("Mul", longest, 2))
        self._inner = graph.add("Max", inner, 1)
        self._offset = graph.add("Div", graph.add("Sub", size, self._inner), 2)

    def into_frame(self) -> str:
        """Adds the matrix `scale.weights_into_frame`, `(size, length)`."""
        add = self.graph.add
        place = self.reflected(add("Sub", np.arange(self._size), self._offset), self._inner)
        shrinking = add("Div", self.floats(self._longest), float(self._size))
        centers = add("Mul", add("Add", self.floats(place), 0.5), shrinking)
        centers = self.within(centers, self.length)
        return self.weights(centers, self.middles(self.length), add("Max", shrinking, 1.0))

    def out_of_frame(self) -> str:
        """Adds the matrix `scale.weights_out_of_frame`, `(length, size)`."""
        add = self.graph.add
        scale = add("Div", float(self._size), self.floats(self._longest))
        place = self.within(add("Mul", self.middles(self.length), scale), self._inner)
        centers = add("Add", place, self.floats(self._offset))
        positions = self.graph.constant(np.arange(self._size, dtype=np.float32) + np.float32(0.5))
        return self.weights(centers, positions, add("Max", scale, 1.0))
