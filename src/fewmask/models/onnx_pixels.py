"""The rule `Pixels` of `fewmask.scale` in ONNX operators, for images of any height and width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.models.graph import Graph
from fewmask.models.onnx_resampling import Side, lengths, resample
from fewmask.scale import Pixels


class OnnxPixels:
    """The way of an image into the tiles that the network sees, and of maps back.

    Args:
        graph: The graph that the operators are added to.
        image: Name of an image `(1, H, W, C)`.
        rule: The rule.
        channels: Number of its channels C.
        depth: Number of maps K.
    """

    def __init__(self, graph: Graph, image: str, rule: Pixels, channels: int, depth: int) -> None:
        self._graph = graph
        self._rule = rule
        self._channels = channels
        self._depth = depth
        self._rows, self._columns = (
            PixelsSide(graph, length, rule) for length in lengths(graph, image)
        )

    def enter(self, planes: str) -> str:
        """Makes of planes `(1, C, H, W)` what the network sees, `(tiles, C, tile, tile)`."""
        add, side = self._graph.add, self._rule.tile
        if self._rule.scale == 1:
            planes = add("Gather", planes, self._rows.places(), axis=2)
            planes = add("Gather", planes, self._columns.places(), axis=3)
        else:
            rows, columns = self._rows.into_tiles(), self._columns.into_tiles()
            planes = resample(self._graph, planes, rows, columns)
        tiles = self._reshape(planes, self._channels, self._rows.count, side, -1, side)
        tiles = add("Transpose", tiles, perm=[1, 3, 0, 2, 4])
        return self._reshape(tiles, -1, self._channels, side, side)

    def leave(self, maps: str) -> str:
        """Puts maps `(tiles, K, tile, tile)` together, `(1, K, H, W)`."""
        side = self._rule.tile
        planes = self._reshape(maps, self._rows.count, -1, self._depth, side, side)
        planes = self._graph.add("Transpose", planes, perm=[2, 0, 3, 1, 4])
        planes = self._reshape(planes, 1, self._depth, self._rows.covered, -1)
        rows, columns = self._rows.out_of_tiles(), self._columns.out_of_tiles()
        return resample(self._graph, planes, rows, columns)

    def _reshape(self, value: str, *sides: str | int) -> str:
        """Reshapes to sides that are whole numbers or their names; one may be -1, the rest."""
        lines = [
            self._graph.add("Reshape", side, np.array([1])) if isinstance(side, str) else side
            for side in sides
        ]
        parts = [np.array([line]) if isinstance(line, int) else line for line in lines]
        return self._graph.add("Reshape", value, self._graph.add("Concat", *parts, axis=0))


class PixelsSide(Side):
    """One side of the image, and the matrices that make tiles of it and put them together.

    Args:
        graph: The graph that the operators are added to.
        length: Name of a whole number, the pixels of this side.
        rule: The rule.
    """

    def __init__(self, graph: Graph, length: str, rule: Pixels) -> None:
        super().__init__(graph, length)
        self._rule = rule
        self._made, self._of = rule.ratio
        # Whole numbers, as in `scale.pixels_placement`.
        self._inner = self._divided_up(graph.add("Mul", length, self._made), self._of)
        beyond = graph.add("Sub", self._inner, rule.overlap)
        self.count = graph.add("Max", self._divided_up(beyond, rule.step), 1)
        self.covered = graph.add("Mul", self.count, rule.tile)
        self._tiles = graph.add("Range", 0, self.count, 1)
        self._starts = graph.add("Mul", self._tiles, rule.step)

    def places(self) -> str:
        """Adds the pixels of all tiles, `(count * tile)`."""
        place = self._in_tiles(self._starts, np.arange(self._rule.tile))
        return self.reflected(self._flat(place), self._inner)

    def into_tiles(self) -> str:
        """Adds the matrix `scale.weights_into_tiles`, `(count * tile, length)`."""
        centers = self._middles_of(self.places(), self._of, self._made)
        centers = self.within(centers, self.length)
        support = max(1.0, self._of / self._made)
        return self.weights(centers, self.middles(self.length), support)

    def out_of_tiles(self) -> str:
        """Adds the matrix `scale.weights_out_of_tiles`, `(length, count * tile)`."""
        add, rule = self.graph.add, self._rule
        pixels = add("Range", 0, self.length, 1)
        place = self._middles_of(pixels, self._made, self._of)
        away = add("Sub", self._upright(place), self.floats(self._starts))
        # The first tile has none before it, the last one none behind.
        first = add("Equal", self._tiles, 0)
        begun = add("Where", first, 1.0, self._share(away))
        last = add("Equal", self._tiles, add("Sub", self.count, 1))
        over = add("Where", last, 0.0, self._share(add("Sub", away, float(rule.step))))
        counts = add("Unsqueeze", add("Sub", begun, over), np.array([2]))
        within = np.arange(rule.tile, dtype=np.float32) + np.float32(0.5)
        middles = self._in_tiles(self.floats(self._starts), within)
        place = add("Unsqueeze", self.within(place, self._inner), np.array([1, 2]))
        distance = add("Abs", add("Sub", place, middles))
        distance = add("Div", distance, max(1.0, self._made / self._of))
        weights = add("Relu", add("Sub", 1.0, distance))
        total = add("ReduceSum", weights, np.array([2]), keepdims=1)
        weights = add("Mul", add("Div", weights, add("Max", total, 1e-6)), counts)
        return add("Reshape", weights, np.array([0, -1]))

    def _share(self, away: str) -> str:
        """Adds `scale.share_of_later`."""
        share = self.graph.add("Mul", away, 2 / self._rule.overlap)
        share = self.graph.add("Max", self.graph.add("Sub", share, 0.5), 0.0)
        return self.graph.add("Min", share, 1.0)

    def _middles_of(self, pixels: str, times: int, over: int) -> str:
        """Adds the middles of pixels on a line where each has `times / over` the length."""
        add = self.graph.add
        odd = add("Add", add("Mul", pixels, 2), 1)
        return add("Div", self.floats(add("Mul", odd, times)), float(2 * over))

    def _in_tiles(self, starts: str, within: NDArray[Any]) -> str:
        return self.graph.add("Add", self._upright(starts), within)

    def _upright(self, line: str) -> str:
        return self.graph.add("Unsqueeze", line, np.array([1]))

    def _flat(self, table: str) -> str:
        return self.graph.add("Reshape", table, np.array([-1]))

    def _divided_up(self, number: str, by: int) -> str:
        """Adds a quotient of whole numbers, rounded up; right from 1 - `by` on."""
        return self.graph.add("Div", self.graph.add("Add", number, by - 1), by)
