"""A bookmark: a fit of your own goes on after a kill, from its last whole epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from fewmask.errors import ArgumentError, RunError
from fewmask.models.backend import keras
from fewmask.training.checkpoint import State
from fewmask.training.keeper import (
    COUNTERS,
    counters_of_all,
    put_back,
    set_variables,
    variables_of,
)

Logs = dict[str, Any] | None

_CHOSEN = "chosen"
"""Where the state notes the best epoch, among what the callbacks count."""


class Bookmark(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps what a `model.fit` needs to go on; `fewmask train` keeps its own.

    `keras.callbacks.BackupAndRestore` keeps the weights, but nothing of what the other callbacks
    count: after a restart the first epoch would pass for the best one, and patience would begin
    anew. Here all is in one file, written whole or not at all. It must be the last of the
    callbacks, and `fit` begins at `initial_epoch=bookmark.epoch`.

    Args:
        file: The `.npz` file to keep it in; what it holds is taken up.
        others: The callbacks whose counts are kept, one of a kind: `EarlyStopping` without
            `restore_best_weights`, `ReduceLROnPlateau`, `ModelCheckpoint`. The path of a checkpoint
            holds `{epoch}` and nothing else to fill in, so that a file which a kill cut short is
            never taken for the best; only the best one's file stays.

    Raises:
        ArgumentError: If there are others, or the path of a checkpoint is another.
        RunError: If the file is damaged.
    """

    def __init__(self, file: str | Path, others: list[Any]) -> None:
        super().__init__()
        _check_countable(others)
        self.file = Path(file)
        self.others = others
        self._state = State.load(self.file) if self.file.exists() else State()
        self._pattern = next((each.filepath for each in others if hasattr(each, "filepath")), None)
        if self._pattern is not None and not _changes_with_epoch(self._pattern):
            raise ArgumentError(
                "ModelCheckpoint",
                "a path with {epoch} and nothing else to fill in",
                f"'{self._pattern}'",
                "Name it best-{epoch:03d}.weights.h5, say.",
            )

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return self._state.epoch

    @property
    def ended(self) -> bool:
        """Whether a callback has ended the training."""
        return self._state.ended_early

    @property
    def seconds(self) -> float:
        """Time spent in the epochs completed."""
        return self._state.seconds

    @property
    def curve(self) -> list[dict[str, float]]:
        """What Keras measured, one dictionary an epoch."""
        return self._state.rows

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights the checkpoint keeps, from 1.

        Raises:
            RunError: If there is none yet.
        """
        best: int | None = self._state.counters.get(_CHOSEN, {}).get("epoch")
        if best is None:
            raise RunError(self.file, "a best epoch", "none yet", "Train at least one epoch.")
        return best

    @property
    def best_file(self) -> Path:
        """The weights of the best epoch.

        Raises:
            RunError: If there is none yet.
        """
        return Path(str(self._pattern).format(epoch=self.best_epoch))

    def load_best(self, model: Any) -> None:
        """Gives a model the weights of the best epoch.

        Args:
            model: The model that is fitted, or one built and compiled alike.

        Raises:
            RunError: If there is none yet.
        """
        # Such a file holds the optimiser's variables too, and Keras wants a place for them.
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self.best_file)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Puts everything back; the others have just reset themselves."""
        state = self._state
        # What a killed epoch left there may be half a file.
        self._remove(state.epoch + 1)
        if state.epoch:
            self.model.optimizer.build(self.model.trainable_variables)
            set_variables(self.model, state.model)
            set_variables(self.model.optimizer, state.optimizer)
        put_back(self.others, state.counters)
        self._mark = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes everything down."""
        state = self._state
        before = state.counters.get(_CHOSEN, {})
        now = time.perf_counter()
        state.seconds += now - self._mark
        self._mark = now
        state.epoch = epoch + 1
        state.rows.append({name: float(value) for name, value in (logs or {}).items()})
        state.ended_early = bool(self.model.stop_training)
        state.model = variables_of(self.model)
        state.optimizer = variables_of(self.model.optimizer)
        state.counters = counters_of_all(self.others)
        written = self._pattern is not None and Path(self._pattern.format(epoch=epoch + 1)).exists()
        state.counters[_CHOSEN] = {"epoch": epoch + 1} if written else before
        state.save(self.file)
        # Not before: until here the old file was the one to go back to.
        if written and before:
            self._remove(before["epoch"])

    def _remove(self, epoch: int) -> None:
        if self._pattern is not None:
            Path(self._pattern.format(epoch=epoch)).unlink(missing_ok=True)


def _check_countable(others: list[Any]) -> None:
    kinds = [type(each).__name__ for each in others]
    odd = [kind for kind in kinds if kind not in COUNTERS or kinds.count(kind) > 1]
    if odd:
        raise ArgumentError(
            "others",
            f"one at most of each of {', '.join(COUNTERS)}",
            ", ".join(odd),
            "Give the others to fit alone, before the bookmark.",
        )
    if any(getattr(each, "restore_best_weights", False) for each in others):
        # Keras would take the first weights after a restart for the best ones.
        raise ArgumentError(
            "EarlyStopping",
            "restore_best_weights=False, because no file holds those weights",
            "True",
            "Give a ModelCheckpoint too, and call load_best in the end.",
        )


def _changes_with_epoch(pattern: str) -> bool:
    try:
        return pattern.format(epoch=1) != pattern.format(epoch=2)
    except (KeyError, IndexError, ValueError):
        return False
