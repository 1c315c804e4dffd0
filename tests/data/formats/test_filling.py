import cv2
import numpy as np
import pytest

from fewmask.data.formats.filling import Bitmap, Outline, fill, fill_outline


def whole(bitmap, height, width):
    mask = np.zeros((height, width), bool)
    rows, columns, inside = bitmap.window(height, width)
    mask[rows, columns] = inside
    return mask


def test_a_pixel_is_inside_if_its_centre_is():
    # From x 0.6 to 3.4 lie the centres 1.5 and 2.5; from y 0.5, included, to 2.5, not included.
    ring = np.array([[0.6, 0.5], [3.4, 0.5], [3.4, 2.5], [0.6, 2.5]])
    expected = np.zeros((4, 5), bool)
    expected[0:2, 1:3] = True
    np.testing.assert_array_equal(whole(fill(ring, 4, 5), 4, 5), expected)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_a_test_of_every_point(seed):
    ring = np.random.default_rng(seed).uniform(-5, 35, (9, 2)).round(2)  # crosses itself
    filled = whole(fill(ring, 30, 30), 30, 30)
    rows, columns = np.mgrid[:30, :30] + 0.5
    inside = np.zeros((30, 30), bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        crosses = (rows >= min(y0, y1)) & (rows < max(y0, y1))
        with np.errstate(invalid="ignore", divide="ignore"):
            inside ^= crosses & (x0 + (rows - y0) * (x1 - x0) / (y1 - y0) <= columns)
    np.testing.assert_array_equal(filled, inside)


def test_turning_the_ring_round_changes_nothing():
    ring = np.random.default_rng(1).uniform(0, 20, (7, 2))
    forth, back = (whole(fill(each, 20, 20), 20, 20) for each in (ring, ring[::-1]))
    np.testing.assert_array_equal(forth, back)


def test_two_areas_side_by_side_share_no_pixel_and_leave_none():
    left = np.array([[0, 0], [7.3, 0], [3.1, 10], [0, 10]])
    right = np.array([[7.3, 0], [12, 0], [12, 10], [3.1, 10]])
    both = whole(fill(left, 10, 12), 10, 12).astype(int) + whole(fill(right, 10, 12), 10, 12)
    assert (both == 1).all()


def test_what_reaches_over_the_image_is_cut_off():
    ring = np.array([[-9, -9], [99, -9], [99, 99], [-9, 99.0]])
    assert whole(fill(ring, 5, 7), 5, 7).all()
    outside = np.array([[20, 20], [30, 20], [30, 30.0]])
    assert not whole(fill(outside, 5, 7), 5, 7).any()


def test_a_ring_without_any_centre_fills_nothing():
    assert fill(np.array([[1.6, 1.6], [2.4, 1.6], [2.4, 2.4]]), 9, 9).pixels.size == 0


def test_holes_are_left_out():
    ring = np.array([[0, 0], [9, 0], [9, 9], [0, 9.0]])
    hole = np.array([[2, 3], [6, 3], [6, 5], [2, 5.0]])
    filled = whole(fill_outline(Outline(ring, (hole, hole + 20)), 9, 9), 9, 9)
    expected = np.ones((9, 9), bool)
    expected[3:5, 2:6] = False
    np.testing.assert_array_equal(filled, expected)


def test_a_large_circle_has_the_pixels_that_opencv_gives_but_for_its_border():
    angles = np.linspace(0, 2 * np.pi, 400)[:-1]
    ring = np.stack([50 + 40 * np.cos(angles), 50 + 40 * np.sin(angles)], axis=1)
    mask = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(mask, [np.rint(ring - 0.5).astype(np.int32)], 1)
    ours = whole(fill(ring, 100, 100), 100, 100)
    assert np.count_nonzero(ours & (mask > 0)) / np.count_nonzero(ours | (mask > 0)) > 0.97
    assert np.count_nonzero(ours) == pytest.approx(np.pi * 40**2, rel=0.002)


def test_a_bitmap_over_the_edge_keeps_what_is_inside():
    bitmap = Bitmap(np.arange(12).reshape(3, 4) > 5, top=-1, left=2)
    rows, columns, inside = bitmap.window(10, 4)
    assert (rows, columns) == (slice(0, 2), slice(2, 4))
    assert inside.tolist() == [[False, False], [True, True]]
