"""How long the end of a training takes: model files, their comparison, the score, the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fewmask.scale.pixels import pixels_placement
from fewmask.training.comparing import choose_pieces
from fewmask.training.plan import Plan
from fewmask.training.probe import Speed

EXPORT = 11.0
"""Seconds of writing and opening the model files, per second of building the network: the same
for networks whose export takes half a second and five seconds."""
SLOWER = 3
"""Times as long as the network in training takes the model for Keras to look at a square."""
A_FILE = 0.02
"""Seconds of reading an image or a mask."""


@dataclass(frozen=True)
class Ending:
    """What the end of a training has to do.

    Args:
        sizes: `(height, width)` of the test images.
        held_out: `(height, width)` of the validation images, which say whether mirror images help.
        num_train: Number of training images, whose masks one of the baselines reads.
    """

    sizes: Sequence[tuple[int, int]]
    held_out: Sequence[tuple[int, int]]
    num_train: int

    def seconds(self, plan: Plan, speed: Speed, building: float) -> float:
        """Estimates how long it takes to write the model and to score it.

        Args:
            plan: The plan.
            speed: How fast the network is at the plan's size.
            building: Seconds that building the network took.
        """
        pieces = choose_pieces(self.sizes).values()
        # Both model files look at the pieces; one of them scores whole images.
        compared = (1 + SLOWER) * sum(_squares(plan, *size) for size in pieces)
        squares = compared + sum(_squares(plan, *size) for size in self.sizes)
        files = len(pieces) + 2 * len(self.sizes) + self.num_train
        if plan.augmentation.horizontal_flip and self.held_out:
            # Once to try it, and then, as it mostly helps, wherever the model looks.
            tried = choose_pieces(self.held_out).values()
            squares = 2 * (squares + sum(_squares(plan, *size) for size in tried))
            files += 2 * len(tried)
        return EXPORT * building + squares * speed.look + files * A_FILE


def _squares(plan: Plan, height: int, width: int) -> int:
    """Counts the squares that the network sees of an image of this size."""
    if plan.pixels is None:
        return 1
    rows, columns = (pixels_placement(side, plan.pixels)[1] for side in (height, width))
    return rows * columns
