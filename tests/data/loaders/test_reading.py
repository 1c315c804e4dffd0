from dataclasses import replace

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.loaders.reading import SampleReader
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError, DataError


def test_an_image_and_its_mask_are_read_as_they_are_stored(make):
    image, mask = SampleReader(make(3), "image", "mask").read(2)
    assert (image.shape, image.dtype, np.unique(image).tolist()) == ((6, 8, 3), np.uint8, [18])
    assert (mask.shape, mask.dtype, np.unique(mask).tolist()) == ((6, 8, 1), np.uint8, [0, 255])


def test_ids_are_what_the_values_mean(make):
    _, mask = SampleReader(make(2), "image", "mask", "ids").read(1)
    assert (mask.shape, np.unique(mask).tolist()) == ((6, 8, 1), [0, 1])


def test_deep_images_keep_their_values(make):
    image, depth = SampleReader(make(3), "image", "depth").read(2)
    assert (depth.shape, depth.dtype, int(depth.max())) == ((6, 8, 1), np.uint16, 2000)
    assert SampleReader(make(3), "depth", "image").read(2)[0].max() == 2000
    assert SampleReader(make(1), "image", "image").read(0)[1].shape == image.shape


@pytest.mark.parametrize(
    ("column", "expected"),
    [("part", 0), ("age", 21), ("weight", 0.5), ("seen", [1, 0]), ("box", [0.0, 1.5])],
)
def test_values_become_numbers(make, column, expected):
    _, value = SampleReader(make(2), "image", column).read(1)
    assert np.asarray(value).tolist() == expected
    assert SampleReader(make(2), "image", None).read(1)[1] is None


def colored(folder, masks, encoding, **options):
    rows = []
    for number, mask in enumerate(masks):
        write_png(folder / f"{number}.png", np.zeros((*mask.shape[:2], 3), np.uint8))
        write_png(folder / f"{number} mask.png", mask, **options)
        rows.append((f"{number}.png", f"{number} mask.png"))
    columns = [Column("image", "image"), Column("mask", "mask")]
    classes = Classes(("ground", "chair"))
    return Dataset("colored", folder, columns, rows, classes, encoding)


def test_masks_in_colours_and_with_palettes(tmp_path):
    red = np.zeros((2, 3, 3), np.uint8)
    red[0, 0] = (255, 0, 0)
    encoding = MaskEncoding("colors", ((0, 0), (0xFF0000, 1)))
    dataset = colored(tmp_path / "rgb", [red], encoding)
    assert SampleReader(dataset, "image", "mask").read(0)[1].tolist() == red.tolist()
    assert SampleReader(dataset, "image", "mask", "ids").read(0)[1][..., 0].sum() == 1

    indices = np.array([[0, 1, 1]], np.uint8)
    palette = [(0, 0, 0), (255, 0, 0)]
    dataset = colored(tmp_path / "palette", [indices], encoding, palette=palette)
    assert SampleReader(dataset, "image", "mask").read(0)[1].tolist() == [[[0], [1], [1]]]
    assert SampleReader(dataset, "image", "mask", "ids").read(0)[1].tolist() == [[[0], [1], [1]]]


def test_one_that_uses_every_masks_encoding_reads_a_second_mask_column(make):
    dataset = make(2)
    twice = [Column("image", "image"), Column("coarse", "mask"), Column("mask", "mask")]
    rows = [(row.image, "nowhere.png", row.mask) for row in dataset]
    dataset = replace(dataset, columns=twice, rows=rows)
    assert SampleReader(dataset, "image", "mask", "ids").read(1)[1].max() == 1


@pytest.mark.parametrize(
    ("x_column", "y_column", "message"),
    [
        (
            "photo",
            None,
            "column 'photo': expected a column of chairs, found no such column. There are: "
            "image, mask, depth, part, age, weight, seen, box, note.",
        ),
        ("image", "masks", "column 'masks': expected a column of chairs, found no such column."),
        (
            "age",
            "mask",
            "x_column 'age': expected a column of images, found one of kind integer. In chairs "
            "there are: image, depth.",
        ),
        (
            "mask",
            None,
            "x_column 'mask': expected a column of images, found one of kind mask. In chairs "
            "there are: image, depth.",
        ),
        (
            "image",
            "note",
            "y_column 'note': expected a column of masks, images, numbers or categories, found "
            "one of kind string. In chairs there are: image, mask, depth, part, age, weight, "
            "seen, box.",
        ),
    ],
)
def test_a_column_that_will_not_do_is_named(make, x_column, y_column, message):
    with pytest.raises(ArgumentError) as error:
        SampleReader(make(2), x_column, y_column)
    assert str(error.value).startswith(message)


def test_where_there_is_no_column_of_images_that_is_said(make):
    with pytest.raises(ArgumentError, match="chairs has none; keep it when selecting columns"):
        SampleReader(make(2).select(["age", "mask"]), "age", None)


def test_an_empty_fold_is_refused(make):
    empty = make(2).create_folds((2,))[1]
    with pytest.raises(DataError) as error:
        SampleReader(empty, "image", "mask")
    assert str(error.value) == (
        "chairs: expected at least one sample to load, found none in this fold. Leave more for "
        "it: smaller sizes for create_folds, or another filter."
    )


def test_masks_are_pixels_or_ids(make):
    with pytest.raises(ArgumentError, match="masks: expected 'pixels' or 'ids', found 'id'"):
        SampleReader(make(2), "image", "mask", "id")
    with pytest.raises(DataError, match="masks whose values are understood, found none"):
        SampleReader(replace(make(2), encoding=None), "image", "mask", "ids")
    assert SampleReader(replace(make(2), encoding=None), "image", "mask").read(0)[1].max() == 255


def test_a_mask_of_another_size_than_its_image_is_named(make, tmp_path):
    dataset = make(2)
    write_png(tmp_path / dataset[1].mask, np.zeros((5, 8), np.uint8))
    for masks in ("pixels", "ids"):
        reader = SampleReader(dataset, "image", "mask", masks)
        with pytest.raises(DataError, match=r"ghế 1\.png: expected the size of its image .* 5 × 8"):
            reader.read(1)
