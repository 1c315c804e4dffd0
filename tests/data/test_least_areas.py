"""What a class must cover of an image, by hand, and what takes the place of what covers less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fewmask.data.least_areas import LeastAreas

HOW = {"of_pixels": None, "never_empty": False}


def test_half_of_the_least_that_many_masks_show() -> None:
    least = LeastAreas.of_masks([0.3, 0.1, 0.4], [100, 95, 5], num_images=100, **HOW)
    # 0.1 · ½ · 95 / 100, and of five masks half of that share: 0.4 · ½ · 5 / 10
    assert least == LeastAreas((0.0, pytest.approx(0.0475), pytest.approx(0.1)))


@pytest.mark.parametrize(
    ("least_shares", "class_images"),
    [
        ([0.5, 0.1], [10, 10]),  # a class in every mask may be in every image
        ([0.2, 0.0], [10, 0]),  # one in none tells nothing
        ([], []),  # an image without masks
        ([], [10, 5]),  # measured before it was thought of
    ],
)
def test_masks_that_speak_for_any_area(least_shares: list[float], class_images: list[int]) -> None:
    assert LeastAreas.of_masks(least_shares, class_images, 10, **HOW) is None


def test_too_little_becomes_what_is_nearest() -> None:
    label_map = np.array(
        [
            [1, 1, 1, 0, 0],
            [1, 2, 1, 0, 2],
            [1, 1, 1, 0, 0],
        ],
        np.uint8,
    )
    before = label_map.copy()
    found = LeastAreas((0.0, 0.5, 0.2)).leave_out(label_map)
    assert found.tolist() == [[1, 1, 1, 0, 0]] * 3
    assert np.array_equal(label_map, before)


def test_a_speck_is_filled_from_all_its_edges() -> None:
    label_map = np.array([[1, 1, 2, 2, 2, 2, 0, 0]], np.uint8)
    # Nothing is left but the other side, once the first one has come to the middle.
    assert LeastAreas((0.0, 0.0, 0.6)).leave_out(label_map).tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]]


def test_enough_is_left_as_it_is() -> None:
    label_map = np.array([[0, 0, 0, 1]], np.uint8)
    assert LeastAreas((0.0, 0.25)).leave_out(label_map) is label_map
    assert LeastAreas((0.9, 0.0)).leave_out(label_map).tolist() == [[1, 1, 1, 1]]


def test_where_nothing_covers_enough_there_is_background() -> None:
    label_map = np.array([[1, 2], [2, 1]], np.uint8)
    assert LeastAreas((0.0, 0.6, 0.6)).leave_out(label_map).tolist() == [[0, 0], [0, 0]]


def test_where_every_mask_shows_something_the_largest_class_stays() -> None:
    label_map = np.array([[0, 0, 0, 0, 1, 1, 2, 0]], np.uint8)
    nothing, something = (LeastAreas((0.0, 0.5, 0.5), never_empty=each) for each in (False, True))
    assert not nothing.leave_out(label_map).any()
    assert something.leave_out(label_map).tolist() == [[0, 0, 0, 0, 1, 1, 1, 0]]


def test_in_a_larger_image_a_thing_is_not_larger() -> None:
    label_map = np.zeros((100, 100), np.uint8)
    label_map[40:50, 40:50] = 1  # a hundredth of this image
    at_own_scale = LeastAreas((0.0, 0.02), of_pixels=50 * 50)  # 50 pixels
    assert at_own_scale.leave_out(label_map) is label_map
    assert not LeastAreas((0.0, 0.02)).leave_out(label_map).any()
    # A small image is not measured by the pixels of a large one.
    assert at_own_scale.leave_out(label_map[40:60, 40:60]).any()


def test_more_rows_than_are_counted_together() -> None:
    label_map = np.zeros((3000, 2), np.uint8)
    label_map[[0, 1500, 2999]] = 1
    assert LeastAreas((0.0, 0.001)).leave_out(label_map) is label_map
    assert not LeastAreas((0.0, 0.0011)).leave_out(label_map).any()


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 3)),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_only_pixels_of_what_covers_too_little_change(
    label_map: np.ndarray, shares: list[float]
) -> None:
    least = LeastAreas((0.0, *shares))
    found = least.leave_out(label_map)
    areas = np.bincount(label_map.ravel(), minlength=4)
    too_small = (areas > 0) & (areas < np.array(least.shares) * label_map.size)
    kept = ~too_small[label_map]
    assert np.array_equal(found[kept], label_map[kept])
    assert set(np.unique(found)) <= set(np.unique(label_map[kept])) | {0}
    for row, column in zip(*(~kept).nonzero(), strict=True):
        if kept.any():
            away = sum(
                abs(np.subtract(at, here))
                for at, here in zip(kept.nonzero(), (row, column), strict=True)
            )
            nearest = label_map[kept][away == away.min()]
            assert found[row, column] in nearest
    if kept.any():
        assert set(np.unique(found)) == set(np.unique(label_map[kept]))


def test_they_survive_json() -> None:
    for least in (LeastAreas((0.0, 0.25)), LeastAreas((0.0, 0.1), 480_000, never_empty=True)):
        assert LeastAreas.from_json(least.to_json()) == least
