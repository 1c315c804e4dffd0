from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.copies import Copies, Place
from fewmask.training.judge import OUTSIDE
from fewmask.training.plan import Plan
from fewmask.training.views import make_views

MakePlan = Callable[..., Plan]


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """Pictures of 90 × 70 pixels with one thing in a corner, and one of 20 × 20 with none."""
    places, stored = [], b""
    for number, (height, width) in enumerate([(90, 70)] * 4 + [(20, 20)]):
        mask = np.zeros((height, width), np.uint8)
        if height == 90:
            mask[:6, 60:] = 1
        places.append(Place(len(stored), height, width))
        stored += bytes([50 + number]) * (height * width * 3) + mask.tobytes()
    (tmp_path / "copies").write_bytes(stored)
    return Copies(tmp_path / "copies", tuple(places), 3, tuple("abcde"), 90)


def test_whole_images_are_judged_and_shown_as_they_are(
    copies: Copies, make_tiny_plan: MakePlan
) -> None:
    views = make_views(make_tiny_plan(), copies, [2, 3, 4], [0, 1])
    assert views.patches is None
    assert (len(views.judged), list(views.images), views.num_shared) == (2, [0, 1], 2)
    assert len(views.shown) == 5
    np.testing.assert_array_equal(views.shown[1][1], views.judged[1][1])


def test_patches_are_drawn_on_training_images_and_windows_on_the_others(
    copies: Copies, make_tiny_plan: MakePlan
) -> None:
    told = []
    plan = make_tiny_plan(scale=1.0)
    views = make_views(plan, copies, [2, 3, 4], [0, 1], lambda *now: told.append(now))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert views.patches is not None
    assert {index for index, _ in views.patches.draw(1)} <= {2, 3, 4}
    # 90 × 70 pixels take 3 × 3 windows of 32
    assert list(views.images) == [0] * 9 + [1] * 9
    assert views.num_shared == 0


def test_what_is_shown_has_something_to_see_and_no_reflections(
    copies: Copies, make_tiny_plan: MakePlan
) -> None:
    shown = make_views(make_tiny_plan(scale=1.0), copies, [2, 3, 4], [0, 1]).shown
    assert [image[0, 0, 0] for image, _ in shown] == [50, 51, 52, 53, 54]
    for _, mask in shown[:4]:
        assert (mask == 1).sum() == 60
        assert (mask != OUTSIDE).all()
    assert (shown[4][1] == OUTSIDE).sum() == 32 * 32 - 20 * 20


def test_without_validation_images_nothing_is_judged(
    copies: Copies, make_tiny_plan: MakePlan
) -> None:
    views = make_views(make_tiny_plan(scale=1.0), copies, [0, 1], [])
    assert (len(views.judged), list(views.images)) == (0, [])
    assert len(views.shown) == 2
