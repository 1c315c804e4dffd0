from collections.abc import Callable

import pytest

from fewmask.models.backend import keras, most_threads, using_threads
from fewmask.training import probe
from fewmask.training.plan import Plan


@pytest.mark.parametrize(
    ("seconds", "measured", "median"),
    [
        ([0.1, 0.3, 0.2, 9.0], 3, 0.2),  # short ones vary, so three of them
        ([0.3, 0.4, 9.0], 2, 0.35),
        ([2.0, 9.0], 1, 2.0),  # a long one says enough
    ],
)
def test_measures_long_steps_less_often(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float], measured: int, median: float
) -> None:
    now, done = 0.0, 0

    def work() -> None:
        nonlocal now, done
        now += seconds[done]
        done += 1

    monkeypatch.setattr(probe.time, "perf_counter", lambda: now)
    assert probe._median_time(work) == pytest.approx(median)
    assert done == measured


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only torch lets one choose")
def test_measures_every_size_with_the_threads_that_are_fastest_at_the_first(
    monkeypatch: pytest.MonkeyPatch, make_tiny_plan: Callable[..., Plan]
) -> None:
    found = []

    def median_time(work: Callable[[], object]) -> float:
        work()
        found.append(most_threads())
        return 0.1 * most_threads()

    monkeypatch.setattr(probe, "_median_time", median_time)
    with using_threads(4):
        measure = probe.make_probe(make_tiny_plan(), None)
        speeds = [measure(size) for size in (64, 96)]
        assert most_threads() == 4
    assert [speed.threads for speed in speeds] == [1, 1]
    assert [speed.step for speed in speeds] == [0.1, 0.1]
    # Each that won was measured against the one before twice; looks have all threads.
    assert found == [4, 2, 4, 1, 2, 4, 1, 4]


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only torch lets one choose")
def test_all_threads_are_no_number_of_the_plan(
    monkeypatch: pytest.MonkeyPatch, make_tiny_plan: Callable[..., Plan]
) -> None:
    monkeypatch.setattr(probe, "_median_time", lambda work: 0.1 / most_threads())
    with using_threads(2):
        assert probe.make_probe(make_tiny_plan(), None)(64) == probe.Speed(0.05, 0.05)
