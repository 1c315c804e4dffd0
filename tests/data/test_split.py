from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewmask.data.split import (
    complete_shares,
    divide,
    sizes_of_folds,
    sizes_of_shares,
    with_rest,
)
from fewmask.errors import ArgumentError

seeds = st.integers(0, 2**32 - 1)


@st.composite
def divisions(draw, single=False):
    """Groups of some samples, and sizes that add up to their number."""
    if single:
        groups = list(range(draw(st.integers(3, 60))))
    else:
        groups = draw(st.lists(st.integers(0, 12), min_size=3, max_size=60))
    cuts = sorted(draw(st.lists(st.integers(0, len(groups)), min_size=0, max_size=3)))
    bounds = [0, *cuts, len(groups)]
    sizes = [high - low for low, high in pairwise(bounds)]
    wanted = sum(size > 0 for size in sizes)
    if len(set(groups)) < wanted:
        sizes = [len(groups)]
    return sizes, groups


def check_whole(sets, groups):
    everything = sorted(index for chosen in sets for index in chosen)
    assert everything == list(range(len(groups))), "disjoint, and complete"
    home = [{groups[index] for index in chosen} for chosen in sets]
    assert sum(map(len, home)) == len(set(groups)), "groups whole"


@given(divisions(), seeds, st.booleans(), st.data())
def test_every_sample_has_one_set_and_groups_stay_whole(division, seed, shuffle, data):
    sizes, groups = division
    kinds = st.lists(st.sampled_from("abc"), min_size=len(groups), max_size=len(groups))
    strata = data.draw(st.none() | kinds)
    sets = divide(sizes, groups, strata, shuffle, seed)
    check_whole(sets, groups)
    assert sets == divide(sizes, groups, strata, shuffle, seed), "the same again"
    assert all(chosen == sorted(chosen) for chosen in sets)
    assert [bool(chosen) for chosen in sets] == [size > 0 for size in sizes]


@given(divisions(single=True), seeds, st.data())
def test_single_samples_are_divided_exactly(division, seed, data):
    sizes, groups = division
    kinds = st.lists(st.sampled_from("abc"), min_size=len(groups), max_size=len(groups))
    strata = data.draw(st.none() | kinds)
    assert [len(chosen) for chosen in divide(sizes, groups, strata, seed=seed)] == sizes


@given(divisions(), seeds)
def test_a_set_is_off_by_less_than_the_largest_group(division, seed):
    sizes, groups = division
    largest = max(Counter(groups).values())
    if min(size for size in sizes if size) >= largest:
        for size, chosen in zip(sizes, divide(sizes, groups, seed=seed), strict=True):
            assert abs(size - len(chosen)) < largest


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.data(), seeds)
def test_folds_are_off_by_less_than_the_largest_group(groups, data, seed):
    if len(set(groups)) < 2:
        return
    k = data.draw(st.integers(2, len(set(groups))))
    largest = max(Counter(groups).values())
    sizes = sizes_of_folds(len(groups), k)
    sets = divide(sizes, groups, seed=seed)
    check_whole(sets, groups)
    for size, chosen in zip(sizes, sets, strict=True):
        assert abs(size - len(chosen)) <= largest


@given(st.lists(st.sampled_from("aaaaab"), min_size=10, max_size=80), seeds)
def test_each_set_gets_its_share_of_each_kind(kinds, seed):
    sizes = sizes_of_shares(len(kinds), (0.6, 0.2, 0.2))
    sets = divide(sizes, range(len(kinds)), kinds, seed=seed)
    for size, chosen in zip(sizes, sets, strict=True):
        for kind, count in Counter(kinds).items():
            share = size * count / len(kinds)
            # Less than one by its own rounding, less than one by that of the other kind.
            assert abs(sum(kinds[index] == kind for index in chosen) - share) < 2


def test_without_shuffling_sets_are_cut_off_in_order():
    assert divide([2, 3], range(5), shuffle=False) == [[0, 1], [2, 3, 4]]


def test_a_seed_draws_the_same_on_every_machine():
    assert divide([3, 7], range(10), seed=0) == [[1, 5, 8], [0, 2, 3, 4, 6, 7, 9]]
    assert divide([3, 7], range(10), seed=1) != [[1, 5, 8], [0, 2, 3, 4, 6, 7, 9]]


def test_every_division_is_equally_likely():
    # 2 of 4: six divisions, drawn 1,200 times; 200 each, give or take 4 standard deviations.
    counts = Counter(tuple(divide([2, 2], range(4), seed=seed)[0]) for seed in range(1200))
    assert len(counts) == 6
    assert all(abs(count - 200) < 52 for count in counts.values())


def test_too_few_groups_are_refused():
    with pytest.raises(ArgumentError) as caught:
        divide([2, 2, 1], ["a", "a", "a", "b", "b"])
    assert str(caught.value) == (
        "groups: expected at least 3 groups, so that none has to be cut in two, "
        "found 2 in 5 images. Ask for fewer parts, or group by another column."
    )


@given(st.integers(0, 500), st.lists(st.integers(0, 10), min_size=1, max_size=5))
def test_shares_add_up_and_nobody_is_forgotten(count, weights):
    if sum(weights) == 0:
        weights = [1]
    shares = [weight / sum(weights) for weight in weights]
    sizes = sizes_of_shares(count, shares)
    assert sum(sizes) == count
    if count >= len(shares):
        assert [size > 0 for size in sizes] == [share > 0 for share in shares]


def test_shares_are_rounded_to_the_nearest():
    assert sizes_of_shares(97, (0.8, 0.0, 0.2)) == [78, 0, 19]
    assert sizes_of_shares(100, (0.29, 0.71)) == [29, 71]
    assert sizes_of_shares(3, (0.98, 0.01, 0.01)) == [1, 1, 1]


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ((0.8, 0.3, None), "0.8, 0.3 and None"),
        ((0.8, 0.1, 0.2), "0.8, 0.1 and 0.2"),
        ((0.0, None, None), "0.0, None and None"),
        ((1.5, -0.5, None), "1.5, -0.5 and None"),
        ((float("nan"), None, None), "nan, None and None"),
    ],
)
def test_shares_that_do_not_add_up_are_refused(shares, found):
    with pytest.raises(ArgumentError) as caught:
        complete_shares(*shares)
    assert str(caught.value) == (
        "train, validation, test: expected shares from 0 to 1 that add up to 1, "
        f"found {found}. Leave test out and it takes the rest."
    )


def test_the_test_part_takes_the_rest():
    assert complete_shares(0.7, 0.2, 0.1) == pytest.approx((0.7, 0.2, 0.1))
    assert complete_shares(0.8, 0.2, None) == (0.8, 0.2, 0.0)


def test_folds_that_ask_for_too_much_are_refused():
    with pytest.raises(ArgumentError) as caught:
        with_rest(97, (90, 20))
    assert str(caught.value) == (
        "sizes: expected sizes from 0 on that add up to at most 97, the number of images, "
        "found 90 + 20 = 110. Ask for smaller folds."
    )
    assert with_rest(97, ()) == [97]
    assert with_rest(97, (97,)) == [97, 0]


@pytest.mark.parametrize("sizes", [20, (0.2,), "20"])
def test_sizes_of_folds_that_are_no_numbers_of_images_are_refused(sizes):
    with pytest.raises(ArgumentError) as caught:
        with_rest(97, sizes)
    assert str(caught.value) == (
        f"sizes: expected numbers of images, as in create_folds((20,)), found {sizes!r}. "
        "For a share of them use split(0.8)."
    )


@pytest.mark.parametrize("k", [1, 4])
def test_a_number_of_folds_out_of_range_is_refused(k):
    with pytest.raises(ArgumentError) as caught:
        sizes_of_folds(3, k)
    assert str(caught.value) == (
        f"k: expected 2 to 3 folds, as there are 3 images, found {k}. "
        "Choose 5, say, or the number of images if they are fewer."
    )
