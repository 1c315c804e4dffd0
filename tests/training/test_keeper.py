import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fewmask.errors import ModelError
from fewmask.models.backend import keras
from fewmask.training.checkpoint import State
from fewmask.training.events import StepDone
from fewmask.training.fit import patience_callbacks
from fewmask.training.keeper import (
    Diverged,
    Keeper,
    counters_of,
    rank,
    set_variables,
    variables_of,
)
from fewmask.training.pacemaker import Course

PLAN = SimpleNamespace(
    epochs=9, steps_per_epoch=5, batch_size=4, learning_rate=0.001, plateau=3, early_stopping=4
)


def keeper(state: State, others: list[Any], heard: list[Any]) -> Any:
    nothing: Any = None
    plan: Any = PLAN
    return Keeper(nothing, Course(plan), state, others, nothing, nothing, heard.append, judged=True)


def test_a_better_dice_ranks_higher_and_of_equals_the_lower_loss() -> None:
    epochs = [(0.0, 0.9), (0.0, 0.8), (0.5, 2.0), (0.6, 3.0)]
    ranks = [rank({"validation_dice": dice, "validation_loss": loss}) for dice, loss in epochs]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_without_a_dice_the_loss_chooses() -> None:
    nan = math.nan
    assert rank({"validation_dice": nan, "validation_loss": 0.5}) > rank(
        {"validation_dice": nan, "validation_loss": 0.6}
    )


@pytest.mark.parametrize(
    ("epochs", "ended"),
    [
        # the Dice no longer rises, though the loss falls
        ([(0.5, 0.9), (0.5, 0.8), (0.4, 0.7), (0.5, 0.6), (0.3, 0.5)], 5),
        # nothing is found yet, but the loss falls
        ([(0.0, 0.9), (0.0, 0.8), (0.0, 0.7), (0.0, 0.6), (0.0, 0.5)], None),
        # nothing is there to be found, and the loss falls, or it does not
        ([(math.nan, 0.9), (math.nan, 0.8), (math.nan, 0.7), (math.nan, 0.6)], None),
        ([(math.nan, 0.5), (math.nan, 0.8), (math.nan, 0.7), (math.nan, 0.6), (math.nan, 0.6)], 5),
    ],
)
def test_patience_ends_when_no_better_model_comes(
    epochs: list[tuple[float, float]], ended: int | None
) -> None:
    plan: Any = SimpleNamespace(plateau=0, early_stopping=4)
    (callback,) = patience_callbacks(plan)
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.on_train_begin()
    stops = []
    for number, (dice, loss) in enumerate(epochs):
        callback.on_epoch_end(number, {"validation_dice": dice, "validation_loss": loss})
        stops.append(callback.model.stop_training)
    assert stops == [ended is not None and number + 1 >= ended for number in range(len(epochs))]


def test_puts_back_what_callbacks_forget_when_training_begins() -> None:
    saved = {
        "ReduceLROnPlateau": {"wait": 2, "best": 0.75, "cooldown_counter": 1},
        "EarlyStopping": {"wait": 3, "best": 0.5, "best_epoch": 4, "stopped_epoch": 0},
    }
    plan: Any = PLAN
    others = patience_callbacks(plan)
    last = keeper(State(counters=saved), others, [])
    for callback in (*others, last):  # in the order in which Keras calls them
        callback.on_train_begin()
    assert {type(each).__name__: counters_of(each) for each in others} == saved


def test_a_counter_that_is_not_known_yet_is_left_out() -> None:
    plateau = keras.callbacks.ReduceLROnPlateau(patience=2)
    assert counters_of(plateau) == {"wait": 0, "cooldown_counter": 0}
    plateau.best = np.float32(0.5)
    assert counters_of(plateau)["best"] == 0.5


def test_tells_every_step() -> None:
    heard: list[Any] = []
    last = keeper(State(epoch=2), [], heard)
    last.on_epoch_begin(2)
    last.on_train_batch_end(0, {"loss": 0.5})
    (event,) = heard
    assert isinstance(event, StepDone)
    assert (event.epoch, event.epochs, event.step, event.steps, event.loss) == (3, 9, 1, 5, 0.5)
    assert event.images_per_second > 0


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_stops_when_the_loss_is_no_number(loss: float) -> None:
    with pytest.raises(Diverged) as error:
        keeper(State(epoch=2), [], []).on_train_batch_end(6, {"loss": loss})
    assert str(error.value) == (
        f"epoch 3, step 7: expected a finite loss, found {loss}. "
        "Train again with a lower --learning-rate, 0.0001 say."
    )


def small_network(units: int) -> Any:
    return keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(units)])


def test_variables_go_from_one_network_into_another() -> None:
    first, second = small_network(2), small_network(2)
    copied = variables_of(first)
    set_variables(second, copied)
    for one, other in zip(variables_of(first), variables_of(second), strict=True):
        np.testing.assert_array_equal(one, other)
    first.variables[0].assign(np.zeros((3, 2)))
    assert copied[0].any()  # a copy, not the network's own memory


def test_refuses_the_variables_of_another_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        set_variables(small_network(2), variables_of(small_network(5)))
    assert str(error.value) == (
        "checkpoint: expected 2 variables of the shapes of this network, found 2 that do not "
        "fit. Resume with the versions that run.json names, or train again."
    )
