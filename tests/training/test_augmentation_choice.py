import math
from typing import Any

from fewmask.data.augmentation.augment import Augmentation
from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.sketch.symmetry import Symmetries, Verdict
from fewmask.training.augmentation_choice import choose_augmentation


def verdict(name: str, allowed: bool, low: float = -0.01, high: float = 0.01) -> Verdict:
    return Verdict(allowed, "measured", 0.8, 0.8 - (low + high) / 2, Interval(low, high), name)


def symmetries(**verdicts: Verdict) -> Symmetries:
    every: dict[str, Any] = {
        name: verdict(name, allowed=True)
        for name in ("left_right", "upside_down", "quarter_turns", "hue")
    }
    return Symmetries(**{**every, **verdicts}, num_images=20, score=0.8, chance=0.4)


def chances(augmentation: Augmentation) -> tuple[float, float, float]:
    return (
        augmentation.horizontal_flip,
        augmentation.vertical_flip,
        augmentation.quarter_turn,
    )


def test_what_the_labels_allow_is_done() -> None:
    chosen, reasons = choose_augmentation(Augmentation(), symmetries(), whole_images=False)
    assert chances(chosen) == (0.5, 0.5, 0.75)
    assert chosen.hue == 90
    assert reasons == ("left_right", "upside_down", "quarter_turns", "hue")


def test_what_they_forbid_is_not() -> None:
    forbidden = {
        name: verdict(name, False, 0.2, 0.3)
        for name in ("left_right", "upside_down", "quarter_turns", "hue")
    }
    chosen, _ = choose_augmentation(Augmentation(), symmetries(**forbidden), whole_images=False)
    assert chances(chosen) == (0, 0, 0)
    assert chosen.hue == Augmentation().hue
    # Nothing else is touched.
    assert chosen.rotation_probability == Augmentation().rotation_probability


def test_whole_images_that_lose_anything_upside_down_stay_upright() -> None:
    found = symmetries(upside_down=verdict("upside_down", True, 0.01, 0.03))
    chosen, reasons = choose_augmentation(Augmentation(), found, whole_images=True)
    assert chances(chosen) == (0.5, 0, 0)
    assert reasons[1] == (
        "Whole images are not put upside down: that costs even a quick model something, "
        "0.020 mean Dice."
    )
    assert reasons[2] == (
        "Images are not turned by right angles: two turns would put them upside down."
    )
    patches, _ = choose_augmentation(Augmentation(), found, whole_images=False)
    assert chances(patches) == (0.5, 0.5, 0.75)


def test_without_a_measurement_the_usual_is_done() -> None:
    nothing = Interval(math.nan, math.nan)
    usual = {
        name: Verdict(name == "left_right", "default", math.nan, math.nan, nothing, name)
        for name in ("left_right", "upside_down", "quarter_turns", "hue")
    }
    chosen, _ = choose_augmentation(Augmentation(), symmetries(**usual), whole_images=True)
    assert chosen == Augmentation()
