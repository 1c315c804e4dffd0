import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewmask.data.augmentation.color import (
    NORMAL,
    ColorChange,
    change_colors,
    color_matrix,
    lower_resolution,
    tone_table,
)

changes = st.builds(
    ColorChange,
    gamma=st.floats(0.3, 3),
    contrast=st.floats(0.3, 3),
    brightness=st.floats(-0.5, 0.5),
    saturation=st.floats(0, 3),
    hue=st.floats(-180, 180),
    blur=st.floats(0, 3),
    low_resolution=st.floats(1, 6),
    noise=st.floats(0, 40),
)


def picture(channels: int, height: int = 20, width: int = 30) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels)).astype(np.uint8)


def changed(image: NDArray[np.uint8], change: ColorChange, seed: int = 0) -> NDArray[np.uint8]:
    return change_colors(image, change, np.random.default_rng(seed))


def test_no_change_is_no_work() -> None:
    image = picture(3)
    np.testing.assert_array_equal(changed(image, ColorChange()), image)
    assert np.shares_memory(changed(image, ColorChange()), image)


@settings(max_examples=50)
@given(change=changes, channels=st.integers(1, 6), side=st.integers(1, 9))
def test_shape_type_and_original_are_kept(change: ColorChange, channels: int, side: int) -> None:
    image = picture(channels, side, 2 * side)
    before = image.copy()
    result = changed(image, change)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(result, changed(image, change))


# -- tones -------------------------------------------------------------------------------------


def test_tones_by_hand() -> None:
    # gamma 2: (51 / 255)² = 0.04, times 255 is 10.2; black and white stay.
    assert tone_table(2.0, 1.0, 0.0)[[0, 51, 255]].tolist() == [0, 10, 255]
    # contrast 0.5 about 127.5: 0 becomes 63.75, 255 becomes 191.25.
    assert tone_table(1.0, 0.5, 0.0)[[0, 255]].tolist() == [64, 191]
    # brightness 0.2 adds 51, clipped at white.
    assert tone_table(1.0, 1.0, 0.2)[[0, 100, 250]].tolist() == [51, 151, 255]


@given(gamma=st.floats(0.2, 5), contrast=st.floats(0.1, 5), brightness=st.floats(-1, 1))
def test_brighter_never_becomes_darker(gamma: float, contrast: float, brightness: float) -> None:
    assert (np.diff(tone_table(gamma, contrast, brightness).astype(int)) >= 0).all()


def test_tones_without_change_are_themselves() -> None:
    np.testing.assert_array_equal(tone_table(1.0, 1.0, 0.0), np.arange(256))


# -- colours -----------------------------------------------------------------------------------


@given(saturation=st.floats(0, 4), hue=st.floats(-180, 180), grey=st.integers(0, 255))
def test_grey_stays_grey(saturation: float, hue: float, grey: int) -> None:
    image = np.full((2, 2, 3), grey, np.uint8)
    result = changed(image, ColorChange(saturation=saturation, hue=hue))
    assert np.abs(result.astype(int) - grey).max() <= 1


def test_no_saturation_is_the_luma_of_television() -> None:
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert changed(red, ColorChange(saturation=0.0)).ravel().tolist() == [76, 76, 76]


def test_hue_turns_by_the_angle_asked_for() -> None:
    muted = np.array([[[150, 110, 120]]], np.uint8)
    before = colorsys.rgb_to_hsv(*(muted.ravel() / 255))[0]
    turned = changed(muted, ColorChange(hue=120))
    after = colorsys.rgb_to_hsv(*(turned.ravel() / 255))[0]
    # The two colour circles are no equals, so about a third of the way round is all one can say.
    assert min((after - before) % 1, (before - after) % 1) == pytest.approx(1 / 3, abs=0.08)


def test_a_whole_turn_changes_nothing_and_half_turns_add_up() -> None:
    np.testing.assert_allclose(color_matrix(1.0, 360.0), np.eye(3), atol=1e-12)
    half = color_matrix(1.0, 180.0)
    np.testing.assert_allclose(half @ half, np.eye(3), atol=1e-12)


def test_luma_is_kept() -> None:
    luma = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(luma @ color_matrix(1.7, 77.0), luma, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_other_numbers_of_channels_have_no_hue(channels: int) -> None:
    image = picture(channels)
    np.testing.assert_array_equal(changed(image, ColorChange(saturation=2.0, hue=90)), image)


# -- sharpness and noise -----------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("change", [ColorChange(blur=2.0), ColorChange(low_resolution=4.0)])
def test_detail_goes_and_the_mean_stays(change: ColorChange, channels: int) -> None:
    image = picture(channels, 64, 64)
    result = changed(image, change)
    assert result.std() < 0.4 * image.std()
    assert result.mean() == pytest.approx(image.mean(), abs=2)


def test_low_resolution_stays_in_place() -> None:
    columns = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))[:, :, None]
    difference = lower_resolution(columns, 2.0).astype(int) - columns
    assert np.abs(difference[:, 2:-2]).max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_noise_is_as_strong_as_asked_for_and_differs_by_channel(channels: int) -> None:
    grey = np.full((80, 90, channels), 128, np.uint8)
    noise = changed(grey, ColorChange(noise=10.0)).astype(float) - 128
    assert noise.std() == pytest.approx(10, rel=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.3)
    if channels > 1:
        assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.05


def test_noise_is_clipped_not_wrapped() -> None:
    white = np.full((30, 30, 3), 255, np.uint8)
    assert changed(white, ColorChange(noise=20.0)).min() > 150


def test_the_table_of_the_normal_distribution() -> None:
    assert NORMAL.mean() == pytest.approx(0, abs=1e-6)
    assert NORMAL.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(NORMAL) < 1).mean() == pytest.approx(0.683, abs=0.005)


def test_randomness_is_only_touched_for_noise() -> None:
    rng = np.random.default_rng(3)
    change_colors(picture(3), ColorChange(gamma=1.2, blur=1.0, hue=5.0), rng)
    assert rng.random() == np.random.default_rng(3).random()
