"""Where the patches of an epoch lie on the images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewmask.data.augmentation.warp import Spot
from fewmask.data.copies import Copies
from fewmask.data.foreground import Foreground


@dataclass(frozen=True)
class Patches:
    """Draws where patches lie: some on foreground, the others anywhere.

    The first patches of every batch are centred on a pixel of some foreground class, rare classes
    as often as frequent ones. The others are spread over all images by their area, inside the
    image where it is large enough.

    Args:
        copies: Where images and masks are read from.
        indices: Which of the copies to learn from.
        foreground: Where the classes lie in them.
        size: Side of the patches in pixels.
        scale: Pixels that the network sees per image pixel.
        steps: Batches in an epoch.
        batch_size: Patches in a batch.
        foreground_share: Share of the patches that are centred on foreground; where a batch
            would hold a part of one, it comes with every so many batches.
        seed: Number of 0 or more that places are drawn from.
    """

    copies: Copies
    indices: Sequence[int]
    foreground: Foreground
    size: int
    scale: float
    steps: int
    batch_size: int
    foreground_share: float
    seed: int

    @property
    def zoom(self) -> float:
        """Patch pixels per pixel of a copy."""
        return self.scale / self.copies.scale

    def draw(self, epoch: int) -> list[tuple[int, Spot]]:
        """Draws the patches of an epoch.

        Args:
            epoch: Its number; equal numbers draw equal patches.

        Returns:
            `steps * batch_size` pairs of the number of a copy and the place on it.
        """
        rng = np.random.default_rng([self.seed, epoch, 0])
        anywhere = iter(self._anywhere(rng))
        drawn = []
        share = self.foreground_share * self.batch_size if self.foreground.places else 0.0
        for step in range(self.steps):
            on_foreground = _whole((step + 1) * share) - _whole(step * share)
            for _ in range(on_foreground):
                index, row, column = self.foreground.draw(rng)
                drawn.append((index, Spot(row, column, self.zoom)))
            for _ in range(self.batch_size - on_foreground):
                index = next(anywhere)
                height, width = self.copies.mask(index).shape
                row, column = (self._middle(side, rng) for side in (height, width))
                drawn.append((index, Spot(row, column, self.zoom)))
        return drawn

    def _anywhere(self, rng: np.random.Generator) -> list[int]:
        """Draws copies by their area, each as often as its share says, give or take one."""
        areas = np.array([self.copies.mask(index).size for index in self.indices], np.float64)
        count = self.steps * self.batch_size
        ends = np.cumsum(areas) / areas.sum() * count
        # Points at equal distances, the first one drawn: a large image holds many of them.
        points = np.arange(count) + rng.random()
        places = np.minimum(np.searchsorted(ends, points), len(self.indices) - 1)
        return [self.indices[place] for place in rng.permutation(places)]

    def _middle(self, length: int, rng: np.random.Generator) -> int:
        """Draws the middle of a patch along one side of a copy."""
        half = math.ceil(self.size / self.zoom / 2)
        if length <= 2 * half:
            return length // 2
        return int(rng.integers(half, length - half + 1))


def _whole(count: float) -> int:
    """Rounds down, but not a whole number that was a share a moment ago."""
    return math.floor(count + 1e-6)
