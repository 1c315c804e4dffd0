import pytest

from fewmask.training import probe


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
