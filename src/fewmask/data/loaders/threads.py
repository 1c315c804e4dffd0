"""Threads that read samples before they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fewmask.data.ahead import count_cores, work_ahead

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8
SPARE = 4
"""Samples that are read and wait. Where the network takes all cores, threads get their turns late
and in no order; with these in store none of them has to wait for another."""


def count_threads() -> int:
    """Returns how many threads read: one a core, but not too many."""
    return min(MOST_THREADS, count_cores())


def read_ahead(
    read: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """Reads samples in several threads; see `work_ahead`.

    Args:
        read: Reads one sample.
        items: What it is told, a sample each; may be endless.

    Yields:
        The samples, in their order.
    """
    threads = count_threads()
    return work_ahead(read, items, threads, threads + SPARE)


class LastingThreads:
    """Threads that wait for the next batch; they end when this is forgotten.

    To start threads for every batch takes as long as half of its reading.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def map(self, read: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Reads all samples of a batch.

        Args:
            read: Reads one sample; what it raises is raised here.
            items: What it is told, a sample each.

        Returns:
            The samples, in their order.

        Example:

        >>> LastingThreads().map(abs, [-1, -2])
        [1, 2]
        """
        # A process that was forked has a copy of this, but no threads.
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(count_threads(), thread_name_prefix="fewmask")
            self._process = os.getpid()
        left, done = iter(enumerate(items)), {}

        def work() -> None:
            for place, item in left:
                done[place] = read(item)

        # Threads take what is left, for to wake this one after every sample takes time too.
        for working in [self._pool.submit(work) for _ in range(count_threads())]:
            working.result()
        return [done[place] for place in range(len(done))]

    def __reduce__(self) -> tuple[Any, ...]:
        return LastingThreads, ()
