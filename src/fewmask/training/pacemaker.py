"""The pacemaker: ends a training at its last step, and on time where it has a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fewmask.models.backend import keras
from fewmask.training.clock import Clock
from fewmask.training.events import Listener, Said, duration
from fewmask.training.machine import SHARE_OF_STEPS
from fewmask.training.optimizer import learning_rate_of
from fewmask.training.plan import Plan

TOLERANCE = 0.01
"""Share of the budget by which the end may be missed before the pace is changed."""

LOOKS, FEWEST_BETWEEN = 4, 20
"""How often the first epoch is looked at, but not after fewer steps: a short budget can hold only
one, and a machine that had a good moment when it was measured would end far too late."""

WORTH_SAYING = 0.05
"""Share of the steps that are left by which a change is worth a sentence."""


@dataclass(frozen=True)
class _Mark:
    """A step, the seconds spent until its end, and how many of these were judging and keeping."""

    step: int
    spent: float
    beside: float


@dataclass
class Course:
    """The plan of a training while it goes on: its end may move.

    Args:
        plan: The plan as it is now.
    """

    plan: Plan


class Pacemaker(keras.callbacks.Callback):  # type: ignore[misc]
    """Stops at the plan's last step; brings that step forward where time runs out before it.

    At the end of an epoch it knows how long a step takes on this machine at present, the judging
    and saving of epochs included; in the first one it looks at every quarter, too. If the training
    would end too late, or too early, the rest of the schedule is spread over the steps that there
    is time for: the learning rate still falls to zero at the last of them. The end is given more
    time where steps take longer than planned. The change is written into the plan, which then
    tells how to do the same training again.

    Args:
        course: The plan; changed in place.
        clock: The budget; None where the training has as much time as it takes.
        done: Steps done before this process began.
        keep: Writes a changed plan into the run.
        listener: Is told of a change worth telling.
    """

    def __init__(
        self,
        course: Course,
        clock: Clock | None,
        done: int,
        keep: Callable[[Plan], None],
        listener: Listener,
    ) -> None:
        super().__init__()
        self.course = course
        self.clock = clock
        self.steps = done
        self.keep = keep
        self.listener = listener
        self._marks: list[_Mark] = []
        self._last_step_ended = self._beside = 0.0
        self._look_every = max(FEWEST_BETWEEN, course.plan.steps_per_epoch // LOOKS)
        self._in_first_epoch = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts what has passed since the last step as judging and keeping."""
        if self.clock is not None and self._marks:
            spent = self.clock.spent
            self._beside, self._last_step_ended = self._beside_until(spent), spent

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step; the last one ends the training."""
        self.steps += 1
        if self.clock is not None:
            self._last_step_ended = self.clock.spent
            if not self._marks:
                # The first step builds things, and says nothing about the others.
                self._marks.append(_Mark(self.steps, self._last_step_ended, 0.0))
        if self.steps >= self.course.plan.pace.last_step:
            self.model.stop_training = True
        elif self._in_first_epoch and (batch + 1) % self._look_every == 0:
            self._keep_pace(of_steps=SHARE_OF_STEPS)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the pace, and knows from now on what the judging takes."""
        self._in_first_epoch = False
        self._keep_pace()

    def _keep_pace(self, of_steps: float = 1.0) -> None:
        """Compares the time that the steps left would take with the time that is left.

        Args:
            of_steps: Share that steps have of the time that has been measured for them.
        """
        pace = self.course.plan.pace
        if self.clock is None or not self._marks or self.steps >= pace.last_step:
            return
        # The later half of all steps: what the machine does now counts, not what it once did.
        half_way = [mark for mark in self._marks if 2 * mark.step <= self.steps]
        then = half_way[-1] if half_way else self._marks[0]
        if self.steps == then.step:
            return
        spent = self.clock.spent
        now = _Mark(self.steps, spent, self._beside_until(spent))
        if not self._in_first_epoch:
            self._marks.append(now)
        steps = now.step - then.step
        a_step = (now.spent - then.spent) / steps / of_steps
        left = pace.last_step - self.steps
        # Judging tells nothing of how fast the machine is: in a short training there is much of it.
        alone = (now.spent - then.spent - (now.beside - then.beside)) / steps
        time_left = self.clock.left_at(alone)
        late = left * a_step - time_left
        if abs(late) <= TOLERANCE * self.clock.budget:
            return
        affordable = max(1, round(time_left / a_step))
        changed = pace.ending(self.steps + affordable, self.steps)
        self.course.plan = replace(self.course.plan, pace=changed)
        self.keep(self.course.plan)
        if self.course.plan.schedule != "constant":
            self.model.optimizer.learning_rate = learning_rate_of(self.course.plan)
            # Compiled steps hold on to the schedule that they were compiled with.
            self.model.make_train_function(force=True)
        if abs(affordable - left) > WORTH_SAYING * left:
            slower = "slower" if late > 0 else "faster"
            self.listener(
                Said(
                    f"A step takes {a_step:.2g} s, {slower} than planned: it ends after step "
                    f"{changed.last_step:,} instead of {pace.last_step:,}, in "
                    f"{duration(max(0.0, time_left))}."
                )
            )

    def _beside_until(self, spent: float) -> float:
        """Returns the seconds of judging and keeping so far, none of a step being under way."""
        return self._beside + spent - self._last_step_ended
