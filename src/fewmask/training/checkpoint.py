"""A training's whole state in one file, from which it goes on exactly."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import RunError
from fewmask.files import whole_file

Arrays = list[NDArray[Any]]

_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile)
"""What NumPy raises on a file that is no archive of arrays, or not all of one, or not ours."""


@dataclass
class State:
    """What a training must remember between two epochs.

    One file holds all of it: were it two, a kill between them would leave a state that never was.

    Args:
        epoch: Epochs completed.
        model: Every variable of the network, the seeds of dropout included.
        optimizer: Every variable of the optimiser, its step count included.
        average: The averaged weights; empty without.
        average_updates: Models that went into the average.
        counters: What the callbacks count, `{callback: {name: value}}`.
        rows: The rows of `epochs.csv`.
        best: Rank of the best epoch so far, see `keeper.rank`.
        seconds: Time spent in training so far.
        ended_early: Whether early stopping has ended the training.
        spent: Seconds of its budget that were spent by then, if it has one.
    """

    epoch: int = 0
    model: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)
    average: Arrays = field(default_factory=list)
    average_updates: int = 0
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[dict[str, float]] = field(default_factory=list)
    best: tuple[float, float] = (-math.inf, -math.inf)
    seconds: float = 0.0
    ended_early: bool = False
    spent: float = 0.0

    def save(self, path: Path) -> None:
        """Writes the state whole or not at all.

        Args:
            path: The `.npz` file to be.
        """
        arrays: dict[str, Any] = {
            f"{group}/{index:04d}": value
            for group in ("model", "optimizer", "average")
            for index, value in enumerate(getattr(self, group))
        }
        facts = {
            "epoch": self.epoch,
            "average_updates": self.average_updates,
            "counters": self.counters,
            "rows": self.rows,
            "best": self.best,
            "seconds": self.seconds,
            "ended_early": self.ended_early,
            "spent": self.spent,
        }
        text = np.frombuffer(json.dumps(facts).encode("utf-8"), np.uint8)
        with whole_file(path) as beside, beside.open("wb") as file:
            np.savez(file, facts=text, **arrays)

    @classmethod
    def load(cls, path: Path) -> State:
        """Reads what `save` wrote.

        Args:
            path: The `.npz` file.

        Raises:
            RunError: If it is missing or damaged.
        """
        groups: dict[str, Any] = {"model": [], "optimizer": [], "average": []}
        with _opened(path, "the state of a training", "a whole checkpoint") as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            for name in sorted(arrays.files):
                if "/" in name:
                    groups[name.split("/")[0]].append(arrays[name])
            return cls(**{**facts, "best": tuple(facts["best"])}, **groups)


def save_weights(path: Path, weights: Arrays, epoch: int) -> None:
    """Writes the weights of a network whole or not at all.

    Args:
        path: The `.npz` file to be.
        weights: The weights in the network's own order.
        epoch: The epoch after which they were such.
    """
    with whole_file(path) as beside, beside.open("wb") as file:
        arrays: dict[str, Any] = {f"{index:04d}": value for index, value in enumerate(weights)}
        np.savez(file, epoch=np.array(epoch), **arrays)


def load_weights(path: Path) -> Arrays:
    """Reads what `save_weights` wrote.

    Args:
        path: The `.npz` file.

    Raises:
        RunError: If it is missing or damaged.
    """
    with _opened(path, "the weights of the best model", "whole weights") as arrays:
        return [arrays[name] for name in sorted(arrays.files) if name.isdecimal()]


def epoch_of_weights(path: Path) -> int:
    """Reads of which epoch the weights are that `save_weights` wrote.

    Args:
        path: The `.npz` file.

    Raises:
        RunError: If it is missing or damaged.
    """
    with _opened(path, "the weights of the best model", "whole weights") as arrays:
        return int(arrays["epoch"])


@contextmanager
def _opened(path: Path, what: str, whole: str) -> Iterator[Any]:
    """Lends the arrays of a `.npz` file; one that is missing or damaged becomes a sentence."""
    try:
        # NumPy would leave a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError:
        raise RunError(path, what, "nothing", "Train at least one epoch.") from None
    except _DAMAGE as error:
        raise RunError(path, whole, str(error), "Restore the file or train again.") from error
