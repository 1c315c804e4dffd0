import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewmask.data.augmentation.warp import Warp, halve, soften, warp_sample
from fewmask.scale import frame_placement, into_frame

GREYS = np.array([20, 120, 220], np.uint8)


def blobs(height: int, width: int, num_classes: int = 3) -> NDArray[np.uint8]:
    """A mask with a disc and a bar, unlike itself however it is flipped or turned."""
    rows, columns = np.mgrid[:height, :width]
    radius = 0.22 * min(height, width)
    mask = np.zeros((height, width), np.uint8)
    mask[int(0.55 * height) : int(0.85 * height), int(0.1 * width) : int(0.8 * width)] = 2
    mask[np.hypot(rows - 0.35 * height, columns - 0.3 * width) < radius] = 1
    return mask


def smooth_picture(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Waves of some 20 pixels, different in every channel."""
    rows, columns = np.mgrid[:height, :width, :1][:2]
    phase = np.arange(channels)
    waves = np.sin(rows / 7 + phase) + np.cos(columns / 9 - rows / 23 + 2 * phase)
    return np.rint(127.5 + 60 * waves).astype(np.uint8)


def share_that_agrees(mask: NDArray[np.uint8], size: int, warp: Warp) -> float:
    """Warps a mask with an image of it; says where both show one class, away from edges."""
    image, warped = warp_sample(GREYS[mask][:, :, None], mask, size, warp)
    edge = np.zeros(warped.shape, bool)
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            edge |= np.roll(warped, step, axis) != warped
    seen = np.abs(image.astype(int) - GREYS).argmin(axis=2)
    return float((seen == warped)[~edge].mean())


# -- unchanged: the frame rule -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (48, 64), (64, 31), (33, 47), (20, 13), (1, 9), (1, 1)]
)
def test_without_a_change_nothing_but_rounding_parts_it_from_the_frame_rule(
    height: int, width: int
) -> None:
    image = smooth_picture(height, width)
    warped, _ = warp_sample(image, image[..., 0], 64, Warp())
    difference = np.abs(warped - into_frame(image, 64))
    # Beside the picture, the frame rule reflects frame pixels and the warp reflects image pixels.
    _, top, rows = frame_placement(height, max(height, width), 64)
    _, left, columns = frame_placement(width, max(height, width), 64)
    assert difference[top : top + rows, left : left + columns].max() < 3
    assert difference.mean() < 3


@pytest.mark.parametrize("longest", [64, 80, 96, 128, 150, 192, 256, 300, 500])
def test_shrinking_is_as_sharp_as_the_frame_rule(longest: int) -> None:
    # Detail at every scale, as in photographs: noise of 4, 8, 16 ... cells, one above the other.
    shape = (longest, longest * 3 // 4)
    rng = np.random.default_rng(0)
    layers = [
        cv2.resize(rng.standard_normal((cells, cells, 3)), shape[::-1])
        for cells in (4, 8, 16, 32, 64, 128, 256)
    ]
    image = np.clip(128 + 25 * sum(layers), 0, 255).astype(np.uint8)
    expected = into_frame(image, 64)
    warped = warp_sample(image, image[..., 0], 64, Warp())[0].astype(np.float32)
    contrast, expected_contrast = (
        np.abs(np.diff(picture, axis=0)).mean() for picture in (warped, expected)
    )
    # Without softening, contrast is 1.24 to 2.07 times too high and the difference up to 15.
    assert contrast / expected_contrast == pytest.approx(1, abs=0.1)
    assert np.abs(warped - expected).mean() < 6


def test_at_its_own_size_a_sample_comes_back_as_it_is() -> None:
    image, mask = smooth_picture(32, 32), blobs(32, 32)
    warped_image, warped_mask = warp_sample(image, mask, 32, Warp())
    np.testing.assert_array_equal(warped_image, image)
    np.testing.assert_array_equal(warped_mask, mask)


def test_a_single_bright_pixel_stays_where_it_is() -> None:
    image = np.zeros((5, 5, 1), np.uint8)
    image[1, 3] = 240
    warped, _ = warp_sample(image, image[..., 0], 15, Warp())
    # Pixel (1, 3) covers rows 3 to 5 and columns 9 to 11 of a frame three times as large.
    rows, columns = np.indices((15, 15))
    weights = warped[..., 0] / warped.sum()
    assert (rows * weights).sum() == pytest.approx(4, abs=0.02)
    assert (columns * weights).sum() == pytest.approx(10, abs=0.02)


def test_outside_lies_the_reflection() -> None:
    mask = np.array([[1, 2, 3, 4]] * 2, np.uint8)
    _, warped = warp_sample(mask[:, :, None], mask, 4, Warp(shift_right=0.5))
    assert warped[1].tolist() == [2, 1, 1, 2]


# -- each change, by hand ----------------------------------------------------------------------

LETTERS = np.array([[1, 2], [3, 4]], np.uint8)


@pytest.mark.parametrize(
    ("warp", "expected"),
    [
        (Warp(horizontal_flip=True), [[2, 1], [4, 3]]),
        (Warp(vertical_flip=True), [[3, 4], [1, 2]]),
        (Warp(angle=90), [[2, 4], [1, 3]]),  # counter-clockwise: what was right is now on top
        (Warp(angle=180), [[4, 3], [2, 1]]),
        (Warp(angle=-90), [[3, 1], [4, 2]]),
        (Warp(horizontal_flip=True, angle=90), [[1, 3], [2, 4]]),  # flipped, then turned
        (Warp(shift_right=0.5), [[1, 1], [3, 3]]),
        (Warp(shift_down=0.5), [[1, 2], [1, 2]]),
    ],
)
def test_by_hand(warp: Warp, expected: list[list[int]]) -> None:
    image, mask = warp_sample(LETTERS[:, :, None] * 10, LETTERS, 2, warp)
    assert mask.tolist() == expected
    assert image[..., 0].tolist() == [[10 * value for value in row] for row in expected]


def test_scale_is_seen_from_the_middle() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[15:25, 15:25] = 1
    _, warped = warp_sample(mask[:, :, None], mask, 40, Warp(scale=2.0))
    expected = np.zeros((40, 40), np.uint8)
    expected[10:30, 10:30] = 1
    np.testing.assert_array_equal(warped, expected)


def test_shear_leans_upright_lines_to_the_right() -> None:
    mask = np.zeros((41, 41), np.uint8)
    mask[:, 20] = 1
    _, warped = warp_sample(mask[:, :, None], mask, 41, Warp(shear=45))
    assert np.array_equal(warped[10:31].argmax(axis=1), np.arange(30, 9, -1))


# -- image and mask stay together --------------------------------------------------------------


@pytest.mark.parametrize(
    "warp",
    [
        Warp(),
        Warp(horizontal_flip=True),
        Warp(vertical_flip=True),
        *(Warp(angle=angle) for angle in (-170, -90, -15, 7, 45, 90, 180)),
        *(Warp(scale=scale) for scale in (0.4, 0.7, 1.4, 3.0)),
        *(Warp(shear=shear) for shear in (-30, 10)),
        Warp(shift_down=0.3, shift_right=-0.2),
        Warp(True, False, 10, 30, 0.8, 0.1, -0.1),
    ],
    ids=str,
)
@pytest.mark.parametrize(("height", "width"), [(300, 400), (131, 97)])
def test_image_and_mask_agree(warp: Warp, height: int, width: int) -> None:
    assert share_that_agrees(blobs(height, width), 128, warp) > 0.99


@settings(max_examples=60)
@given(
    warp=st.builds(
        Warp,
        st.booleans(),
        st.booleans(),
        st.floats(-40, 40),
        st.floats(-180, 180),
        st.floats(0.5, 2.0),
        st.floats(-0.4, 0.4),
        st.floats(-0.4, 0.4),
    ),
    height=st.integers(60, 300),
    width=st.integers(60, 300),
)
def test_image_and_mask_agree_whatever_the_warp(warp: Warp, height: int, width: int) -> None:
    assert share_that_agrees(blobs(height, width), 128, warp) > 0.99


@settings(max_examples=40)
@given(
    angle=st.floats(-180, 180),
    scale=st.floats(0.5, 2.0),
    shift=st.floats(-0.2, 0.2),
    flip=st.booleans(),
)
def test_a_gradient_is_moved_to_the_fraction_of_a_pixel(
    angle: float, scale: float, shift: float, flip: bool
) -> None:
    rows, columns = np.mgrid[:64, :64]
    image = np.stack([2 * columns, 2 * rows], axis=2).astype(np.uint8)
    warp = Warp(horizontal_flip=flip, angle=angle, scale=scale, shift_right=shift)
    warped = warp_sample(image, image[..., 0], 64, warp)[0].astype(float) / 2
    # Where the middle of the picture, (32, 32) in edges, goes by the definition of the warp.
    center = 32 + 64 * shift, 32.0
    for x, y in ((20, 40), (32, 32), (40, 25)):
        away = x + 0.5 - center[0], y + 0.5 - center[1]
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        back = (cos * away[0] - sin * away[1]) / scale, (sin * away[0] + cos * away[1]) / scale
        source = 32 + (-back[0] if flip else back[0]) - 0.5, 32 + back[1] - 0.5
        if all(3 < value < 60 for value in source):
            assert warped[y, x] == pytest.approx(source, abs=0.6)


def test_no_value_is_made_up_in_masks() -> None:
    mask = np.where(blobs(90, 120) == 1, 255, 0).astype(np.uint8)
    _, warped = warp_sample(mask[:, :, None], mask, 64, Warp(angle=33, scale=0.6))
    assert set(np.unique(warped)) == {0, 255}


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("side", [40, 61, 150])
def test_every_number_of_channels_goes_through_alike(channels: int, side: int) -> None:
    image, mask = smooth_picture(side, side - 7, 5), blobs(side, side - 7)
    warp = Warp(angle=20, scale=0.8)
    together, _ = warp_sample(np.ascontiguousarray(image[..., :channels]), mask, 32, warp)
    assert together.shape == (32, 32, channels)
    for channel in range(channels):
        alone, _ = warp_sample(np.ascontiguousarray(image[..., [channel]]), mask, 32, warp)
        # OpenCV interpolates in finer steps for 1, 3 and 4 channels than for others.
        np.testing.assert_allclose(together[..., channel], alone[..., 0].astype(int), atol=2)


def test_read_only_arrays_are_taken() -> None:
    image, mask = smooth_picture(30, 20), blobs(30, 20)
    image.flags.writeable = mask.flags.writeable = False
    assert warp_sample(image, mask, 16, Warp(angle=5))[0].shape == (16, 16, 3)


# -- softening ---------------------------------------------------------------------------------


def test_halving_by_hand() -> None:
    image = np.array([[0, 4, 10], [8, 12, 30]], np.uint8)[:, :, None]
    # The odd column is completed by its own reflection: mean of 10, 10, 30, 30.
    assert halve(image)[..., 0].tolist() == [[6, 20]]


def test_softening_twice_is_the_tent_of_half_width_two() -> None:
    image = np.zeros((9, 9, 1), np.uint8)
    image[4, 4] = 160
    softened, halvings = soften(image, shrinking=2.0)
    assert halvings == 0
    # 1 2 1 over 4 along both sides; interpolating between pixels does the rest.
    assert softened[3:6, 3:6, 0].tolist() == [[10, 20, 10], [20, 40, 20], [10, 20, 10]]


def test_what_is_enlarged_is_not_softened() -> None:
    image = smooth_picture(9, 9)
    assert soften(image, shrinking=0.5) == (image, 0)
