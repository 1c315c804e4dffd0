"""The files of `benchmarks/peers` that need no packages of their own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import ours
import pixel_features
import pytest
import story_2017
from task import Task, predict_all, read_image, read_mask, read_samples

import fewmask
from fewmask.data.imageio import write_png
from fewmask.data.parts import assign_parts


def make_task(folder: Path, count: int = 6, **changes: object) -> Task:
    """Draws discs, brighter and rougher than the ground, and gives a minute to learn them."""
    down, across = np.mgrid[:48, :64]
    for number in range(count):
        random = np.random.default_rng(number)
        row, column = random.integers(15, 33), random.integers(15, 49)
        disc = (down - row) ** 2 + (across - column) ** 2 < 100
        noise = random.normal(0, np.where(disc, 30, 5)[..., None], (48, 64, 3))
        image = (np.where(disc, 120, 100)[..., None] + noise).clip(0, 255)
        write_png(folder / "train/images" / f"{number}.png", image.astype(np.uint8))
        write_png(folder / "train/masks" / f"{number}.png", disc.astype(np.uint8))
    (folder / "train/fewmask.toml").write_text('classes = ["ground=0", "disc=1"]', "utf-8")
    facts: dict[str, object] = {
        "folder": folder / "train", "out": folder / "out", "cache": folder, "minutes": 1.0,
        "began": time.time(), "seed": 0, "scratch": False,
        "names": ("ground", "disc"), "ignore_index": None, "view": "whole", "num_test": 3,
    }  # fmt: skip
    (folder / "out").mkdir()
    return Task(**{**facts, **changes})  # type: ignore[arg-type]


def test_label_maps_are_written_for_every_image_under_its_name(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    predict_all(lambda path: read_image(path)[..., 0] > 110, task.folder / "images", tmp_path / "p")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        f"{number}.png" for number in range(6)
    ]
    image, mask = read_samples(task)[2]
    assert image.shape == (48, 64, 3)
    assert np.array_equal(read_mask(tmp_path / "p" / "2.png"), image[..., 0] > 110)
    assert set(np.unique(mask)) == {0, 1}


def test_the_clock_begins_before_the_tool_does(tmp_path: Path) -> None:
    task = make_task(tmp_path, began=time.time() - 15, minutes=0.5)
    assert 5 < task.seconds_left() < 15  # ten seconds for a machine that has much else to do
    assert 0.5 <= task.share_used() < 0.9
    assert make_task(tmp_path / "late", began=time.time() - 99, minutes=0.5).share_used() == 1


def test_fewmask_trains_on_the_whole_training_part_and_on_nothing_else(tmp_path: Path) -> None:
    task = make_task(tmp_path, num_test=8)
    ours.hand_over(task, tmp_path / "given")
    parts = assign_parts(fewmask.load_dataset(tmp_path / "given"))
    learnt = [*parts.train, *(parts.validation or [])]
    assert sorted(row.image for row in learnt) == [f"images/{number}.png" for number in range(6)]
    # As many stand in as there are test images; each is a training image.
    assert len(parts.test) == 8
    contents = {path.read_bytes() for path, _ in task.samples()}
    assert {parts.test.image_path(place).read_bytes() for place in range(8)} == contents


def test_features_are_exact_on_a_parabola() -> None:
    down, across = np.mgrid[:120, :140].astype(np.float32)
    plane = 0.5 * across**2 + 0.25 * down**2 + 0.1 * across * down
    for scale in pixel_features.SCALES[1:]:
        made = [each[60, 70] for each in pixel_features.features_at(plane, scale)]
        smooth, laplacian, gradient, difference, *eigenvalues = made
        dx, dy = 70 + 0.1 * 60, 0.5 * 60 + 0.1 * 70
        assert laplacian == pytest.approx(1.5, rel=1e-2)
        assert gradient == pytest.approx(np.hypot(dx, dy), rel=1e-3)
        assert smooth > plane[60, 70]
        assert difference > 0
        large, small = np.linalg.eigvalsh([[1, 0.1], [0.1, 0.5]])[::-1]
        assert eigenvalues[2:] == pytest.approx([large, small], rel=2e-2)
        assert eigenvalues[0] == pytest.approx(dx**2 + dy**2, rel=2e-2)
        assert eigenvalues[0] > eigenvalues[1] >= 0


def test_a_feature_depends_on_nothing_beyond_the_margin() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 40, 3), np.uint8)
    top, bottom, margin = 80, 120, pixel_features.MARGIN
    strip = image[top - margin : bottom + margin]
    whole = list(pixel_features.features(image))
    assert len(whole) == pixel_features.count_features(3)
    for one, other in zip(whole, pixel_features.features(strip), strict=True):
        np.testing.assert_allclose(one[top:bottom], other[margin:-margin], rtol=1e-4, atol=1e-3)


def test_a_forest_learns_discs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forest = pytest.importorskip("forest", reason="needs scikit-learn: make test brings it")
    monkeypatch.setattr(forest, "PIXELS_A_MINUTE", 3_000)
    monkeypatch.setattr(forest, "TREES", 20)
    task = make_task(tmp_path, 6)
    predict = forest.train(task)
    image, mask = task.samples()[0]
    found, truth = predict(image), read_mask(mask)
    assert 2 * (found * truth).sum() / (found.sum() + truth.sum()) > 0.9
    assert np.array_equal(forest.train(task)(image), found)


def test_the_forest_draws_no_pixel_that_does_not_count(tmp_path: Path) -> None:
    forest = pytest.importorskip("forest", reason="needs scikit-learn: make test brings it")
    task = make_task(tmp_path, 1, ignore_index=0)
    table, ids = forest.draw_pixels(task, *task.samples()[0], 10_000)
    assert set(ids) == {1}
    assert table.shape == (len(ids), pixel_features.count_features(3))


def test_the_recipe_of_2017_takes_masks_of_several_classes(tmp_path: Path) -> None:
    story = story_2017.load_story()
    task = make_task(tmp_path, names=("ground", "sky", "sea"), ignore_index=255)
    change = story_2017.with_masks_of_several(story, task)
    image = np.zeros((300, 300, 3), np.float32)
    mask = np.zeros((300, 300, 1), np.float32)
    for value, column, color in ((1, 60, 50), (2, 120, 150), (255, 180, 250)):
        mask[60:240, column : column + 60] = value
        image[60:240, column : column + 60] = color
    for _ in range(10):
        changed, ids = change(story.train_process)((image, mask))
        assert changed.shape == (256, 256, 3)
        assert ids.shape == (256, 256, 1)
        assert set(np.unique(ids)) == {0, 1, 2, 255}
        # Whatever the grey levels have become, each class has kept to its own.
        for value in (1, 2, 255):
            assert np.ptp(np.percentile(changed[ids[..., 0] == value], (10, 90))) < 20
    small, ids = change(story.validation_process)((image, mask))
    assert np.array_equal(np.unique(ids), [0, 1, 2, 255])
    assert (small[ids[..., 0] == 2].mean() - 150) ** 2 < 9


@pytest.fixture
def small_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe of 2017 with a network of a few weights, on small squares."""
    story, build = story_2017.load_story(), fewmask.unet

    def build_small(*_: int, out_channels: int = 1, **__: object) -> object:
        return build(1, 4, out_channels=out_channels)

    monkeypatch.setattr(story, "SIZE", 32)
    monkeypatch.setattr(story_2017, "load_story", lambda: story)
    monkeypatch.setattr(fewmask, "unet", build_small, raising=False)


@pytest.mark.usefixtures("small_story")
@pytest.mark.parametrize("names", [("ground", "disc"), ("ground", "disc", "sea")])
def test_the_recipe_of_2017_predicts_its_classes(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_2017, "EPOCHS", 2)
    task = make_task(tmp_path, names=names)
    (task.folder / "fewmask.toml").write_text(
        f"classes = {[f'{name}={value}' for value, name in enumerate(names)]}", "utf-8"
    )
    label_map = story_2017.train(task)(task.samples()[0][0])
    assert label_map.shape == (48, 64)
    assert set(np.unique(label_map)) <= set(range(len(names)))


@pytest.mark.usefixtures("small_story")
def test_the_recipe_of_2017_ends_with_the_minutes(tmp_path: Path) -> None:
    task = make_task(tmp_path, began=time.time() - 57)
    story_2017.train(task)
    assert task.seconds_used() < 157
    assert len(list(task.out.glob("best-*.weights.h5"))) == 1
