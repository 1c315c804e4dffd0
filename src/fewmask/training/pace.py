"""The pace of a training: which share of its schedule each step has reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fewmask.errors import ArgumentError


@dataclass(frozen=True)
class Pace:
    """Shares of a schedule by step, along a straight line towards the last step.

    A training that meets its end later or sooner than it was planned for keeps what it has
    covered of the schedule and spreads the rest over the steps that are left. The legs say when
    it turned towards which end. They are whole numbers, and a later one changes nothing about
    those before it, so that the same training can be done again to the last bit.

    Args:
        legs: Pairs `(step, last step)`: from this step on the training heads for that end. The
            first is from step 0, the others from steps before the end that was headed for.

    Raises:
        ArgumentError: If they are not.

    Example:

    >>> pace = Pace.even(100)
    >>> pace.share(50)
    0.5
    >>> slower = pace.ending(at=80, from_step=50)
    >>> slower.legs, slower.share(65)
    (((0, 100), (50, 80)), 0.75)
    """

    legs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        begins = [begin for begin, _ in self.legs]
        forward = all(begin < end for begin, end in self.legs)
        in_turn = all(one[0] < two[0] < one[1] for one, two in pairwise(self.legs))
        if begins[:1] != [0] or not forward or not in_turn:
            raise ArgumentError(
                "pace",
                "pairs [step, last step], the first from step 0, each other one from a step "
                "after the one before it began and before it ended",
                str([list(leg) for leg in self.legs]),
                "Restore it, or plan again.",
            )

    @classmethod
    def even(cls, steps: int) -> Pace:
        """Returns the pace of a training of so many steps that nothing delays."""
        return cls(((0, steps),))

    @property
    def last_step(self) -> int:
        """The step at which the training ends."""
        return self.legs[-1][1]

    def covered(self) -> Iterator[tuple[int, int, float]]:
        """Yields each leg with the share of the schedule that is behind when it begins."""
        behind, before = 0.0, None
        for leg in self.legs:
            if before is not None:
                behind = _share(leg[0], *before, behind)
            yield *leg, behind
            before = leg

    def share(self, step: int) -> float:
        """Returns the share of the schedule that is behind a step, in [0, 1]."""
        here = [leg for leg in self.covered() if leg[0] <= step]
        return min(1.0, _share(step, *here[-1]))

    def ending(self, at: int, from_step: int) -> Pace:
        """Returns the pace that is the same up to a step and then ends elsewhere.

        Args:
            at: The new last step, after `from_step`.
            from_step: A step before the present end; legs from later steps are forgotten.
        """
        begun = [leg for leg in self.legs if leg[0] < from_step]
        return Pace((*begun, (from_step, at)))


def _share(step: int, begin: int, end: int, behind: float) -> float:
    return behind + (1.0 - behind) * ((step - begin) / (end - begin))
