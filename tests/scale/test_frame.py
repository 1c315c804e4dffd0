import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fewmask.scale import (
    Frame,
    frame_placement,
    into_frame,
    out_of_frame,
    resampling_weights,
    weights_into_frame,
    weights_out_of_frame,
)

sides = st.integers(1, 400)
sizes = st.integers(1, 12).map(lambda number: 32 * number)


def test_comes_back_from_json() -> None:
    assert Frame.from_json(Frame(96).to_json()) == Frame(96)


@given(sides, sides, sizes)
def test_the_picture_lies_in_the_middle(height: int, width: int, size: int) -> None:
    longest = max(height, width)
    for length in (height, width):
        scale, offset, inner = frame_placement(length, longest, size)
        assert scale == size / longest
        assert inner >= 1
        assert abs(inner - length * scale) <= 0.5 or inner == 1
        assert 0 <= size - inner - 2 * offset <= 1
    assert frame_placement(longest, longest, size)[1:] == (0, size)


@given(sides, sides, sizes)
def test_every_place_is_a_mean_of_places(length: int, other: int, size: int) -> None:
    longest = max(length, other)
    for weights in (
        weights_into_frame(length, longest, size),
        weights_out_of_frame(length, longest, size),
    ):
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(100, 160), (31, 62), (640, 480), (8, 4)])
def test_shrinks_and_enlarges_as_pillow_does(height: int, width: int) -> None:
    size = 64
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    _, top, rows = frame_placement(height, max(height, width), size)
    _, left, columns = frame_placement(width, max(height, width), size)
    framed = into_frame(image, size)[top : top + rows, left : left + columns]
    resized = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
    # Sides of a whole number of pixels: elsewhere Pillow takes each side by a factor of its own.
    np.testing.assert_allclose(framed, np.asarray(resized), atol=1.01)


def test_what_is_left_of_the_square_reflects_the_picture() -> None:
    # 2 × 4 in a square of 4: one row above, one below, each the mirror of its neighbour
    image = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
    np.testing.assert_allclose(into_frame(image, 4)[..., 0], image[[0, 0, 1, 1], :, 0])


def test_a_narrow_picture_is_reflected_more_than_once() -> None:
    image = np.array([[[10.0]], [[20.0]], [[30.0]], [[40.0]]], np.float32)  # 4 × 1
    np.testing.assert_allclose(into_frame(image, 4)[..., 0], np.repeat(image[..., 0], 4, axis=1))


@given(sides, sides, sizes)
def test_an_even_picture_stays_even_there_and_back(height: int, width: int, size: int) -> None:
    image = np.full((height, width, 1), 97, np.uint8)
    framed = into_frame(image, size)
    assert framed.shape == (size, size, 1)
    np.testing.assert_allclose(framed, 97, rtol=1e-5)
    back = out_of_frame(framed, height, width)
    assert back.shape == (height, width, 1)
    np.testing.assert_allclose(back, 97, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(60, 96), (96, 60), (192, 120)])
def test_a_smooth_picture_comes_back(height: int, width: int) -> None:
    y, x = np.mgrid[:height, :width]
    image = np.stack([200 * y / height, 200 * x / width], axis=-1).astype(np.float32)
    back = out_of_frame(into_frame(image, 96), height, width)
    assert np.abs(back - image).max() < 6


def test_weights_by_hand() -> None:
    # a tent of half width 2 around 2.0: distances 1.5, .5, .5, 1.5 give .25, .75, .75, .25
    np.testing.assert_allclose(
        resampling_weights(np.array([2.0]), length=4, support=2.0),
        [[0.125, 0.375, 0.375, 0.125]],
    )
