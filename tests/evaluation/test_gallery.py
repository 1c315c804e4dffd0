import math
import re

import numpy as np
import pytest

from fewmask.evaluation.gallery import draw_gallery, select_samples

EMPTY = ([[0, 0, 0, 0]], [[0, 0, 0, 0]])


def pair_with(hits, length=100):
    """A prediction that finds `hits` of `length` pixels."""
    return [[1] * length], [[1] * hits + [0] * (length - hits)]


def look(sample):
    labels = np.ones((4, 6), np.uint8)
    return np.full((4, 6, 3), 90, np.uint8), labels, labels


def names_in(html):
    return re.findall(r"<h3>(.*?)</h3>", html)


def test_the_worst_comes_first_with_the_unscored_last(make, chair):
    pairs = [EMPTY, pair_with(90), pair_with(10), pair_with(50)]
    selection = select_samples(make.evaluation(pairs, chair, names=list("abcd")))
    assert [row.sample for row in selection.rows] == ["c", "d", "b", "a"]
    assert selection.sentence() == "All 4 images, the worst first."


def test_of_many_images_the_worst_with_the_best_are_shown(make, chair):
    pairs = [pair_with(hits) for hits in range(1, 71)] + [EMPTY]
    selection = select_samples(make.evaluation(pairs, chair))
    shown = [row.sample for row in selection.rows]
    assert shown == [f"sample {place}" for place in (*range(40), *range(50, 70))]
    assert selection.sentence() == (
        "60 of 71 images: the 40 worst, then the 20 best, the worst first. "
        "The table below lists all."
    )


def test_images_without_a_score_fill_the_room_that_is_left(make, chair):
    pairs = [pair_with(hits) for hits in range(1, 46)] + [EMPTY] * 30
    selection = select_samples(make.evaluation(pairs, chair))
    rows = selection.rows
    assert len(rows) == len({row.sample for row in rows}) == 60
    assert sum(math.isnan(row.mean_dice) for row in rows) == 15
    assert selection.sentence() == (
        "60 of 75 images: all 45 with a score, the worst first, then some with nothing to score. "
        "The table below lists all."
    )


def test_many_images_without_a_score_are_not_called_worst_or_best(make, chair):
    assert select_samples(make.evaluation([EMPTY] * 61, chair)).sentence() == (
        "60 of 61 images: none has anything to score. The table below lists all."
    )


def test_is_drawn_in_the_order_of_the_selection(make, chair):
    evaluation = make.evaluation([pair_with(90), pair_with(10)], chair, names=["good", "bad"])
    html = draw_gallery(select_samples(evaluation), look, chair)
    assert names_in(html) == ["bad", "good"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"><img src=x onerror='a'>"])
def test_names_cannot_become_markup(name, make, chair):
    evaluation = make.evaluation([pair_with(90)], chair, names=["a"])
    selection = select_samples(evaluation)
    row = selection.rows[0]
    object.__setattr__(row, "sample", name)  # no file system holds every such name
    html = draw_gallery(selection, look, chair)
    assert "<script" not in html
    assert "<img src=x" not in html


def test_classes_that_an_image_does_not_involve_are_not_listed(make, furniture):
    evaluation = make.evaluation([([[0, 1, 3]], [[0, 1, 1]])], furniture, names=["a"])
    html = draw_gallery(select_samples(evaluation), look, furniture)
    assert "chair 0.67" in html
    assert "table 0.00" in html
    assert "ghế bành" not in html
