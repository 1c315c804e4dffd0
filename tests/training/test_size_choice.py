"""Which size a training takes, for machines that are tables."""

import pytest

from fewmask.training.size_choice import choose_size, enough

SIZES = (64, 96, 128, 192, 256, 320, 384)


def choose(shown: dict[int, float], has_time: bool = True) -> tuple[int, list[int]]:
    """Returns the size that is chosen, and what was measured for it."""
    measured: list[int] = []

    def measure(size: int) -> float:
        if size not in measured:
            measured.append(size)
        return shown[size]

    return choose_size(SIZES, measure, lambda: has_time), measured


def by_area(at_256: float) -> dict[int, float]:
    """A machine whose steps take as long as their area is large."""
    return {size: at_256 * (256 / size) ** 2 for size in SIZES}


@pytest.mark.parametrize(
    ("at_256", "size", "measured"),
    [
        (enough(256), 256, [256]),  # 320 would show two thirds as many and want half as many again
        (4 * enough(256), 320, [256, 320]),
        (6 * enough(256), 384, [256, 320, 384]),
        (enough(256) / 4, 128, [256, 128]),  # half the side shows four times as many
        (enough(256) / 1000, 64, [256, 64, 96]),
    ],
)
def test_the_largest_that_shows_enough(at_256: float, size: int, measured: list[int]) -> None:
    assert choose(by_area(at_256)) == (size, measured)


def test_nothing_more_is_measured_without_time() -> None:
    assert choose(by_area(6 * enough(256)), has_time=False) == (256, [256])


def test_small_patches_that_take_long_to_predict_leave_no_time_to_learn() -> None:
    # Many test images: at 64 pixels their tiles take all of the budget.
    shown = dict(zip(SIZES, (-20.0, 90.0, 200.0, 150.0, 40.0, 20.0, 10.0), strict=True))
    # Of what would be enough, 96 shows a quarter, 128 a third, 192 a tenth.
    assert choose(shown) == (128, [256, 64, 96, 128, 192])
    # Without time to look any further it is the better one of the two that were measured.
    assert choose(shown, has_time=False) == (256, [256, 64])


def test_what_shows_as_many_at_a_larger_size_is_taken() -> None:
    # Many large test images: tiles of 96 pixels leave half as much time to learn as those of 256.
    shown = by_area(0.2 * enough(256)) | {96: 380.0, 128: 500.0, 256: 530.0}
    assert choose(shown) == (256, [256, 128, 96])
    assert choose(shown | {256: 370.0, 128: 370.0})[0] == 96


def test_a_machine_that_was_busy_at_first_is_measured_again() -> None:
    shown = by_area(2 * enough(256)) | {256: enough(256) / 4}
    chosen, measured = choose(shown)
    assert measured[:2] == [256, 128]
    assert chosen == 192
