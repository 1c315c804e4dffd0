"""The script that shows where a class is: both classifiers, in small, and what it says without."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fewmask.data.imageio import read_image, write_png
from fewmask.errors import ArgumentError, DataError, ModelError
from fewmask.models.backend import keras

SCRIPT = Path(__file__).parents[2] / "examples" / "classifier_to_fcn.py"
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="session")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("classifier_to_fcn", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def caches(example: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three homes of Keras: with the whole classifier, the encoder alone, or nothing. The weights
    are drawn, but lie in files as Keras' own do."""
    homes = {name: tmp_path_factory.mktemp(name) for name in ("whole", "encoder", "nothing")}
    for home in homes.values():
        (home / "models").mkdir()
    keras.utils.set_random_seed(0)
    # Whole models in this old format hold their weights as the files of keras.applications do.
    for home, file, top in (("whole", example.WHOLE, True), ("encoder", example.ENCODER, False)):
        drawn = keras.applications.MobileNetV2(weights=None, include_top=top)
        drawn.save(homes[home] / "models" / file)
    index = {str(place): [f"n{place}", f"thing_{place}"] for place in range(1000)}
    (homes["whole"] / "models" / example.NAMES).write_text(json.dumps(index), "utf-8")
    return homes


@pytest.fixture(scope="session")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten red boxes on grey, and their masks."""
    folder = tmp_path_factory.mktemp("data") / "hộp"
    for number in range(10):
        rng = np.random.default_rng(number)
        image = rng.integers(90, 120, (60, 80, 3), np.uint8)
        mask = np.zeros((60, 80), np.uint8)
        top, left = rng.integers(0, 36), rng.integers(0, 50)
        image[top : top + 24, left : left + 30] = (200, 30, 30)
        mask[top : top + 24, left : left + 30] = 255
        write_png(folder / "images" / f"{number}.png", image)
        write_png(folder / "masks" / f"{number}.png", mask)
    return folder


@pytest.fixture
def photo(boxes: Path) -> str:
    return str(boxes / "images" / "0.png")


def test_the_classifier_of_imagenet_shows_the_class_that_is_asked_for(
    example: ModuleType,
    caches: dict[str, Path],
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(caches["whole"]))
    out = tmp_path / "bản đồ.png"
    example.main([photo, "--class", "thing 7", "--size", "96", "--out", str(out)])
    said = capsys.readouterr().out
    assert re.search(r"^The whole photo: thing \d+ 0\.00, thing", said, re.MULTILINE)
    assert re.search(
        r"^Of 2 × 3 places, thing 7 is most probable in row [12], ", said, re.MULTILINE
    )
    assert f"Look at {out}\n" in said
    drawing = read_image(out)
    assert drawing.shape == (64, 2 * 96, 3)
    assert (drawing[:, :96] != drawing[:, 96:]).any()


def test_without_a_name_each_photo_shows_what_it_is_taken_for(
    example: ModuleType,
    caches: dict[str, Path],
    boxes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(caches["whole"]))
    tall = tmp_path / "tall.png"
    write_png(tall, np.rot90(read_image(boxes / "images" / "1.png")).copy())
    arguments = [str(boxes / "images" / "0.png"), str(tall), "--size", "64"]
    example.main([*arguments, "--out", str(tmp_path / "out.png")])
    said = capsys.readouterr().out
    taken_for = re.findall(r"The whole photo: (thing \d+)", said)
    assert len(taken_for) == 2
    assert re.findall(r"places, (thing \d+) is", said) == taken_for
    assert read_image(tmp_path / "out.png").shape == (64 + 64, 2 * 64, 3)


def test_with_the_encoder_alone_a_classifier_is_learnt(
    example: ModuleType,
    caches: dict[str, Path],
    boxes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(caches["encoder"]))
    monkeypatch.setattr(example, "DEMO", str(boxes))
    example.main(["--windows", "2", "--size", "64", "--out", str(tmp_path / "out.png")])
    said = capsys.readouterr().out
    folder = caches["encoder"] / "models"
    assert f"No classifier of ImageNet in {folder}. To have it: python -c " in said
    assert re.search(r"On 2 photos held back it is right about [012] of 2 windows", said)
    assert f"It knows photos like those of {boxes} alone; " in said
    assert "The whole photo: " in said
    assert "no foreground" in said
    assert read_image(tmp_path / "out.png").shape == (2 * 64, 2 * 64, 3)


def refusal(example: ModuleType, *arguments: str) -> str:
    with pytest.raises((ArgumentError, DataError, ModelError)) as error:
        example.main(list(arguments))
    return str(error.value)


def test_what_cannot_be_done_is_one_sentence(
    example: ModuleType,
    caches: dict[str, Path],
    boxes: Path,
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(caches["nothing"]))
    folder = caches["nothing"] / "models"
    assert refusal(example, photo) == (
        f"{folder}: expected {example.WHOLE} with {example.NAMES}, or {example.ENCODER}, where "
        "Keras keeps weights, found neither. Put one of them there, or fetch the first, 14 MB, "
        f"by: {example.FETCH}"
    )
    assert refusal(example, str(tmp_path / "none.jpg")).endswith("no such file. Check the path.")

    monkeypatch.setenv("KERAS_HOME", str(caches["whole"]))
    assert refusal(example, photo, "--class", "thing77").startswith(
        "--class: expected one of 1000 classes, found thing77. Try 'thing 77' or "
    )

    monkeypatch.setenv("KERAS_HOME", str(caches["encoder"]))
    dataset = ["--dataset", str(boxes)]
    assert refusal(example, photo, *dataset, "--class", "box") == (
        "--class: expected one of 2 classes, found box. Try 'background' or 'foreground'."
    )
    monkeypatch.setattr(example, "MUCH", 1.1)
    assert refusal(example, photo, *dataset, "--windows", "2") == (
        f"{boxes.name}: expected photos with the object and with room beside it, found 0 windows "
        "with it and 7 without. Name another dataset, or another class of it with --class."
    )

    (caches["nothing"] / "models" / example.ENCODER).write_bytes(b"half a file")
    monkeypatch.setenv("KERAS_HOME", str(caches["nothing"]))
    assert refusal(example, photo, *dataset).startswith(
        f"{folder / example.ENCODER}: expected weights of MobileNetV2, found "
    )


def test_windows_are_chosen_by_what_they_show(example: ModuleType) -> None:
    class Encoder:
        """Remembers the windows it is shown."""

        seen: list[np.ndarray] = []

        def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
            self.seen.extend(images)
            return images.mean(axis=(1, 2))

    class Photos:
        name = "photos"

        def __len__(self) -> int:
            return 3

        def read_image(self, index: int, channels: int) -> np.ndarray:
            return np.repeat(255 * self.read_mask(index)[..., None], channels, axis=2)

        def read_mask(self, index: int) -> np.ndarray:
            mask = np.zeros((50, 70), np.uint8)
            mask[10 * index : 10 * index + 20, 20:40] = 1
            return mask

    encoder = Encoder()
    features, labels = example.see_windows(encoder, Photos(), 1, 4)
    assert labels.tolist() == [0, 0, 1, 1] * 3
    # Where the object is a photo is white, 1 as the encoder sees it, and elsewhere -1.
    shares = (features.mean(axis=1) + 1) / 2
    assert (shares[labels == 0] < 1e-3).all()
    assert (shares[labels == 1] > 0.15).all()


def test_a_heat_map_has_a_place_every_32_pixels(example: ModuleType) -> None:
    pool = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.AveragePooling2D(224, strides=32)]
    )
    photo = np.zeros((96, 128, 3), np.uint8)
    photo[32:64, 64:96] = 255
    heat = example.draw_heat_map(pool, photo, 0)
    assert heat.shape == (3, 4)
    painted = example.paint(photo, np.eye(3, 4, dtype=np.float32))
    assert painted.shape == photo.shape
    assert painted[16, 16].sum() > painted[16, 112].sum()
