import unicodedata
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.dataset import Dataset
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.shaped import ShapedImage, source_of_shapes
from fewmask.data.formats.shapes import Shape
from fewmask.data.formats.source import (
    SourceImage,
    plain_names,
    source_of_dataset,
    with_whole_parts,
)
from fewmask.data.packed import PackedFile
from fewmask.data.schema import Column

from .conftest import make_dataset, round_mask, save_image

LABELS = Labels("coco", Path("nhãn.json"), (), Path())


def image(name, part=None):
    return SourceImage(Path("a.png"), name, np.zeros, part)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x/a", "y/b"], ["a", "b"]),
        (["x/a", "y/a"], ["x_a", "y_a"]),
        (["x/a", "y/A"], ["x_a", "y_A"]),
        (["x_a/b", "x/a_b", "c/b"], ["1_x_a_b", "2_x_a_b", "3_c_b"]),
        (
            ["ế", unicodedata.normalize("NFD", "ế")],
            ["1_ế", "2_" + unicodedata.normalize("NFD", "ế")],
        ),
    ],
)
def test_names_differ_on_every_system(names, expected):
    assert plain_names([image(name) for name in names]) == expected


def test_parts_are_whole_or_none():
    images = [image("a", "train"), image("b")]
    left, sentences = with_whole_parts(images)
    assert [each.part for each in left] == [None, None]
    assert sentences == ["Parts are left out: 1 of 2 images are in none: b."]
    assert with_whole_parts(images[:1]) == (images[:1], [])


def test_columns_that_nobody_else_knows_are_counted(tmp_path):
    dataset = make_dataset(tmp_path, {"a.png": round_mask()})
    columns = [*dataset.columns, Column("age", "integer"), Column("site", "string")]
    rows = [(*row, 3, "Huế") for row in dataset.rows]
    more = Dataset("x", tmp_path, columns, rows, dataset.classes, dataset.encoding)
    assert source_of_dataset(more).losses.sentence() == "Not kept: 2 columns (age, site)."


def test_a_dataset_without_masks_is_refused(refusal):
    dataset = Dataset("chairs", Path(), [Column("image", "image")], [("a.png",)])
    assert refusal(lambda: source_of_dataset(dataset)) == (
        "chairs: expected a dataset with masks, found none. Choose one that has masks."
    )


def test_an_image_may_lie_inside_a_larger_file(tmp_path):
    content = save_image(tmp_path / "a.png", (5, 7)).read_bytes()
    file = PackedFile("images/a.png", "rohan/chairs@3", lambda: content)
    shape = Shape("ghế", (), "")
    source = source_of_shapes(
        LABELS,
        [ShapedImage(file, "images/a", [shape], (6, 7), where="nhãn.json")],
        ["ghế"],
        ordered=True,
        losses=Losses(),
    )
    with pytest.raises(Exception, match=r"rohan/chairs@3:images/a.png: .* gives, 6 × 7 pixels"):
        source.read_mask(source.images[0])


def test_the_classes_have_to_fit_a_byte(refusal):
    shapes = [Shape(f"c{number}", (), "") for number in range(254)]
    images = [ShapedImage(Path("a.png"), "a", shapes)]
    names = [shape.name for shape in shapes]
    assert refusal(
        lambda: source_of_shapes(LABELS, images, names, ordered=True, losses=Losses())
    ) == (
        "nhãn.json: expected 1 to 253 classes beside the background, found 254. Check that this is "
        "the right file, and that objects were outlined in it."
    )


def test_a_class_called_background_is_class_0():
    shapes = [Shape(name, (), "") for name in ("_background_", "ghế", "__ignore__")]
    source = source_of_shapes(
        LABELS,
        [ShapedImage(Path("a.png"), "a", shapes)],
        ["__ignore__", "ghế", "_background_"],
        ordered=True,
        losses=Losses(),
        colors={"ghế": (1, 2, 3)},
        ignored="__ignore__",
    )
    assert source.classes.names == ("background", "ghế")
    assert source.classes.colors == ((0, 0, 0), (1, 2, 3))
    assert source.classes.ignore_index == 255
