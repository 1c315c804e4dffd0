"""Where the classes lie in the copies: places for the patches that must show some foreground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.data.copies import Copies
from fewmask.data.counting import count_values

MOST_PLACES = 256
"""Places that are noted of each class in each mask; training draws among them."""

_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Foreground:
    """Some places of every foreground class.

    Args:
        places: By class id, then by number of the copy: rows and columns, shape `(n, 2)`. Classes
            that no mask holds are left out.
    """

    places: dict[int, dict[int, NDArray[np.int32]]]

    def draw(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Draws a place: every class is as likely as any other, then every image that holds it.

        Args:
            rng: Where chance comes from.

        Returns:
            Number of the copy, row, column.
        """
        classes = sorted(self.places)
        by_copy = self.places[classes[rng.integers(len(classes))]]
        copies = sorted(by_copy)
        index = copies[rng.integers(len(copies))]
        row, column = by_copy[index][rng.integers(len(by_copy[index]))].tolist()
        return index, row, column

    def first_in(self, index: int) -> tuple[int, int] | None:
        """Returns a place in one copy, of the class with the highest id there; None without any."""
        for class_id in sorted(self.places, reverse=True):
            if index in self.places[class_id]:
                row, column = self.places[class_id][index][0].tolist()
                return row, column
        return None


def find_foreground(
    copies: Copies,
    indices: Sequence[int],
    num_classes: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Foreground:
    """Notes where the foreground classes lie in some copies.

    Args:
        copies: The copies made for training.
        indices: Which of them.
        num_classes: Number of classes K; ids from K on count for nothing.
        seed: Number of 0 or more that the noted places are drawn from.
        progress: Is told `(done, total)` copies.

    Returns:
        Up to `MOST_PLACES` places of each class in each copy, drawn among all of its pixels.
    """
    places: dict[int, dict[int, NDArray[np.int32]]] = {}
    for done, index in enumerate(indices):
        rng = np.random.default_rng([seed, index])
        for class_id, found in _places_in(copies.mask(index), num_classes, rng).items():
            places.setdefault(class_id, {})[index] = found
        if progress is not None:
            progress(done + 1, len(indices))
    return Foreground(places)


def _places_in(
    mask: NDArray[np.uint8], num_classes: int, rng: np.random.Generator
) -> dict[int, NDArray[np.int32]]:
    """Draws places of each foreground class in one mask, a few rows in memory at a time."""
    strips = [mask[row : row + _ROWS_AT_ONCE] for row in range(0, len(mask), _ROWS_AT_ONCE)]
    counts = np.array([count_values(strip) for strip in strips])
    places = {}
    for class_id in range(1, num_classes):
        before = np.concatenate([[0], counts[:, class_id].cumsum()])
        if before[-1] == 0:
            continue
        # The n-th pixel of the class in the whole mask is looked for in the strip that holds it.
        drawn = _spread(int(before[-1]), rng)
        found = []
        for number, strip in enumerate(strips):
            inside = drawn[(drawn >= before[number]) & (drawn < before[number + 1])]
            if len(inside):
                pixels = np.flatnonzero(strip == class_id)[inside - before[number]]
                rows, columns = np.divmod(pixels, mask.shape[1])
                found.append(np.stack([rows + number * _ROWS_AT_ONCE, columns], axis=1))
        places[class_id] = rng.permutation(np.concatenate(found)).astype(np.int32)
    return places


def _spread(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws up to `MOST_PLACES` of the numbers below `count`, in order, no two alike."""
    if count <= MOST_PLACES:
        return np.arange(count)
    # One of each of as many equal stretches: drawn without an array of all of them.
    edges = np.linspace(0, count, MOST_PLACES + 1).astype(np.int64)
    return rng.integers(edges[:-1], edges[1:])
