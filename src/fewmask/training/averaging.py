"""Averaged weights: the model to use is the running mean of the models on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.models.backend import keras


class AveragedWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps an exponential moving average of the weights beside those that are trained.

    The average is held as NumPy arrays, the same on every backend and easy to save. It starts
    short (the mean of what there is) and grows to its horizon, so that it is of use from the
    first epoch on.

    Args:
        every: Steps between two updates; 0 keeps no average.
        horizon: Steps after which the average has forgotten two thirds.

    Reference: Polyak and Juditsky (1992); Tarvainen and Valpola (2017), arXiv:1703.01780.
    """

    def __init__(self, every: int, horizon: int) -> None:
        super().__init__()
        self.every = every
        self.horizon = horizon
        self.updates = 0
        self.values: list[NDArray[Any]] = []
        self._steps = 0
        self._room: NDArray[np.float32] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts steps from the epoch's start, so that a resumed epoch counts the same."""
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Takes the present weights into the average."""
        self._steps += 1
        if self.every and self._steps % self.every == 0:
            self.update(self.weights())

    def update(self, weights: list[NDArray[Any]]) -> None:
        """Takes weights into the average.

        Args:
            weights: The weights of the model, in its own order.
        """
        if not self.values:
            self.values = [np.array(value) for value in weights]
        keep = min(max(0.0, 1.0 - self.every / self.horizon), self.updates / (self.updates + 1.0))
        # One array for all differences: fresh ones would take longer to get than to fill.
        if self._room is None:
            self._room = np.empty(max(value.size for value in self.values), np.float32)
        for place, value in enumerate(weights):
            average = self.values[place]
            # Kernels may lie in memory in an order of their own; along it this is five times
            # as fast.
            if average.strides != value.strides:
                average = np.empty_like(value)
                average[...] = self.values[place]
                self.values[place] = average
            present, mean = value.ravel(order="K"), average.ravel(order="K")
            difference = np.subtract(present, mean, out=self._room[: value.size])
            difference *= 1.0 - keep
            mean += difference
        self.updates += 1

    def weights(self) -> list[NDArray[Any]]:
        """Returns the present weights; on CPU they may share memory with the model."""
        if keras.config.backend() == "jax":
            # While fit runs, JAX holds the weights in its own state, not in the variables.
            self.model.jax_state_sync()
        values: list[NDArray[Any]] = self.model.get_weights()
        return values

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Puts the averaged weights into the model for the length of a block."""
        if not self.values:
            yield
            return
        trained = [np.array(value) for value in self.weights()]
        self.model.set_weights(self.values)
        try:
            yield
        finally:
            self.model.set_weights(trained)
