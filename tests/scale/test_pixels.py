from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fewmask.errors import ArgumentError
from fewmask.scale import (
    Pixels,
    into_pixels,
    out_of_pixels,
    pixels_placement,
    rule_from_json,
    share_of_later,
    weights_into_tiles,
    weights_out_of_tiles,
)

sides = st.integers(1, 400)
scales = st.floats(0.02, 2.0)
rules = st.builds(Pixels.near, scale=scales, size=st.sampled_from([4, 32, 36, 64, 100]))


@given(scales, st.integers(4, 4096))
def test_the_nearest_ratio_is_near(scale: float, size: int) -> None:
    rule = Pixels.near(scale, size)
    assert rule.scale == pytest.approx(scale, rel=0.004)
    assert rule.tile == size
    assert rule.overlap == pytest.approx(size / 4, abs=0.5)
    assert rule.block % rule.step == 0
    assert Fraction(*rule.ratio) == Fraction(rule.block, rule.block_in_image)


@pytest.mark.parametrize("scale", [1, 2, 0.5, 0.25, 0.125])
def test_round_scales_are_met(scale: float) -> None:
    rule = Pixels.near(scale, 256)
    assert (rule.scale, rule.tile, rule.overlap, rule.block) == (scale, 256, 64, 576)


@given(rules)
def test_comes_back_from_json(rule: Pixels) -> None:
    assert rule_from_json(rule.to_json()) == rule


@given(sides, rules)
def test_tiles_cover_a_side_and_none_is_needless(length: int, rule: Pixels) -> None:
    inner, count = pixels_placement(length, rule)
    assert -1e-9 < inner - length * rule.scale < 1
    covered = (count - 1) * rule.step + rule.tile
    assert covered >= inner
    assert count == 1 or covered - rule.step < inner


@given(sides, rules)
def test_every_place_is_a_mean_of_places(length: int, rule: Pixels) -> None:
    _, count = pixels_placement(length, rule)
    entering, leaving = weights_into_tiles(length, rule), weights_out_of_tiles(length, rule)
    assert entering.shape == (count, rule.tile, length)
    assert leaving.shape == (length, count, rule.tile)
    assert min(entering.min(), leaving.min()) >= 0
    np.testing.assert_allclose(entering.sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(leaving.sum(axis=(1, 2)), 1, atol=1e-5)


def test_the_outer_quarters_of_an_overlap_do_not_count() -> None:
    rule = Pixels(tile=16, overlap=8, block=8, block_in_image=8)
    leaving = weights_out_of_tiles(24, rule)
    assert leaving.shape == (24, 2, 16)
    later = leaving[8:16, 1].sum(axis=1)
    assert later.tolist() == [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]
    assert share_of_later(np.arange(8) + 0.5, rule).tolist() == later.tolist()
    # each tile counts with its own pixel of the place
    assert leaving[10, 0, 10] == 0.875
    assert leaving[10, 1, 2] == 0.125


def test_at_scale_one_nothing_is_resampled() -> None:
    image = np.random.default_rng(0).integers(0, 256, (37, 90, 3)).astype(np.uint8)
    rule = Pixels.near(1, 64)
    tiles = into_pixels(image, rule)
    assert tiles.shape == (1, 2, 64, 64, 3)
    np.testing.assert_array_equal(tiles[0, 0, :37], image[:, :64])
    np.testing.assert_array_equal(tiles[0, 0, 37:], image[36:9:-1, :64])
    np.testing.assert_array_equal(tiles[0, 1, :37, :42], image[:, 48:])
    np.testing.assert_array_equal(tiles[0, 1, :37, 42:], image[:, 89:67:-1])
    np.testing.assert_array_equal(out_of_pixels(tiles, 37, 90, rule), image)


def test_a_tiny_image_is_reflected_more_than_once() -> None:
    image = np.array([[[10.0], [20.0]]], np.float32)
    (((tile,),)) = into_pixels(image, Pixels(tile=8, overlap=2, block=6, block_in_image=6))[..., 0]
    assert tile.tolist() == [[10, 20, 20, 10, 10, 20, 20, 10]] * 8


@pytest.mark.parametrize(("height", "width"), [(100, 160), (32, 64), (8, 4)])
@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_shrinks_and_enlarges_as_pillow_does(height: int, width: int, scale: float) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    rows, columns = round(height * scale), round(width * scale)
    tile = into_pixels(image, Pixels.near(scale, 512))[0, 0, :rows, :columns]
    resized = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(tile, np.asarray(resized), atol=1.01)


@given(sides, sides, rules)
def test_an_even_image_stays_even_there_and_back(height: int, width: int, rule: Pixels) -> None:
    height, width = max(1, height // 4), max(1, width // 4)
    tiles = into_pixels(np.full((height, width, 1), 97, np.uint8), rule)
    np.testing.assert_allclose(tiles, 97, rtol=1e-5)
    back = out_of_pixels(tiles, height, width, rule)
    assert back.shape == (height, width, 1)
    np.testing.assert_allclose(back, 97, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.37, 0.8, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("size", [32, 64, 512])
def test_a_smooth_image_comes_back_through_any_tiles(scale: float, size: int) -> None:
    y, x = np.mgrid[:90, :160]
    image = np.stack([200 * y / 90, 200 * x / 160], axis=-1).astype(np.float32)
    rule = Pixels.near(scale, size)
    assert np.abs(out_of_pixels(into_pixels(image, rule), 90, 160, rule) - image).max() < 6


@pytest.mark.parametrize(
    ("numbers", "expected", "found"),
    [
        (
            (256, 200, 56, 56),
            "tiles that overlap by at most half of their side",
            "tiles of 256 with 200 pixels of overlap",
        ),
        ((256, 64, 100, 100), "blocks of whole tiles, multiples of 192 pixels", "blocks of 100"),
        ((256, 64, 192, 95), "a scale above 0, up to 2", "192 pixels made of 95"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    numbers: tuple[int, int, int, int], expected: str, found: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        Pixels(*numbers)
    assert str(error.value).startswith(f"scale: expected {expected}, found {found}. Choose ")
