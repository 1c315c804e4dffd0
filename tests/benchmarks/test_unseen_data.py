from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from quality_cells import UNSEEN
from quality_data import read_decisions
from unseen_data import DATASETS, outlined, putting_into, tiles, weeds

import fewmask


def draw(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return path


def test_what_is_fetched_is_what_is_measured() -> None:
    assert tuple(DATASETS) == UNSEEN
    assert set(UNSEEN) <= set(read_decisions())


def test_weeds_are_read_from_colours_and_judge_once(tmp_path: Path) -> None:
    (tmp_path / "train_test_split.yaml").write_text("train: [1, 2]\ntest: [2, 3]\n", "utf-8")
    annotation = np.zeros((2, 3, 3), np.uint8)
    annotation[0] = [(0, 255, 0), (0, 0, 255), (0, 0, 0)]  # blue, green, red
    for number in (1, 2, 3):
        draw(tmp_path / "annotations" / f"00{number}_annotation.png", annotation)
        draw(tmp_path / "images" / f"00{number}_image.png", annotation + np.uint8(number))
    weeds(tmp_path, putting_into(tmp_path / "weeds"), Random(0))
    dataset = fewmask.load_dataset(tmp_path / "weeds", classes=read_decisions()["weeds"]["classes"])
    assert [row.part for row in dataset] == ["test", "train", "train"]
    assert dataset.read_mask(0).tolist() == [[1, 2, 0], [0, 0, 0]]


def test_tiles_are_the_same_whatever_was_drawn_before(tmp_path: Path) -> None:
    for fault in ("Blowhole", "Break", "Crack", "Fray", "Uneven"):
        for number in range(12):
            image = draw(
                tmp_path / f"MT_{fault}" / "Imgs" / f"exp1_num_{number}.jpg",
                np.full((4, 4), number, np.uint8),
            )
            draw(image.with_suffix(".png"), np.full((4, 4), 255, np.uint8))
    for seed in (0, 1):
        tiles(tmp_path, putting_into(tmp_path / str(seed)), Random(seed))
    first, second = (
        sorted(path.relative_to(tmp_path / seed) for path in (tmp_path / seed).rglob("*.*"))
        for seed in "01"
    )
    assert first == second
    assert len(first) == 2 * 5 * 12
    mask = next((tmp_path / "0" / "test" / "masks").glob("Fray_*.png"))
    assert np.unique(cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)).tolist() == [4]


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("0 0.1 0.1 0.4 0.1 0.4 0.4 0.1 0.4\n", 16),  # a square from (1, 1) to (4, 4), edges too
        ("0 0.1 0.1 0.4 0.1\n", 0),  # a line is no outline
        ("", 0),
    ],
)
def test_outlines_are_filled(tmp_path: Path, text: str, pixels: int) -> None:
    image = draw(tmp_path / "cat.jpg", np.zeros((10, 10, 3), np.uint8))
    (tmp_path / "cat.txt").write_text(text, "utf-8")
    assert np.count_nonzero(outlined(image, tmp_path)) == pixels
