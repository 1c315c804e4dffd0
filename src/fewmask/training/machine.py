"""What a machine can do in a budget, by the size of pictures or patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fewmask.training.clock import Clock
from fewmask.training.ending import Ending
from fewmask.training.plan import Plan
from fewmask.training.probe import Probe, Speed

MEASURING = 0.1
"""Share of the budget after which no larger size is measured: a GPU that has just been started
takes seconds to build the first step of each."""

FROM_NOTHING = 8
"""So many times as many images a network needs that begins with random weights, for its size to be
worth it and for learning them by heart."""

MIRRORED = 0.05
"""Share of the budget that mirror images may take at the end, at most. They bring a few
thousandths, as much as one more step in twenty may."""

SHARE_OF_STEPS = 0.95
"""Share of the training's time that its steps take; the rest is for judging and keeping epochs."""


@dataclass
class Machine:
    """What this machine can do in the time, by size; a size is measured when it is first asked for.

    What it is asked for is always a size, one of its plans, and how many networks share the time.

    Args:
        plans: The plan for each size.
        clock: The budget, running.
        ending: What is to be done at the end.
        probe: Measures a size.
        building: Seconds that building the network took.
        speeds: What was measured so far, by size.
        measuring: Seconds that it took.
    """

    plans: Mapping[int, Plan]
    clock: Clock
    ending: Ending
    probe: Probe
    building: float
    speeds: dict[int, Speed] = field(default_factory=dict)
    measuring: float = 0.0

    def has_time_to_measure(self) -> bool:
        """Tells whether measuring has taken little of the budget so far."""
        return self.measuring < MEASURING * self.clock.budget

    def reserve(self, size: int, networks: int) -> float:
        """Returns the seconds to be set aside for the end."""
        return self._end(size, networks, mirrored=self.tries_mirrored(size, networks))

    def tries_mirrored(self, size: int, networks: int) -> bool:
        """Tells whether looking at mirror images too would take little of the budget."""
        more = self._end(size, networks, True) - self._end(size, networks, False)
        return more <= MIRRORED * self.clock.budget

    def seconds(self, size: int, networks: int) -> float:
        """Returns the seconds that the steps of each network may take."""
        reserve = self.reserve(size, networks)
        # Read after that: measuring takes time too.
        left = self.clock.left - reserve - (networks - 1) * self.building
        return SHARE_OF_STEPS * left / networks

    def shown(self, size: int, networks: int) -> float:
        """Returns how many images or patches each network will be shown, as far as they count.

        Of those shown to a network that begins with random weights, one in `FROM_NOTHING` counts.
        """
        plan = self.plans[size]
        many = self.seconds(size, networks) / self._speed(size).step * plan.batch_size
        return many if plan.model.weights else many / FROM_NOTHING

    def _end(self, size: int, networks: int, mirrored: bool) -> float:
        """Returns how many seconds the end takes, with or without mirror images."""
        plan = replace(self.plans[size], try_mirrored=mirrored)
        return self.ending.seconds(plan, self._speed(size), self.building, networks)

    def _speed(self, size: int) -> Speed:
        if size not in self.speeds:
            began = self.clock.spent
            self.speeds[size] = self.probe(size)
            self.measuring += self.clock.spent - began
        return self.speeds[size]
