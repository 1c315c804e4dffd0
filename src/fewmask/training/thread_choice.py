"""Over how many threads a network learns fastest."""

from __future__ import annotations

from collections.abc import Callable

FASTER = 0.9
"""Share of the time of twice as many threads that fewer must take, to be worth it."""


def choose_threads(measure: Callable[[int], float], most: int) -> tuple[int, float]:
    """Halves the threads for as long as a step takes clearly less time with them.

    All of them wait for the slowest at every operation. So where the operations are small, or
    other programs keep some of the cores busy, fewer are faster.

    Args:
        measure: Returns the seconds of a step with so many threads.
        most: As many as there can be.

    Returns:
        How many, and the seconds of a step with them.

    Example:

    >>> choose_threads({8: 0.5, 4: 0.3, 2: 0.4, 1: 0.7}.get, 8)
    (4, 0.3)
    """
    threads, seconds = most, measure(most)
    while threads > 1:
        fewer = measure(threads // 2)
        if fewer < FASTER * seconds:
            # Once more: the machine may have been busy for a moment.
            seconds = min(seconds, measure(threads))
        if fewer >= FASTER * seconds:
            break
        threads, seconds = threads // 2, fewer
    return threads, seconds
