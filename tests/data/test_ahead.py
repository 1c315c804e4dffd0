import gc
import itertools
import threading
import time
from collections.abc import Callable

import pytest

from fewmask.data.ahead import work_ahead

OwnThreads = Callable[[], list[threading.Thread]]


def slowly(number: int) -> int:
    # Odd ones take longer, so several threads finish out of order.
    time.sleep(0.004 if number % 2 else 0.0)
    return number * number


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1, 2, 50])
def test_results_come_in_order(threads: int, ahead: int, own_threads: OwnThreads) -> None:
    squares = [number * number for number in range(20)]
    assert list(work_ahead(slowly, range(20), threads, ahead)) == squares
    assert own_threads() == []


def test_no_more_is_begun_than_asked_for() -> None:
    begun: list[int] = []
    numbers = work_ahead(begun.append, itertools.count(), threads=2, ahead=3)
    for taken in range(1, 6):
        next(numbers)
        time.sleep(0.01)
        assert len(begun) <= taken + 2
    numbers.close()
    assert len(begun) <= 7


def test_an_error_comes_in_its_turn_as_it_is(own_threads: OwnThreads) -> None:
    numbers = work_ahead(lambda number: 6 // number, [3, 2, 0, 1], threads=2, ahead=4)
    assert [next(numbers), next(numbers)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(numbers)
    assert own_threads() == []


def test_closing_drops_what_nobody_has_begun(own_threads: OwnThreads) -> None:
    begun: list[int] = []

    def slow(number: int) -> None:
        begun.append(number)
        time.sleep(0.05)

    numbers = work_ahead(slow, range(100), threads=1, ahead=50)
    next(numbers)
    numbers.close()
    assert len(begun) < 25  # of the 50 that were asked for, however late this one came to close
    assert own_threads() == []


def test_forgetting_is_closing(own_threads: OwnThreads) -> None:
    numbers = work_ahead(slowly, itertools.count(), threads=2, ahead=3)
    next(numbers)
    del numbers
    gc.collect()
    assert own_threads() == []
