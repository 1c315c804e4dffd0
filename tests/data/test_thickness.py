import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.thickness import measure_thickness

Mask = NDArray[np.uint8]


def thickness_of(mask: Mask, num_classes: int = 2) -> float:
    """Of the only class in a mask."""
    (thickness,) = measure_thickness(mask, num_classes)
    return thickness


def nothing(height: int = 64, width: int = 64) -> Mask:
    return np.zeros((height, width), np.uint8)


@pytest.mark.parametrize("wide", [1, 2, 5, 16, 32])
def test_a_band_is_as_thick_as_it_is_wide(wide: int) -> None:
    mask = nothing()
    mask[:, 10 : 10 + wide] = 1
    assert thickness_of(mask) == pytest.approx(wide, rel=0.1, abs=1.0)


def test_of_a_square_and_a_disc_it_is_two_thirds() -> None:
    square = nothing()
    square[10:46, 10:46] = 1
    assert thickness_of(square) == pytest.approx(24, rel=0.1)
    y, x = np.mgrid[:64, :64]
    disc = ((y - 32) ** 2 + (x - 32) ** 2 < 24**2).astype(np.uint8)
    assert thickness_of(disc) == pytest.approx(32, rel=0.1)


def test_nothing_has_no_thickness() -> None:
    assert measure_thickness(nothing(), 2) == ()
    assert measure_thickness(nothing(), 1) == ()


def test_a_mask_of_one_class_is_as_thick_as_it_is_long() -> None:
    assert thickness_of(nothing(30, 50) + np.uint8(1)) == 50.0


def test_what_leaves_the_image_counts_as_more_of_the_same() -> None:
    inside, at_the_edge = nothing(), nothing()
    inside[:, 20:28] = 1
    at_the_edge[:, :8] = 1
    assert thickness_of(at_the_edge) > thickness_of(inside)


def test_touching_classes_are_things_of_their_own() -> None:
    mask = nothing()
    mask[:, 10:20], mask[:, 20:30] = 1, 2
    assert measure_thickness(mask, 3) == pytest.approx((10, 10), rel=0.1)


def test_ignored_pixels_are_no_thing() -> None:
    mask = nothing()
    mask[:, 10:20], mask[:, 30:60] = 1, 255
    assert thickness_of(mask) == pytest.approx(10, rel=0.1)


def test_each_class_is_measured_by_itself() -> None:
    mask = nothing(64, 128)
    mask[:, 4:8], mask[:, 40:60] = 3, 2
    assert measure_thickness(mask, 4) == pytest.approx((20, 4), rel=0.15)


@pytest.mark.parametrize("side", [1024, 1500, 3000])
def test_a_large_mask_is_measured_at_every_few_pixels(side: int) -> None:
    mask = nothing(40, side)
    mask[:, 100:132] = 1
    # The band is higher than wide only by little, but it leaves the image at both ends.
    assert thickness_of(mask) == pytest.approx(32, rel=0.15)


def test_thin_things_in_large_masks_do_not_fall_between_the_pixels_of_a_sample() -> None:
    mask = nothing(2000, 8000)
    mask[:, 100:103] = 1
    assert thickness_of(mask) == pytest.approx(3, abs=0.5)
    mask[:, 4000:6000] = 2
    assert measure_thickness(mask, 3) == pytest.approx((3, 2000), rel=0.1)


def test_a_single_pixel() -> None:
    mask = nothing(1, 1)
    assert measure_thickness(mask, 2) == ()
    assert thickness_of(mask + np.uint8(1)) == 1.0
    dot = nothing()
    dot[5, 5] = 1
    assert 0 < thickness_of(dot) <= 4
