from collections.abc import Sequence

import pytest

from fewmask.training.thread_choice import choose_threads


@pytest.mark.parametrize(
    ("measured", "most", "chosen"),
    [
        ([(1, 0.4)], 1, (1, 0.4)),
        ([(2, 0.4), (1, 0.7)], 2, (2, 0.4)),
        # What is hardly faster is not worth it.
        ([(2, 0.4), (1, 0.37)], 2, (2, 0.4)),
        # Another program has one of the cores.
        ([(2, 2.0), (1, 0.5), (2, 2.1)], 2, (1, 0.5)),
        # It had it for a moment.
        ([(2, 2.0), (1, 0.5), (2, 0.3)], 2, (2, 0.3)),
        ([(6, 0.9), (3, 0.4), (6, 0.9), (1, 0.3), (3, 0.4)], 6, (1, 0.3)),
    ],
)
def test_takes_fewer_threads_where_these_are_faster_each_time(
    measured: Sequence[tuple[int, float]], most: int, chosen: tuple[int, float]
) -> None:
    to_come = list(measured)

    def measure(threads: int) -> float:
        expected, seconds = to_come.pop(0)
        assert threads == expected
        return seconds

    assert choose_threads(measure, most) == chosen
    assert to_come == []
