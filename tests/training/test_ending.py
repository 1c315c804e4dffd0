"""What the end of a training is thought to take, by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from fewmask.scale import Pixels
from fewmask.training.ending import (
    A_FILE,
    A_PIXEL,
    A_PIXEL_AGAIN,
    A_PIXEL_OF_A_CLASS,
    A_PIXEL_READ,
    A_PIXEL_RESAMPLED,
    EXPORT,
    Ending,
)
from fewmask.training.plan import Plan
from fewmask.training.probe import Speed


def test_leaving_classes_out_takes_its_time(make_tiny_plan: Callable[..., Plan]) -> None:
    once = replace(make_tiny_plan(), try_mirrored=False)
    twice = replace(once, try_mirrored=True)
    twice = replace(twice, augmentation=replace(once.augmentation, horizontal_flip=0.5))
    sizes = ((300, 400),) * 5
    ending = Ending(sizes, sizes, sizes)
    may = replace(ending, may_leave_out=True)
    speed = Speed(step=0.4, look=0.02)
    # One form, which would not have been tried: 5 looks at 5 images and their masks.
    more = may.seconds(once, speed, building=1.0) - ending.seconds(once, speed, building=1.0)
    tried = 5 * 0.02 + 10 * A_FILE + 5 * 300 * 400 * (A_PIXEL + A_PIXEL_AGAIN)
    assert more == pytest.approx(tried)
    # Two forms, tried anyway: each is only scored once more.
    more = may.seconds(twice, speed, building=1.0) - ending.seconds(twice, speed, building=1.0)
    assert more == pytest.approx(2 * 5 * 300 * 400 * A_PIXEL_AGAIN)


def test_so_does_the_way_to_another_scale_and_back(make_tiny_plan: Callable[..., Plan]) -> None:
    plan = replace(make_tiny_plan(), try_mirrored=False)
    ending = Ending(((480, 480),) * 3, (), ())
    speed = Speed(step=0.4, look=0.02)
    halved = replace(plan, pixels=Pixels(tile=32, overlap=8, block=240, block_in_image=480))
    same = replace(plan, pixels=Pixels(tile=32, overlap=8, block=240, block_in_image=240))
    # 3 images of 10 × 10 tiles, or of 20 × 20; both model files look at one image of them, the
    # one for Keras three times as long.
    for scaled, tiles, pixels in ((halved, 100, 3 * 480 * 480), (same, 400, 0)):
        seconds = ending.seconds(scaled, speed, building=1.0)
        looks = (3 + 4) * tiles * 0.02
        assert seconds == pytest.approx(EXPORT + looks + 7 * A_FILE + pixels * A_PIXEL_RESAMPLED)


@pytest.mark.parametrize("num_classes", [2, 5])
def test_so_do_photographs_of_a_telephone(
    num_classes: int, make_tiny_plan: Callable[..., Plan]
) -> None:
    plan = replace(make_tiny_plan(), try_mirrored=False)
    plan = replace(plan, model=replace(plan.model, num_classes=num_classes))
    speed = Speed(step=0.4, look=0.02)

    def seconds(sizes: Sequence[tuple[int, int]]) -> float:
        return Ending(sizes, (), sizes).seconds(plan, speed, building=0.1)

    # The first million pixels of each count for nothing but their reading.
    more = seconds(((3000, 4000),) * 80) - seconds(((1000, 1000),) * 80)
    each = 11e6 * (num_classes * A_PIXEL_OF_A_CLASS + A_PIXEL_READ)
    assert more == pytest.approx(80 * each, abs=2.0)  # fewer of the large ones are compared
    assert 80 < 80 * each < 200
