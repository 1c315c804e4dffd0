import math
import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from fewmask.evaluation.curves import Line, draw_curve, learning_curves, nice_ticks, whole_ticks

ROWS = [
    {
        "epoch": float(epoch),
        "loss": 1 / epoch,
        "validation_loss": 1.2 / epoch,
        "validation_dice": 1 - 1 / (epoch + 1),
        "learning_rate": 0.001,
        "seconds": 3.0,
        "kept": float(epoch in (1, 2, 5)),
    }
    for epoch in range(1, 11)
]


def points(html):
    """Returns the corners of every line, in SVG units."""
    paths = re.findall(r'<path class="line \w+" d="([^"]+)"', html)
    return [[tuple(map(float, p)) for p in re.findall(r"[ML]([\d.]+) ([\d.]+)", d)] for d in paths]


def test_rows_of_a_csv_become_three_curves():
    html = learning_curves(ROWS)
    assert html.count("<figure") == 3
    assert [len(line) for line in points(html)] == [10, 10, 10, 10]
    assert "0.833 in epoch 5, kept" in html, "the network that was kept, not the highest"
    assert html.count("<circle") == 1


def test_no_epoch_is_marked_where_the_kept_one_is_not_known_or_has_no_score():
    assert "<circle" not in learning_curves([{**row, "kept": math.nan} for row in ROWS])
    unscored = [{**row, "validation_dice": math.nan} if row["epoch"] == 5 else row for row in ROWS]
    assert "<circle" not in learning_curves(unscored)


def test_figures_are_well_formed():
    root = ElementTree.fromstring(f"<div>{learning_curves(ROWS)}</div>")
    assert len(root.findall(".//svg")) == 3


def test_what_was_not_measured_is_left_out():
    nothing = {"validation_loss": math.nan, "validation_dice": math.nan}
    rows = [{**row, **nothing} for row in ROWS]
    html = learning_curves(rows)
    assert html.count("<figure") == 2
    assert "nan" not in html
    assert "validation" not in html.lower()


def test_rows_without_columns_draw_nothing():
    assert learning_curves([{"epoch": 1.0}, {"epoch": 2.0}]) == ""
    assert learning_curves([]) == ""


def test_a_curve_falls_from_left_to_right():
    (line,) = points(draw_curve("Loss", [1, 2, 3], [Line("training", [3, 2, 1])]))
    (x1, y1), (x2, y2), (x3, y3) = line
    assert x1 < x2 < x3
    assert y1 < y2 < y3  # SVG counts downwards


def test_a_gap_parts_the_line():
    html = draw_curve("Loss", [1, 2, 3, 4], [Line("training", [3, math.nan, 1, 1])])
    assert [len(line) for line in points(html)] == [1, 2]


def test_an_infinite_loss_is_a_gap_too():
    html = draw_curve("Loss", [1, 2], [Line("training", [math.inf, 1])])
    assert [len(line) for line in points(html)] == [1]


def test_one_epoch_can_be_drawn():
    assert len(points(draw_curve("Loss", [1], [Line("training", [0.5])]))) == 1


def test_a_loss_of_nothing_can_be_drawn():
    assert points(draw_curve("Loss", [1, 2], [Line("training", [0.0, 0.0])]))


def test_small_numbers_are_short():
    html = draw_curve("Learning rate", [1, 2], [Line("rate", [0.00075, 0.0001])])
    assert ">2e-4<" in html


@given(st.floats(-1e4, 1e4), st.floats(1e-6, 1e4), st.integers(2, 6))
def test_ticks_enclose_the_values_in_equal_round_steps(low, length, count):
    high = low + length
    ticks = nice_ticks(low, high, count)
    slack = length * 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 2 * count + 2
    steps = {round(b - a, 9) for a, b in pairwise(ticks)}
    assert max(steps) - min(steps) <= slack + 1e-8


@given(st.integers(1, 50), st.integers(0, 3000))
def test_epoch_ticks_are_epochs(first, more):
    ticks = whole_ticks(first, first + more)
    assert ticks[0] == first
    assert all(tick == int(tick) and first <= tick <= first + more for tick in ticks)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 8
