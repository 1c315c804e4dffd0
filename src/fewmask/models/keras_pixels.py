"""The rule `Pixels` of `fewmask.scale` in Keras operations, for images of any height and width."""

from __future__ import annotations

from typing import Any

import numpy as np

from fewmask.models.backend import keras
from fewmask.models.keras_resampling import (
    PixelLine,
    floats,
    reflected,
    resampling_weights,
    within,
)
from fewmask.scale import Pixels


class KerasPixels:
    """The way of images into the tiles that the network sees, and of maps back.

    Args:
        image: Symbolic images `(N, H, W, C)`, float32.
        rule: The rule.
    """

    def __init__(self, image: Any, rule: Pixels) -> None:
        self._image = image
        self._rule = rule
        self._rows = _Side(PixelLine(image[0, :, 0, 0]), rule)
        self._columns = _Side(PixelLine(image[0, 0, :, 0]), rule)
        self._number = PixelLine(image[:, 0, 0, 0]).steps

    def enter(self) -> Any:
        """Returns the tiles of all images, `(tiles, tile, tile, C)`."""
        if self._rule.scale == 1:
            seen = keras.ops.take(self._image, self._rows.places(), axis=1)
            seen = keras.ops.take(seen, self._columns.places(), axis=3)
            seen = keras.ops.transpose(seen, (0, 1, 3, 2, 4, 5))
        else:
            seen = keras.ops.einsum("rth,nhwd->nrtwd", self._rows.into_tiles(), self._image)
            seen = keras.ops.einsum("csw,nrtwd->nrctsd", self._columns.into_tiles(), seen)
        return keras.ops.reshape(
            seen, (-1, self._rule.tile, self._rule.tile, self._image.shape[-1])
        )

    def leave(self, maps: Any) -> Any:
        """Puts maps `(tiles, tile, tile, K)` together, `(N, H, W, K)`."""
        rows, columns = self._rows.tiles, self._columns.tiles
        number = self._number[:, None, None] * rows.length + rows.steps[None, :, None]
        number = number * columns.length + columns.steps[None, None, :]
        # A reshaping could not: it takes no more than one side that is known only now.
        joined = keras.ops.take(maps, number, axis=0)
        joined = keras.ops.einsum("hrt,nrctsk->nhcsk", self._rows.out_of_tiles(), joined)
        return keras.ops.einsum("wcs,nhcsk->nhwk", self._columns.out_of_tiles(), joined)


class _Side:
    def __init__(self, line: PixelLine, rule: Pixels) -> None:
        self._rule = rule
        self._made, self._of = rule.ratio
        self._line = line
        self._inner = line.shortened(self._made, self._of)
        # A tile for each step of the pixels without an overlap, of which there is one at least.
        ones = self._inner.ones
        beyond = [ones[(slice(rule.overlap + 1, None),)], ones[(slice(1),)]]
        self.tiles = PixelLine(keras.ops.concatenate(beyond)).shortened(1, rule.step)

    def places(self) -> Any:
        """Builds the pixels of each tile, `(count, tile)`."""
        starts = keras.ops.expand_dims(self.tiles.steps * self._rule.step, -1)
        place = keras.ops.add(starts, np.arange(self._rule.tile, dtype="int32"))
        return reflected(place, self._inner.length)

    def into_tiles(self) -> Any:
        """Builds the matrices `scale.weights_into_tiles`, `(count, tile, length)`."""
        centers = floats((2 * self.places() + 1) * self._of) / (2 * self._made)
        centers = within(centers, self._line.length)
        return resampling_weights(centers, self._line.middles, max(1.0, self._of / self._made))

    def out_of_tiles(self) -> Any:
        """Builds the matrices `scale.weights_out_of_tiles`, `(length, count, tile)`."""
        rule = self._rule
        place = floats((2 * self._line.steps + 1) * self._made) / (2 * self._of)
        starts = self.tiles.steps * rule.step
        away = keras.ops.expand_dims(place, -1) - floats(starts)
        # The first tile has none before it, the last one none behind.
        first = keras.ops.equal(self.tiles.steps, 0)
        begun = keras.ops.where(first, 1.0, _share(away, rule))
        last = keras.ops.equal(self.tiles.steps, self.tiles.length - 1)
        over = keras.ops.where(last, 0.0, _share(away - rule.step, rule))
        middles = np.arange(rule.tile, dtype="float32") + np.float32(0.5)
        middles = keras.ops.add(floats(keras.ops.expand_dims(starts, -1)), middles)
        place = within(place, self._inner.length)[:, None, None]
        distance = keras.ops.abs(place - middles) / max(1.0, self._made / self._of)
        weights = keras.ops.relu(1.0 - distance)
        total = keras.ops.maximum(keras.ops.sum(weights, axis=-1, keepdims=True), 1e-6)
        return weights / total * keras.ops.expand_dims(begun - over, -1)


def _share(away: Any, rule: Pixels) -> Any:
    """Builds `scale.share_of_later`."""
    return keras.ops.clip(away * (2 / rule.overlap) - 0.5, 0.0, 1.0)
