"""Patches that show a part of a sample."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewmask.data.augmentation import warp as warping
from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.augmentation.warp import Spot, Warp, warp_sample
from fewmask.scale import Pixels, into_pixels


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Waves of some 20 pixels, different in every channel, unlike their reflection."""
    rows, columns = np.mgrid[:height, :width, :1][:2]
    waves = np.sin(rows / 7 + np.arange(3)) + np.cos(columns / 9 - rows / 23 + np.arange(0, 6, 2))
    return np.rint(127.5 + 60 * waves).astype(np.uint8)


def classes_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image[..., 0] // 86


@pytest.mark.parametrize(("row", "column"), [(16, 16), (40, 50), (64, 84)])
def test_at_its_own_scale_a_patch_is_cut_out(row: int, column: int) -> None:
    image = picture(80, 100)
    mask = classes_of(image)
    patch, of_mask = warp_sample(image, mask, 32, Warp(), Spot(row, column))
    cut = np.s_[row - 16 : row + 16, column - 16 : column + 16]
    np.testing.assert_array_equal(patch, image[cut])
    np.testing.assert_array_equal(of_mask, mask[cut])


def test_only_what_lies_beyond_the_image_is_a_reflection() -> None:
    image = picture(40, 60)
    wide = np.pad(image, ((100, 100), (100, 100), (0, 0)), mode="symmetric")
    for row, column in ((0, 0), (3, 58), (40, 30)):
        patch, _ = warp_sample(image, classes_of(image), 32, Warp(), Spot(row, column))
        cut = np.s_[row + 84 : row + 116, column + 84 : column + 116]
        np.testing.assert_array_equal(patch, wide[cut])


def test_what_turning_brings_in_is_what_is_there() -> None:
    image = picture(200, 200)
    warp = Warp(angle=30, scale=0.8)
    patch, _ = warp_sample(image, classes_of(image), 64, warp, Spot(100, 100))
    # The corners of the patch see 56 pixels far, which all lie inside.
    blank = np.zeros_like(image)
    blank[30:170, 30:170] = image[30:170, 30:170]
    same, _ = warp_sample(blank, classes_of(image), 64, warp, Spot(100, 100))
    np.testing.assert_array_equal(patch, same)


def test_a_tiny_image_is_reflected_more_than_once() -> None:
    image = np.array([[[10], [20]]], np.uint8)
    patch, mask = warp_sample(image, image[..., 0], 8, Warp(), Spot(0, 0))
    assert mask.tolist() == [[10, 20, 20, 10, 10, 20, 20, 10]] * 8
    np.testing.assert_array_equal(patch[..., 0], mask)


@pytest.mark.parametrize("scale", [0.5, 0.37, 1.0, 1.5])
def test_a_patch_is_as_sharp_as_what_prediction_sees(scale: float) -> None:
    image = picture(400, 400)
    rule = Pixels.near(scale, 800)
    seen = into_pixels(image, rule)[0, 0]
    middle = round(200 * rule.scale) / rule.scale
    size = 64
    patch, _ = warp_sample(
        image, classes_of(image), size, Warp(), Spot(round(middle), round(middle), rule.scale)
    )
    first = round(middle * rule.scale) - size // 2
    expected = seen[first : first + size, first : first + size]
    # A spot lies between whole pixels of the copy, so that the two may be half a pixel apart.
    assert np.abs(patch - expected).mean() < 4
    contrasts = [np.abs(np.diff(each.astype(float), axis=0)).mean() for each in (patch, expected)]
    assert contrasts[0] == pytest.approx(contrasts[1], rel=0.05)


@settings(max_examples=60)
@given(
    warp=st.builds(
        Warp,
        st.booleans(),
        st.booleans(),
        st.floats(-20, 20),
        st.floats(-180, 180),
        st.floats(0.6, 1.5),
        st.floats(-0.3, 0.3),
        st.floats(-0.3, 0.3),
    ),
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    zoom=st.sampled_from([1.0, 0.7, 2.0]),
)
# Halved from its second pixel on, an image of odd width would be reflected a pixel further left.
@example(warp=Warp(scale=0.609375), height=1, width=49, place=(0.0, 1.0), zoom=0.7)
def test_cutting_out_what_is_needed_changes_nothing(
    warp: Warp, height: int, width: int, place: tuple[float, float], zoom: float
) -> None:
    image = picture(height, width)
    spot = Spot(round(place[0] * height), round(place[1] * width), zoom)
    patch, mask = warp_sample(image, classes_of(image), 32, warp, spot)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(warping, "part_seen", lambda source, length, axis, size: (0, length))
        whole, of_whole = warp_sample(image, classes_of(image), 32, warp, spot)
    # OpenCV rounds positions to 1/32 of a pixel, in the cut and in the whole each in its own way.
    assert np.abs(patch.astype(int) - whole).max() <= 255 / 32
    # So a column or two may lie on the border of two pixels and take the other one.
    assert (mask != of_whole).mean() <= 2 / 32


def test_little_of_a_large_image_is_read() -> None:
    source = warping.source_of_patch(Warp(angle=45, scale=0.7), Spot(2000, 3000), 256)
    top, bottom = warping.part_seen(source, 4000, 0, 256)
    left, right = warping.part_seen(source, 6000, 1, 256)
    assert bottom - top < 540
    assert right - left < 540


def test_image_and_mask_stay_together_under_all_changes_of_geometry() -> None:
    mask = np.zeros((300, 300), np.uint8)
    mask[100:180, 90:200] = 1
    image = np.where(mask, 220, 20).astype(np.uint8)[:, :, None]
    rng = np.random.default_rng(0)
    for _ in range(30):
        warp, _ = Augmentation(vertical_flip=0.5, quarter_turn=0.5).draw(rng)
        row, column = rng.integers(60, 220, 2).tolist()
        patch, of_mask = warp_sample(image, mask, 96, warp, Spot(row, column, 0.8))
        agree = (patch[..., 0] > 120) == of_mask
        assert agree.mean() > 0.985
