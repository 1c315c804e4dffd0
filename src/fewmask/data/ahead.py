"""Working ahead: threads that make ready what is asked for next."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def count_cores() -> int:
    """Returns how many processor cores this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def work_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Generator[Result, None, None]:
    """Yields `function(item)` for each item, in their order, made in threads beforehand.

    An exception of `function` reaches the consumer as it is, in its item's turn. Closing the
    generator (leaving a loop over it closes it too, once nothing refers to it) drops what
    nobody has begun, waits for what threads are at, and ends the threads.

    Args:
        function: What to do; runs in several threads at once if there are several.
        items: May be endless; at most `ahead` of them are taken before their turn.
        threads: Number of threads, at least 1.
        ahead: Most results that wait for the consumer or are being made, at least 1.

    Yields:
        The results.

    Example:

    >>> list(work_ahead(abs, [-1, -2, -3], threads=2, ahead=2))
    [1, 2, 3]
    """
    pending: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="fewmask")
    try:
        for item in items:
            if len(pending) == ahead:
                yield pending.popleft().result()
            pending.append(executor.submit(function, item))
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
