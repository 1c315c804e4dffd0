"""Threads that read samples before they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from fewmask.data.ahead import work_ahead

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8
SPARE = 4
"""Samples that are read and wait. Where the network takes all cores, threads get their turns late
and in no order; with these in store none of them has to wait for another."""


def count_threads() -> int:
    """Returns how many threads read: one a core, but not too many."""
    return min(MOST_THREADS, os.cpu_count() or 1)


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
