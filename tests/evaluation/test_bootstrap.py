import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewmask.evaluation.bootstrap import difference_interval, mean_interval

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=30)


def test_two_scores_by_hand():
    # Resampled means are 0, 1/2 and 1 with chances 1/4, 1/2 and 1/4: both tails reach the ends.
    assert mean_interval([0.0, 1.0]) == (0.0, 1.0)


@pytest.mark.parametrize("scores", [[], [0.7], [0.7, math.nan, math.nan]])
def test_fewer_than_two_scores_have_no_interval(scores):
    low, high = mean_interval(scores)
    assert math.isnan(low)
    assert math.isnan(high)


def test_unscored_images_are_left_out():
    assert mean_interval([0.2, math.nan, 0.9, math.nan]) == mean_interval([0.2, 0.9])


@given(SCORES)
def test_lies_within_the_scores_in_order(scores):
    low, high = mean_interval(scores, resamples=200)
    slack = 1e-12
    assert min(scores) - slack <= low <= high <= max(scores) + slack


@given(SCORES)
def test_the_same_scores_give_the_same_interval(scores):
    assert mean_interval(scores, resamples=200) == mean_interval(scores, resamples=200)


@given(SCORES, st.floats(0, 1))
def test_shifted_scores_shift_the_interval(scores, shift):
    before = mean_interval(scores, resamples=200)
    after = mean_interval(np.array(scores) + shift, resamples=200)
    np.testing.assert_allclose(np.subtract(after, before), shift, atol=1e-9)


def test_another_seed_moves_it_by_less_than_its_second_digit():
    scores = np.random.default_rng(0).beta(6, 1.2, size=20)
    ends = np.array([mean_interval(scores, seed=seed) for seed in range(20)])
    assert np.ptp(ends, axis=0).max() < 0.01


def test_many_images_are_resampled_in_blocks(monkeypatch):
    monkeypatch.setattr("fewmask.evaluation.bootstrap._AT_ONCE", 250)
    scores = np.random.default_rng(0).uniform(size=100)
    low, high = mean_interval(scores)
    # The normal approximation, good to a few hundredths of the width for 100 scores.
    half = 1.96 * scores.std() / 10
    expected = (scores.mean() - half, scores.mean() + half)
    np.testing.assert_allclose((low, high), expected, atol=0.1 * half)


def test_holds_the_true_mean_about_as_often_as_it_says():
    """Dice scores lean towards 1, as these do, so 95 % is not reached with 30 images."""
    random = np.random.default_rng(0)
    true_mean = 6 / (6 + 1.2)
    trials = 400
    held = 0
    for _ in range(trials):
        low, high = mean_interval(random.beta(6, 1.2, size=30), resamples=400)
        held += low <= true_mean <= high
    assert 0.88 < held / trials < 0.98


def test_a_paired_difference_is_known_better_than_either_mean():
    random = np.random.default_rng(0)
    hard = random.uniform(0.3, 0.9, size=40)  # some images are hard for every model
    first, second = hard + random.normal(0.05, 0.01, 40), hard + random.normal(0, 0.01, 40)
    low, high = difference_interval(first, second)
    assert 0.04 < low < 0.05 < high < 0.06
    assert mean_interval(second).high > mean_interval(first).low  # apart they seem equal


def test_exchanging_two_models_turns_the_difference_around():
    random = np.random.default_rng(0)
    first, second = random.uniform(size=(2, 25))
    there, back = difference_interval(first, second), difference_interval(second, first)
    np.testing.assert_allclose(there, [-back.high, -back.low])


def test_an_image_that_one_model_leaves_unscored_is_left_out():
    there = difference_interval([0.5, math.nan, 0.9, 0.4], [0.4, 0.9, 0.6, math.nan])
    np.testing.assert_allclose(there, (0.1, 0.3))


def test_scores_of_other_images_cannot_be_compared():
    with pytest.raises(ValueError, match="Expected the scores of the same images, got 2 and 3"):
        difference_interval([0.1, 0.2], [0.1, 0.2, 0.3])
