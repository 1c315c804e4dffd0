from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.copies import Copies, Place
from fewmask.data.foreground import MOST_PLACES, Foreground, find_foreground


def copies_of(folder: Path, *masks: NDArray[np.uint8]) -> Copies:
    """Copies of black images with these masks."""
    places, stored = [], b""
    for mask in masks:
        places.append(Place(len(stored), *mask.shape))
        stored += bytes(mask.size) + mask.tobytes()
    (folder / "copies").write_bytes(stored)
    names = tuple(str(number) for number in range(len(masks)))
    return Copies(folder / "copies", tuple(places), 1, names, 999)


def with_squares(height: int, width: int, *squares: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A mask with squares: row, column, side, class id."""
    mask = np.zeros((height, width), np.uint8)
    for row, column, side, class_id in squares:
        mask[row : row + side, column : column + side] = class_id
    return mask


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """A large mask with much of class 1 and one pixel of class 2; a small one with some of 1; an
    empty one; one with values that are no class."""
    return copies_of(
        tmp_path,
        with_squares(700, 500, (100, 100, 300, 1), (699, 499, 1, 2)),
        with_squares(9, 7, (2, 3, 3, 1)),
        with_squares(20, 20),
        with_squares(20, 20, (0, 0, 10, 255)),
    )


def test_places_hold_their_class_and_are_spread_over_it(copies: Copies) -> None:
    found = find_foreground(copies, range(4), 3, seed=0).places
    assert {class_id: sorted(by_copy) for class_id, by_copy in found.items()} == {
        1: [0, 1],
        2: [0],
    }
    large, small = found[1][0], found[1][1]
    assert (copies.mask(0)[large[:, 0], large[:, 1]] == 1).all()
    assert len({tuple(place) for place in large.tolist()}) == len(large) == MOST_PLACES
    for axis in (0, 1):
        assert np.histogram(large[:, axis], bins=5, range=(100, 400))[0].min() > MOST_PLACES / 10
    assert sorted(map(tuple, small.tolist())) == [(r, c) for r in (2, 3, 4) for c in (3, 4, 5)]
    assert found[2][0].tolist() == [[699, 499]]


def test_equal_seeds_find_equal_places_whatever_else_is_searched(copies: Copies) -> None:
    all_four, first = (find_foreground(copies, range(count), 3, seed=5) for count in (4, 1))
    np.testing.assert_array_equal(all_four.places[1][0], first.places[1][0])
    other = find_foreground(copies, range(4), 3, seed=6)
    assert not np.array_equal(all_four.places[1][0], other.places[1][0])


def test_rare_classes_are_drawn_as_often_as_frequent_ones(copies: Copies) -> None:
    foreground = find_foreground(copies, range(4), 3, seed=0)
    rng = np.random.default_rng(0)
    drawn = Counter()
    for _ in range(900):
        index, row, column = foreground.draw(rng)
        drawn[index, int(copies.mask(index)[row, column])] += 1
    assert set(drawn) == {(0, 1), (1, 1), (0, 2)}
    assert drawn[0, 2] == pytest.approx(450, abs=70)
    assert drawn[0, 1] == pytest.approx(drawn[1, 1], abs=70)


def test_progress_is_told(copies: Copies) -> None:
    told = []
    find_foreground(copies, [2, 1], 3, seed=0, progress=lambda *now: told.append(now))
    assert told == [(1, 2), (2, 2)]


def test_a_place_to_look_at(copies: Copies) -> None:
    foreground = find_foreground(copies, range(4), 3, seed=0)
    assert foreground.first_in(0) == (699, 499)
    row, column = foreground.first_in(1) or (0, 0)
    assert copies.mask(1)[row, column] == 1
    assert foreground.first_in(2) is None
    assert Foreground({}).first_in(0) is None
