import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fewmask.inference.overlay import paint_overlay

RED = ((0, 0, 0), (240, 0, 0))


def square(size=40, low=10, high=30):
    label_map = np.zeros((size, size), np.uint8)
    label_map[low:high, low:high] = 1
    return label_map


def test_tint_line_and_casing_by_hand():
    painted = paint_overlay(np.full((40, 40, 3), 100, np.uint8), square(), RED, opacity=0.5)
    # along a row: background, casing (30 % of 100), line, then (100 + 240) / 2 and 100 / 2
    row = painted[20, 8:13].tolist()
    assert row == [[100] * 3, [30] * 3, [240, 0, 0], [170, 50, 50], [170, 50, 50]]


def test_the_background_keeps_its_pixels():
    image = np.random.default_rng(0).integers(256, size=(40, 40, 3), dtype=np.uint8)
    painted = paint_overlay(image, square(), RED)
    far = np.ones((40, 40), bool)
    far[9:31, 9:31] = False
    np.testing.assert_array_equal(painted[far], image[far])


def test_nothing_found_changes_nothing():
    image = np.random.default_rng(0).integers(256, size=(7, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(paint_overlay(image, np.zeros((7, 9), np.uint8), RED), image)


def test_the_whole_image_found_has_no_line():
    painted = paint_overlay(np.zeros((5, 5, 3), np.uint8), np.ones((5, 5), np.uint8), RED, 0.5)
    assert (painted == [120, 0, 0]).all()


def test_dark_colours_get_a_bright_casing():
    black = np.zeros((40, 40, 3), np.uint8)
    dark = paint_overlay(black, square(), ((0, 0, 0), (90, 0, 0)))
    bright = paint_overlay(black, square(), ((0, 0, 0), (0, 240, 0)))
    assert dark[20, 9].tolist() == [178, 178, 178]
    assert bright[20, 9].tolist() == [0, 0, 0]


def test_neighbours_of_two_classes_both_keep_their_line():
    label_map = np.ones((9, 20), np.uint8)
    label_map[:, 10:] = 2
    colors = ((0, 0, 0), (240, 0, 0), (0, 0, 240))
    painted = paint_overlay(np.full((9, 20, 3), 80, np.uint8), label_map, colors)
    assert painted[4, [9, 10]].tolist() == [[240, 0, 0], [0, 0, 240]]


@pytest.mark.parametrize(("size", "width"), [(100, 1), (720, 2), (3600, 10)])
def test_the_line_grows_with_the_image(size, width):
    label_map = np.zeros((60, size), np.uint8)
    label_map[:, 40:] = 1
    painted = paint_overlay(np.zeros((60, size, 1), np.uint8), label_map, RED, opacity=0.5)
    assert int((painted[30, :, 0] == 240).sum()) == width


def test_the_memory_of_an_overlay_is_a_few_bytes_a_pixel():
    image, label_map = np.zeros((1200, 1200, 3), np.uint8), square(1200, 300, 900)
    tracemalloc.start()
    try:
        paint_overlay(image, label_map, RED)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / label_map.size < 10


def test_grey_and_many_channels_can_be_shown():
    label_map = np.zeros((4, 4), np.uint8)
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    assert paint_overlay(grey, label_map, RED)[3, 3].tolist() == [15, 15, 15]
    five = np.repeat(grey, 5, axis=2)
    assert paint_overlay(five, label_map, RED).shape == (4, 4, 3)


@given(
    label_map=array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
        lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 2))
    ),
    opacity=st.floats(0, 1),
)
def test_mirroring_before_is_mirroring_after(label_map, opacity):
    image = np.arange(label_map.size * 3, dtype=np.uint8).reshape(*label_map.shape, 3)
    colors = ((0, 0, 0), (240, 0, 0), (0, 0, 90))
    painted = paint_overlay(image, label_map, colors, opacity)
    mirrored = paint_overlay(image[:, ::-1], label_map[:, ::-1], colors, opacity)
    np.testing.assert_array_equal(mirrored, painted[:, ::-1])
