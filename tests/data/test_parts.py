from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import take_fingerprint
from fewmask.data.imageio import write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.parts import Parts, assign_parts, check_classes_occur
from fewmask.data.schema import Column
from fewmask.data.wording import counted
from fewmask.errors import DataError

CLASSES = Classes(("background", "sofa", "plant pot"))


def dataset_of(parts=None, count=0, groups=None, root="."):
    """A dataset whose images are in given parts, as `{"train": 77}`, or `count` without parts."""
    columns, values = [Column("image", "image"), Column("mask", "mask")], []
    if parts is not None:
        columns.append(Column("part", "category", tuple(parts)))
        values.append([part for part, size in parts.items() for _ in range(size)])
        count = len(values[0])
    if groups is not None:
        columns.append(Column("group", "string"))
        values.append(list(groups))
        count = len(groups)
    names = [[f"images/{n}.png" for n in range(count)], [f"masks/{n}.png" for n in range(count)]]
    return Dataset("seats", root, columns, list(zip(*names, *values, strict=True)), CLASSES)


def assign(dataset, seed=0, class_ids=None):
    return assign_parts(dataset, seed, class_ids or [(0, 1)] * len(dataset))


def sizes(parts):
    return len(parts.train), len(parts.validation or ()), len(parts.test)


def test_three_declared_parts_are_used_as_declared():
    parts = assign(dataset_of({"train": 180, "validation": 60, "test": 60}))
    assert sizes(parts) == (180, 60, 60)
    assert set(parts.validation.values("part")) == {"validation"}
    assert parts.findings == ()


@pytest.mark.parametrize("other", ["validation", "test", "val"])
def test_of_two_declared_parts_the_other_one_chooses_nothing(other):
    parts = assign(dataset_of({"train": 77, other: 20}))
    assert sizes(parts) == (69, 8, 20)
    assert set(parts.test.values("part")) == {other}
    assert set(parts.validation.values("part")) == {"train"}
    sentence = (
        "The validation part (20 images) is taken as the test part: it chooses nothing and gives "
        "the reported scores."
    )
    assert (sentence in parts.findings) == (other != "test")
    assert parts.findings[-1] == (
        "Drawn for the validation part: 8 of 77 training images (seed 0)."
    )


def test_without_declared_parts_a_fifth_is_drawn_for_the_test():
    parts = assign(dataset_of(count=100))
    assert sizes(parts) == (72, 8, 20)
    assert parts.findings == (
        "Drawn for the test part: 20 of 100 images (seed 0).",
        "Drawn for the validation part: 8 of 80 training images (seed 0).",
    )


def test_training_images_alone_are_divided_too():
    parts = assign(dataset_of({"train": 30}))
    assert sizes(parts) == (22, 2, 6)
    assert parts.findings[0] == "All images are declared as train; the other parts are drawn."


@pytest.mark.parametrize(
    ("count", "expected"),
    [(2, (1, 0, 1)), (9, (7, 0, 2)), (10, (6, 2, 2)), (2000, (1550, 50, 400))],
)
def test_small_and_large_datasets(count, expected):
    parts = assign(dataset_of(count=count))
    assert sizes(parts) == expected
    if expected[1] == 0:
        assert parts.validation is None
        assert parts.findings[-1] == (
            f"No validation part: {counted(expected[0], 'training image')} cannot spare any."
        )


@pytest.mark.parametrize("count", [0, 1])
def test_one_image_is_too_few(count):
    with pytest.raises(DataError) as caught:
        assign(dataset_of(count=count))
    assert str(caught.value) == (
        "seats: expected at least 2 images with masks, one to train from and one to test on, "
        f"found {count}. Add images and draw their masks; 20 are a good beginning."
    )


def test_images_without_masks_are_refused():
    dataset = Dataset("seats", ".", [Column("image", "image")], [("1.png",), ("2.png",)])
    with pytest.raises(DataError) as caught:
        assign_parts(dataset, class_ids=())
    assert str(caught.value) == (
        "seats: expected images with masks, found images alone. Draw their masks to train on them."
    )


def test_parts_without_training_images_are_refused():
    with pytest.raises(DataError) as caught:
        assign(dataset_of({"validation": 3, "test": 4}))
    assert str(caught.value) == (
        "seats: expected images declared as train, found only 3 validation, 4 test. Move some of "
        "them into a folder train, or leave the parts out to have them drawn."
    )


def test_a_part_of_another_name_is_refused():
    with pytest.raises(DataError) as caught:
        assign(dataset_of({"train": 3, "fold1": 4}))
    assert str(caught.value) == (
        "seats, column 'part': expected parts named train, validation or test, found 'fold1'. "
        "Rename it, or leave the column out to have parts drawn."
    )


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=40), st.integers(0, 99))
def test_no_image_is_in_two_parts_nor_any_group(groups, seed):
    groups = [f"g{group}" for group in groups]
    if len(set(groups)) < 2:
        return
    dataset = dataset_of(groups=groups)
    parts = assign(dataset, seed)
    pieces = [part for part in (parts.train, parts.validation, parts.test) if part is not None]
    images = [image for piece in pieces for image in piece.values("image")]
    assert sorted(images) == sorted(dataset.values("image"))
    homes = [set(piece.values("group")) for piece in pieces]
    assert sum(map(len, homes)) == len(set(groups))
    assert min(map(len, pieces)) > 0


def test_a_single_group_cannot_be_divided():
    with pytest.raises(DataError) as caught:
        assign(dataset_of(groups=["one"] * 5))
    assert str(caught.value) == (
        "seats: expected at least two groups, one to train from and one to test on, "
        "found a single one. Add images of another group, or declare the parts in split.csv."
    )
    declared = dataset_of({"train": 10, "test": 2}, groups=["one"] * 10 + ["two"] * 2)
    assert assign(declared).findings == (
        "No validation part: the training images are a single group.",
    )


def test_declared_parts_that_cut_a_group_are_told():
    dataset = dataset_of({"train": 2, "test": 2}, groups=["a", "b", "b", "c"])
    assert assign(dataset).findings[0] == (
        "1 group with images both to train from and held back (b): scores may flatter the model."
    )


@settings(max_examples=40)
@given(st.integers(0, 200))
def test_a_rare_class_stays_in_training(seed):
    class_ids = [(0, 1)] * 29 + [(0, 1, 2)]
    parts = assign(dataset_of(count=30), seed, class_ids)
    assert "images/29.png" in parts.train.values("image")
    assert sizes(parts) == (22, 2, 6)


def test_a_class_that_training_never_sees_is_refused_with_its_files():
    dataset = dataset_of({"train": 10, "test": 4})
    class_ids = [(0, 1)] * 10 + [(0, 2)] * 4
    paths = ", ".join(str(dataset.mask_path(index)) for index in (10, 11, 12))
    with pytest.raises(DataError) as caught:
        assign(dataset, class_ids=class_ids)
    assert str(caught.value) == (
        "seats: expected every class in the masks of the training images, "
        f"found 'plant pot' only in {paths} and 1 more. Move one of these images to the training "
        "part, add images of it, or merge the class into another with --classes."
    )


def test_masks_are_read_where_nobody_knows_their_classes(tmp_path):
    dataset = dataset_of({"train": 2, "test": 1}, root=tmp_path)
    encoding = MaskEncoding("values", ((0, 0), (1, 1), (2, 2), (9, 255)))
    dataset = replace(dataset, encoding=encoding)
    for index, value in enumerate((1, 9, 2)):
        write_png(dataset.image_path(index), np.zeros((4, 4, 3), np.uint8))
        write_png(dataset.mask_path(index), np.eye(4, dtype=np.uint8) * value)
    calls = []
    with pytest.raises(DataError, match=r"found 'plant pot' only in .*2\.png\. Move"):
        assign_parts(dataset, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(DataError, match="found 'plant pot' only in"):
        check_classes_occur(Parts(dataset[:2], None, dataset[2:], ()))
    check_classes_occur(Parts(dataset, None, dataset[2:], ()))


def test_ignored_pixels_are_no_class_that_throws_the_dice_again(tmp_path):
    encoding = MaskEncoding("values", ((0, 0), (1, 1), (255, 255)))
    dataset = replace(dataset_of(count=20, root=tmp_path), encoding=encoding)
    for index in range(20):
        write_png(dataset.image_path(index), np.zeros((4, 4, 3), np.uint8))
        write_png(dataset.mask_path(index), np.eye(4, dtype=np.uint8))
    write_png(dataset.mask_path(0), np.eye(4, dtype=np.uint8) * 255)
    known = take_fingerprint(dataset).class_ids
    for seed in range(8):
        read, drawn = assign_parts(dataset, seed), assign_parts(dataset, seed, known)
        assert read.train.values("image") == drawn.train.values("image")
