import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.least_areas import LeastAreas
from fewmask.errors import DataError, RunError
from fewmask.inference.predict import Predictor, load
from fewmask.run import Run
from fewmask.scale import Frame, Pixels

BUNDLE = Bundle(Classes(("background", "red thing")), Frame(256))


def find_red(image):
    red = image[..., 0] > 127
    return red.astype(np.uint8), np.stack([~red, red], axis=2).astype(np.float32)


def test_any_callable_is_a_model():
    made = Predictor(BUNDLE, find_red).predict(np.array([[[9, 0, 0], [200, 0, 0]]], np.uint8))
    assert made.label_map.tolist() == [[0, 1]]
    assert made.probabilities.tolist() == [[[1, 0], [0, 1]]]
    assert (made.classes, made.source) == (BUNDLE.classes, None)


def test_probabilities_are_left_out_where_nobody_asks():
    made = Predictor(BUNDLE, find_red).predict(np.zeros((2, 2, 3), np.uint8), probabilities=False)
    assert made.probabilities is None


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_class_that_covers_too_little_is_not_in_the_label_map(probabilities):
    image = np.zeros((1, 10, 3), np.uint8)
    image[0, 3] = 200
    for share, expected in ((0.1, 1), (0.11, 0)):
        bundle = replace(BUNDLE, least_areas=LeastAreas((0.0, share)))
        predictor = Predictor(bundle, find_red, lambda image: find_red(image)[0])
        made = predictor.predict(image, probabilities=probabilities)
        assert made.label_map[0, 3] == expected
        if probabilities:
            assert made.probabilities[0, 3].tolist() == [0, 1]  # what the model itself says


def test_it_counts_in_the_whole_image_not_in_each_block():
    image = np.zeros((8, 3000, 3), np.uint8)
    image[:, 1500:1700] = 200  # a fifteenth of the image, a fourth of a block or less
    rule = Pixels.near(1.0, size=256)
    for share, expected in ((0.06, 1600), (0.07, 0)):
        least = LeastAreas((0.0, share))
        predictor = Predictor(replace(BUNDLE, scale=rule, least_areas=least), find_red)
        assert predictor.predict(image).label_map.sum() == expected


def test_the_quicker_model_is_asked_when_labels_are_enough():
    def never(image):
        raise AssertionError("the slow model was asked")

    predictor = Predictor(BUNDLE, never, lambda image: find_red(image)[0])
    made = predictor.predict(np.full((1, 2, 3), 255, np.uint8), probabilities=False)
    assert made.label_map.tolist() == [[1, 1]]


def test_file_array_and_pillow_image_are_one_image(tmp_path, write_photo):
    path = write_photo(tmp_path / "một cái ghế (1).png", height=5, width=9)
    predictor = Predictor(BUNDLE, find_red)
    with Image.open(path) as picture:
        three = [predictor.predict(each) for each in (path, np.asarray(picture), picture)]
    for made in three:
        assert made.label_map.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0, 0]] * 5
    assert [made.source for made in three] == [path, None, None]


def test_a_limit_on_pixels(tmp_path, write_photo):
    path = write_photo(tmp_path / "a.png", height=10, width=10)
    with pytest.raises(DataError, match="expected at most 99 pixels, found 10 × 10 = 100"):
        Predictor(BUNDLE, find_red).predict(path, max_pixels=99)


@pytest.mark.parametrize("way", ["folder", "text", "name", "run", "file", "elsewhere"])
def test_the_ways_to_name_a_model(tmp_path, write_run, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    folder = write_run(tmp_path / "runs" / "ghế gỗ")
    elsewhere = tmp_path / "shipped.onnx"
    elsewhere.write_bytes((folder / "model.onnx").read_bytes())
    ways = {
        "folder": folder,
        "text": "runs/ghế gỗ",
        "name": "ghế gỗ",
        "run": Run(folder),
        "file": folder / "model.onnx",
        "elsewhere": elsewhere,
    }
    made = load(ways[way]).predict(np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8))
    assert made.label_map.tolist() == [[0, 1]]


def test_an_unknown_run_tells_which_there_are(tmp_path, write_run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b", "a"):
        write_run(tmp_path / "runs" / name)
    with pytest.raises(
        RunError,
        match=r"^c: expected the folder of a run, found nothing there\. Runs in runs: a, b\.$",
    ):
        load("c")


def test_a_run_of_a_newer_fewmask(tmp_path, write_run):
    folder = write_run(tmp_path / "a", run_format=99)
    with pytest.raises(
        RunError,
        match=re.escape(
            f"{folder}: expected a run in format 1 or older, found format 99, made by a newer "
            "fewmask. Upgrade: pip install --upgrade fewmask"
        ),
    ):
        load(folder)


def test_a_run_that_is_still_training(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(
        RunError,
        match=re.escape(
            f"{tmp_path}: expected a run with a model, found a training whose first epoch has not "
            f"ended. Wait for it, or go on with it: fewmask train --resume {tmp_path}"
        ),
    ):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.keras", "best/weights.npz"])
def test_a_run_with_a_model_for_keras_alone(tmp_path, name):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    (tmp_path / "best").mkdir()
    (tmp_path / name).touch()
    with pytest.raises(
        RunError,
        match=re.escape(
            f"{tmp_path / name}: expected model.onnx beside it, which needs no Keras, found none. "
            "Predict with it by load(..., keras_model=fewmask.training.best.open_model)."
        ),
    ):
        load(tmp_path)


@pytest.mark.parametrize("way", ["run", "file"])
def test_what_opens_a_model_for_keras_is_handed_in(tmp_path, way):
    class Opened:
        bundle = BUNDLE

        def __init__(self, path):
            assert path == tmp_path / "model.keras"

        def __call__(self, image):
            return find_red(image)

    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    (tmp_path / "model.keras").touch()
    predictor = load(tmp_path if way == "run" else tmp_path / "model.keras", keras_model=Opened)
    assert predictor.predict(np.full((1, 1, 3), 255, np.uint8)).label_map.tolist() == [[1]]


def test_the_model_for_keras_is_not_asked_where_there_is_onnx(tmp_path, write_run):
    folder = write_run(tmp_path / "a")
    (folder / "model.keras").touch()
    assert load(folder, keras_model=None).bundle.classes.num_classes == 2
