"""Batches of samples in a drawn order, made in threads before they are asked for."""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TypeAlias

import numpy as np

from fewmask.data.ahead import work_ahead
from fewmask.data.loaders.assembly import Assembly, Batch
from fewmask.data.loaders.memory import LoanedMemory
from fewmask.data.loaders.processing import (
    ProcessingFunction,
    Sample,
    as_floats,
    describe,
    process,
)
from fewmask.data.loaders.reading import SampleReader
from fewmask.data.loaders.threads import read_ahead
from fewmask.errors import ArgumentError

Read: TypeAlias = tuple[Assembly, int, Sample | None]
"""A batch, a place in it, and the sample for it, or None if it is there already."""


class SampleBatches:
    """Makes batches of samples: any one, or all in order, read ahead.

    Which samples go into a batch, in which order, is a function of seed, epoch and place. Files
    are decoded in several threads. The processing function is called by one thread at a time, and
    by a stream in the order of the samples, so that one with a random generator of its own gives
    the same batches every time.

    Args:
        samples: Reads the samples.
        batch_size: Samples in a batch; the last batch of an epoch holds what remains.
        processing_function: What is done to each sample.
        shuffle: Whether every epoch has an order of its own; without, that of the rows.
        seed: Number of 0 or more that orders are drawn from; None draws one.

    Attributes:
        steps_per_epoch: Batches in an epoch.

    Raises:
        ArgumentError: If an argument is out of its range.
    """

    def __init__(
        self,
        samples: SampleReader,
        batch_size: int = 32,
        processing_function: ProcessingFunction | None = None,
        shuffle: bool = True,
        seed: int | None = None,
    ) -> None:
        self.samples = samples
        self.batch_size = _checked_batch_size(batch_size, len(samples))
        if processing_function is not None and not callable(processing_function):
            raise ArgumentError(
                "processing_function",
                "a function of one tuple, or None",
                describe(processing_function),
                "Pass the function itself, without calling it.",
            )
        self.processing_function = processing_function
        self.shuffle = shuffle
        self.seed = _checked_seed(seed)
        self.steps_per_epoch = -(-len(samples) // self.batch_size)
        self._memory = LoanedMemory()
        self._sample_memory = LoanedMemory()
        self._function_lock = threading.Lock()

    def order(self, epoch: int) -> list[int]:
        """Draws the order of an epoch.

        Args:
            epoch: Its number; epochs count from 1.

        Returns:
            Every row of the dataset once.
        """
        count = len(self.samples)
        if not self.shuffle:
            return list(range(count))
        return [int(row) for row in np.random.default_rng([self.seed, epoch]).permutation(count)]

    def batch(self, epoch: int, place: int) -> Batch:
        """Makes one batch, now.

        Args:
            epoch: Number of the epoch.
            place: Place in the epoch, from 0.

        Returns:
            Images `(N, H, W, C)` and what is to be learnt `(N, …)`, or images alone.

        Raises:
            FewmaskError: If a sample cannot be read or does not suit the others.
        """
        (rows,) = itertools.islice(self._rows(epoch, 1), place, place + 1)
        with closing(self._read_ahead(iter([rows]))) as read:
            return self._assemble(len(rows), read)

    def stream(
        self, epoch: int, epochs: int | None = None, place: int = 0
    ) -> Generator[Batch, None, None]:
        """Makes one batch after another, ahead of who asks for them.

        While the consumer is busy, one batch is made or waits, and a few samples of the next.
        Threads end when the generator is exhausted, closed or forgotten.

        Args:
            epoch: Number of the epoch to begin with.
            epochs: How many epochs to go through, None for no end.
            place: Where to begin in the first epoch.

        Yields:
            What `batch` returns.
        """
        with closing(self._read_ahead(self._rows(epoch, epochs, place))) as read:
            yield from work_ahead(
                lambda rows: self._assemble(len(rows), read),
                self._rows(epoch, epochs, place),
                threads=1,
                ahead=2,
            )

    def _rows(self, epoch: int, epochs: int | None, place: int = 0) -> Iterator[list[int]]:
        """Yields the rows of each batch."""
        for number in itertools.islice(itertools.count(epoch), epochs):
            order = self.order(number)
            for start in range(place * self.batch_size, len(order), self.batch_size):
                yield order[start : start + self.batch_size]
            place = 0

    def _read_ahead(self, batches: Iterator[list[int]]) -> Generator[Read, None, None]:
        """Reads the samples of batches in threads."""
        assemblies = (
            Assembly(
                rows,
                [self.samples.sample_id(row) for row in rows],
                self.samples.column_names,
                are_stored=self.processing_function is None,
                memory=self._memory,
            )
            for rows in batches
        )
        places = ((batch, place) for batch in assemblies for place in range(len(batch.rows)))
        return read_ahead(self._read, places)

    def _read(self, item: tuple[Assembly, int]) -> Read:
        assembly, place = item
        sample = self.samples.read(assembly.rows[place])
        if self.processing_function is not None:
            return assembly, place, sample
        assembly.put(place, sample)
        return assembly, place, None

    def _assemble(self, count: int, read: Iterator[Read]) -> Batch:
        """Makes a batch of the next samples, as many as it has."""
        for _ in range(count):
            assembly, place, sample = next(read)
            if sample is not None:
                assembly.put(place, self._process(sample, assembly.sample_ids[place]))
        return assembly.finish()

    def _process(self, stored: Sample, sample_id: str) -> Sample:
        assert self.processing_function is not None  # noqa: S101 - else nobody asks
        image, learnt = (as_floats(value, self._sample_memory) for value in stored)
        with self._function_lock:
            return process(
                self.processing_function, (image, learnt), self.samples.column_names, sample_id
            )


def _checked_batch_size(batch_size: int, count: int) -> int:
    try:
        size = operator.index(batch_size)
    except TypeError:
        size = 0
    if not 1 <= size <= count:
        raise ArgumentError(
            "batch_size",
            f"1 to {count}, the number of samples in this fold",
            repr(batch_size),
            f"Pass batch_size={count} or less, or make the fold larger.",
        )
    return size


def _checked_seed(seed: int | None) -> int:
    if seed is None:
        return int(np.random.default_rng().integers(2**32))
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise ArgumentError(
            "seed", "a whole number from 0 on, or None", repr(seed), "Pass seed=0, for example."
        )
    return number
