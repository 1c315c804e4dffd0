import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.copies import Copies, Place
from fewmask.scale import into_frame
from fewmask.training.averaging import AveragedWeights
from fewmask.training.judge import OUTSIDE, Judge, Squares, into_square, label_map_of


@pytest.fixture
def wide_copy(tmp_path: Path) -> Copies:
    """One copy of 8 × 16 pixels: a smooth picture, and a mask whose right half is class 1."""
    y, x = np.mgrid[:8, :16]
    image = np.stack([10 * x, 10 * y, 5 * (x + y)], axis=-1).astype(np.uint8)
    mask = (x >= 8).astype(np.uint8)
    path = tmp_path / "copies"
    path.write_bytes(image.tobytes() + mask.tobytes())
    return Copies(path, (Place(0, 8, 16),), 3, ("wide",), 16)


def test_lays_a_copy_where_prediction_lays_its_picture(wide_copy: Copies) -> None:
    image, mask = into_square(wide_copy, 0, 32)
    np.testing.assert_allclose(image[8:24], into_frame(wide_copy.image(0), 32)[8:24], atol=2)
    assert (mask[:8] == OUTSIDE).all()
    assert (mask[24:] == OUTSIDE).all()
    assert np.unique(mask[8:24, :16]).tolist() == [0]
    assert np.unique(mask[8:24, 16:]).tolist() == [1]


def test_squares_are_made_when_they_are_asked_for(wide_copy: Copies) -> None:
    squares = Squares(wide_copy, [0, 0, 0], 32)
    assert len(squares) == 3
    assert len(squares[:2]) == 2
    np.testing.assert_array_equal(squares[2][1], into_square(wide_copy, 0, 32)[1])
    assert len(list(squares)) == 3


def test_decides_the_class_of_a_pixel() -> None:
    logits = np.array([[[0.0, 2.0, 1.0], [3.0, 3.0, 0.0]]], np.float32)
    assert label_map_of(logits).tolist() == [[1, 0]]
    # exactly one half is background
    assert label_map_of(np.array([[[0.0], [0.1]]], np.float32)).tolist() == [[0, 1]]


class Red:
    """A network that finds class 1 where a picture is red; its loss is the share of ones."""

    def __init__(self, data_format: str) -> None:
        self.axis = 1 if data_format == "channels_first" else 3
        self.shift = np.array([0.0], np.float32)

    def predict_on_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        red: NDArray[np.float32] = np.take(batch, [0], axis=self.axis) - 127 + self.shift
        return red

    def loss(self, truth: NDArray[np.uint8], logits: NDArray[np.float32]) -> float:
        assert logits.shape[self.axis] == 1
        return float((truth == 1).mean())

    def get_weights(self) -> list[NDArray[Any]]:
        return [self.shift]

    def set_weights(self, values: list[NDArray[Any]]) -> None:
        self.shift = values[0].copy()


def picture(reds: list[list[int]]) -> NDArray[np.uint8]:
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = reds
    return image


def judge(
    samples: list[Any],
    data_format: str = "channels_first",
    shift: float = 0.0,
    images: list[int] | None = None,
) -> dict[str, float]:
    average = AveragedWeights(every=1, horizon=1)
    judge = Judge(samples, 2, data_format, average, images)
    for callback in (average, judge):
        callback.set_model(Red(data_format))
        average.set_model(judge.model)
    average.update([np.array([shift], np.float32)])
    logs: dict[str, float] = {}
    judge.on_epoch_end(0, logs)
    return logs


SAMPLES = [
    # truth 1 1 / 0 -, found 1 0 / 0 1: Dice 2 · 1 / (2 + 1), where - does not count
    (picture([[255, 0], [0, 255]]), np.array([[1, 1], [0, OUTSIDE]], np.uint8)),
    # all right
    (picture([[255, 0], [0, 0]]), np.array([[1, 0], [0, 0]], np.uint8)),
]


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_measures_the_mean_over_images(data_format: str) -> None:
    logs = judge(SAMPLES, data_format)
    assert logs["validation_dice"] == pytest.approx((2 / 3 + 1) / 2)
    assert logs["validation_loss"] == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_parts_of_one_image_are_one_image() -> None:
    empty = (picture([[0, 0], [0, 0]]), np.zeros((2, 2), np.uint8))
    logs = judge([*SAMPLES, empty], images=[4, 4, 9])
    # found 2 of 3 pixels, all of them right; where nothing is, nothing counts
    assert logs["validation_dice"] == pytest.approx(2 * 2 / (3 + 2))


def test_measures_with_the_averaged_weights() -> None:
    # shifted so far that everything is red: Dice 2·2/(2+3) and 2·1/(1+4)
    assert judge(SAMPLES, shift=500.0)["validation_dice"] == pytest.approx((4 / 5 + 2 / 5) / 2)


def test_without_images_nothing_is_known() -> None:
    assert all(math.isnan(value) for value in judge([]).values())


@pytest.mark.parametrize("shift", [0.0, 500.0])
def test_where_nothing_is_to_be_found_there_is_no_dice_whatever_is_found(shift: float) -> None:
    mask = np.array([[0, 0], [0, OUTSIDE]], np.uint8)
    logs = judge([(picture([[0, 0], [0, 0]]), mask)], shift=shift)
    assert math.isnan(logs["validation_dice"])
    assert logs["validation_loss"] == 0


def test_a_false_alarm_counts_where_another_image_holds_something() -> None:
    empty = (picture([[0, 0], [0, 255]]), np.zeros((2, 2), np.uint8))
    logs = judge([*SAMPLES, empty])
    assert logs["validation_dice"] == pytest.approx((2 / 3 + 1 + 0) / 3)
