"""What Keras' `fit` takes: a `PyDataset` of batches that `next` goes round for ever too."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from fewmask.data.loaders.assembly import Batch
from fewmask.data.loaders.batches import SampleBatches
from fewmask.data.loaders.frameworks import backend_notice, load_keras
from fewmask.data.loaders.processing import ProcessingFunction
from fewmask.data.loaders.reading import Masks, SampleReader, Source
from fewmask.errors import ArgumentError

_notice_before = backend_notice()
keras: Any = load_keras()
if backend_notice() != _notice_before:
    print(backend_notice(), file=sys.stderr)


@dataclass
class _Pass:
    """One pass of Keras over the batches, which is one epoch.

    Args:
        epoch: Its number.
        places: The place of the batch that each index has been given.
        stream: The batches yet to come, from the second on.
    """

    epoch: int
    places: dict[int, int] = field(default_factory=dict)
    stream: Generator[Batch, None, None] | None = None

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()


class KerasBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches for `fit`, `evaluate` and `predict`, for `next`, and for loops.

    Every epoch of `fit`, and every loop, takes the next epoch's order and all samples once. `next`
    goes on from epoch to epoch without end, on its own count. `batches[i]` makes one batch of the
    epoch that comes next. The last batch of an epoch holds what remains, which may be fewer.

    Keras must not shuffle batches, for their order is drawn from seed and epoch; whether it does
    makes no difference here: `fit(shuffle=…)` is without effect.

    Args:
        dataset: See `Dataset.to_keras`, as for all that follow.
        x_column: Column of images.
        y_column: Column of what is to be learnt.
        batch_size: Samples in a batch.
        processing_function: What is done to each sample.
        shuffle: Whether every epoch has an order of its own.
        seed: What orders are drawn from.
        masks: What masks are read as.

    Attributes:
        batch_size: Samples in a batch.
        seed: The seed, also where it was drawn.
    """

    def __init__(
        self,
        dataset: Source,
        x_column: str,
        y_column: str | None = None,
        batch_size: int = 32,
        processing_function: ProcessingFunction | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        masks: Masks = "pixels",
    ) -> None:
        super().__init__()
        samples = SampleReader(dataset, x_column, y_column, masks)
        self._name = dataset.name
        self._batches = SampleBatches(samples, batch_size, processing_function, shuffle, seed)
        self.batch_size = self._batches.batch_size
        self.seed = self._batches.seed
        self._begun = 0  # epochs of fit and of loops
        self._pass: _Pass | None = None
        self._in_epoch = False
        self._length_read = False
        self._endless: Generator[Batch, None, None] | None = None
        self._next_place = 0  # of `next`, counted from its first epoch on
        self._lock = threading.RLock()

    # --- what people call -------------------------------------------------------------------

    def steps_per_epoch(self) -> int:
        """Returns the number of batches in an epoch, for `fit(steps_per_epoch=…)`."""
        return self._batches.steps_per_epoch

    def order(self, epoch: int) -> list[int]:
        """Returns the rows of the dataset in the order that an epoch takes them.

        Args:
            epoch: Its number; epochs count from 1.
        """
        return self._batches.order(epoch)

    def close(self) -> None:
        """Ends the threads; what is asked for later begins a new epoch."""
        with self._lock:
            self._end_pass()
            self._end_next()

    def __len__(self) -> int:
        return self._batches.steps_per_epoch

    def __iter__(self) -> Generator[Batch, None, None]:
        with self._lock:
            self._begun += 1
            return self._batches.stream(self._begun, epochs=1)

    def __next__(self) -> Batch:
        with self._lock:
            if self._endless is None:
                self._endless = self._batches.stream(self._next_place // len(self) + 1)
            try:
                batch = next(self._endless)
            except BaseException:
                # A generator that raised is spent: the next call begins the next epoch.
                self._next_place += 1
                self._end_next()
                raise
            self._next_place += 1
            return batch

    def __getitem__(self, index: int) -> Batch:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} batches in an epoch, no batch {index}.")
        index %= len(self)
        with self._lock:
            if self._pass is None or not (self._in_epoch or len(self._pass.places) < len(self)):
                return self._batches.batch(self._begun + 1, index)
            return self._take(self._pass, index)

    def __repr__(self) -> str:
        return (
            f"KerasBatches({self._name}: {len(self._batches.samples)} samples, "
            f"{len(self)} batches of {self.batch_size})"
        )

    # --- what Keras calls -------------------------------------------------------------------
    #
    # `fit` draws an order of indices from Python's global random generator. Here an index is a
    # ticket: the first to come gets the first batch of the epoch, whatever its number. So the
    # order is ours and batches can be made ahead.

    @property
    def num_batches(self) -> int:
        """Number of batches in an epoch. Keras reads it whenever it starts a pass over them."""
        self._length_read = True
        return len(self)

    def on_epoch_begin(self) -> None:
        """Begins the next epoch, or goes on where `steps_per_epoch` broke off the last one."""
        with self._lock:
            self._in_epoch = True
            unfinished = self._pass is not None and len(self._pass.places) < len(self)
            if unfinished and not self._length_read:
                return
            self._end_pass()
            self._begun += 1
            self._pass = _Pass(self._begun)

    def on_epoch_end(self) -> None:
        """Notes the end; forgets an epoch of which Keras took only a look at the first batch."""
        with self._lock:
            taken = len(self._pass.places) if self._pass is not None else 0
            # To build a model, Keras asks for one batch, then starts over.
            looked = self._in_epoch and self._length_read and taken == 1 < len(self)
            if looked and self._pass is not None and self._pass.epoch == self._begun:
                self._end_pass()
                self._begun -= 1
            self._in_epoch = False

    @property
    def workers(self) -> int:
        """Always 1: batches are read ahead by threads of our own."""
        return 1

    @workers.setter
    def workers(self, workers: int) -> None:
        self._refuse_workers("workers", workers, workers > 1)

    @property
    def use_multiprocessing(self) -> bool:
        """Always False."""
        return False

    @use_multiprocessing.setter
    def use_multiprocessing(self, use: bool) -> None:
        self._refuse_workers("use_multiprocessing", use, use)

    def _refuse_workers(self, argument: str, value: object, refused: bool) -> None:
        if refused:
            raise ArgumentError(
                argument,
                "batches that Keras does not ask for in parallel",
                repr(value),
                "Leave it out: fewmask decodes files ahead in threads of its own.",
            )

    def _take(self, current: _Pass, index: int) -> Batch:
        """Hands out the batch that belongs to an index in this pass."""
        self._length_read = False
        if index in current.places:
            return self._batches.batch(current.epoch, current.places[index])
        place = current.places[index] = len(current.places)
        # The first batch is made without reading on, for it may be all that Keras wants now;
        # then a processing function sees the same samples in the same order every time.
        if place == 0:
            return self._batches.batch(current.epoch, place)
        if current.stream is None:
            current.stream = self._batches.stream(current.epoch, 1, place)
        try:
            batch = next(current.stream)
        except BaseException:
            self._end_pass()
            raise
        if len(current.places) == len(self):
            current.close()
        return batch

    def _end_pass(self) -> None:
        if self._pass is not None:
            self._pass.close()
            self._pass = None

    def _end_next(self) -> None:
        if self._endless is not None:
            self._endless.close()
            self._endless = None
            self._next_place += -self._next_place % len(self)
