"""A training on patches from beginning to end, on images from 20 to 900 pixels."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.data.imageio import write_png
from fewmask.inference.predict import load
from fewmask.inference.runtime import OnnxModel
from fewmask.models.saving import KerasModel
from fewmask.run import Run
from fewmask.scale import Pixels
from fewmask.training.train import resume, train

SIZES = {
    "train": [(20, 20), (300, 280), *[(60, 50)] * 8],
    "test": [(20, 20), (620, 900), (61, 50)],
}
TINY = {"model": "unet", "width": 4, "depth": 1, "size": 32, "epochs": 2, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in two parts, with discs of one size however large the image is."""
    folder = tmp_path_factory.mktemp("đĩa")
    rng = np.random.default_rng(0)
    for part, sizes in SIZES.items():
        for number, (height, width) in enumerate(sizes):
            y, x = np.mgrid[:height, :width]
            mask = np.zeros((height, width), np.uint8)
            for _ in range(1 + height * width // 6000):
                row, column = rng.integers(0, height), rng.integers(0, width)
                mask[(y - row) ** 2 + (x - column) ** 2 < 49] = 255
            noise = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
            image = np.where(mask[..., None] > 0, noise + np.uint8(180), noise)
            write_png(folder / part / "images" / f"{number}.png", image)
            write_png(folder / part / "masks" / f"{number}.png", mask)
    return folder


@pytest.fixture(scope="module")
def trained(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    said: list[str] = []

    def listen(event: Any) -> None:
        said.extend([event.text] if hasattr(event, "text") else [])

    runs = tmp_path_factory.mktemp("runs")
    return train(discs, runs=runs, scale=1.0, listener=listen, **TINY), said


def test_the_plan_holds_every_number(trained: tuple[Run, list[str]]) -> None:
    run, said = trained
    plan = run.plan()
    assert plan["pixels"] == {
        "rule": "pixels",
        "scale": 1.0,
        "tile": 32,
        "overlap": 8,
        "block": 504,
        "block_in_image": 504,
    }
    assert (plan["size"], plan["foreground_share"], plan["batch_size"]) == (32, 0.5, 4)
    # both sentences, and how much there is to learn
    assert [sentence for sentence in said if sentence.startswith("scale 1: patches of 32 pix")]
    assert [sentence for sentence in said if "centred on foreground" in sentence]
    assert tomllib.loads((run.folder / "plan.toml").read_text("utf-8")) == plan


def test_it_learns_and_is_scored_on_whole_images(trained: tuple[Run, list[str]]) -> None:
    scores = trained[0].read_json("scores.json")
    assert [image["sample"].rpartition("/")[2] for image in scores["images"]] == ["0", "1", "2"]
    assert scores["mean_dice"] > 0.6
    assert all(row["validation_dice"] > 0 for row in trained[0].epochs())


def test_both_files_know_their_scale_and_blocks_agree_with_the_whole(
    trained: tuple[Run, list[str]], discs: Path
) -> None:
    folder = trained[0].folder
    predictor = load(folder)
    assert predictor.bundle.scale == Pixels(32, 8, 504, 504)
    assert KerasModel(folder / "model.keras").bundle == predictor.bundle
    large = discs / "test" / "images" / "1.png"
    told: list[tuple[int, int]] = []
    tiled = predictor.predict(large)
    predictor.predict_pixels(tiled.image, progress=lambda *now: told.append(now))
    assert told == [(1, 2), (2, 2)]
    labels, maps = OnnxModel(folder / "model.onnx")(tiled.image)
    np.testing.assert_allclose(tiled.probabilities, maps, atol=1e-5)
    assert (labels == tiled.label_map).mean() > 0.9999


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 20, 3), (31, 33, 3)])
def test_images_smaller_than_a_patch_are_predicted(
    trained: tuple[Run, list[str]], shape: tuple[int, ...]
) -> None:
    made = load(trained[0].folder).predict(np.full(shape, 200, np.uint8))
    assert made.label_map.shape == shape[:2]


def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    trained: tuple[Run, list[str]], discs: Path, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def kill(event: Any) -> None:
        if getattr(event, "row", None):
            raise Killed

    with pytest.raises(Killed):
        train(discs, name="again", runs=tmp_path, scale=1.0, listener=kill, **TINY)
    again = resume(tmp_path / "again", listener=lambda event: None)
    kept = ("loss", "validation_loss", "validation_dice")
    for before, after in zip(trained[0].epochs(), again.epochs(), strict=True):
        assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert not (again.folder / "copies").exists()
