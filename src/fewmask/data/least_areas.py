"""How much of an image a class must cover to be believed, as the masks tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.data.counting import count_values

_BELOW_THE_LEAST = 0.5
"""A class may cover so much of the least that it covers in any mask: masks are few, and a network
finds less than there is."""
_FEW_MASKS = 5
"""The least of so many masks counts half: of few masks the next one may well have less."""
_ROWS_AT_ONCE = 1024
"""Rows that are counted together: counting makes eight bytes of each pixel."""


@dataclass(frozen=True)
class LeastAreas:
    """What each class must cover at least.

    In an image where a thing is not, a network still finds specks of it. If each mask that shows
    cars is a twentieth car or more, then a thousandth of an image is none.

    Args:
        shares: Share of the image that each class must cover, in [0, 1]; 0 where any will do.
        of_pixels: Larger images count as so many pixels: for models that see images at their own
            scale, where a thing does not grow with the image. None where it does.
        never_empty: Whether every image shows something beside background: then the class that
            covers most of it is not left out.

    Example:

    >>> LeastAreas((0.0, 0.2)).leave_out(np.array([[0, 0, 0], [0, 1, 0]], np.uint8))
    array([[0, 0, 0],
           [0, 0, 0]], dtype=uint8)
    """

    shares: tuple[float, ...]
    of_pixels: int | None = None
    never_empty: bool = False

    @classmethod
    def of_masks(
        cls,
        least_shares: Sequence[float],
        class_images: Sequence[int],
        num_images: int,
        *,
        of_pixels: int | None,
        never_empty: bool,
    ) -> LeastAreas | None:
        """Derives them from what was measured of masks.

        A class that every mask shows may be in every image: there is no telling how little of it
        means none. The same holds for the background.

        Args:
            least_shares: The least that each class covers of a mask that shows it; empty where
                that was not measured.
            class_images: Number of masks that show it.
            num_images: Number of masks.
            of_pixels: See the class.
            never_empty: Whether each of them shows something beside background.

        Returns:
            The least areas, or None if any area of any class will do.

        Example:

        >>> how = {"of_pixels": None, "never_empty": True}
        >>> LeastAreas.of_masks([0.5, 0.1, 0.2], [20, 15, 20], num_images=20, **how)
        LeastAreas(shares=(0.0, 0.0375, 0.0), of_pixels=None, never_empty=True)
        """
        if not least_shares:
            return None
        shares = [
            _BELOW_THE_LEAST * share * count / (count + _FEW_MASKS) if count < num_images else 0.0
            for share, count in zip(least_shares[1:], class_images[1:], strict=True)
        ]
        return cls((0.0, *shares), of_pixels, never_empty) if any(shares) else None

    def leave_out(self, label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Leaves out the classes that cover too little; what is nearest takes their pixels.

        Args:
            label_map: Class ids of shape `(H, W)`.

        Returns:
            The same array where every class covers enough, otherwise a new one.
        """
        areas = np.zeros(len(self.shares), np.int64)
        for row in range(0, len(label_map), _ROWS_AT_ONCE):
            strip = label_map[row : row + _ROWS_AT_ONCE]
            areas += count_values(strip)[: len(areas)]
        of_pixels = min(label_map.size, self.of_pixels or label_map.size)
        least = np.array(self.shares) * of_pixels
        if self.never_empty:
            least[1 + int(np.argmax(areas[1:]))] = 0
        too_small = np.flatnonzero((areas > 0) & (areas < least))
        if not len(too_small):
            return label_map
        gaps = np.zeros(label_map.shape, bool)
        for class_id in too_small:  # a table to look them up in would take eight bytes a pixel
            gaps |= label_map == class_id
        return _fill(label_map, gaps)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into equal areas."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LeastAreas:
        """Rebuilds the areas from what `to_json` returned."""
        shares = tuple(float(share) for share in values["shares"])
        return cls(shares, values["of_pixels"], bool(values["never_empty"]))


def _fill(label_map: NDArray[np.uint8], gaps: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fills gaps from their edges inwards, a pixel at a time, with the class beside them.

    Gaps are small parts of images that may be huge: only their pixels are looked at, and each a few
    times only.
    """
    filled = label_map.copy()
    rows, columns = gaps.nonzero()
    while len(rows):
        found = np.zeros(len(rows), bool)
        classes = np.zeros(len(rows), np.uint8)
        for beside in _four_beside(rows, columns, gaps.shape):
            new = ~found & ~gaps[beside]
            classes[new] = filled[beside][new]
            found |= new
        rows, columns = rows[found], columns[found]
        filled[rows, columns] = classes[found]
        gaps[rows, columns] = False
        # What comes next lies beside what was filled just now.
        around = np.concatenate(
            [
                row * gaps.shape[1] + column
                for row, column in _four_beside(rows, columns, gaps.shape)
            ]
        )
        rows, columns = np.divmod(np.unique(around[gaps.ravel()[around]]), gaps.shape[1])
    filled[gaps] = 0  # an image of nothing but gaps
    return filled


def _four_beside(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Returns the pixels above, to the left, to the right and below; at the border, themselves."""
    bottom, right = shape[0] - 1, shape[1] - 1
    return [
        (np.maximum(rows - 1, 0), columns),
        (rows, np.maximum(columns - 1, 0)),
        (rows, np.minimum(columns + 1, right)),
        (np.minimum(rows + 1, bottom), columns),
    ]
