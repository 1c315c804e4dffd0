import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import fewmask.cli.predict
import fewmask.cli.watch
import fewmask.inference.predict
from fewmask.bundle import Bundle
from fewmask.cli.predict import predict
from fewmask.data.classes import Classes
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.errors import ArgumentError
from fewmask.inference.predict import Predictor
from fewmask.scale import Frame

BUNDLE = Bundle(Classes(("background", "red thing")), Frame(256))


def find_red(image):
    red = image[..., 0] > 127
    return red.astype(np.uint8), np.stack([~red, red], axis=2).astype(np.float32)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in a folder with three photos, on a model that finds what is red."""
    monkeypatch.chdir(tmp_path)
    predictor = Predictor(BUNDLE, find_red)
    monkeypatch.setattr(fewmask.inference.predict, "load", lambda name, keras_model: predictor)
    for name, red in (("a.png", 2), ("ghế gỗ.png", 4), ("empty.png", 0)):
        image = np.zeros((5, 8, 3), np.uint8)
        image[:, :red, 0] = 255
        Path("photos").mkdir(exist_ok=True)
        Image.fromarray(image).save(Path("photos", name))

    def invoke(*arguments):
        return CliRunner().invoke(predict, ["runs/x", *arguments])

    return invoke


def test_one_photo(run):
    result = run("photos/ghế gỗ.png")
    assert result.exit_code == 0
    assert result.stderr == "Loading runs/x\n"
    assert result.stdout == (
        "photos/ghế gỗ.png\n"
        "  background: 50.0 % of the area\n"
        "  red thing: 50.0 % of the area\n"
        "mask: predicted/ghế gỗ.png\n"
        "overlay: predicted/ghế gỗ.overlay.jpg\n"
        "Have masks of such images? Score the model: fewmask evaluate runs/x FOLDER\n"
    )


def test_many_photos(run):
    result = run("photos", "--out", "kết quả", "--no-overlay", "--probability")
    assert result.exit_code == 0
    assert result.stdout == (
        "3 images predicted, the results are in kết quả\n"
        # 2 and 4 of 8 columns are red
        "  red thing: in 2 of 3, 37.5 % of their area\n"
        "Have masks of such images? Score the model: fewmask evaluate runs/x FOLDER\n"
    )
    assert sorted(path.name for path in Path("kết quả").iterdir()) == [
        "a.png",
        "a.probability.png",
        "empty.png",
        "empty.probability.png",
        "ghế gỗ.png",
        "ghế gỗ.probability.png",
    ]


def test_json_alone_is_on_the_standard_output(run):
    told = json.loads(run("photos/a.png", "--json").stdout)
    assert told == {
        "out": "predicted",
        "written": [
            {
                "image": "photos/a.png",
                "mask": "predicted/a.png",
                "overlay": "predicted/a.overlay.jpg",
                "probability": None,
                "area_shares": {"background": 0.75, "red thing": 0.25},
            }
        ],
        "failed": [],
    }


def test_a_corrupt_photo_is_told_at_the_end(run):
    Path("photos/bad.jpg").touch()
    result = run("photos")
    assert result.exit_code == 2
    assert "3 images predicted" in result.stdout
    _, count, failure = filter(None, result.stderr.splitlines())
    assert count == "1 image could not be predicted:"
    assert failure.startswith("  photos/bad.jpg: expected ")


def test_the_failures_in_json(run):
    Path("photos/bad.jpg").touch()
    result = run("photos/bad.jpg", "--json")
    (failure,) = json.loads(result.stdout)["failed"]
    assert failure["image"] == "photos/bad.jpg"
    assert failure["error"].startswith("photos/bad.jpg: expected ")
    assert result.exit_code == 2


def test_a_thousand_failures_are_not_a_thousand_lines(run):
    for number in range(30):
        Path(f"photos/{number}.jpg").touch()
    lines = list(filter(None, run("photos").stderr.splitlines()))
    assert len(lines) == 2 + 10 + 1
    assert lines[-1] == "  and 20 more; --json lists them all"


def test_earlier_results_are_kept_unless_told_otherwise(run):
    assert run("photos").exit_code == 0
    assert isinstance(run("photos").exception, ArgumentError)
    assert run("photos", "--overwrite").exit_code == 0


def test_a_limit_on_pixels(run):
    result = run("photos/a.png", "--max-pixels", "39")
    assert "expected at most 39 pixels, found 5 × 8 = 40" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["a.png", "--max-pixels", "0"], ["a.png", "--wat"]])
def test_what_cannot_be_understood(run, arguments):
    assert run(*arguments).exit_code == 2


def test_the_help_tells_the_limit_and_an_example(run):
    told = CliRunner().invoke(predict, ["--help"]).output
    assert f"[default: {DEFAULT_MAX_PIXELS}]" in " ".join(told.split())
    assert "Example: fewmask predict" in told


def test_many_photos_are_counted_for_those_who_wait(run, monkeypatch):
    seen = []
    monkeypatch.setattr(
        fewmask.cli.watch.Watch, "_bar", lambda self, what, *rest: seen.append((what, *rest[:2]))
    )
    run("photos")
    assert seen == [("predicting", 1, 3), ("predicting", 2, 3), ("predicting", 3, 3)]


def test_one_photo_starts_no_bar(run, monkeypatch):
    monkeypatch.setattr(fewmask.cli.watch, "Watch", None)
    assert run("photos/a.png").exit_code == 0


def test_a_run_without_onnx_is_predicted_by_keras(run, monkeypatch):
    handed = []

    def load(name, keras_model):
        handed.append(keras_model)
        return Predictor(BUNDLE, find_red)

    monkeypatch.setattr(fewmask.inference.predict, "load", load)
    assert run("photos/a.png").exit_code == 0
    assert handed == [fewmask.cli.predict.load_keras_model]
