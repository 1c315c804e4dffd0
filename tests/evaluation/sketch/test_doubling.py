import numpy as np
import pytest
from tests.evaluation.sketch import planted

from fewmask.evaluation.sketch.doubling import draw_learning_curve, gain_of_doubling
from fewmask.evaluation.sketch.small import SmallSample


def hungry(rng: np.random.Generator) -> SmallSample:
    """Things of forty colours, each of them seldom seen; grounds have forty others."""
    colors = np.random.default_rng(5).integers(0, 256, (80, 3))
    image = np.empty((planted.SIDE, planted.SIDE, 3), np.uint8)
    mask = np.zeros(image.shape[:2], np.uint8)
    image[:] = colors[40 + rng.integers(40)]
    row, column = rng.integers(4, 36, 2)
    image[row : row + 22, column : column + 22] = colors[rng.integers(40)]
    mask[row : row + 22, column : column + 22] = 1
    return SmallSample(image, mask)


def test_a_saturated_dataset_gains_nothing() -> None:
    curve = draw_learning_curve(planted.planted(planted.by_color, 40), 3)
    assert curve.num_images == (4.0, 8.0, 16.0, 32.0)
    assert curve.scores[-1] > 0.95
    assert curve.gain < 0.01
    assert curve.interval.high < 0.02
    assert curve.sentence.startswith("Twice the labels would likely bring +0.00 mean Dice (0.00 to")


def test_a_hungry_dataset_gains_and_the_gain_comes() -> None:
    few, many = planted.planted(hungry, 40), planted.planted(hungry, 80)
    curve = draw_learning_curve(few, 2)
    assert curve.interval.low > 0.01
    twice = draw_learning_curve(many, 2)
    came = twice.scores[-1] - curve.scores[-1]
    assert came > 0.01
    assert curve.gain == pytest.approx(came, abs=0.06)


def test_few_images_say_nothing() -> None:
    curve = draw_learning_curve(planted.planted(planted.by_color, 19), 3)
    assert np.isnan(curve.gain)
    assert curve.sentence == (
        "What twice the labels would bring is not known: 19 images are too few to measure it."
    )


def test_images_without_foreground_say_nothing() -> None:
    samples = [
        SmallSample(sample.image, np.zeros_like(sample.mask))
        for sample in planted.planted(planted.by_color, 20)
    ]
    assert "too few images with foreground" in draw_learning_curve(samples, 2).sentence


def test_features_without_a_cue_say_nothing() -> None:
    def blind(image: np.ndarray) -> np.ndarray:
        return np.zeros((*image.shape[:2], 1), np.float32)

    samples = planted.planted(planted.by_color, 20)
    sentence = draw_learning_curve(samples, 3, features=blind).sentence
    assert "no better than chance" in sentence


def test_a_straight_line_goes_on_and_a_falling_one_does_not() -> None:
    straight, falling = [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]
    np.testing.assert_allclose(
        gain_of_doubling(np.array([straight, falling])), [0.1, 0.0], atol=1e-9
    )


def test_no_gain_leads_beyond_a_perfect_score() -> None:
    assert gain_of_doubling(np.array([[0.65, 0.75, 0.85, 0.95]]))[0] == pytest.approx(0.05)
