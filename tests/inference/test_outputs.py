import re

import numpy as np
import pytest
from PIL import Image

from fewmask.data.classes import Classes
from fewmask.errors import ArgumentError, FewmaskError
from fewmask.inference.outputs import Prediction

TWO = Classes(("background", "chair"))
THREE = Classes(("background", "chair", "table"))


def prediction(classes=TWO, height=4, width=5):
    label_map = np.zeros((height, width), np.uint8)
    label_map[0, :2] = 1
    one = np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)
    rest = [np.zeros_like(one)] * (classes.num_classes - 2)
    image = np.full((height, width, 3), 90, np.uint8)
    return Prediction(image, label_map, classes, np.stack([1 - one, one, *rest], axis=2))


def test_area_shares_by_hand():
    # 2 of 20 pixels are chair, none is table
    assert prediction(THREE).area_shares() == {"background": 0.9, "chair": 0.1, "table": 0.0}


def test_the_saved_mask_holds_class_ids_and_colours(tmp_path):
    path = tmp_path / "mặt nạ ghế.png"
    prediction().save(path)
    with Image.open(path) as mask:
        assert mask.mode == "P"
        assert mask.getpalette()[:6] == [0, 0, 0, *TWO.colors[1]]
        np.testing.assert_array_equal(np.asarray(mask), prediction().label_map)


@pytest.mark.parametrize("name", ["mask.jpg", "mask", "mask.tif"])
def test_a_mask_is_a_png(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(
        ArgumentError,
        match=re.escape(
            f"{path}: expected a name that ends in .png, found {name}. "
            "Other formats change class ids or lose their colours."
        ),
    ):
        prediction().save(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.png"])
def test_the_overlay_as_a_file(tmp_path, name):
    made = prediction(height=32, width=48)
    made.save_overlay(tmp_path / name)
    with Image.open(tmp_path / name) as picture:
        assert (picture.size, picture.mode) == ((48, 32), "RGB")
        difference = np.abs(np.asarray(picture).astype(int) - made.overlay())
    assert difference.max() == 0 if name == "a.png" else difference.mean() < 5


def test_an_overlay_needs_a_picture_name(tmp_path):
    with pytest.raises(ArgumentError, match=r"ends in \.jpg or \.jpeg or \.png, found a\.bmp"):
        prediction().save_overlay(tmp_path / "a.bmp")


def test_the_opacity_has_a_range():
    with pytest.raises(
        ArgumentError, match=r"^opacity: expected a number from 0 to 1, found 40\. Try 0\.4\.$"
    ):
        prediction().overlay(40)


def test_probabilities_of_two_classes_are_a_16_bit_picture(tmp_path):
    made = prediction()
    made.save_probability(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as picture:
        stored = np.asarray(picture)
    assert (stored[0, 0], stored[-1, -1]) == (0, 65535)
    np.testing.assert_allclose(stored / 65535, made.probabilities[..., 1], atol=1e-5)


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_probabilities_of_any_number_of_classes_are_an_npz(tmp_path, classes):
    made = prediction(classes)
    made.save_probability(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as stored:
        assert tuple(stored["classes"]) == classes.names
        np.testing.assert_allclose(stored["probabilities"], made.probabilities, atol=5e-4)


def test_probabilities_of_three_classes_fit_no_picture(tmp_path):
    with pytest.raises(
        ArgumentError,
        match=re.escape(
            "expected a name that ends in .npz, found p.png. "
            "It holds the probabilities of 3 classes."
        ),
    ):
        prediction(THREE).save_probability(tmp_path / "p.png")


def test_probabilities_that_were_not_asked_for(tmp_path):
    made = Prediction(prediction().image, prediction().label_map, TWO)
    with pytest.raises(
        ArgumentError,
        match=r"^probabilities: expected the probability of each class, found a prediction made "
        r"without\. Predict with probabilities=True\.$",
    ):
        made.save_probability(tmp_path / "p.png")


@pytest.mark.parametrize("save", ["save", "save_overlay", "save_probability"])
def test_a_folder_that_cannot_be_made(tmp_path, save):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FewmaskError, match="expected to be written, found the system refused"):
        getattr(prediction(), save)(tmp_path / "file" / "a.png")


@pytest.mark.parametrize(("height", "width"), [(4, 5), (1500, 3), (512, 2048)])
def test_notebooks_show_the_overlay_no_larger_than_needed(height, width):
    import io

    with Image.open(io.BytesIO(prediction(height=height, width=width)._repr_png_())) as picture:
        assert picture.format == "PNG"
        assert max(picture.size) == min(1024, max(height, width))
