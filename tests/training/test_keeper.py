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
    return Keeper(nothing, Course(plan), state, others, nothing, nothing, heard.append)


def test_a_better_dice_ranks_higher_and_of_equals_the_lower_loss() -> None:
    epochs = [(0.0, 0.9), (0.0, 0.8), (0.5, 2.0), (0.6, 3.0), (math.nan, 0.5)]
    ranks = [rank({"validation_dice": dice, "validation_loss": loss}) for dice, loss in epochs]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


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
