"""How the values that mask files store become class ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Color
from fewmask.data.imageio import MaskValues
from fewmask.data.masks.decisions import color_text, pack_color
from fewmask.errors import DataError

IGNORED = 255
"""Class id of pixels that do not count, whatever value they are stored as."""

GRAY = 0x010101
"""A grey value times this is the packed colour it shows."""

_STRANGER = 254


@dataclass(frozen=True)
class MaskEncoding:
    """The rule that turns stored values into class ids, one for all masks of a dataset.

    Args:
        rule: `values`: grey values and palette indices as they are; `colors`: the colours that
            are seen, where a grey value `v` is the colour `(v, v, v)` and a palette index the
            colour in its palette; `threshold`: values from `threshold` on are class 1, where grey
            palettes count as the grey they show.
        table: Stored value, or colour packed as `0xRRGGBB`, and its class id or 255 for pixels
            that do not count; empty for `threshold`.
        threshold: Only for the rule of that name.

    Example:

    >>> encoding = MaskEncoding("values", ((0, 0), (128, 1)))
    >>> encoding.decode(MaskValues(np.array([[0, 128]], np.uint8)), "a.png").tolist()
    [[0, 1]]
    """

    rule: Literal["values", "colors", "threshold"]
    table: tuple[tuple[int, int], ...] = ()
    threshold: int = 0

    def decode(self, mask: MaskValues, where: object) -> NDArray[np.uint8]:
        """Turns what a mask file stores into class ids.

        Args:
            mask: What was read from the file.
            where: Name of the file, for the error.

        Returns:
            Class ids of shape `(H, W)`; 255 where the mask says that a pixel is not to count.

        Raises:
            DataError: If a pixel holds a value or colour that no other mask holds and nobody
                declared.
        """
        mask = without_alpha(mask)
        values = mask.values
        if self.rule != "colors" and values.ndim == 3:
            gray = values[..., 0]
            colored = np.count_nonzero((values != gray[..., None]).any(axis=2))
            if colored:
                raise self._refusal(where, f"colours in {colored:,} pixels")
            values = gray
        if self.rule == "threshold":
            levels = values if mask.palette is None else threshold_levels(mask.palette)[values]
            return (levels >= self.threshold).astype(np.uint8)
        if values.ndim == 3:
            class_ids = self._of_colors(pack_pixels(values))
        else:
            lookup = self._of_values(mask.palette, values.dtype)
            small = values.dtype == np.uint8
            class_ids = _look_up(values, lookup[:256]) if small else lookup[values]
        if (class_ids == _STRANGER).any():
            raise self._strangers(where, mask, class_ids == _STRANGER)
        return class_ids

    def encode(self, class_ids: NDArray[np.uint8], where: object) -> NDArray[np.uint8 | np.uint16]:
        """Turns class ids into what mask files of this rule store: the way back from `decode`.

        Where several values are one class, the first of the table is taken; a threshold gives 0
        and 255.

        Args:
            class_ids: Shape `(H, W)`, uint8, 255 where a pixel is not to count.
            where: Name of the mask, for the error.

        Returns:
            Shape `(H, W)`, uint8, or uint16 where a value needs it; for `colors` `(H, W, 3)`,
            uint8.

        Raises:
            DataError: If a pixel is of a class that the rule does not know.

        Example:

        >>> MaskEncoding("values", ((0, 0), (128, 1))).encode(np.eye(2, dtype=np.uint8), "a.png")
        array([[128,   0],
               [  0, 128]], dtype=uint8)
        """
        stored = self._stored
        known = np.zeros(256, np.bool_)
        known[list(stored)] = True
        strange = class_ids[~known[class_ids]]
        if strange.size:
            raise DataError(
                where,
                f"the class ids {', '.join(map(str, sorted(stored)))}",
                f"{int(strange[0])} in {np.count_nonzero(strange == strange[0]):,} pixels",
                "Ask whoever publishes the dataset.",
            )
        if self.rule == "colors":
            colors = np.zeros((256, 3), np.uint8)
            for class_id, packed in stored.items():
                colors[class_id] = packed >> 16, packed >> 8 & 255, packed & 255
            return colors[class_ids]
        values = np.zeros(256, np.uint16)
        values[list(stored)] = list(stored.values())
        return values.astype(np.uint8)[class_ids] if values.max() < 256 else values[class_ids]

    @property
    def is_plain(self) -> bool:
        """Whether files store class ids as they are, and 255 where a pixel is not to count."""
        return self.rule == "values" and all(value == target for value, target in self.table)

    @cached_property
    def _stored(self) -> dict[int, int]:
        """What is stored for each class id."""
        if self.rule == "threshold":
            return {0: 0, 1: 255}
        return {target: stored for stored, target in reversed(self.table)}

    def describe(self) -> str:
        """Returns the rule as a phrase: `0 is class 0, 255 is class 1`."""
        if self.rule == "threshold":
            return f"values from {self.threshold} up are class 1, those below class 0"
        return ", ".join(
            f"{self._text(stored)} is {'ignored' if target == IGNORED else f'class {target}'}"
            for stored, target in self.table
        )

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into an equal rule."""
        return {
            "rule": self.rule,
            "table": [list(pair) for pair in self.table],
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> MaskEncoding:
        """Rebuilds a rule from what `to_json` returned."""
        table = tuple((int(stored), int(target)) for stored, target in values["table"])
        return cls(values["rule"], table, int(values["threshold"]))

    @cached_property
    def _lookup(self) -> NDArray[np.uint8]:
        """Class id of every 16-bit value, for the rule `values`."""
        lookup = np.full(65536, _STRANGER, np.uint8)
        for stored, target in self.table:
            lookup[stored] = target
        return lookup

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        ordered = sorted(self.table)
        keys, targets = zip(*ordered, strict=True)
        return np.array(keys, np.uint32), np.array(targets, np.uint8)

    def _of_values(
        self, palette: tuple[Color, ...] | None, dtype: np.dtype[Any]
    ) -> NDArray[np.uint8]:
        """Returns the class id of every value that a file without colours may hold."""
        if self.rule == "values":
            return self._lookup
        lookup = np.full(256 if dtype == np.uint8 else 65536, _STRANGER, np.uint8)
        if palette is None:
            lookup[:256] = self._map_colors(np.arange(256, dtype=np.uint32) * GRAY)
        else:
            packed = [pack_color(color) for color in palette]
            lookup[: len(palette)] = self._map_colors(np.array(packed, np.uint32))
        return lookup

    def _map_colors(self, packed: NDArray[np.uint32]) -> NDArray[np.uint8]:
        keys, targets = self._sorted
        place = np.minimum(np.searchsorted(keys, packed), len(keys) - 1)
        return np.where(keys[place] == packed, targets[place], np.uint8(_STRANGER))

    def _of_colors(self, packed: NDArray[np.uint32]) -> NDArray[np.uint8]:
        # Masks are made of long runs of one colour, so only the first pixel of each is looked up.
        starts, lengths = find_runs(packed)
        class_ids = self._map_colors(packed.ravel()[starts])
        return np.repeat(class_ids, lengths).reshape(packed.shape)

    def _text(self, stored: int) -> str:
        return color_text(stored) if self.rule == "colors" else str(stored)

    def _strangers(self, where: object, mask: MaskValues, strange: NDArray[np.bool_]) -> DataError:
        values = pack_pixels(mask.values) if mask.values.ndim == 3 else mask.values
        found, counts = np.unique(values[strange], return_counts=True)
        order = np.argsort(-counts)[:3]
        if self.rule == "colors" and mask.values.ndim == 2:
            found = np.array(
                [
                    pack_color(mask.palette[value])
                    if mask.palette and value < len(mask.palette)
                    else value * GRAY
                    for value in found.astype(int)
                ]
            )
        texts = [f"{self._text(int(found[i]))} in {counts[i]:,} pixels" for i in order]
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return self._refusal(where, ", ".join(texts) + more)

    def _refusal(self, where: object, found: str) -> DataError:
        known = [self._text(stored) for stored, _ in self.table]
        listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        kind = "colours" if self.rule == "colors" else "values"
        return DataError(
            where,
            f"only the {kind} {listed}" if known else "grey values",
            found,
            "Correct this mask, or give each value a class with --classes.",
        )


def without_alpha(mask: MaskValues) -> MaskValues:
    """Lays a mask with transparency on black, which is how its background is meant.

    Where everything seen is black then, the shapes were drawn in black and the transparency
    itself is the mask.

    Args:
        mask: What was read from a file.

    Returns:
        The same mask without transparency.
    """
    if mask.alpha is None:
        return mask
    alpha = mask.alpha if mask.values.ndim == 2 else mask.alpha[..., None]
    on_black = (mask.values.astype(np.uint16) * alpha + 127) // 255
    return MaskValues(on_black.astype(np.uint8) if on_black.any() else mask.alpha)


def threshold_levels(palette: tuple[Color, ...]) -> NDArray[np.uint16]:
    """Returns what a threshold is held against for each index of a palette.

    That is the grey seen where the palette is grey, as in 1-bit files, and else the index.

    Args:
        palette: The colours of the indices.

    Returns:
        Shape `(256,)`.

    Example:

    >>> threshold_levels(((0, 0, 0), (255, 255, 255)))[:2].tolist()
    [0, 255]
    """
    levels = np.arange(256, dtype=np.uint16)
    if all(red == green == blue for red, green, blue in palette):
        levels[: len(palette)] = [red for red, _, _ in palette]
    return levels


def pack_pixels(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Packs the colour of each pixel into one number.

    Args:
        colors: Shape `(H, W, 3)`, red, green, blue.

    Returns:
        Shape `(H, W)`, numbers `0xRRGGBB`.

    Example:

    >>> pack_pixels(np.array([[[1, 2, 3]]], np.uint8)).item() == 0x010203
    True
    """
    # Four bytes a pixel, blue first, are such a number already, but for the fourth.
    bytes_of = cv2.cvtColor(np.ascontiguousarray(colors), cv2.COLOR_RGB2BGRA)
    packed: NDArray[np.uint32] = bytes_of.view("<u4")[..., 0] & np.uint32(0xFFFFFF)
    return packed


def find_runs(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Finds the runs of equal neighbours in reading order.

    Args:
        values: Any shape, at least one element.

    Returns:
        `(starts, lengths)`, positions in the flattened array and lengths that add up to it.

    Example:

    >>> find_runs(np.array([7, 7, 9]))
    (array([0, 2]), array([2, 1]))
    """
    flat = values.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    return starts, np.diff(starts, append=flat.size)


def _look_up(values: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # OpenCV shares 2¹⁸ values or more among threads of its own. Where several masks are decoded
    # at once these only get into each other's way, so it is given fewer.
    found = np.empty_like(values)
    rows = max((2**18 - 1) // max(values.shape[1], 1), 1)
    for top in range(0, len(values), rows):
        found[top : top + rows] = cv2.LUT(values[top : top + rows], table)
    return found
