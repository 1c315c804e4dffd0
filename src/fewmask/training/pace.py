"""The pace of a training: which share of its schedule each step has reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fewmask.errors import ArgumentError


@dataclass(frozen=True)
class Pace:
    """Shares of a schedule by step, along straight lines from one knot to the next.

    A training that meets its end later or sooner than it was planned for keeps what it has
    covered of the schedule and spreads the rest over the steps that are left. The knots say
    when that happened, so that the same training can be done again step for step.

    Args:
        knots: Pairs `(step, share)`, both rising; the last share is 1. Step 0 has share 0.

    Raises:
        ArgumentError: If steps or shares do not rise, or do not end at 1.

    Example:

    >>> pace = Pace.even(100)
    >>> pace.share(50)
    0.5
    >>> slower = pace.ending(at=80, from_step=50)
    >>> slower.knots, slower.share(65)
    (((50, 0.5), (80, 1.0)), 0.75)
    """

    knots: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        steps = [0, *(step for step, _ in self.knots)]
        shares = [0.0, *(share for _, share in self.knots)]
        if not _rise(steps) or not _rise(shares) or shares[-1] != 1.0:
            raise ArgumentError(
                "pace",
                "steps and shares that rise, the last share being 1",
                str([list(knot) for knot in self.knots]),
                "Restore the file as the run wrote it.",
            )

    @classmethod
    def even(cls, steps: int) -> Pace:
        """Returns the pace of a training of so many steps that nothing delays."""
        return cls(((steps, 1.0),))

    @property
    def last_step(self) -> int:
        """The step at which the training ends."""
        return self.knots[-1][0]

    def share(self, step: int) -> float:
        """Returns the share of the schedule that is behind a step, in [0, 1]."""
        before, behind = 0, 0.0
        for knot, share in self.knots:
            if step < knot:
                return behind + (share - behind) * (step - before) / (knot - before)
            before, behind = knot, share
        return 1.0

    def ending(self, at: int, from_step: int) -> Pace:
        """Returns the pace that is the same up to a step and then ends elsewhere.

        Args:
            at: The new last step, after `from_step`.
            from_step: A step before the present end, not before any other knot.
        """
        passed = [knot for knot in self.knots if knot[0] < from_step]
        return Pace((*passed, (from_step, self.share(from_step)), (at, 1.0)))


def _rise(values: Sequence[float]) -> bool:
    return all(first < second for first, second in pairwise(values))
