from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewmask.errors import ArgumentError
from fewmask.training.pace import Pace

SENTENCE = (
    "pace: expected pairs [step, last step], the first from step 0, each other one from a step "
    "after the one before it began and before it ended, found {}. Restore it, or plan again."
)


def test_an_even_pace_by_hand() -> None:
    pace = Pace.even(4)
    assert [pace.share(step) for step in range(6)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert pace.last_step == 4


def test_two_changes_by_hand() -> None:
    # A quarter after 2 of 8; half of the rest after 2 of 4; the last 3/8 in 3 steps.
    pace = Pace.even(8).ending(at=6, from_step=2).ending(at=7, from_step=4)
    assert pace.legs == ((0, 8), (2, 6), (4, 7))
    shares = [0, 1 / 8, 1 / 4, 7 / 16, 5 / 8, 3 / 4, 7 / 8, 1, 1]
    assert [pace.share(step) for step in range(9)] == pytest.approx(shares, abs=1e-15)


def test_a_change_at_the_step_of_another_replaces_it() -> None:
    pace = Pace.even(8).ending(at=6, from_step=2)
    assert pace.ending(at=9, from_step=2).legs == ((0, 8), (2, 9))


def test_from_the_beginning_nothing_is_left_of_what_was_planned() -> None:
    assert Pace.even(8).ending(at=5, from_step=0) == Pace.even(5)


@st.composite
def paces(draw: Any) -> Pace:
    """Draws a pace with up to four changes."""
    pace = Pace.even(draw(st.integers(2, 500)))
    for _ in range(draw(st.integers(0, 4))):
        begun = pace.legs[-1][0]
        if begun + 1 >= pace.last_step:
            break
        step = draw(st.integers(begun + 1, pace.last_step - 1))
        pace = pace.ending(step + draw(st.integers(1, 500)), step)
    return pace


@given(paces(), st.data())
def test_another_end_keeps_what_is_covered_and_spreads_the_rest(pace: Pace, data: Any) -> None:
    step = data.draw(st.integers(0, pace.last_step - 1))
    end = step + data.draw(st.integers(1, 500))
    changed = pace.ending(end, step)
    before = [pace.share(each) for each in range(step)]
    assert [changed.share(each) for each in range(step)] == before  # to the last bit
    assert changed.share(step) == pytest.approx(pace.share(step), abs=1e-12)
    assert (changed.last_step, changed.share(end)) == (end, 1.0)
    after = [changed.share(each) for each in range(step, end + 1)]
    assert after == sorted(after)
    middle = changed.share(step) + (1 - changed.share(step)) / (end - step)
    assert changed.share(step + 1) == pytest.approx(middle, abs=1e-12)


@pytest.mark.parametrize(
    "legs",
    [
        (),
        ((1, 9),),
        ((0, 0),),
        ((0, 9), (0, 8)),
        ((0, 9), (9, 12)),
        ((0, 9), (4, 4)),
        ((0, 9), (5, 12), (5, 13)),
    ],
)
def test_refuses_what_does_not_go_forward(legs: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        Pace(legs)
    assert str(error.value) == SENTENCE.format([list(leg) for leg in legs])
