"""The rule `Pixels`: images scaled by one factor and seen in tiles, and back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import ArgumentError
from fewmask.scale.resampling import resampling_weights

LARGEST_SCALE = 2.0
SHARE_OF_OVERLAP = 1 / 4
BLOCK = 512
"""Side of a block of tiles in pixels, roughly: enough for the arithmetic, little for the memory."""


@dataclass(frozen=True)
class Pixels:
    """The rule "so many image pixels become one", for models that learn from patches.

    An image is resampled by one factor, the same for all images (antialiased linear filter), and
    cut into square tiles that overlap, the reflection of the image completing the last ones. The
    network sees tiles, all of the size of the patches it has learnt from: on larger ones it does
    worse, for it has learnt what its borders do to it. In an overlap the outer quarters of both
    tiles, which see least of what is around, do not count; in between one fades into the other.

    An image too large for the memory may be cut into blocks of tiles. The factor is a ratio of
    whole numbers, so that every block begins at a whole pixel of the image where a tile begins.

    Args:
        tile: Side of a tile in pixels that the network sees.
        overlap: Such pixels that neighbouring tiles share, at most half of `tile`.
        block: Pixels from where a block begins to where the next one does, a multiple of
            `tile - overlap`.
        block_in_image: Image pixels that these are made of.

    Raises:
        ArgumentError: If these numbers make no sense.

    Example:

    >>> Pixels(tile=256, overlap=64, block=576, block_in_image=1152).scale
    0.5
    """

    tile: int
    overlap: int
    block: int
    block_in_image: int

    def __post_init__(self) -> None:
        if not 0 < 2 * self.overlap <= self.tile:
            raise ArgumentError(
                "scale",
                "tiles that overlap by at most half of their side",
                f"tiles of {self.tile} with {self.overlap} pixels of overlap",
                "Choose other tiles.",
            )
        if self.block < 1 or self.block % (self.tile - self.overlap):
            raise ArgumentError(
                "scale",
                f"blocks of whole tiles, multiples of {self.tile - self.overlap} pixels",
                f"blocks of {self.block}",
                "Choose other blocks.",
            )
        if self.block_in_image < 1 or self.scale > LARGEST_SCALE:
            raise ArgumentError(
                "scale",
                f"a scale above 0, up to {LARGEST_SCALE:g}",
                f"{self.block} pixels made of {self.block_in_image}",
                "Choose another scale.",
            )

    @classmethod
    def near(cls, scale: float, size: int) -> Pixels:
        """Chooses tiles, and the ratio of whole numbers that is nearest to a scale.

        Args:
            scale: Pixels that the network sees per image pixel, above 0, at most 2.
            size: Side of the patches it learns from, at least 4.

        Example:

        >>> Pixels.near(0.37, size=256)
        Pixels(tile=256, overlap=64, block=576, block_in_image=1557)
        """
        overlap = round(size * SHARE_OF_OVERLAP)
        block = max(1, round(BLOCK / (size - overlap))) * (size - overlap)
        # Rounded down, half an odd number would make the scale too large.
        smallest = math.ceil(block / LARGEST_SCALE)
        return cls(size, overlap, block, max(round(block / scale), smallest))

    @property
    def scale(self) -> float:
        """Pixels that the network sees per image pixel."""
        return self.block / self.block_in_image

    @property
    def step(self) -> int:
        """Pixels from where a tile begins to where the next one does."""
        return self.tile - self.overlap

    @property
    def ratio(self) -> tuple[int, int]:
        """The scale in lowest terms: so many pixels are made of so many image pixels."""
        shared = math.gcd(self.block, self.block_in_image)
        return self.block // shared, self.block_in_image // shared

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into an equal rule."""
        # The scale is for people: it follows from the others.
        return {"rule": "pixels", "scale": round(self.scale, 6), **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Pixels:
        """Rebuilds the rule from what `to_json` returned.

        Raises:
            ArgumentError: If the numbers make no sense.
        """
        return cls(**{field.name: int(values[field.name]) for field in fields(cls)})


def pixels_placement(length: int, rule: Pixels) -> tuple[int, int]:
    """Says how long one side of an image becomes, and how many tiles hold it.

    Args:
        length: Pixels of this side of the image, at least 1.
        rule: The rule.

    Returns:
        `(inner, count)`: pixels that the network sees of it, and the number of tiles, both at
        least 1.

    Example:

    >>> pixels_placement(1000, Pixels(tile=256, overlap=64, block=576, block_in_image=1152))
    (500, 3)
    """
    made, of = rule.ratio
    # Whole numbers, so that the exported models round the very same way: up, as the only way in
    # which Keras makes an array of a length that is not known before.
    inner = -(-length * made // of)
    return inner, max(1, -(-(inner - rule.overlap) // rule.step))


def share_of_later(place: NDArray[Any], rule: Pixels) -> NDArray[np.float32]:
    """Says how much the later one of two tiles counts where they overlap.

    Args:
        place: Positions in pixels that the network sees, from where the later tile begins.
        rule: The rule.

    Returns:
        0 in the first quarter of the overlap and before, 1 in its last quarter and beyond.
    """
    share: NDArray[Any] = np.clip(2 * place / rule.overlap - 0.5, 0, 1)
    return share.astype(np.float32)


def weights_into_tiles(length: int, rule: Pixels) -> NDArray[np.float32]:
    """Builds the matrices that make tiles along one side of an image.

    Args:
        length: Pixels of this side of the image.
        rule: The rule.

    Returns:
        Weights of shape `(count, tile, length)`; beyond the image they repeat its reflection
        (`abcd|dcba`).
    """
    made, of = rule.ratio
    inner, count = pixels_placement(length, rule)
    place = (np.arange(count)[:, None] * rule.step + np.arange(rule.tile)).ravel() % (2 * inner)
    place = np.minimum(place, 2 * inner - 1 - place)
    centers = np.clip((2 * place + 1) * of / (2 * made), 0.5, length - 0.5)
    weights = resampling_weights(centers, length, max(1.0, of / made))
    return weights.reshape(count, rule.tile, length)


def weights_out_of_tiles(length: int, rule: Pixels) -> NDArray[np.float32]:
    """Builds the matrices that put tiles together along one side of an image.

    Args:
        length: Pixels of this side of the image.
        rule: The rule.

    Returns:
        Weights of shape `(length, count, tile)`; those of a pixel add up to 1.
    """
    made, of = rule.ratio
    inner, count = pixels_placement(length, rule)
    place = (2 * np.arange(length) + 1) * made / (2 * of)
    starts = np.arange(count) * rule.step
    counts = share_of_later(place[:, None] - starts, rule)
    counts[:, 0] = 1
    counts[:, :-1] -= counts[:, 1:]
    middles = starts[:, None] + np.arange(rule.tile) + 0.5
    distance = np.abs(np.clip(place, 0.5, inner - 0.5)[:, None, None] - middles)
    weights = np.maximum(0, 1 - distance / max(1.0, made / of))
    weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-6)
    return (weights * counts[:, :, None]).astype(np.float32)


def into_pixels(image: NDArray[Any], rule: Pixels) -> NDArray[np.float32]:
    """Makes the tiles of an image.

    Args:
        image: Shape `(H, W, C)`, any numeric dtype.
        rule: The rule.

    Returns:
        Shape `(rows, columns, tile, tile, C)`, in the range of `image`.
    """
    rows, columns = (weights_into_tiles(side, rule) for side in image.shape[:2])
    tall = np.tensordot(rows, image.astype(np.float32), axes=1)
    tiles: NDArray[np.float32] = np.tensordot(columns, tall, axes=(2, 2))
    return tiles.transpose(2, 0, 3, 1, 4)


def out_of_pixels(
    maps: NDArray[np.float32], height: int, width: int, rule: Pixels
) -> NDArray[np.float32]:
    """Puts maps of tiles together, at the image's own height and width.

    Args:
        maps: Shape `(rows, columns, tile, tile, K)`, probability maps say.
        height: Height of the image in pixels.
        width: Its width.
        rule: The rule.

    Returns:
        Shape `(height, width, K)`.
    """
    rows, columns = (weights_out_of_tiles(side, rule) for side in (height, width))
    tall = np.tensordot(rows, maps, axes=((1, 2), (0, 2)))
    joined: NDArray[np.float32] = np.tensordot(columns, tall, axes=((1, 2), (1, 2)))
    return joined.swapaxes(0, 1)
