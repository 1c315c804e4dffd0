from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.augmentation.augment import PROBABILITIES, Augmentation, augment
from fewmask.data.augmentation.color import ColorChange
from fewmask.data.augmentation.warp import Warp
from fewmask.data.imageio import read_image
from fewmask.errors import ArgumentError
from fewmask.scale import into_frame

ALWAYS = replace(Augmentation(), **dict.fromkeys(PROBABILITIES, 1.0), shear=10.0)


def sample(channels: int = 3) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (60, 80, channels)).astype(np.uint8)
    return image, (image[..., 0] > 128).astype(np.uint8) * 255


def test_none_is_the_frame_rule() -> None:
    columns = np.tile(np.arange(80, dtype=np.uint8) * 3, (60, 1))
    image = np.stack([columns, columns, columns], axis=2)
    patch, _ = augment(image, columns, 40, Augmentation.none(), np.random.default_rng(0))
    assert np.abs(patch - into_frame(image, 40)).max() < 2


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("augmentation", [Augmentation.none(), Augmentation(), ALWAYS])
def test_shapes_and_types(augmentation: Augmentation, channels: int) -> None:
    image, mask = augment(*sample(channels), 32, augmentation, np.random.default_rng(0))
    assert image.shape == (32, 32, channels)
    assert mask.shape == (32, 32)
    assert image.dtype == mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}


def test_equal_chance_gives_equal_bytes_in_any_thread() -> None:
    def make(seed: int) -> bytes:
        image, mask = augment(*sample(), 48, ALWAYS, np.random.default_rng(seed))
        return image.tobytes() + mask.tobytes()

    one_by_one = [make(seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(make, range(12))) == one_by_one
    assert len(set(one_by_one)) == 12


# -- drawing -----------------------------------------------------------------------------------


def test_nothing_is_drawn_for_none() -> None:
    rng = np.random.default_rng(0)
    assert {Augmentation.none().draw(rng) for _ in range(50)} == {(Warp(), ColorChange())}


def test_what_is_drawn_is_within_the_strengths() -> None:
    rng = np.random.default_rng(0)
    warps, changes = zip(*(ALWAYS.draw(rng) for _ in range(500)), strict=True)
    for values, low, high in [
        ([warp.angle % 90 for warp in warps], 0, 90),
        ([warp.scale for warp in warps], 1 / 1.2, 1.2),
        ([warp.shear for warp in warps], -10, 10),
        ([warp.shift_down for warp in warps], -0.1, 0.1),
        ([warp.shift_right for warp in warps], -0.1, 0.1),
        ([change.brightness for change in changes], -0.15, 0.15),
        ([change.contrast for change in changes], 1 / 1.3, 1.3),
        ([change.saturation for change in changes], 1 / 1.4, 1.4),
        ([change.hue for change in changes], -10, 10),
        ([change.gamma for change in changes], 1 / 1.5, 1.5),
        ([change.blur for change in changes], 0, 1.5),
        ([change.low_resolution for change in changes], 1, 2),
        ([change.noise for change in changes], 0, 12),
    ]:
        assert low <= min(values) < max(values) <= high
        # Most of the range is used, to both sides.
        assert min(values) < low + 0.1 * (high - low)
        assert max(values) > high - 0.1 * (high - low)


def test_probabilities_are_shares_of_samples() -> None:
    rng = np.random.default_rng(0)
    drawn = [Augmentation().draw(rng) for _ in range(4000)]
    shares = {
        0.5: [
            [warp.horizontal_flip for warp, _ in drawn],
            [warp.angle != 0 for warp, _ in drawn],
            [warp.scale != 1 for warp, _ in drawn],
            [warp.shift_down != 0 for warp, _ in drawn],
            [change.hue != 0 for _, change in drawn],
        ],
        0.3: [[change.gamma != 1 for _, change in drawn]],
        0.1: [
            [change.blur != 0 for _, change in drawn],
            [change.low_resolution != 1 for _, change in drawn],
            [change.noise != 0 for _, change in drawn],
        ],
    }
    for probability, happened in shares.items():
        assert [sum(one) / 4000 for one in happened] == pytest.approx(
            [probability] * len(happened), abs=0.03
        )


def test_the_four_changes_of_color_come_together() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        _, change = Augmentation().draw(rng)
        happened = {
            change.brightness != 0,
            change.contrast != 1,
            change.saturation != 1,
            change.hue != 0,
        }
        assert len(happened) == 1


def test_quarter_turns_are_all_there() -> None:
    turns_only = replace(Augmentation.none(), quarter_turn=0.75)
    rng = np.random.default_rng(0)
    assert {turns_only.draw(rng)[0].angle for _ in range(100)} == {0, 90, 180, 270}


def test_switching_one_change_off_leaves_the_others_as_they_were() -> None:
    with_shift, _ = Augmentation().draw(np.random.default_rng(8))
    without, change = replace(Augmentation(), rotation_probability=0).draw(np.random.default_rng(8))
    assert replace(with_shift, angle=0.0) == without
    assert change == Augmentation().draw(np.random.default_rng(8))[1]


# -- as plain numbers --------------------------------------------------------------------------


def test_there_and_back_as_plain_numbers() -> None:
    values = ALWAYS.to_json()
    assert all(isinstance(value, float) for value in values.values())
    assert Augmentation.from_json(values) == ALWAYS
    assert Augmentation.from_json({}) == Augmentation()
    assert Augmentation.from_json({"rotation": 180}) == Augmentation(rotation=180)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"vertical_flip": 1.5},
            "augmentation vertical_flip: expected a probability from 0 to 1, found 1.5. "
            "0 switches the change off, 1 does it to every sample.",
        ),
        (
            {"noise_probability": float("nan")},
            "augmentation noise_probability: expected a probability from 0 to 1, found nan. "
            "0 switches the change off, 1 does it to every sample.",
        ),
        (
            {"scale": 0.7},
            "augmentation scale: expected a factor of 1 or more, found 0.7. "
            "Factors run from 1 / scale to scale; 1 switches the change off.",
        ),
        (
            {"shear": 90},
            "augmentation shear: expected an angle from 0 to below 90, found 90. "
            "It goes both ways; 0 switches the change off.",
        ),
        (
            {"rotation": "viel"},
            "augmentation rotation: expected a number of 0 or more, found 'viel'. "
            "It goes both ways; 0 switches the change off.",
        ),
        (
            {"noise": True},
            "augmentation noise: expected a number of 0 or more, found True. "
            "It goes both ways; 0 switches the change off.",
        ),
    ],
)
def test_numbers_out_of_their_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Augmentation.from_json(values)
    assert str(caught.value) == message


def test_a_misspelt_name_is_refused() -> None:
    with pytest.raises(ArgumentError) as caught:
        Augmentation.from_json({"rotate": 5.0, "xoay": 3.0})
    assert str(caught.value).startswith(
        "augmentation: expected names of its numbers, found rotate, xoay. "
        "The names are horizontal_flip, vertical_flip, quarter_turn, rotation, "
    )


# -- real photographs --------------------------------------------------------------------------


@pytest.mark.real
def test_photographs_are_laid_into_the_frame_as_prediction_does(real_data: Path) -> None:
    paths = sorted(path for path in (real_data / "chairs97/images").rglob("*.*") if path.is_file())
    for path in paths[:5]:
        image = read_image(path, channels=3)
        patch, _ = augment(image, image[..., 0], 192, Augmentation.none(), np.random.default_rng(0))
        assert np.abs(patch - into_frame(image, 192)).mean() < 1.5
