"""How the learning rate rises and falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewmask.models.backend import keras
from fewmask.training.pace import Pace

HELD = 0.75
"""Share of a schedule up to which the rate stays at its highest; the rest of it is the fall."""


@keras.saving.register_keras_serializable(package="fewmask")
class Trapezoid(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Rises along a line to the highest rate, stays there, then falls along a line to zero.

    Args:
        highest: The highest learning rate.
        warm_up_steps: Steps of the rise; the rate of step 1 is already above zero.
        legs: Those of the `Pace` that leads to zero.

    Example:

    >>> rate = Trapezoid(1.0, warm_up_steps=2, legs=[(0, 20)])
    >>> [round(float(rate(step)), 2) for step in (0, 1, 2, 15, 16, 19, 20)]
    [0.5, 1.0, 1.0, 1.0, 0.8, 0.2, 0.0]

    Reference: Hägele et al. (2024), arXiv:2405.18392, who found it no worse than a cosine.
    """

    def __init__(self, highest: float, warm_up_steps: int, legs: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.highest = highest
        self.warm_up_steps = warm_up_steps
        self.pace = Pace(tuple((int(begin), int(end)) for begin, end in legs))

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate of the update that follows `step` updates."""
        step = keras.ops.cast(step, "float32")
        rise = (step + 1.0) / max(self.warm_up_steps, 1)
        fall = (1.0 - self._share(step)) / (1.0 - HELD)
        return self.highest * keras.ops.clip(keras.ops.minimum(rise, fall), 0.0, 1.0)

    def _share(self, step: Any) -> Any:
        """Computes `Pace.share` of a step that only the backend knows."""
        share = 0.0
        for begin, end, behind in self.pace.covered():
            passed = keras.ops.clip((step - begin) / (end - begin), 0.0, 1.0)
            # A choice, not a sum: before its turn a leg must not change even the last bit.
            share = keras.ops.where(step < begin, share, behind + (1.0 - behind) * passed)
        return share

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "highest": self.highest,
            "warm_up_steps": self.warm_up_steps,
            "legs": [list(leg) for leg in self.pace.legs],
        }
