import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.copies import Copies, Place
from fewmask.models.backend import keras, most_threads, using_threads
from fewmask.models.names import PRECISIONS
from fewmask.run import Run
from fewmask.training.checkpoint import State
from fewmask.training.events import EpochDone
from fewmask.training.fit import fit
from fewmask.training.pace import Pace
from fewmask.training.plan import Plan

CLASSES = Classes(("background", "disc"))
MakePlan = Callable[..., Plan]


@pytest.fixture
def copies(tmp_path: Path, disc: Any) -> Copies:
    """Six discs: four to learn from, two to judge by."""
    places, data = [], b""
    for number in range(6):
        image, mask = disc(number)
        places.append(Place(len(data), *mask.shape))
        data += image.tobytes() + mask.tobytes()
    (tmp_path / "copies").write_bytes(data)
    return Copies(tmp_path / "copies", tuple(places), 3, tuple("abcdef"), 64)


class Fit:
    """Fits plans into a run folder, and remembers what was told."""

    def __init__(self, copies: Any, folder: Path) -> None:
        self.copies = copies
        self.run = Run(folder)
        self.state = State()
        self.heard: list[Any] = []
        self.listener: Callable[[Any], None] = lambda event: self.heard.append(event)

    def __call__(self, plan: Plan, validation: tuple[int, ...] = (4, 5)) -> list[EpochDone]:
        fit(
            plan,
            self.copies,
            range(4),
            validation,
            CLASSES,
            self.run,
            self.state,
            None,
            self.listener,
        )
        return [event for event in self.heard if isinstance(event, EpochDone)]


class EmptyMasks:
    """Copies of which some show a disc that their masks know nothing of."""

    def __init__(self, copies: Copies, indices: tuple[int, ...]) -> None:
        self.copies, self.indices = copies, indices

    def __getattr__(self, name: str) -> Any:
        return getattr(self.copies, name)

    def mask(self, index: int) -> NDArray[np.uint8]:
        mask = self.copies.mask(index)
        return np.zeros_like(mask) if index in self.indices else mask


@pytest.fixture
def fitted(copies: Copies, tmp_path: Path) -> Fit:
    (tmp_path / "run").mkdir()
    return Fit(copies, tmp_path / "run")


def test_leaves_threads_as_they_were(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    threads, opencv_threads = set(threading.enumerate()), cv2.getNumThreads()
    fitted(make_tiny_plan(epochs=1))
    # One of a test before may end only now.
    assert set(threading.enumerate()) <= threads
    assert cv2.getNumThreads() == opencv_threads


def test_leaves_threads_as_they_were_when_it_is_stopped(
    fitted: Fit, make_tiny_plan: MakePlan
) -> None:
    threads, opencv_threads = set(threading.enumerate()), cv2.getNumThreads()

    def stop(event: Any) -> None:
        raise KeyboardInterrupt

    fitted.listener = stop
    with pytest.raises(KeyboardInterrupt):
        fitted(make_tiny_plan(epochs=1))
    # One of a test before may end only now.
    assert set(threading.enumerate()) <= threads
    assert cv2.getNumThreads() == opencv_threads


def test_the_curve_is_what_was_told(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    epochs = fitted(make_tiny_plan(epochs=3))
    written = fitted.run.epochs()
    assert [row["epoch"] for row in written] == [1, 2, 3]
    for event, row in zip(epochs, written, strict=True):
        assert row == pytest.approx(event.row, rel=1e-6)
    assert written[0]["seconds"] < written[1]["seconds"] < written[2]["seconds"]
    assert written[-1]["learning_rate"] == 0
    assert fitted.state.rows == [event.row for event in epochs]
    assert epochs[-1].seconds_left == 0


def test_only_better_epochs_leave_a_model_and_pictures(
    fitted: Fit, make_tiny_plan: MakePlan
) -> None:
    epochs = fitted(make_tiny_plan(epochs=4, learning_rate=0.01))
    better = [int(event.row["epoch"]) for event in epochs if event.better]
    sheets = sorted(path.name for path in (fitted.run.folder / "samples").iterdir())
    assert sheets == [f"epoch-{epoch:04d}.jpg" for epoch in better]
    assert better[0] == 1


def test_without_validation_images_the_latest_model_is_the_one(
    fitted: Fit, make_tiny_plan: MakePlan
) -> None:
    epochs = fitted(make_tiny_plan(epochs=2), validation=())
    assert [event.better for event in epochs] == [True, True]
    assert all(np.isnan(event.row["validation_dice"]) for event in epochs)
    assert (fitted.run.folder / "samples" / "epoch-0002.jpg").exists()
    head, first, _ = (fitted.run.folder / "epochs.csv").read_text().splitlines()
    assert head.split(",")[2:4] == ["validation_loss", "validation_dice"]
    assert first.split(",")[2:4] == ["", ""]


def test_without_anything_to_find_the_validation_loss_chooses(
    fitted: Fit, make_tiny_plan: MakePlan
) -> None:
    fitted.copies = EmptyMasks(fitted.copies, (4, 5))
    epochs = fitted(make_tiny_plan(epochs=4, learning_rate=0.01, early_stopping=3))
    assert all(np.isnan(event.row["validation_dice"]) for event in epochs)
    losses = [event.row["validation_loss"] for event in epochs]
    assert [event.better for event in epochs] == [
        loss < min(losses[:place], default=np.inf) for place, loss in enumerate(losses)
    ]


def test_early_stopping_ends_it(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    # So small a rate changes nothing, so no epoch is better than the first.
    epochs = fitted(make_tiny_plan(epochs=9, early_stopping=2, plateau=9, learning_rate=1e-12))
    assert len(epochs) == 3
    assert fitted.state.ended_early
    assert fitted.state.counters["EarlyStopping"]["wait"] == 2


def test_the_plateau_cuts_the_learning_rate(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    epochs = fitted(make_tiny_plan(epochs=4, plateau=1, learning_rate=1e-12))
    rates = [event.row["learning_rate"] for event in epochs]
    assert rates[0] == pytest.approx(1e-12)
    assert rates[-1] < 1e-13


@pytest.mark.parametrize("precision", PRECISIONS)
def test_goes_on_as_if_it_had_never_stopped(
    precision: str, fitted: Fit, make_tiny_plan: MakePlan, tmp_path: Path
) -> None:
    plan = replace(make_tiny_plan(epochs=4, dropout=0.3), precision=precision)
    fitted(plan)
    (tmp_path / "again").mkdir()
    again = Fit(fitted.copies, tmp_path / "again")

    def stop_in_the_third_epoch(event: Any) -> None:
        if not isinstance(event, EpochDone) and event.epoch == 3:
            raise KeyboardInterrupt

    remember, again.listener = again.listener, stop_in_the_third_epoch
    with pytest.raises(KeyboardInterrupt):
        again(plan)
    again.state = State.load(again.run.folder / "last" / "state.npz")
    again.listener = remember
    assert [event.row["epoch"] for event in again(plan)] == [3, 4]
    for name in ("loss", "validation_loss", "validation_dice", "learning_rate"):
        assert [row[name] for row in again.state.rows] == [row[name] for row in fitted.state.rows]
    for one, other in zip(again.state.model, fitted.state.model, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only torch lets one choose")
def test_learns_with_the_threads_of_the_plan(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    used = []
    fitted.listener = lambda event: used.append(most_threads())
    with using_threads(4):
        fitted(replace(make_tiny_plan(epochs=1), threads=3))
        assert most_threads() == 4
    assert 3 in used


def test_the_last_step_may_be_in_the_middle_of_an_epoch(
    fitted: Fit, make_tiny_plan: MakePlan
) -> None:
    plan = replace(make_tiny_plan(), pace=Pace.even(5), steps_per_epoch=2)
    epochs = fitted(plan)
    assert [event.row["epoch"] for event in epochs] == [1, 2, 3]
    # Keras counts the updates first of all variables of an optimiser.
    assert int(fitted.state.optimizer[0]) == 5
    assert epochs[-1].row["learning_rate"] == 0
    assert not fitted.state.ended_early
    assert epochs[-1].seconds_left == 0


def test_curves_for_tensorboard_on_request(fitted: Fit, make_tiny_plan: MakePlan) -> None:
    fitted(make_tiny_plan(epochs=1, tensorboard=True))
    (events,) = (fitted.run.folder / "tensorboard").iterdir()
    assert events.name.startswith("events.out.tfevents.")
    assert b"validation_dice" in events.read_bytes()
