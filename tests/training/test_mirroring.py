import numpy as np
import pytest

import fewmask
from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.imageio import write_png
from fewmask.scale import Frame
from fewmask.training.mirroring import compare_mirrored


@pytest.fixture
def bright_things(tmp_path):
    """Two images of a bright thing on black: one on the left, one on the right."""

    def make(things=(slice(2, 6), slice(14, 18))):
        for number, columns in enumerate(things):
            mask = np.zeros((8, 20), np.uint8)
            mask[2:6, columns] = 1
            write_png(tmp_path / "images" / f"{number}.png", np.stack([mask * 200] * 3, axis=2))
            write_png(tmp_path / "masks" / f"{number}.png", mask)
        return fewmask.load_dataset(tmp_path, classes=["nothing=0", "thing=1"])

    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    return make


BUNDLE = Bundle(Classes(("nothing", "thing")), Frame(20))


def look(model):
    """A network by hand: from what is bright to the logit of a share."""

    def whole(squares):
        shares = np.clip([model(square[..., 0] > 100) for square in squares], 0.001, 0.999)
        return np.log(shares / (1 - shares)).astype(np.float32)[..., None]

    return whole


def half_blind(bright):
    """Is sure of what is on the left, and has hardly a clue of what is on the right."""
    share = np.where(bright, 0.9, 0.0)
    share[:, 10:] = np.where(bright[:, 10:], 0.3, 0.0)
    return share


def test_a_model_that_is_blind_on_one_side_gains_by_the_mirror_image(bright_things):
    seen = []
    scores = compare_mirrored(
        look(half_blind), BUNDLE, bright_things(), lambda *done: seen.append(done)
    )
    assert scores == (0.5, 1.0)
    assert seen == [(1, 2), (2, 2)]


def test_a_model_that_mirror_images_confuse_loses(bright_things):
    def knows_the_right_alone(bright):
        share = np.where(bright, 0.6, 0.0)
        share[:, :10] = np.where(bright[:, :10], 0.2, 0.0)
        return share

    dataset = bright_things((slice(14, 18), slice(15, 19)))
    scores = compare_mirrored(look(knows_the_right_alone), BUNDLE, dataset, lambda *done: None)
    assert scores == (1.0, 0.0)
