from collections.abc import Sequence

import numpy as np
import pytest
from tests.evaluation.sketch import planted
from tests.evaluation.sketch.planted import Draw

from fewmask.evaluation.sketch.small import SmallSample
from fewmask.evaluation.sketch.symmetry import Symmetries, Verdict, measure_symmetries

NAMES = ("left_right", "upside_down", "quarter_turns", "hue")


def measured(symmetries: Symmetries) -> dict[str, bool]:
    verdicts: dict[str, Verdict] = {name: getattr(symmetries, name) for name in NAMES}
    return {name: v.allowed for name, v in verdicts.items() if v.basis == "measured"}


@pytest.mark.parametrize(
    ("draw", "num_classes", "expected"),
    [
        (planted.by_side, 3, (False, True, False, True)),
        (planted.by_height, 3, (True, False, False, True)),
        (planted.by_color, 3, (True, True, True, False)),
        (planted.by_shape, 3, (True, True, True, True)),
    ],
)
def test_what_decides_the_class_decides_what_may_be_changed(
    draw: Draw, num_classes: int, expected: Sequence[bool]
) -> None:
    found = measured(measure_symmetries(planted.planted(draw, 16), num_classes))
    assert found == dict(zip(NAMES, expected, strict=True))


def test_a_texture_without_direction_allows_flips_and_turns_but_grey_has_no_hue() -> None:
    symmetries = measure_symmetries(planted.planted(planted.by_texture, 16), 2)
    assert measured(symmetries) == {
        "left_right": True, "upside_down": True, "quarter_turns": True
    }  # fmt: skip
    assert symmetries.hue.sentence == (
        "Colours are not exchanged for others, the usual choice: the images have no colours."
    )


def test_the_side_of_the_light_counts_where_labels_depend_on_it() -> None:
    symmetries = measure_symmetries(planted.planted(planted.by_light), 3)
    assert symmetries.left_right.basis == "measured"
    assert not symmetries.left_right.allowed
    assert symmetries.upside_down.allowed


def test_a_refusal_gives_its_numbers() -> None:
    verdict = measure_symmetries(planted.planted(planted.by_side, 16), 3).left_right
    assert verdict.score > 0.95
    assert verdict.changed_score < 0.05
    assert verdict.loss.low > 0.9
    assert verdict.sentence.startswith(
        "Left and right are not exchanged: held-out images mirrored score 0.0"
    )


def test_few_images_decide_nothing() -> None:
    symmetries = measure_symmetries(planted.planted(planted.by_side, 7), 3)
    assert [getattr(symmetries, name).allowed for name in NAMES] == [
        True,
        False,
        False,
        False,
    ]
    assert np.isnan(symmetries.score)
    assert symmetries.sentences[0] == (
        "Left and right may be exchanged, the usual choice: 7 images are too few to measure it."
    )


def test_many_images_of_few_groups_decide_nothing() -> None:
    samples = [
        SmallSample(sample.image, sample.mask, group=place % 4)
        for place, sample in enumerate(planted.planted(planted.by_side, 12))
    ]
    assert "4 groups of images are too few" in measure_symmetries(samples, 3).left_right.sentence


def test_a_model_that_knows_nothing_decides_nothing() -> None:
    symmetries = measure_symmetries(planted.planted(planted.noise_only, 16), 2)
    assert measured(symmetries) == {}
    assert "no better than chance" in symmetries.left_right.sentence
    assert symmetries.left_right.allowed
    assert not symmetries.upside_down.allowed


def test_classes_that_look_alike_to_the_model_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    samples = []
    for sample in planted.planted(planted.by_side, 16):
        swapped = np.array([0, 2, 1], np.uint8)[sample.mask]
        samples.append(SmallSample(sample.image, swapped if rng.random() < 0.5 else sample.mask))
    symmetries = measure_symmetries(samples, 3)
    assert "cannot tell class 1 from class 2" in symmetries.upside_down.sentence
    assert not symmetries.upside_down.allowed


def test_equal_seeds_give_equal_verdicts() -> None:
    samples = planted.planted(planted.by_shape, 10)
    assert measure_symmetries(samples, 3).sentences == measure_symmetries(samples, 3).sentences


@pytest.mark.parametrize("channels", [1, 8])
def test_any_number_of_channels(channels: int) -> None:
    samples = [
        SmallSample(np.repeat(sample.image[..., :1], channels, axis=2), sample.mask)
        for sample in planted.planted(planted.by_side, 10)
    ]
    found = measured(measure_symmetries(samples, 3))
    assert found["upside_down"]
    assert not found["left_right"]
    assert "hue" not in found
