import re

import numpy as np
import pytest

from fewmask.errors import ModelError
from fewmask.models.parity import check_parity


def maps(*wrong, side=100):
    """Label maps of `side` × `side` zeros, with as many wrong pixels as told in each."""
    made = []
    for count in wrong:
        labels = np.zeros((side, side), np.uint8)
        labels.ravel()[:count] = 1
        made.append(labels)
    return made


def test_all_pixels_count_together():
    # 15 of 20,000 are wrong: too many for the one image that has them, not for both.
    assert check_parity(maps(0, 0), maps(15, 0), "model.onnx") == 1 - 15 / 20_000


def test_the_limit_itself_passes():
    assert check_parity(maps(0), maps(10), "model.onnx") == 0.999


@pytest.mark.parametrize(("wrong", "share"), [(11, "99.8 %"), (2_000, "80.0 %"), (10_000, "0.0 %")])
def test_fewer_equal_pixels_are_refused_with_their_share(wrong, share):
    sentence = (
        "model.onnx: expected 99.9 % of the pixels labelled as by the trained model, found "
        f"{share} of 10000 pixels. Please report it: the exported model is wrong, and was not "
        "kept."
    )
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        check_parity(maps(0), maps(wrong), "model.onnx")


def test_nothing_compared_is_nothing_shown():
    with pytest.raises(ModelError, match=re.escape("found 0.0 % of 0 pixels")):
        check_parity([], [], "model.onnx")


def test_maps_of_other_sizes_are_refused():
    sentence = (
        "model.onnx: expected a label map of 100 × 100 pixels, found 50 × 50. "
        "Please report it: the exported model is wrong, and was not kept."
    )
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        check_parity(maps(0), maps(0, side=50), "model.onnx")


def test_a_missing_map_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="shorter"):
        check_parity(maps(0, 0), maps(0), "model.onnx")


def test_maps_are_taken_one_at_a_time():
    taken = []

    def make(name):
        for labels in maps(0, 0):
            taken.append(name)
            yield labels

    check_parity(make("first"), make("second"), "model.onnx")
    assert taken == ["first", "second", "first", "second"]
