"""The script of 2017: its network, its two processing functions, and its story in small."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

import fewmask
from fewmask.data.imageio import read_image, write_png
from fewmask.errors import ArgumentError, DataError

SCRIPT = Path(__file__).parents[2] / "examples" / "chairs_2017.py"
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture
def story() -> ModuleType:
    """The script, imported anew, so that no test sees another's random numbers."""
    spec = importlib.util.spec_from_file_location("chairs_2017", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def draw_boxes(folder: Path, count: int = 24, values: tuple[int, int] = (0, 255)) -> Path:
    """Writes red boxes on grey, and masks."""
    for number in range(count):
        rng = np.random.default_rng(number)
        image = rng.integers(90, 120, (40, 56, 3), np.uint8)
        mask = np.full((40, 56), values[0], np.uint8)
        top, left = rng.integers(2, 16), rng.integers(2, 24)
        image[top : top + 16, left : left + 20] = (200, 30, 30)
        mask[top : top + 16, left : left + 20] = values[1]
        write_png(folder / "images" / f"{number}.png", image)
        write_png(folder / "masks" / f"{number}.png", mask)
    return folder


@pytest.fixture(scope="session")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_boxes(tmp_path_factory.mktemp("data") / "boxes")


@pytest.fixture
def small(story: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script with a network of a few weights."""
    build = fewmask.unet
    monkeypatch.setattr(story, "SIZE", 32)
    monkeypatch.setattr(story.fewmask, "unet", lambda *_, **__: build(1, 4), raising=False)
    return story


def test_image_and_mask_are_changed_alike(story: ModuleType, boxes: Path) -> None:
    dataset = fewmask.load_dataset(boxes)
    image = dataset.read_image(0).astype(np.float32)
    mask = dataset.read_mask(0)[..., None].astype(np.float32) * 255
    changed = []
    for _ in range(40):
        new_image, new_mask = story.train_process((image, mask))
        assert new_image.shape == (256, 256, 3)
        assert new_image.dtype == new_mask.dtype == np.float32
        assert new_mask.shape == (256, 256, 1)
        assert set(np.unique(new_mask)) == {0.0, 1.0}
        # Whatever its hue has become, the box is colourful and the ground is not.
        colorful = cv2.cvtColor(np.ascontiguousarray(new_image), cv2.COLOR_RGB2HSV)[..., 1] > 0.5
        assert (colorful == (new_mask[..., 0] == 1)).mean() > 0.98
        changed.append(new_mask)
    assert len({each.tobytes() for each in changed}) > 15


def test_validation_only_resizes(story: ModuleType, boxes: Path) -> None:
    dataset = fewmask.load_dataset(boxes)
    image = dataset.read_image(0).astype(np.float32)
    mask = dataset.read_mask(0)[..., None].astype(np.float32) * 255
    new_image, new_mask = story.validation_process((image, mask))
    np.testing.assert_array_equal(new_image, cv2.resize(image, (256, 256)))
    assert new_mask.mean() == pytest.approx(mask.mean() / 255, abs=0.01)
    again = story.validation_process((image, mask))
    np.testing.assert_array_equal(new_mask, again[1])


def test_the_hue_goes_round_and_grey_stays_grey(story: ModuleType) -> None:
    grey = np.full((2, 2, 3), 128, np.float32)
    red = np.full((2, 2, 3), (255, 0, 0), np.float32)
    hues = set()
    for _ in range(50):
        new = story.shift_hue_saturation_value(grey)
        assert np.ptp(new) == pytest.approx(0, abs=1e-3)
        assert abs(new.mean() - 128) <= 15.001
        recolored = story.shift_hue_saturation_value(red)
        hues.add(int(cv2.cvtColor(recolored, cv2.COLOR_RGB2HSV)[0, 0, 0]))
    assert all(hue <= 50 or hue >= 309 for hue in hues)
    assert min(hues) < 50
    assert max(hues) > 309


@pytest.mark.slow
def test_two_steps_of_the_story_with_the_network_of_2017(
    story: ModuleType,
    boxes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # On smaller squares it computes less; its 34,614,369 parameters are the same.
    monkeypatch.setattr(story, "SIZE", 64)
    network = story.make_network()
    assert network.count_params() == 34_614_369
    assert type(network.optimizer).__name__ == "RMSprop"
    monkeypatch.setattr(story, "make_network", lambda: network)
    out = tmp_path / "ghế.png"
    story.main([str(boxes), "--epochs", "1", "--steps", "2", "--out", str(out)])
    told = capsys.readouterr().out
    assert read_image(out).shape == (40, 56, 3)
    assert "Folds of 20 to validate and 4 to train." in told
    assert "the same 20 chose the epoch" in told
    assert str(out) in told
    assert told.rstrip().splitlines()[-1].startswith("Next: fewmask train ")
    assert len(list((tmp_path / "ghế").rglob("best-*.weights.h5"))) == 1


def test_started_again_it_goes_on(
    small: ModuleType, boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(epochs: int) -> list[str]:
        out = str(tmp_path / "box.png")
        small.main([str(boxes), "--epochs", str(epochs), "--out", out])
        return re.findall(r"Epoch (\d+)/", capsys.readouterr().out)

    assert tell(2) == ["1", "2"]
    assert tell(4) == ["3", "4"]
    assert tell(4) == []
    assert (tmp_path / "box.png").exists()


def test_two_datasets_do_not_share_what_was_learnt(
    small: ModuleType, boxes: Path, tmp_path: Path
) -> None:
    others = draw_boxes(tmp_path / "others")
    for folder in (boxes, others):
        small.main([str(folder), "--epochs", "1", "--steps", "1", "--out", str(tmp_path / "a.png")])
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"boxes", "others"}


def test_it_says_once_how_long_it_will_take(
    small: ModuleType, boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.main([str(boxes), "--epochs", "6", "--out", str(tmp_path / "a.png")])
    assert capsys.readouterr().out.count("An epoch takes ") == 1


def test_bad_input_is_one_sentence(small: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing there"):
        small.main([str(tmp_path / "nowhere")])
    with pytest.raises(ArgumentError, match="sizes"):
        small.main([str(draw_boxes(tmp_path / "few", count=8))])
    with pytest.raises(DataError, match="expected masks of 0 and 255, found others"):
        small.main([str(draw_boxes(tmp_path / "ids", values=(0, 1)))])


def test_a_dataset_by_its_name_runs_unchanged(
    small: ModuleType, boxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "home" / name))
    fewmask.build("rohan/chairs-with-masks", boxes, license="CC0-1.0")
    seen = []
    process = small.to_0_and_1
    monkeypatch.setattr(small, "to_0_and_1", lambda mask: seen.append(process(mask)) or seen[-1])
    out = tmp_path / "a.png"
    small.main(["rohan/chairs-with-masks", "--epochs", "1", "--steps", "2", "--out", str(out)])
    assert read_image(out).shape == (40, 56, 3)
    assert all(0.05 < mask.mean() < 0.5 for mask in seen), "masks are not empty"


def test_every_line_that_had_to_change_is_told(story: ModuleType) -> None:
    text = str(story.__doc__)
    for old, new in (
        ("brine install", "fewmask install"),
        ("fit_generator", "fit(x="),
        ("generator=", "x="),
        ("epsilon", "min_delta"),
        ("lr=", "learning_rate="),
        (".hdf5", ".weights.h5"),
        ("import keras", "fewmask.models.backend"),
    ):
        assert old in text
        assert new in text


def test_it_reads_like_a_tutorial() -> None:
    assert len(SCRIPT.read_text("utf-8").splitlines()) <= 200
