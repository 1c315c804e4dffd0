import numpy as np
import pytest

from fewmask.data.formats.cityscapes import read_cityscapes, write_cityscapes
from fewmask.data.formats.source import source_of_dataset
from fewmask.data.imageio import read_mask_values, write_png

from .conftest import (
    difficult_mask,
    ignoring_mask,
    labels_in,
    make_dataset,
    masks_of,
    round_mask,
    save_image,
    save_json,
)

ROAD, POLE, CAR, BICYCLE = 1, 6, 14, 19  # their places among the 19 scored classes, from 1 on


def write(root, kind, mask, name="aachen_000000_000019", part="train"):
    save_image(root / "leftImg8bit" / part / "aachen" / f"{name}_leftImg8bit.png", mask.shape[:2])
    write_png(root / "gtFine" / part / "aachen" / f"{name}_gtFine_{kind}.png", mask)
    return root


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("labelIds", np.array([[7, 17, 26, 33, 0, 3, 255]], np.uint8)),
        ("labelTrainIds", np.array([[0, 5, 13, 18, 255, 255, 255]], np.uint8)),
        ("instanceIds", np.array([[7, 17, 26004, 33999, 0, 3, 29001]], np.uint16)),
        (
            "color",
            np.array(
                [[[128, 64, 128], [153, 153, 153], [0, 0, 142], [119, 11, 32], [0, 0, 0],
                  [111, 74, 0], [81, 0, 81]]],
                np.uint8,
            ),
        ),
    ],
)  # fmt: skip
def test_every_kind_of_mask_is_read(tmp_path, kind, stored):
    source = read_cityscapes(labels_in(write(tmp_path, kind, stored)))
    assert source.classes.num_classes == 20
    assert source.classes.names[ROAD] == "road"
    assert source.classes.names[BICYCLE] == "bicycle"
    ((name, mask),) = masks_of(source).items()
    assert mask.tolist() == [[ROAD, POLE, CAR, BICYCLE, 255, 255, 255]]
    assert name == "leftImg8bit/train/aachen/aachen_000000_000019"
    assert source.images[0].part == "train"


def test_ids_go_before_colours_and_folders_may_be_named_apart(tmp_path):
    mask = np.array([[7, 17]], np.uint8)
    write(tmp_path, "labelIds", mask)
    write(tmp_path, "color", np.zeros((1, 2, 3), np.uint8))
    for labels in (labels_in(tmp_path), labels_in(tmp_path / "gtFine", tmp_path / "leftImg8bit")):
        assert masks_of(read_cityscapes(labels)).popitem()[1].tolist() == [[ROAD, POLE]]


def test_images_of_one_name_in_two_parts_keep_their_masks(tmp_path):
    for part, value in (("train", 7), ("val", 17)):
        write(tmp_path, "labelIds", np.array([[value]], np.uint8), "a", part)
    source = read_cityscapes(labels_in(tmp_path))
    assert [(image.part, source.read_mask(image).item()) for image in source.images] == [
        ("train", ROAD),
        ("validation", POLE),
    ]


def test_a_list_beside_the_masks_replaces_the_one_of_cityscapes(tmp_path):
    write(tmp_path, "labelIds", np.array([[5, 0, 9, 255]], np.uint8))
    listed = [("đường", 5), ("nền", 0), ("cây", 9), ("ignore", 255)]
    save_json(
        tmp_path / "classes.json", {"classes": [{"name": name, "id": n} for name, n in listed]}
    )
    source = read_cityscapes(labels_in(tmp_path))
    assert source.classes.names == ("nền", "đường", "cây")
    assert masks_of(source).popitem()[1].tolist() == [[1, 0, 2, 255]]


def test_a_list_that_does_not_tell_classes_apart_is_refused(tmp_path, refusal):
    write(tmp_path, "labelIds", np.array([[0, 5]], np.uint8))
    save_json(tmp_path / "classes.json", {"nền": 0, "đường": 5, "cây": 5, "a": 255, "b": 255})
    assert "found 5 for 'cây' and for 'đường'." in refusal(
        lambda: read_cityscapes(labels_in(tmp_path))
    )


def test_bad_input_is_refused_in_a_sentence(tmp_path, refusal):
    write(tmp_path, "labelIds", np.array([[7, 99]], np.uint8))
    assert "expected only the values 0, 1, 2" in refusal(
        lambda: masks_of(read_cityscapes(labels_in(tmp_path)))
    )
    write(tmp_path, "labelIds", np.array([[7]], np.uint8), "a b")
    (tmp_path / "leftImg8bit/train/aachen/a b_leftImg8bit.png").unlink()
    assert refusal(lambda: read_cityscapes(labels_in(tmp_path))) == (
        f"{tmp_path}: expected an image for every mask, its name ending in _leftImg8bit, found 1 "
        "mask without one: a b_gtFine_labelIds.png. Add the images, or name the folder that holds "
        "them after that of the masks."
    )
    save_image(tmp_path / "leftImg8bit/train/aachen/a b_leftImg8bit.png", (3, 3))
    source = read_cityscapes(labels_in(tmp_path))
    assert "expected the size of its image a b_leftImg8bit.png, 3 × 3 pixels" in refusal(
        lambda: masks_of(source)
    )
    write(tmp_path, "color", np.zeros((1, 1, 3), np.uint8), "c")
    (tmp_path / "gtFine/train/aachen/a b_gtFine_labelIds.png").unlink()
    assert refusal(lambda: read_cityscapes(labels_in(tmp_path))) == (
        f"{tmp_path}: expected masks of one kind for all images, labelIds or labelTrainIds or "
        "instanceIds or color, found different ones. Leave out the images that lack a mask."
    )


def test_classes_of_cityscapes_are_written_with_its_numbers(tmp_path):
    names = ("background", "road", "car")
    dataset = make_dataset(tmp_path / "data", {"train/a.png": ignoring_mask()}, names)
    source = source_of_dataset(dataset)
    write_cityscapes(source, tmp_path, None)
    assert source.losses.sentence() == (
        f"Not kept: {np.count_nonzero(ignoring_mask() == 0):,} pixels of the background, which "
        "Cityscapes does not count."
    )
    folder = tmp_path / "gtFine" / "train" / "data"
    ids = read_mask_values(folder / "a_gtFine_labelIds.png").values
    expected = np.array([0, 7, 26] + [0] * 253, np.uint8)[ignoring_mask()]
    np.testing.assert_array_equal(ids, expected)
    colors = read_mask_values(folder / "a_gtFine_color.png").values
    assert (colors[ids == 26] == (0, 0, 142)).all()
    assert not (tmp_path / "classes.json").exists()


def test_a_first_class_that_is_no_background_keeps_its_number(tmp_path):
    dataset = make_dataset(tmp_path / "data", {"a.png": round_mask()}, ("road", "car"))
    source = source_of_dataset(dataset)
    write_cityscapes(source, tmp_path, None)
    ids = read_mask_values(tmp_path / "gtFine" / "data" / "a_gtFine_labelIds.png").values
    np.testing.assert_array_equal(ids, np.array([7, 26])[round_mask()])
    assert source.losses.sentence() is None


def test_other_classes_are_written_with_a_list(tmp_path):
    dataset = make_dataset(tmp_path / "data", {"ảnh 1.jpg": difficult_mask()})
    write_cityscapes(source_of_dataset(dataset), tmp_path, None)
    ids = read_mask_values(tmp_path / "gtFine" / "data" / "ảnh 1_gtFine_labelIds.png").values
    np.testing.assert_array_equal(ids, difficult_mask())
    assert (tmp_path / "leftImg8bit" / "data" / "ảnh 1_leftImg8bit.jpg").is_file()
    assert (tmp_path / "classes.json").is_file()
