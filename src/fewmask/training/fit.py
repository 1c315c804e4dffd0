"""The fit: a network, its optimiser and Keras' `fit`, from a plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.copies import Copies
from fewmask.models.backend import keras
from fewmask.models.losses import make_loss
from fewmask.models.native import order_for_torch
from fewmask.models.spec import build
from fewmask.models.straight import straighten
from fewmask.run import Run
from fewmask.training.averaging import AveragedWeights
from fewmask.training.batches import Batches
from fewmask.training.checkpoint import State
from fewmask.training.events import Listener, working
from fewmask.training.judge import Judge, label_map_of
from fewmask.training.keeper import Keeper, Stopwatch, set_variables
from fewmask.training.optimizer import make_optimizer
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

    Returns:
        Share of the time that the network waited for data.

    Raises:
        Diverged: If the loss stops being a number.
        ModelError: If the state does not fit the network.
    """
    keras.utils.set_random_seed(plan.seed)
    core = straighten(build(plan.model, plan.data_format, weights_file))
    core.compile(
        optimizer=make_optimizer(plan),
        loss=make_loss(plan.loss, plan.data_format),
        # Compiling takes torch half a minute a network, more than it gives back here.
        jit_compile=False if keras.backend.backend() == "torch" else "auto",
    )
    order_for_torch(core.variables)
    core.optimizer.build(core.trainable_variables)
    order_for_torch(core.optimizer.variables)
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
        if place < views.both:
            return judge.label_maps[place]
        return label_map_of(judge.logits(views.shown[place][0]))

    pictures = SamplePictures(run.folder / "samples", views.shown, classes, predict)
    others = patience_callbacks(plan)
    keeper = Keeper(run, plan, state, others, average, pictures, listener)
    curves = [TensorBoardCurves(run.folder / FOLDER)] if plan.tensorboard else []
    # The order is the way of an epoch: time, average, judge, patience, keep.
    callbacks = [Stopwatch(), average, judge, *others, *curves, keeper]

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
    )
    # OpenCV's own threads would fight the network's for the same cores.
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        core.fit(
            x=iter(batches),
            epochs=plan.epochs,
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
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="validation_dice", mode="max", patience=plan.early_stopping
            )
        )
    return callbacks
