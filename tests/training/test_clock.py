import json
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from fewmask.errors import ArgumentError
from fewmask.training.clock import Clock, parse_budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        (" 3 m ", 180),
        ("720h", 30 * 24 * 3600),
        (45, 45),
        (0.5, 0.5),
    ],
)
def test_reads_a_span_of_time(text: str | float, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("10", "10m"),
        (" 7 ", "7m"),
        ("ten", "10m"),
        ("", "10m"),
        ("10 minutes", "10m"),
        ("10m and a bit", "10m"),
        ("-5m", "10m"),
        ("10M", "10m"),
        ("m", "10m"),
        ("1e3s", "10m"),
        ("1,5h", "10m"),
    ],
)
def test_refuses_what_is_no_span_and_says_how_to_write_one(text: str, instead: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_budget(text)
    assert str(error.value) == (
        "--budget: expected a span of time with its unit, s, m or h, "
        f"found {text!r}. Try --budget {instead}."
    )


@pytest.mark.parametrize("text", ["0s", "0.0h", "721h", 0, -3, float("nan"), float("inf")])
def test_refuses_what_no_training_can_use(text: str | float) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_budget(text)
    assert str(error.value) == (
        f"--budget: expected more than nothing, up to 720h, found {text!r}. Try --budget 10m."
    )


@pytest.mark.parametrize("value", [True, [], {}])
def test_refuses_what_is_no_number(value: Any) -> None:
    with pytest.raises(ArgumentError, match="--budget: expected a span of time with its unit"):
        parse_budget(value)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Where the time stands, to be set."""
    stands = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: stands[0])
    return stands


def test_counts_down_to_the_reserve(hands: list[float]) -> None:
    clock = Clock(60.0, reserve=10.0, began=1000.0)
    assert (clock.spent, clock.left) == (0.0, 50.0)
    hands[0] += 45.0
    assert (clock.spent, clock.left) == (45.0, 5.0)
    hands[0] += 10.0
    assert (clock.left, clock.to_end) == (-5.0, 5.0)
    hands[0] += 10.0
    assert clock.to_end == 0.0


def test_the_end_takes_as_much_longer_as_the_steps_within_reason(hands: list[float]) -> None:
    clock = Clock(60.0, reserve=10.0, began=1000.0, step=0.2)
    assert [clock.left_at(step) for step in (0.2, 0.3, 0.4, 4.0)] == [50.0, 45.0, 40.0, 40.0]
    assert [clock.left_at(step) for step in (0.1, 0.01)] == [55.0, 55.0]
    assert Clock(60.0, reserve=10.0, began=1000.0).left_at(4.0) == 50.0
    # Of two networks, the second one of which has 25 seconds, the first gives half of it.
    assert replace(clock, others=25.0).left_at(0.4) == 25.0 - 5.0
    # What is left to learn in is never more than halved.
    assert Clock(60.0, reserve=40.0, began=1000.0, step=0.2).left_at(0.3) == 10.0
    hands[0] += 50.0
    assert Clock(45.0, began=1000.0, step=0.2).left_at(0.3) == -5.0


def test_says_when_it_ends(hands: list[float]) -> None:
    now = datetime(2026, 3, 31, 23, 50, 12)
    assert Clock(600.0, reserve=30.0, before=20.0, began=995.0).end(now) == "23:59:47"
    assert Clock(660.0, began=1000.0).end(now) == "2026-04-01 00:01"


def test_what_was_before_the_process_counts_too(hands: list[float]) -> None:
    clock = Clock(60.0, before=20.0, began=995.0)
    assert (clock.spent, clock.left) == (25.0, 35.0)


def test_a_later_process_goes_on_counting_and_the_pause_is_free(hands: list[float]) -> None:
    clock = Clock(60.0, reserve=10.0, began=1000.0, step=0.25)
    hands[0] += 12.0
    kept = json.loads(json.dumps(clock.to_json()))
    assert kept == {"budget": 60.0, "reserve": 10.0, "spent": 12.0, "step": 0.25}
    hands[0] = 50.0  # another process, another machine perhaps: its clock stands anywhere
    again = Clock.from_json(kept, began=48.0)
    assert (again.spent, again.left, again.step) == (14.0, 36.0, 0.25)
