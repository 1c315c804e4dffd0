import unicodedata

import pytest

from fewmask.data.folders.names import part_named, read_name, role_of_folder

ROLES = {
    "images": "image",
    "Images": "image",
    "img": "image",
    "photos": "image",
    "JPEGImages": "image",
    "train_images": "image",
    "masks": "mask",
    "Masks_v2": "mask",
    "SegmentationClass": "mask",
    "SegmentationClassPNG": "mask",
    "labels": "mask",
    "annotations_prepped_train": "mask",
    "gt": "mask",
    "gtFine": "mask",
    "ground_truth": "mask",
    "groundTruth": "mask",
    "SegmentationObject": "other",
    "instances_uint16": "other",
    "SegmentationClassVisualization": "other",
    "mask_overlays": "other",
    "cats": "unnamed",
    "train": "unnamed",
    "unmasked": "unnamed",
}


@pytest.mark.parametrize(("name", "role"), ROLES.items())
def test_the_words_of_a_folder_tell_what_it_holds(name, role):
    assert role_of_folder(name) == role


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jpg", ("unnamed", "", None, ())),
        ("images/a.jpg", ("image", "images", None, ())),
        ("images/train/a.jpg", ("image", "images", "train", ())),
        ("valid/images/a.jpg", ("image", "images", "validation", ())),
        ("train_masks/a.png", ("mask", "masks", "train", ())),
        ("images/Tile 1/test/a.jpg", ("image", "images", "test", ("tile 1",))),
        ("Tile 1/masks/a.png", ("mask", "masks", None, ("tile 1",))),
        ("label_project/images/a.jpg", ("image", "images", None, ("label_project",))),
        ("cats/a.jpg", ("unnamed", "cats", None, ("cats",))),
        ("train station/a.jpg", ("unnamed", "station", None, ("train station",))),
    ],
)
def test_a_path_tells_role_family_part_and_place(path, expected):
    picture = read_name(path)
    assert (picture.role, picture.family, picture.part, picture.place) == expected


def test_a_folder_said_to_hold_the_masks_is_believed_whatever_it_is_called():
    picture = read_name("images/painted/val/a.png", masks="images/painted")
    assert (picture.role, picture.family, picture.part) == ("mask", "images/painted", "validation")


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("cell_mask.png", "cell"),
        ("cell-mask.png", "cell"),
        ("cell.mask.png", "cell"),
        ("cell (1) label.png", "cell (1)"),
        ("cell_seg.png", "cell"),
        ("cell_gt.png", "cell"),
        ("mask_001.png", "001"),
        ("mask001.png", "001"),
        ("label.png", ""),
        ("facemask.png", "facemask"),
        ("maskara.png", "maskara"),
    ],
)
def test_words_for_mask_are_found_where_a_word_begins_or_ends(name, bare):
    picture = read_name(name)
    assert picture.bare_of_mask == bare
    assert picture.says_mask == (bare + ".png" != name)


def test_names_are_equal_in_any_case_and_however_accents_are_stored():
    composed, decomposed = (unicodedata.normalize(form, "Ghế Gỗ") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert read_name(f"{composed}.JPG").stem == read_name(f"{decomposed.lower()}.png").stem


def test_a_part_has_many_spellings():
    words = ("Train", "training", "VAL", "valid", "validation", "test", "fold1", "")
    parts = ["train", "train", "validation", "validation", "validation", "test", None, None]
    assert [part_named(word) for word in words] == parts
