from pathlib import Path

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.imageio import read_image
from fewmask.training.samples import COUNT, EDGE, SamplePictures

SIZE = 16
STEP = SIZE + 2 * EDGE


def sheet(folder: Path, count: int, channels: int = 3) -> np.ndarray:
    image = np.full((SIZE, SIZE, channels), 90, np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[4:12, 4:12] = 1
    mask[:2] = 255
    pictures = SamplePictures(
        folder,
        [(image, mask)] * count,
        Classes(("background", "đĩa")),
        lambda place: np.zeros((SIZE, SIZE), np.uint8),
    )
    pictures.draw(epoch=12)
    return read_image(folder / "epoch-0012.jpg")


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 6), (9, COUNT)])
def test_a_column_a_sample_image_over_truth_over_prediction(
    count: int, columns: int, tmp_path: Path
) -> None:
    found = sheet(tmp_path / "samples", count)
    assert found.shape == (3 * STEP, columns * STEP, 3)
    image, truth, prediction = (
        found[EDGE + row * STEP : EDGE + row * STEP + SIZE, EDGE : EDGE + SIZE] for row in range(3)
    )
    # JPEG keeps no value exactly: it lets a view's edge shine into it a little.
    inner = (slice(2, 14), slice(2, 14))
    assert abs(image[inner].astype(int) - 90).max() < 30
    assert abs(prediction[inner].astype(int) - 90).max() < 30  # nothing is laid over it
    assert (abs(truth[6:10, 6:10].astype(int) - 90).max(axis=2) > 40).all()
    assert abs(truth[:1, 4:12].astype(int) - 90).max() < 60  # what does not count is background
    assert (found[:1] > 200).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_pictures_of_other_channels_are_shown_too(channels: int, tmp_path: Path) -> None:
    assert sheet(tmp_path, 1, channels).shape == (3 * STEP, STEP, 3)
