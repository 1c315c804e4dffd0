"""The keeper of a training: after every epoch its state, its curve and its best model."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import ModelError
from fewmask.models.backend import keras
from fewmask.run import BEST, Run
from fewmask.training.averaging import AveragedWeights
from fewmask.training.checkpoint import State, save_weights
from fewmask.training.clock import Clock
from fewmask.training.events import EpochDone, Listener, Said, StepDone
from fewmask.training.pacemaker import Course
from fewmask.training.samples import SamplePictures

LAST = Path("last") / "state.npz"

CHANCE = 0.1
"""Dice that chance gives or takes where a handful of images is scored after each of many epochs."""

# What Keras' own callbacks count between epochs; Keras saves none of it.
COUNTERS = {
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "ModelCheckpoint": ("best",),
}


class Diverged(ModelError):
    """The loss of a training is no number any more."""


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes `last/`, `best/`, `epochs.csv` and the sample pictures; tells the listener.

    It must be the last of the callbacks: it saves what the others have counted, and puts it
    back after they have reset themselves at the start of a resumed training.

    Args:
        run: The run to write into.
        course: Its plan, whose end may move.
        state: What is known so far; updated in place.
        others: The other callbacks, whose counters are kept.
        average: The averaged weights.
        pictures: Draws the six samples.
        listener: Is told about steps and epochs.
        clock: The budget of time, if there is one.
        judged: Whether there are validation images to choose the best model by.
    """

    def __init__(
        self,
        run: Run,
        course: Course,
        state: State,
        others: list[Any],
        average: AveragedWeights,
        pictures: SamplePictures,
        listener: Listener,
        clock: Clock | None = None,
        *,
        judged: bool,
    ) -> None:
        super().__init__()
        self.run = run
        self.course = course
        self.state = state
        self.others = others
        self.average = average
        self.pictures = pictures
        self.listener = listener
        self.clock = clock
        self.judged = judged
        self._steps = 0
        self._epoch_began = self._mark = time.perf_counter()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the saved counters back into the callbacks."""
        put_back(self.others, self.state.counters)
        self._mark = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock of the epoch."""
        self._epoch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Tells the listener; stops a training whose loss is no number any more."""
        plan, epoch = self.course.plan, self.state.epoch + 1
        self._steps = batch + 1
        loss = float((logs or {}).get("loss", math.nan))
        if not math.isfinite(loss):
            raise self._diverged(loss)
        seconds = time.perf_counter() - self._epoch_began
        speed = (batch + 1) * plan.batch_size / max(seconds, 1e-9)
        self.listener(StepDone(epoch, plan.epochs, batch + 1, plan.steps_per_epoch, loss, speed))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes everything, the state last: what it says is then true of the other files."""
        logs, plan, state = logs or {}, self.course.plan, self.state
        # The last epoch of a training with a budget may be shorter than the others.
        images = self._steps * plan.batch_size
        steps = epoch * plan.steps_per_epoch + self._steps
        row = {
            "epoch": float(epoch + 1),
            "loss": float(logs["loss"]),
            "validation_loss": float(logs["validation_loss"]),
            "validation_dice": float(logs["validation_dice"]),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": 0.0,
            "images_per_second": images / max(float(logs["training_seconds"]), 1e-9),
        }
        # A step's loss is of the weights before it: those after the last step are looked at here.
        if not self._has_numbers(row["validation_loss"]):
            raise self._diverged(math.nan)
        # Without validation images nothing is chosen: the latest model is the one to use.
        better = not self.judged or rank(row) > state.best
        highest = state.best[0]
        at_rest = plan.schedule == "trapezoid" and steps >= plan.pace.last_step
        kept = better or (at_rest and is_as_good(row, highest))
        row["kept"] = float(kept)
        if kept:
            state.best = rank(row)
            with self.average.in_place():
                save_weights(self.run.folder / BEST, self.average.weights(), epoch + 1)
                self.pictures.draw(epoch + 1)
        now = time.perf_counter()
        state.seconds += now - self._mark
        self._mark = now
        row["seconds"] = state.seconds
        state.spent = self.clock.spent if self.clock is not None else 0.0
        state.epoch = epoch + 1
        state.rows.append(row)
        state.ended_early = bool(self.model.stop_training) and steps < plan.pace.last_step
        state.model = variables_of(self.model)
        state.optimizer = variables_of(self.model.optimizer)
        state.average = self.average.values
        state.average_updates = self.average.updates
        state.counters = counters_of_all(self.others)
        self.run.write_epochs(state.rows)
        state.save(self.run.folder / LAST)
        left = (
            max(0, plan.pace.last_step - steps) * state.seconds / steps
            if self.clock is None
            else self.clock.to_end
        )
        self.listener(EpochDone(row, plan.epochs, better, left))
        if kept and not better:
            self.listener(
                Said(
                    "The model is the last one: it has come to rest, and validation Dice "
                    f"{highest:.3f} before may be chance."
                )
            )

    def _has_numbers(self, validation_loss: float) -> bool:
        """Says whether what would be kept is a network that computes numbers."""
        if self.judged:
            return not math.isnan(validation_loss)
        weights = self.average.values or self.average.weights()
        return all(np.isfinite(value).all() for value in weights)

    def _diverged(self, loss: float) -> Diverged:
        lower = self.course.plan.learning_rate / 10
        return Diverged(
            f"epoch {self.state.epoch + 1}, step {self._steps}",
            "a finite loss",
            str(loss),
            f"Train again with a lower --learning-rate, {lower:g} say.",
        )


class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds `training_seconds`, the epoch without its judging and saving; must come first."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reads it."""
        if logs is not None:
            logs["training_seconds"] = time.perf_counter() - self._began


def is_as_good(row: dict[str, float], highest: float) -> bool:
    """Says whether an epoch may be as good as the one with the highest Dice, for all one knows.

    The highest of many scores on a few images is in part luck. Once the learning rate has fallen to
    zero, a network is rather better than it was on the way: only where it scores much worse has it
    learnt its images by heart.

    Args:
        row: The epoch's row of `epochs.csv`.
        highest: The highest validation Dice so far.

    Example:

    >>> [is_as_good({"validation_dice": dice}, 0.5) for dice in (0.45, 0.35)]
    [True, False]
    """
    return row["validation_dice"] >= highest - CHANCE


def rank(row: dict[str, float]) -> tuple[float, float]:
    """Says how good an epoch was; of two, the one with the larger rank has the better model.

    The Dice decides. Where it is equal, in the first epochs of a small class say, when nothing
    is found yet, the loss does; so it does where there is nothing to find, and no Dice.

    Args:
        row: The epoch's row of `epochs.csv`.

    Example:

    >>> rank({"validation_dice": 0.5, "validation_loss": 0.25})
    (0.5, -0.25)
    """
    dice = row["validation_dice"]
    return (0.0 if math.isnan(dice) else dice, -row["validation_loss"])


def counters_of(callback: Any) -> dict[str, int | float]:
    """Reads what one of Keras' callbacks counts between epochs.

    Args:
        callback: Any of those in `COUNTERS`.

    Returns:
        Plain numbers by name; what is not known yet is left out.
    """
    values = {name: getattr(callback, name) for name in COUNTERS[type(callback).__name__]}
    return {name: np.asarray(value).item() for name, value in values.items() if value is not None}


def counters_of_all(callbacks: Sequence[Any]) -> dict[str, dict[str, int | float]]:
    """Reads what several of Keras' callbacks count, one of a kind.

    Args:
        callbacks: Of those in `COUNTERS`.

    Returns:
        Their counters by the name of their class.
    """
    return {type(callback).__name__: counters_of(callback) for callback in callbacks}


def put_back(callbacks: Sequence[Any], counters: dict[str, dict[str, int | float]]) -> None:
    """Gives callbacks the counters of `counters_of_all`; one without any is left as it is.

    Args:
        callbacks: The same kinds of callbacks.
        counters: What they counted.
    """
    for callback in callbacks:
        for name, value in counters.get(type(callback).__name__, {}).items():
            setattr(callback, name, value)


def variables_of(owner: Any) -> list[NDArray[Any]]:
    """Copies the variables of a network or an optimiser.

    Args:
        owner: Anything with Keras `variables`.

    Returns:
        One array a variable, in the owner's order.
    """
    return [
        np.array(keras.ops.convert_to_numpy(variable), copy=True) for variable in owner.variables
    ]


def set_variables(owner: Any, values: list[NDArray[Any]]) -> None:
    """Gives a network or an optimiser the variables of `variables_of`.

    Args:
        owner: The same kind of thing, built alike.
        values: One array a variable.

    Raises:
        ModelError: If their number or shapes do not fit.
    """
    there = [tuple(variable.shape) for variable in owner.variables]
    if there != [value.shape for value in values]:
        raise ModelError(
            "checkpoint",
            f"{len(there)} variables of the shapes of this network",
            f"{len(values)} that do not fit",
            "Resume with the versions that run.json names, or train again.",
        )
    for variable, value in zip(owner.variables, values, strict=True):
        variable.assign(value)
