import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.packed import sha256_of
from fewmask.data.parts import Parts
from fewmask.data.seen import (
    COLUMNS,
    Seen,
    SeenSample,
    divide_as_seen,
    image_digests,
    read_seen,
    write_seen,
)
from fewmask.errors import RunError
from fewmask.packages.load import load_dataset

NAMES = ("ghế 0", 'a, "b"', "c", "d", "e")
PLACES = {"train": (0, 2), "validation": (3,), "test": (1, 4)}


def draw(folder: Path) -> Dataset:
    for number, name in enumerate(sorted(NAMES)):
        image = np.full((6, 8, 3), 10 * number, np.uint8)
        mask = np.zeros((6, 8), np.uint8)
        mask[number:, :4] = 255
        write_png(folder / "images" / f"{name}.png", image)
        write_png(folder / "masks" / f"{name}.png", mask)
    return load_dataset(folder)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return draw(tmp_path / "things")


@pytest.fixture
def written(dataset: Dataset, tmp_path: Path) -> Path:
    train, validation, test = (dataset.take(rows) for rows in PLACES.values())
    write_seen(tmp_path / "parts.csv", Parts(train, validation, test, ()))
    return tmp_path / "parts.csv"


def ids(dataset: Dataset | None) -> list[str]:
    return [dataset.sample_id(index) for index in range(len(dataset))] if dataset else []


def test_comes_back(dataset: Dataset, written: Path) -> None:
    samples = read_seen(written).samples
    assert len(samples) == 5
    assert [samples[dataset.sample_id(row)].part for row in (0, 3, 4)] == [
        "train", "validation", "test",
    ]  # fmt: skip
    assert samples[dataset.sample_id(0)] == SeenSample(
        "train", sha256_of(dataset.image_path(0)), sha256_of(dataset.mask_path(0))
    )
    assert written.read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_without_a_validation_part(dataset: Dataset, tmp_path: Path) -> None:
    parts = Parts(dataset.take((0, 1)), None, dataset.take((2, 3, 4)), ())
    write_seen(tmp_path / "parts.csv", parts)
    again = divide_as_seen(dataset, read_seen(tmp_path / "parts.csv"), "run")
    assert again.validation is None
    assert len(again.train) == 2


def test_divides_a_dataset_as_before_wherever_it_lies(
    dataset: Dataset, written: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.move(dataset.root, tmp_path / "elsewhere"))
    again = divide_as_seen(load_dataset(moved), read_seen(written), "runs/a")
    for part, rows in zip(
        (again.train, again.validation, again.test), PLACES.values(), strict=True
    ):
        assert ids(part) == ids(dataset.take(rows))


def test_knows_images_again_by_their_content(
    dataset: Dataset, written: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "renamed"
    for number in range(5):
        for kind, path in (
            ("images", dataset.image_path(number)),
            ("masks", dataset.mask_path(number)),
        ):
            (copied / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied / kind / f"new name {number}.png")
    write_png(copied / "images" / "new name 4.png", np.full((6, 8, 3), 99, np.uint8))
    counts = Counter(read_seen(written).parts_of(image_digests(load_dataset(copied))))
    assert counts == {"train": 2, "validation": 1, "test": 1, "unseen": 1}


def test_an_image_that_was_there_twice_was_trained_on(dataset: Dataset) -> None:
    image = sha256_of(dataset.image_path(0))
    samples = {
        name: SeenSample(part, image, "")
        for name, part in (("a", "validation"), ("b", "train"), ("c", "test"))
    }
    assert Seen(samples).parts_of([image]) == ["train"]


def test_names_test_images_that_are_no_test() -> None:
    rows = [
        ("train/a", "train", "1"), ("train/b", "train", "1"), ("train/c", "train", "2"),
        ("val/d", "validation", "3"), ("val/e", "validation", "2"),
        ("test/f", "test", "4"), ("test/g", "test", "2"), ("test/h", "test", "1"),
    ]  # fmt: skip
    seen = Seen({name: SeenSample(part, image, "") for name, part, image in rows})
    assert seen.findings() == [
        "2 of 3 test images are byte for byte among the training images too (test/g is train/c, "
        "for one): scores may flatter the model.",
        "1 of 3 test images is byte for byte among the validation images too (test/g is val/e, "
        "for one): scores may be a little too high.",
    ]


def test_has_nothing_to_say_where_no_image_is_in_two_parts(written: Path) -> None:
    assert read_seen(written).findings() == []


def test_names_the_sample_that_has_changed_and_no_other(tmp_path: Path) -> None:
    names = ["9", "10"]  # in the dataset's order; as texts it would be the other one
    for name in names:
        write_png(tmp_path / "things" / "images" / f"{name}.png", np.eye(5, dtype=np.uint8))
        write_png(tmp_path / "things" / "masks" / f"{name}.png", np.eye(5, dtype=np.uint8))
    dataset = load_dataset(tmp_path / "things")
    write_seen(tmp_path / "parts.csv", Parts(dataset.take((0,)), None, dataset.take((1,)), ()))
    write_png(dataset.image_path(0), np.ones((5, 5), np.uint8))
    with pytest.raises(RunError, match=dataset.sample_id(0) + ", for one"):
        divide_as_seen(dataset, read_seen(tmp_path / "parts.csv"), "runs/a")


@pytest.mark.parametrize("change", ["new", "missing", "image", "mask"])
def test_refuses_a_dataset_that_has_changed(change: str, dataset: Dataset, written: Path) -> None:
    seen = read_seen(written)
    sample = dataset.sample_id(2)
    image, mask = dataset.image_path(2), dataset.mask_path(2)
    if change == "new":
        image, mask = (shutil.copy(path, path.with_name("0 new.png")) for path in (image, mask))
        sample = "images/0 new"
    elif change == "missing":
        image.unlink()
        mask.unlink()
    else:
        changed = {
            "image": np.full((6, 8, 3), 7, np.uint8),
            "mask": np.eye(6, 8, dtype=np.uint8) * np.uint8(255),
        }
        write_png({"image": image, "mask": mask}[change], changed[change])
    with pytest.raises(RunError) as error:
        divide_as_seen(load_dataset(dataset.root), seen, "runs/a")
    assert str(error.value) == (
        "runs/a: expected the dataset that the training began with, found things with files "
        f"missing, new or changed: {sample}, for one. "
        "Restore the dataset, or train again: fewmask train FOLDER"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "expected a file that every run holds, found nothing. Train again: the run is"),
        (
            b"sample,part\na,train\n",
            "expected the columns sample, part, image_sha256, mask_sha256, "
            "found no 'image_sha256'. Restore the file or train again.",
        ),
        (b"\xff\xfe", "expected the columns"),
        (b"", "expected a line for each sample, found none. Restore the file or train again."),
    ],
)
def test_names_a_table_that_is_missing_or_damaged(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "parts.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError) as error:
        read_seen(path)
    assert str(error.value).startswith(f"{path}: {words}")


@pytest.mark.parametrize("line", ["d,teste,1,2", "d,test,1"])
def test_names_the_line_that_says_no_part_or_is_cut_off(line: str, tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    path.write_text(f"{','.join(COLUMNS)}\na,train,1,2\n{line}\n")
    with pytest.raises(RunError) as error:
        read_seen(path)
    assert str(error.value) == (
        f"{path}, line 3: expected a sample, its part (train, validation or test) and two SHA-256, "
        f"found {line.replace(',', ', ')}. Restore the file or train again."
    )


def test_names_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a table that can be read"):
        read_seen(tmp_path)
