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


def test_datasets_and_rows_can_be_copied_and_sent_to_other_processes(drawn):
    row = copy.deepcopy(drawn[1])
    assert row == pickle.loads(pickle.dumps(drawn[1])) == drawn[1]
    assert row._repr_html_() == drawn[1]._repr_html_()
    assert list(pickle.loads(pickle.dumps(drawn))) == list(drawn)


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


def test_columns_of_pictures_may_be_missing(drawn):
    with pytest.raises(ArgumentError, match="expected a column of images, found none"):
        _ = drawn.select("age").image_column
    assert drawn.select("image").mask_column is None


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
