"""Whatever comes: a sensible plan for a budget, or one clear sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from fewmask.data.imageio import encode_jpeg, write_png
from fewmask.errors import FewmaskError
from fewmask.training import preparation
from fewmask.training.plan import Plan
from fewmask.training.preparation import plan
from fewmask.training.probe import Speed

Draw = Callable[[int, int], NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def _a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that is measured at once: 20 images a second at 256 pixels."""

    def probe(size: int) -> Speed:
        return Speed(0.4 * (size / 256) ** 2, 0.02 * (size / 256) ** 2)

    monkeypatch.setattr(preparation, "make_probe", lambda *_: probe)


def box(height: int, width: int) -> NDArray[np.uint8]:
    """A mask of 0 and 255 whose box has a sixteenth of the pixels."""
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : width // 2] = 255
    return mask


def make(folder: Path, count: int, height: int, width: int, draw: Draw = box) -> Path:
    """Writes pictures of noise whose masks are all the same."""
    rng = np.random.default_rng(0)
    for number in range(count):
        write_png(
            folder / "images" / f"{number}.png",
            rng.integers(0, 256, (height, width, 3)).astype(np.uint8),
        )
        write_png(folder / "masks" / f"{number}.png", draw(height, width))
    return folder


def planned(folder: Path, **asked: Any) -> Plan:
    arguments: dict[str, Any] = {"budget": "5m", "model": "unet"}
    return plan(folder, listener=lambda event: None, **{**arguments, **asked})


def test_three_images(tmp_path: Path) -> None:
    made = planned(make(tmp_path, 3, 48, 48))
    assert (made.size, made.batch_size) == (64, 4)
    assert made.learning_rate == 3e-3


@pytest.mark.slow
def test_five_thousand_images(tmp_path: Path) -> None:
    make(tmp_path, 1, 20, 20)
    for kind in ("images", "masks"):
        for number in range(1, 5000):
            shutil.copy(tmp_path / kind / "0.png", tmp_path / kind / f"{number}.png")
    made = planned(tmp_path, budget="1h")
    assert made.size == 64
    assert made.pace.last_step > 10_000
    # A thousand test images are scored and 3950 masks read again.
    assert any(" are kept for model files, scores and report." in each for each in made.reasons)


def test_images_of_twenty_pixels(tmp_path: Path) -> None:
    made = planned(make(tmp_path, 12, 20, 20))
    assert (made.size, made.pixels) == (64, None)


@pytest.mark.slow
def test_images_of_48_megapixels(tmp_path: Path) -> None:
    mask = np.zeros((6000, 8000), np.uint8)
    mask[:, 100:103] = 255
    photo = encode_jpeg(np.full((6000, 8000, 3), 90, np.uint8), quality=50)
    for name in ("a", "b"):
        write_png(tmp_path / "masks" / f"{name}.png", mask)
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{name}.jpg").write_bytes(photo)
    made = planned(tmp_path, budget="1h")
    assert made.pixels is not None
    assert made.pixels.scale == 1.0
    assert made.size <= 384


def test_almost_nothing_but_background(tmp_path: Path) -> None:
    def speck(height: int, width: int) -> NDArray[np.uint8]:
        mask = np.zeros((height, width), np.uint8)
        mask[100:108, 300:308] = 255
        return mask

    made = planned(make(tmp_path, 12, 200, 320, speck))
    assert made.pixels is not None  # 0.1 % of the pixels, 8 of 320 wide
    assert made.foreground_share is not None
    assert made.foreground_share >= 1 / 3


def test_forty_classes(tmp_path: Path) -> None:
    def stripes(height: int, width: int) -> NDArray[np.uint8]:
        return np.repeat(np.arange(40, dtype=np.uint8), width * 2).reshape(height, width)

    made = planned(make(tmp_path, 12, 80, 96, stripes))
    assert made.model.num_classes == 40
    assert made.model.out_channels == 40


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint16, 1), (np.uint8, 8), (np.uint16, 8)])
def test_many_bits_or_channels(dtype: Any, channels: int, tmp_path: Path) -> None:
    make(tmp_path, 10, 48, 48)
    rng = np.random.default_rng(0)
    for path in sorted((tmp_path / "images").iterdir()):
        image = rng.integers(0, np.iinfo(dtype).max, (48, 48, channels)).astype(dtype)
        layout = {"planarconfig": "contig"} if channels > 1 else {}
        tifffile.imwrite(
            path.with_suffix(".tif"), image.squeeze(), photometric="minisblack", **layout
        )
        path.unlink()
    made = planned(tmp_path, model="auto", pretrained=False)
    assert (made.model.name, made.model.channels) == ("unet", channels)


def even(height: int, width: int) -> NDArray[np.uint8]:
    return np.zeros((height, width), np.uint8)


@pytest.mark.parametrize("value", [0, 255])
def test_masks_of_a_single_value(value: int, tmp_path: Path) -> None:
    with pytest.raises(FewmaskError) as error:
        planned(make(tmp_path, 10, 48, 48, lambda *sides: even(*sides) + np.uint8(value)))
    assert str(error.value) == (
        f"masks: expected at least two values to tell apart, found only {value} in all 10 files. "
        "Check that these are the masks and that none are missing."
    )


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        (
            ["wall=0"],
            "--classes: expected at least two classes, the background first, found only 'wall'. "
            'For example: --classes "background=0,chair=255"',
        ),
        (
            ["wall=0", "chair=1"],
            "masks: expected pixels of at least two classes, found only 'wall' in all 10 files. "
            "Check that these are the masks and that none are missing.",
        ),
    ],
)
def test_a_single_class(classes: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(FewmaskError) as error:
        planned(make(tmp_path, 10, 48, 48, even), classes=classes)
    assert str(error.value) == sentence


@pytest.mark.parametrize("budget", ["0.4s", "0.01s"])
def test_a_budget_for_nothing_names_the_smallest(budget: str, tmp_path: Path) -> None:
    with pytest.raises(FewmaskError) as error:
        planned(make(tmp_path, 10, 48, 48), budget=budget)
    assert "--budget: expected at least " in str(error.value)
    assert str(error.value).rpartition(" Try ")[2].startswith("--budget ")
