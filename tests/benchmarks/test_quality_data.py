"""What `benchmarks/quality_data.py` hands to tools, and what it keeps from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quality_data import DEMO, Prepared, digests, prepare, read_decisions

import fewmask
from fewmask.data.imageio import read_mask_values, write_png

DECIDED = {"classes": ["wall=0", "chair=255"], "test_part": "validation", "view": "whole"}


def draw(folder: Path, part: str, number: int, value: int = 255) -> None:
    random = np.random.default_rng(number)
    mask = np.zeros((20, 30), np.uint8)
    mask[4:12, 5:15] = value
    write_png(folder / "images" / part / f"{number}.png", random.integers(0, 99, (20, 30, 3), "u1"))
    write_png(folder / "masks" / part / f"{number}.png", mask)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(9):
        draw(tmp_path / "data" / "chairs", "val" if number % 3 == 2 else "train", number)
    return tmp_path / "data"


def prepare_chairs(data: Path, decided: dict[str, Any] = DECIDED) -> Prepared:
    return prepare("chairs", data, data.parent / "work", decided)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_no_tool_is_given_a_test_image_to_learn_from(data: Path) -> None:
    prepared = prepare_chairs(data)
    assert names(prepared.train / "images") == [f"{number}.png" for number in (0, 1, 3, 4, 6, 7)]
    assert names(prepared.train / "masks") == names(prepared.train / "images")
    assert names(prepared.test) == ["2.png", "5.png", "8.png"]
    held_back = digests((data / "chairs" / "images" / "val").iterdir())
    given = [path for path in prepared.train.rglob("*") if path.is_file()]
    assert digests(prepared.test.iterdir()) == held_back
    assert not digests(given) & held_back
    # Nor does a file that is given name one, or lead to what judges.
    assert not any(path.is_symlink() for path in given)
    about = json.loads((prepared.train / "task.json").read_text("utf-8"))
    assert about == {
        "names": ["wall", "chair"],
        "ignore_index": None,
        "view": "whole",
        "num_test": 3,
    }


def test_images_are_copied_as_they_are_and_masks_hold_class_ids(data: Path) -> None:
    prepared = prepare_chairs(data)
    original = data / "chairs" / "images" / "train" / "4.png"
    assert (prepared.train / "images" / "4.png").read_bytes() == original.read_bytes()
    mask = read_mask_values(prepared.train / "masks" / "4.png").values
    assert np.unique(mask).tolist() == [0, 1]
    truth = dict(prepared.truth())
    assert list(truth) == ["2", "5", "8"]
    assert truth["5"].sum() == 80


def test_fewmask_reads_the_training_part_without_a_question(data: Path) -> None:
    prepared = prepare_chairs(data)
    dataset = fewmask.load_dataset(prepared.train)
    assert dataset.classes is not None
    assert dataset.classes.names == ("wall", "chair")
    assert len(dataset) == 6
    assert np.array_equal(
        dataset.read_mask(0), read_mask_values(prepared.train / "masks" / "0.png").values
    )


def test_what_does_not_count_stays_out_on_both_sides(data: Path) -> None:
    draw(data / "chairs", "train", 9, value=99)
    draw(data / "chairs", "val", 10, value=99)
    for path in (data / "chairs" / "masks").rglob("*.png"):
        values = read_mask_values(path).values
        write_png(path, np.stack([values] * 3, axis=2))
    decided = {**DECIDED, "classes": ["wall=#000000", "chair=#FFFFFF", "ignore=#636363"]}
    prepared = prepare_chairs(data, decided)
    assert np.unique(dict(prepared.truth())["10"]).tolist() == [0, 255]
    assert prepared.classes.ignore_index == 255
    assert json.loads((prepared.train / "task.json").read_text("utf-8"))["ignore_index"] == 255
    dataset = fewmask.load_dataset(prepared.train)
    assert dataset.classes is not None
    assert dataset.classes.ignore_index == 255


def test_test_images_can_be_named(data: Path) -> None:
    named = {key: value for key, value in DECIDED.items() if key != "test_part"}
    prepared = prepare_chairs(data, {**named, "test_samples": ["0", "8"]})
    assert names(prepared.test) == ["0.png", "8.png"]
    assert len(names(prepared.train / "images")) == 7


def test_an_image_in_both_parts_is_refused(data: Path) -> None:
    images = data / "chairs" / "images"
    (images / "train" / "0.png").write_bytes((images / "val" / "2.png").read_bytes())
    with pytest.raises(SystemExit, match="chairs: 1 images are in both parts"):
        prepare_chairs(data)
    assert not (data.parent / "work" / "chairs").exists()


def test_a_part_without_images_is_refused(data: Path) -> None:
    with pytest.raises(SystemExit, match="expected images to learn from and images that judge"):
        prepare_chairs(data, {**DECIDED, "test_part": "test"})


def test_it_is_done_once_and_not_again_by_other_decisions(data: Path) -> None:
    folder = prepare_chairs(data).folder
    (folder / "train" / "images" / "0.png").unlink()
    assert prepare_chairs(data).folder == folder
    assert not (folder / "train" / "images" / "0.png").exists()
    with pytest.raises(SystemExit, match="prepared from other decisions"):
        prepare_chairs(data, {**DECIDED, "view": "crops"})


def test_every_dataset_is_decided() -> None:
    for name, decided in read_decisions().items():
        assert set(decided) == {"classes", "view", "test_part"} or set(decided) == {
            "classes", "view", "test_samples",
        }, name  # fmt: skip
        assert decided["view"] in ("whole", "crops")
        assert len(decided["classes"]) >= 2


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "training", "test", "classes"),
    [("chairs97", 77, 20, 2), ("isbi_em", 24, 6, 2)],
)
def test_real_datasets(
    name: str, training: int, test: int, classes: int, real_data: Path, tmp_path: Path
) -> None:
    prepared = prepare(name, real_data, tmp_path, read_decisions()[name])
    assert len(names(prepared.train / "images")) == training
    assert len(names(prepared.test)) == len(list(prepared.truth())) == test
    assert prepared.classes.num_classes == classes
    assert name != DEMO
