import numpy as np
import pytest

from fewmask.data.pixels import as_color, to_8_bit


def test_eight_bits_are_not_copied() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert to_8_bit(image, (0, 255)) is image


def test_eight_bits_of_a_narrow_range_are_stretched() -> None:
    assert to_8_bit(np.array([[[10], [20], [30]]], np.uint8), (10, 30)).ravel().tolist() == [
        0, 128, 255,
    ]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), [(0, 65535), (100, 4095), (7, 7)])
def test_order_is_kept_and_the_ends_are_black_and_white(low: int, high: int) -> None:
    image = np.arange(0, 65536, 13, dtype=np.uint16).reshape(1, -1, 1)
    values = to_8_bit(image, (low, high)).ravel().astype(int)
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    assert values[-1] >= 254


@pytest.mark.parametrize(
    ("channels", "shown"),
    [(1, (10, 10, 10)), (2, (10, 10, 10)), (3, (10, 20, 30)), (5, (10, 20, 30))],
)
def test_any_number_of_channels_can_be_looked_at(
    channels: int, shown: tuple[int, int, int]
) -> None:
    image = np.full((2, 2, channels), np.arange(10, 10 * channels + 1, 10), np.uint8)
    assert (as_color(image) == shown).all()
