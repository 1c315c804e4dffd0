"""The fit: a network, its optimiser and Keras' `fit`, from a plan."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.copies import Copies
from fewmask.models.backend import keras, using_threads
from fewmask.run import Run
from fewmask.training.averaging import AveragedWeights
from fewmask.training.batches import Batches
from fewmask.training.checkpoint import State
from fewmask.training.clock import Clock
from fewmask.training.events import Listener, working
from fewmask.training.judge import Judge, label_map_of
from fewmask.training.keeper import Keeper, Stopwatch, rank, set_variables
from fewmask.training.network import make_network
from fewmask.training.pacemaker import Course, Pacemaker
from fewmask.training.plan import Plan
from fewmask.training.samples import SamplePictures
from fewmask.training.tensorboard import FOLDER, TensorBoardCurves
from fewmask.training.views import make_views


def fit(
    plan: Plan,
    copies: Copies,
    train: Sequence[int],
    validation: Sequence[int],
    classes: Classes,
    run: Run,
    state: State,
    weights_file: Path | None,
    listener: Listener,
    clock: Clock | None = None,
) -> float:
    """Trains the plan's network and leaves the best model and the state in the run.

    Args:
        plan: Every number of the training.
        copies: Images and masks at most at twice the scale of training.
        train: Which of the copies to learn from.
        validation: Which of them to judge the epochs on; may be empty.
        classes: The classes.
        run: The run to write into.
        state: Where to go on from; a fresh `State` begins.
        weights_file: Pretrained weights of the encoder, for a fresh start.
        listener: Is told about steps and epochs.
        clock: The budget of time, if there is one; the plan in the run then follows the clock.

    Returns:
        Share of the time that the network waited for data.

    Raises:
        Diverged: If the loss stops being a number.
        ModelError: If the state does not fit the network.
    """
    keras.utils.set_random_seed(plan.seed)
    core = make_network(plan, weights_file)
    average = AveragedWeights(plan.average_every, plan.average_horizon)
    if state.epoch:
        set_variables(core, state.model)
        set_variables(core.optimizer, state.optimizer)
        average.values = state.average
        average.updates = state.average_updates

    searching = working(listener, "looking where the classes are")
    views = make_views(plan, copies, train, validation, searching)
    judge = Judge(views.judged, plan.model.num_classes, plan.data_format, average, views.images)

    def predict(place: int) -> NDArray[np.uint8]:
        # What judged the epoch need not be predicted once more.
        if place < views.num_shared:
            return judge.label_maps[place]
        return label_map_of(judge.logits(views.shown[place][0]))

    pictures = SamplePictures(run.folder / "samples", views.shown, classes, predict)
    others = patience_callbacks(plan)
    course = Course(plan)
    done = min(state.epoch * plan.steps_per_epoch, plan.pace.last_step)

    def keep(changed: Plan) -> None:
        run.write_plan(changed.to_toml())

    pacemaker = Pacemaker(course, clock, done, keep, listener)
    judged = len(views.judged) > 0
    keeper = Keeper(run, course, state, others, average, pictures, listener, clock, judged=judged)
    curves = [TensorBoardCurves(run.folder / FOLDER)] if plan.tensorboard else []
    # The order is the way of an epoch: time, average, judge, patience, pace, keep.
    callbacks = [Stopwatch(), average, judge, *others, *curves, pacemaker, keeper]

    began = time.perf_counter()
    batches = Batches(
        copies,
        train,
        size=plan.size,
        batch_size=plan.batch_size,
        augmentation=plan.augmentation,
        seed=plan.seed,
        data_format=plan.data_format,
        first_epoch=state.epoch + 1,
        patches=views.patches,
        steps=plan.steps_per_epoch,
    )
    # OpenCV's own threads would fight the network's for the same cores.
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with using_threads(plan.threads):
            core.fit(
                x=iter(batches),
                # The pacemaker ends it, at a step that nobody knows yet where there is a clock.
                epochs=plan.epochs if clock is None else sys.maxsize,
                initial_epoch=state.epoch,
                steps_per_epoch=plan.steps_per_epoch,
                callbacks=callbacks,
                shuffle=False,  # the batches are drawn already
                verbose=0,
            )
    finally:
        batches.close()
        cv2.setNumThreads(opencv_threads)
    return batches.waited / max(time.perf_counter() - began, 1e-9)


def patience_callbacks(plan: Plan) -> list[Any]:
    """Builds the callbacks of 2017 that the plan asks for.

    Args:
        plan: The plan.

    Returns:
        `ReduceLROnPlateau` on the validation loss, `EarlyStopping` on the validation Dice.
    """
    callbacks: list[Any] = []
    if plan.plateau:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="validation_loss", mode="min", factor=0.1, patience=plan.plateau
            )
        )
    if plan.early_stopping:
        callbacks.append(EarlyStopping(mode="max", patience=plan.early_stopping))
    return callbacks


class EarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Keras' early stopping, by what chooses the best model: see `keeper.rank`."""

    def get_monitor_value(self, logs: dict[str, float]) -> float:
        """Returns one number that orders epochs as their ranks do.

        Keras would take the first Dice that is no number for the best one ever, and lose its
        patience while nothing is found yet, however fast the loss falls.
        """
        dice, negative_loss = rank(logs)
        return dice if dice > 0 else negative_loss
