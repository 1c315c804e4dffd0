"""A fit with a bookmark, cut short and taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.errors import ArgumentError, RunError
from fewmask.models.backend import keras
from fewmask.training.bookmark import Bookmark

EPOCHS = 8
X = np.linspace(-1, 1, 32, dtype="float32")[:, None]
Y = X**2


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a fit as a kill would: in the middle of an epoch, or before its page is written."""

    def __init__(self, epoch: int, at_its_end: bool) -> None:
        super().__init__()
        self.epoch, self.at_its_end = epoch, at_its_end

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch + 1 == self.epoch and not self.at_its_end:
            raise Killed

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch + 1 == self.epoch and self.at_its_end:
            raise Killed


def fit(folder: Path, kill: Kill | None = None, patience: int = 9) -> tuple[Any, Bookmark, Any]:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((1,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    # The rate is so high that the loss goes up and down, and every callback has something to do.
    model.compile(keras.optimizers.RMSprop(1.0), "mse", jit_compile=False)
    others = [
        keras.callbacks.EarlyStopping("val_loss", patience=patience),
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=2, cooldown=1),
        keras.callbacks.ModelCheckpoint(
            folder / "best-{epoch}.weights.h5", save_best_only=True, save_weights_only=True
        ),
    ]
    bookmark = Bookmark(folder / "bookmark.npz", others)
    callbacks = [*others, *([kill] if kill else []), bookmark]
    if not bookmark.ended and bookmark.epoch < EPOCHS:
        model.fit(
            X, Y, validation_data=(X, Y), shuffle=False, verbose=0,
            epochs=EPOCHS, initial_epoch=bookmark.epoch, callbacks=callbacks,
        )  # fmt: skip
    return model, bookmark, others


@pytest.mark.parametrize("at_its_end", [False, True])
@pytest.mark.parametrize("killed_in", [1, 4, EPOCHS])
def test_a_killed_fit_ends_as_one_that_was_never_killed(
    tmp_path: Path, killed_in: int, at_its_end: bool
) -> None:
    whole, whole_bookmark, whole_others = fit(tmp_path / "whole")
    with pytest.raises(Killed):
        fit(tmp_path / "killed", Kill(killed_in, at_its_end))
    model, bookmark, others = fit(tmp_path / "killed")
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert float(model.optimizer.learning_rate) == float(whole.optimizer.learning_rate)
    assert [(each.best, getattr(each, "wait", 0)) for each in others] == [
        (pytest.approx(each.best), getattr(each, "wait", 0)) for each in whole_others
    ]
    assert bookmark.epoch == EPOCHS
    assert len(bookmark.curve) == EPOCHS
    assert bookmark.best_epoch == whole_bookmark.best_epoch
    assert bookmark.seconds > 0


def test_only_the_best_checkpoint_stays_and_it_is_the_best(tmp_path: Path) -> None:
    model, bookmark, _ = fit(tmp_path)
    assert list(tmp_path.glob("best-*")) == [bookmark.best_file]
    losses = [row["val_loss"] for row in bookmark.curve]
    assert bookmark.best_epoch == 1 + int(np.argmin(losses))
    bookmark.load_best(model)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(min(losses), rel=1e-4)


def test_the_best_is_loaded_where_nothing_is_left_to_train(tmp_path: Path) -> None:
    fit(tmp_path)
    model, bookmark, _ = fit(tmp_path)
    bookmark.load_best(model)
    best = min(row["val_loss"] for row in bookmark.curve)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(best, rel=1e-4)


def test_half_a_checkpoint_of_a_killed_epoch_is_never_the_best(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        fit(tmp_path, Kill(EPOCHS, at_its_end=False))
    (tmp_path / f"best-{EPOCHS}.weights.h5").write_bytes(b"half")
    model, bookmark, _ = fit(tmp_path)
    bookmark.load_best(model)
    assert list(tmp_path.glob("best-*")) == [bookmark.best_file]


def test_a_training_that_a_callback_has_ended_stays_ended(tmp_path: Path) -> None:
    _, bookmark, _ = fit(tmp_path, patience=1)
    assert bookmark.ended
    assert bookmark.epoch < EPOCHS
    assert Bookmark(bookmark.file, []).ended


@pytest.mark.parametrize("name", ["best.weights.h5", "best-{epoch}-{val_loss}.weights.h5"])
def test_a_checkpoint_without_its_epoch_is_refused(tmp_path: Path, name: str) -> None:
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=True)
    with pytest.raises(ArgumentError, match=r"expected a path with \{epoch\} and nothing else"):
        Bookmark(tmp_path / "bookmark.npz", [checkpoint])


def test_before_the_first_epoch_there_is_no_best(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a best epoch, found none yet"):
        _ = Bookmark(tmp_path / "bookmark.npz", []).best_file


def test_a_damaged_bookmark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bookmark.npz").write_bytes(b"half a file")
    with pytest.raises(RunError, match=r"bookmark\.npz: expected a whole checkpoint"):
        Bookmark(tmp_path / "bookmark.npz", [])


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ([keras.callbacks.CSVLogger("a.csv")], "others: expected one at most of each of Early"),
        (
            [keras.callbacks.EarlyStopping("loss"), keras.callbacks.EarlyStopping("val_loss")],
            "found EarlyStopping, EarlyStopping. Give the others to fit alone",
        ),
        (
            [keras.callbacks.EarlyStopping("loss", restore_best_weights=True)],
            "EarlyStopping: expected restore_best_weights=False",
        ),
    ],
)
def test_refuses_callbacks_whose_counts_it_cannot_keep(
    others: list[Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError) as error:
        Bookmark(tmp_path / "bookmark.npz", others)
    assert sentence in str(error.value)
