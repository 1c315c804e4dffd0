import copy
import pickle
import re

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError, DataError

COLUMNS = [
    Column("image", "image"),
    Column("mask", "mask"),
    Column("part", "category", ("train", "test")),
    Column("age", "integer"),
]


def rows(count):
    return [
        (f"images/ghế {n}.png", f"masks/ghế {n}.png", "test" if n % 5 == 0 else "train", 50 - n)
        for n in range(count)
    ]


def chairs(count=10):
    return Dataset("chairs", ".", COLUMNS, rows(count))


@pytest.fixture
def drawn(tmp_path):
    """Three images of 12 × 20 pixels with a square in each, on disk."""
    for n, (image, mask, *_) in enumerate(rows(3)):
        pixels = np.full((12, 20, 3), 40 * n, np.uint8)
        values = np.zeros((12, 20), np.uint8)
        values[2:8, n : n + 6] = 255
        write_png(tmp_path / image, pixels)
        write_png(tmp_path / mask, values)
    classes = Classes(("background", "chair"))
    encoding = MaskEncoding("values", ((0, 0), (255, 1)))
    return Dataset("drawn <b>", tmp_path, COLUMNS, rows(3), classes, encoding, ("All well.",))


def test_a_row_is_read_by_attribute_key_and_order():
    row = chairs()[1]
    assert row.image == row["image"] == row[0] == "images/ghế 1.png"
    image, mask, part, age = row
    assert (mask, part, age) == ("masks/ghế 1.png", "train", 49)
    assert row._asdict() == {"image": image, "mask": mask, "part": part, "age": age}
    assert repr(row) == (
        "Row(image='images/ghế 1.png', mask='masks/ghế 1.png', part='train', age=49)"
    )
    assert row == chairs()[1]
    assert row != chairs()[2]
    assert hash(row) == hash(chairs()[1])
    assert "part" in dir(row)


def test_datasets_and_rows_can_be_copied_and_sent_to_other_processes(drawn):
    row = copy.deepcopy(drawn[1])
    assert row == pickle.loads(pickle.dumps(drawn[1])) == drawn[1]
    assert row._repr_html_() == drawn[1]._repr_html_()
    assert list(pickle.loads(pickle.dumps(drawn))) == list(drawn)


def test_a_row_says_which_columns_it_has_and_does_not_change():
    row = chairs()[0]
    with pytest.raises(AttributeError, match="no column 'masks'; it has image, mask, part, age"):
        _ = row.masks
    with pytest.raises(KeyError, match="no column 'masks'; it has image, mask, part, age"):
        row["masks"]
    with pytest.raises(AttributeError, match="A row cannot be changed"):
        row.age = 3


@pytest.mark.parametrize("index", [10, 11, -11, 1000])
def test_there_is_no_row_beyond_the_last(index):
    with pytest.raises(IndexError, match=f"chairs has 10 rows, there is no row {index}."):
        chairs()[index]


def test_rows_are_counted_from_both_ends_and_sliced():
    dataset = chairs()
    assert dataset[-1] == dataset[9] == dataset[np.int64(9)]
    assert list(dataset[2:4]) == [dataset[2], dataset[3]]
    assert list(dataset[::-5]) == [dataset[9], dataset[4]]
    assert len(dataset[20:]) == 0
    assert len(list(dataset)) == len(dataset) == 10


def test_selecting_keeps_root_classes_and_encoding(drawn):
    for other in (
        drawn.filter(lambda row: row.age < 50),
        drawn.sort("age"),
        drawn[:1],
        drawn.select(["image", "mask"]),
        drawn.create_folds((1,))[0],
        drawn.split(0.5).test,
        drawn.k_folds(3)[0][1],
    ):
        assert other.root == drawn.root
        assert other.classes is drawn.classes
        assert other.encoding is drawn.encoding
        assert other.read_mask(0).max() == 1


def test_filter_sort_and_select():
    dataset = chairs()
    assert dataset.filter(lambda row: row.part == "test").values("age") == [50, 45]
    assert dataset.sort("age").values("age") == list(range(41, 51))
    assert dataset.sort(lambda row: row.age % 2).values("age")[:3] == [50, 48, 46]
    assert dataset.sort("age", reverse=True).values("age")[0] == 50
    assert dataset.select(["age", "image"])[0]._asdict() == {"age": 50, "image": "images/ghế 0.png"}
    assert dataset.select("age").columns == (COLUMNS[3],)
    assert dataset.values("age") == list(range(50, 40, -1)), "nothing changed"


def test_a_column_that_is_not_there_is_refused():
    sentence = (
        "column 'ages': expected a column of chairs, found no such column. "
        "There are: image, mask, part, age."
    )
    for use in (
        lambda: chairs().select(["ages"]),
        lambda: chairs().sort("ages"),
        lambda: chairs().split(group_by="ages"),
        lambda: chairs().k_folds(2, stratify_by="ages"),
    ):
        with pytest.raises(ArgumentError) as caught:
            use()
        assert str(caught.value) == sentence
    with pytest.raises(ArgumentError, match="chairs: expected a column of images, found none"):
        _ = chairs().select("age").image_column
    assert chairs().select("image").mask_column is None


def test_rows_must_fit_the_columns():
    with pytest.raises(ArgumentError) as caught:
        Dataset("chairs", ".", COLUMNS, [("a.png",)])
    assert str(caught.value) == (
        "chairs, row 0: expected 4 values, one a column, found 1. "
        "Give every row a value for each column."
    )
    with pytest.raises(ArgumentError, match=r"chairs, row 1, column 'part': expected .* 'val'"):
        Dataset("chairs", ".", COLUMNS, [*rows(1), ("a.png", "b.png", "val", 1)])


def test_folds_are_of_the_sizes_asked_for():
    dataset = chairs(97)
    validation, train = dataset.create_folds((20,), shuffle=True, seed=0)
    assert (len(validation), len(train)) == (20, 77)
    assert sorted([*validation.values("age"), *train.values("age")]) == sorted(
        dataset.values("age")
    )
    again = dataset.create_folds((20,), shuffle=True, seed=0)[0]
    assert validation.values("age") == again.values("age")
    other = dataset.create_folds((20,), shuffle=True, seed=1)[0]
    assert validation.values("age") != other.values("age")
    assert [len(fold) for fold in dataset.create_folds((97,))] == [97, 0]
    assert list(dataset.create_folds([3, 4])[1]) == list(dataset[3:7]), "in order without shuffle"


def test_folds_larger_than_the_dataset_are_refused():
    with pytest.raises(ArgumentError) as caught:
        chairs(97).create_folds((120,))
    assert str(caught.value) == (
        "sizes: expected sizes from 0 on that add up to at most 97, the number of images, "
        "found 120. Ask for smaller folds."
    )


def test_groups_are_kept_together_everywhere():
    columns = [Column("image", "image"), Column("group", "string")]
    table = [(f"{n}.png", f"patient {n % 7}") for n in range(50)]
    dataset = Dataset("patients", ".", columns, table)
    divisions = [
        dataset.create_folds((20, 10), shuffle=True, seed=3),
        dataset.split(0.6, 0.2, 0.2, seed=3),
        [held_out for _, held_out in dataset.k_folds(5, seed=3)],
    ]
    for parts in divisions:
        homes = [set(part.values("group")) for part in parts]
        assert sum(map(len, homes)) == 7
        assert sum(map(len, parts)) == 50


def test_split_gives_what_is_asked_for():
    parts = chairs(100).split(0.7, validation=0.1)
    assert [len(part) for part in parts] == [70, 10, 20]
    assert parts.train is parts[0]
    assert [len(part) for part in chairs(100).split()] == [80, 0, 20]
    assert [len(part) for part in chairs(10).split(1.0)] == [10, 0, 0]
    by_part = chairs(100).split(0.5, stratify_by="part")
    assert [part.values("part").count("test") for part in by_part] == [10, 0, 10]


def test_k_folds_hold_each_image_out_once():
    folds = chairs(11).k_folds(3)
    assert [(len(train), len(out)) for train, out in folds] == [(7, 4), (7, 4), (8, 3)]
    held_out = [age for _, out in folds for age in out.values("age")]
    assert sorted(held_out) == sorted(chairs(11).values("age"))
    for train, out in folds:
        assert not set(train.values("age")) & set(out.values("age"))


def test_pictures_are_read_when_asked_for(drawn):
    assert drawn.sample_id(1) == "images/ghế 1"
    assert drawn.read_image(2).shape == (12, 20, 3)
    assert drawn.read_image(2, channels=1)[0, 0, 0] == 80
    mask = drawn.read_mask(1)
    assert drawn.load_mask(drawn[1].mask).tolist() == mask.tolist()
    assert mask.dtype == np.uint8
    assert (mask.shape, int(mask.sum())) == ((12, 20), 36)
    assert drawn.load_image(drawn[0].image).size == (20, 12)
    assert drawn.load_image(drawn[0].image, reader=lambda path: path) == str(
        drawn.root / "images" / "ghế 0.png"
    )


def test_a_mask_of_another_size_is_refused(drawn):
    write_png(drawn.mask_path(0), np.zeros((6, 10), np.uint8))
    with pytest.raises(DataError) as caught:
        drawn.read_mask(0)
    assert str(caught.value) == (
        f"{drawn.mask_path(0)}: expected the size of its image ghế 0.png, 12 × 20 pixels "
        "(height × width), found 6 × 10. Export the mask again at the image's full size, or "
        "remove both."
    )


def test_masks_need_to_be_there_and_understood(drawn):
    with pytest.raises(DataError, match="expected a dataset with masks, found none"):
        drawn.select("image").read_mask(0)
    with pytest.raises(DataError, match="expected masks whose values are understood, found none"):
        Dataset("raw", drawn.root, COLUMNS, rows(3)).read_mask(0)


def test_a_notebook_shows_pictures_columns_and_findings(drawn):
    html = drawn._repr_html_()
    assert html.count('src="data:image/jpeg;base64,') == 3
    assert "drawn &lt;b&gt;</b>: 3 rows" in html
    assert "<td>part</td><td>category</td><td>train, test</td>" in html
    assert "<li>All well.</li>" in html
    assert drawn[1]._repr_html_().count("<img") == 2, "the image, the image with its mask"


def test_a_notebook_says_what_is_wrong_with_one_picture_and_shows_the_others(drawn):
    drawn.image_path(1).unlink()
    html = drawn._repr_html_()
    assert html.count("<img") == 2
    assert re.search(r"<span>.*ghế 1\.png: expected", html)


def test_deep_and_maskless_pictures_are_shown(tmp_path):
    write_png(tmp_path / "a.png", np.arange(600, dtype=np.uint16).reshape(20, 30) * 100)
    dataset = Dataset("deep", tmp_path, [Column("image", "image")], [("a.png",)])
    assert dataset._repr_html_().count("<img") == 1


def test_a_dataset_says_what_it_is(drawn):
    assert repr(drawn) == (
        "Dataset(drawn <b>, 3 rows: image: image, mask: mask, part: category (train, test), "
        "age: integer, classes background, chair)"
    )
