import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewmask.data.folders.pairing import Pair, pair_pictures
from fewmask.errors import DataError, DecisionNeeded

DECOMPOSED = unicodedata.normalize("NFD", "ghế")

# What lies in the folder, and the pairs that it means: image, mask, part.
PAIRED = {
    "sibling folders": (
        "images/a.jpg images/b.jpg masks/a.png masks/b.png",
        "images/a.jpg masks/a.png, images/b.jpg masks/b.png",
    ),
    "other words": ("photos/a.jpg ground_truth/a.png", "photos/a.jpg ground_truth/a.png"),
    "Pascal VOC": (
        "JPEGImages/1.jpg SegmentationClass/1.png SegmentationObject/1.png",
        "JPEGImages/1.jpg SegmentationClass/1.png",
    ),
    "LabelMe's export": (
        "JPEGImages/1.jpg SegmentationClassPNG/1.png SegmentationClassVisualization/1.jpg",
        "JPEGImages/1.jpg SegmentationClassPNG/1.png",
    ),
    "a suffix in one folder": ("a.jpg a_mask.png", "a.jpg a_mask.png"),
    "a suffix with a hyphen": ("a.jpg a-mask.png", "a.jpg a-mask.png"),
    "a suffix with a dot": ("a.jpg a.mask.png", "a.jpg a.mask.png"),
    "the suffix label": ("x/a.png x/a_label.png", "x/a.png x/a_label.png"),
    "the suffix seg": ("a.png a_seg.png", "a.png a_seg.png"),
    "the suffix gt": ("a.png a_gt.png", "a.png a_gt.png"),
    "a suffix in a folder of masks": (
        "images/a.jpg masks/a_mask.png",
        "images/a.jpg masks/a_mask.png",
    ),
    "a suffix and a name of its own": (
        "images/face_mask.jpg masks/face_mask.png",
        "images/face_mask.jpg masks/face_mask.png",
    ),
    "prefixes": ("image_001.jpg mask_001.png", "image_001.jpg mask_001.png"),
    "prefixes in folders": (
        "images/image_01.jpg masks/mask_01.png",
        "images/image_01.jpg masks/mask_01.png",
    ),
    "other case": ("images/IMG_1.JPG masks/img_1.png", "images/IMG_1.JPG masks/img_1.png"),
    "accents stored differently": (
        f"images/ghế.jpg masks/{DECOMPOSED}.png",
        f"images/ghế.jpg masks/{DECOMPOSED}.png",
    ),
    "parts inside": (
        "images/train/a.jpg images/val/a.jpg masks/train/a.png masks/val/a.png",
        "images/train/a.jpg masks/train/a.png train, images/val/a.jpg masks/val/a.png validation",
    ),
    "parts outside": (
        "train/images/a.jpg train/masks/a.png valid/images/b.jpg valid/masks/b.png",
        "train/images/a.jpg train/masks/a.png train, "
        "valid/images/b.jpg valid/masks/b.png validation",
    ),
    "parts in the folders' names": (
        "train_images/a.jpg train_masks/a.png test_images/a.jpg test_masks/a.png",
        "test_images/a.jpg test_masks/a.png test, train_images/a.jpg train_masks/a.png train",
    ),
    "Carvana": ("train/a.jpg train_masks/a_mask.gif", "train/a.jpg train_masks/a_mask.gif train"),
    "masks in one folder": (
        "images/train/a.jpg images/val/b.jpg masks/a.png masks/b.png",
        "images/train/a.jpg masks/a.png train, images/val/b.jpg masks/b.png validation",
    ),
    "images in the root": (
        "a.jpg b.jpg masks/a.png masks/b.png",
        "a.jpg masks/a.png, b.jpg masks/b.png",
    ),
    "masks inside images": ("images/a.jpg images/masks/a.png", "images/a.jpg images/masks/a.png"),
    "scenes": (
        "Tile_1/images/1.jpg Tile_1/masks/1.png Tile_2/images/1.jpg Tile_2/masks/1.png",
        "Tile_1/images/1.jpg Tile_1/masks/1.png, Tile_2/images/1.jpg Tile_2/masks/1.png",
    ),
    "patients": (
        "images/p1/1.png images/p2/1.png masks/p1/1.png masks/p2/1.png",
        "images/p1/1.png masks/p1/1.png, images/p2/1.png masks/p2/1.png",
    ),
    "kinds in the root": (
        "cats/1.jpg dogs/1.jpg masks/cats/1.png masks/dogs/1.png",
        "cats/1.jpg masks/cats/1.png, dogs/1.jpg masks/dogs/1.png",
    ),
    "a folder of any name": ("images/a.jpg painted/a.png", "images/a.jpg painted/a.png"),
    "masks win over any name": (
        "images/a.png masks/a.png instances_uint16/a.png",
        "images/a.png masks/a.png",
    ),
    "a folder of any name beside the images": (
        "a.png b.png x/a.png x/b.png",
        "a.png x/a.png, b.png x/b.png",
    ),
    "photographs are no masks": ("images/a.jpg b/a.png c/a.jpg", "images/a.jpg b/a.png"),
    "the fuller of two": (
        "images/1.jpg images/2.jpg labels/1.png masks/1.png masks/2.png",
        "images/1.jpg masks/1.png, images/2.jpg masks/2.png",
    ),
    "a JPEG beside a PNG": ("a.jpg a.png b.jpeg b.png", "a.jpg a.png, b.jpeg b.png"),
    "other ends": (
        "images/7_sat.jpg images/18_sat.jpg masks/7_map.png masks/18_map.png",
        "images/7_sat.jpg masks/7_map.png, images/18_sat.jpg masks/18_map.png",
    ),
    "Cityscapes' ends": (
        "leftImg8bit/train/u_01_leftImg8bit.png leftImg8bit/train/u_02_leftImg8bit.png "
        "gtFine/train/u_01_gtFine_labelIds.png gtFine/train/u_02_gtFine_labelIds.png",
        "leftImg8bit/train/u_01_leftImg8bit.png gtFine/train/u_01_gtFine_labelIds.png train, "
        "leftImg8bit/train/u_02_leftImg8bit.png gtFine/train/u_02_gtFine_labelIds.png train",
    ),
    "a part without masks": (
        "train/images/1.jpg train/masks/1.png test/images/2.jpg",
        "train/images/1.jpg train/masks/1.png train",
    ),
    "names in use elsewhere": (
        "images/Ảnh.jpg masks/Ảnh.png contact.png",
        "images/Ảnh.jpg masks/Ảnh.png",
    ),
}


@pytest.mark.parametrize(("files", "expected"), PAIRED.values(), ids=PAIRED)
def test_what_lies_in_a_folder_is_paired(files, expected):
    pairs = [Pair(*fields.split()) for fields in expected.split(", ")]
    pairing = pair_pictures("data", files.split())
    assert pairing is not None
    assert sorted(pairing.pairs, key=str) == sorted(pairs, key=str)


REMEDY = (
    "Give an image and its mask the same name, draw what is missing, or move the rest out of the "
    "folder."
)
REFUSED = {
    "two folders of masks": (
        "images/1.jpg images/2.jpg masks/1.png masks/2.png labels/1.png labels/2.png",
        "data: expected one folder of masks, found 2 that fit the images equally well: "
        "labels/ (2 pairs) and masks/ (2 pairs). "
        "Choose with --masks DIR: --masks labels or --masks masks.",
    ),
    "two folders of any name": (
        "a/1.png b/1.png",
        "data: expected one folder of masks, found 2 that fit the images equally well: "
        "a/ (1 pair) and b/ (1 pair). Choose with --masks DIR: --masks a or --masks b.",
    ),
    "an image without a mask": (
        "images/1.jpg images/2.jpg masks/1.png",
        "data: expected a mask for every image, found 1 image without a mask: images/2.jpg. "
        + REMEDY,
    ),
    "many images without a mask": (
        "images/1.jpg images/2.jpg images/3.jpg images/4.jpg images/5.jpg masks/1.png",
        "data: expected a mask for every image, found 4 images without a mask: images/2.jpg, "
        "images/3.jpg, images/4.jpg and 1 more. " + REMEDY,
    ),
    "a mask without an image": (
        "images/1.jpg masks/1.png masks/2.png",
        "data: expected an image for every mask, found 1 mask without an image: masks/2.png. "
        + REMEDY,
    ),
    "both": (
        "images/1.jpg images/2.jpg masks/1.png masks/3.png",
        "data: expected a mask for every image, found 1 image without a mask: images/2.jpg; "
        "1 mask without an image: masks/3.png. " + REMEDY,
    ),
    "an image twice": (
        "images/a.jpg images/a.png masks/a.png",
        "data: expected one image and one mask of a name, found images/a.jpg and images/a.png. "
        "Rename or remove one of them.",
    ),
    "names that differ in case": (
        "images/A.jpg images/a.jpg masks/a.png",
        "data: expected one image and one mask of a name, found images/A.jpg and images/a.jpg. "
        "Rename or remove one of them.",
    ),
    "a mask twice": (
        "images/a.jpg masks/a.png masks/a.tif",
        "data: expected one image and one mask of a name, found masks/a.png and masks/a.tif. "
        "Rename or remove one of them.",
    ),
    "a mask under two names": (
        "images/a.jpg masks/a.png masks/a_mask.png",
        "data: expected an image for every mask, found 1 mask without an image: "
        "masks/a_mask.png. " + REMEDY,
    ),
    "the same name in two parts and one mask": (
        "images/train/1.jpg images/val/1.jpg masks/1.png",
        "data: expected one image and one mask of a name, found images/train/1.jpg and "
        "images/val/1.jpg. Rename or remove one of them.",
    ),
    "an image and a mask in different parts": (
        "images/train/1.jpg images/val/2.jpg masks/train/1.png masks/train/2.png",
        "data: expected an image for every mask, found 1 mask without an image: "
        "masks/train/2.png. " + REMEDY,
    ),
    "masks only": (
        "masks/1.png masks/2.png",
        "data: expected images and masks, found 2 masks and no images: masks/1.png, masks/2.png. "
        "Put the images in a folder images/ beside the masks, under the same names.",
    ),
    "names that do not match": (
        "images/one.jpg masks/two.png masks/drei.png",
        "data: expected masks named like their images, found no two that match: images/one.jpg; "
        "masks/two.png, masks/drei.png. Give an image and its mask the same name, or name the "
        "folder of the masks with --masks DIR.",
    ),
}


@pytest.mark.parametrize(("files", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_paired_is_said_in_a_sentence(files, sentence):
    with pytest.raises(DataError) as caught:
        pair_pictures("data", files.split())
    assert str(caught.value) == sentence


def test_two_folders_that_fit_are_a_question():
    with pytest.raises(DecisionNeeded):
        pair_pictures("data", ["images/1.jpg", "masks/1.png", "labels/1.png"])


@pytest.mark.parametrize("files", ["a.jpg b.jpg", "images/a.png", "a.jpg thumbs/a.jpg", "a.png"])
def test_photographs_alone_have_nothing_like_a_mask(files):
    assert pair_pictures("data", files.split()) is None


@pytest.mark.parametrize(
    ("files", "masks", "pairs"),
    [
        ("images/1.jpg masks/1.png labels/1.png", "labels", [("images/1.jpg", "labels/1.png")]),
        ("a/1.png b/1.png", "b", [("a/1.png", "b/1.png")]),
        ("a/1.png b/1.png", "a", [("b/1.png", "a/1.png")]),
        ("x/1.png x/drawn/1.png", "x/drawn", [("x/1.png", "x/drawn/1.png")]),
        ("1.jpg ../elsewhere/1.png", "../elsewhere", [("1.jpg", "../elsewhere/1.png")]),
        (
            "train/images/1.jpg train/masks/1.png train/labels/1.png",
            "masks",
            [("train/images/1.jpg", "train/masks/1.png")],
        ),
    ],
)
def test_the_owner_chooses_the_folder_of_masks(files, masks, pairs):
    pairing = pair_pictures("data", files.split(), masks)
    assert [(pair.image, pair.mask) for pair in pairing.pairs] == pairs


def test_a_chosen_folder_without_pictures_is_refused():
    with pytest.raises(DataError) as caught:
        pair_pictures("data", ["images/1.jpg", "masks/1.png"], "labels")
    assert str(caught.value) == (
        "data: expected masks in labels, found no picture there. "
        "Name the folder that holds the masks with --masks DIR."
    )


def test_the_findings_say_what_was_believed_and_left_out():
    files = "images/train/1.png masks/train/1.png instances/train/1.png contact.png sheet.png"
    assert pair_pictures("data", files.split()).findings == (
        "1 image in images/ paired with masks in masks/ by equal names.",
        "instances/ holds 1 picture of the same names, which were not taken for the masks. "
        "If they are: --masks instances",
        "Left out: 3 other pictures, instances/ (1), contact.png, sheet.png.",
    )


def test_the_findings_name_weaker_evidence_and_a_part_without_masks():
    files = "train/images/7_sat.jpg train/images/8_sat.jpg train/masks/7_map.png "
    files += "train/masks/8_map.png"
    assert pair_pictures("data", files.split()).findings == (
        "2 images in images/ paired with masks in masks/ by names that differ in '_sat' and "
        "'_map' only.",
    )
    files = "train/images/7.jpg train/masks/7_mask.png test/images/8.jpg"
    assert pair_pictures("data", files.split()).findings == (
        "1 image in images/ paired with masks in masks/ by names that differ in a word such as "
        "'mask'.",
        "The part test is left out: no masks for its 1 image.",
    )


def test_images_sorted_into_many_folders_are_not_taken_for_masks():
    assert pair_pictures("data", [f"day {n}/{k}.png" for n in range(300) for k in range(9)]) is None


@given(st.permutations(["images/a.jpg", "images/b.jpg", "masks/b.png", "masks/a_mask.png"]))
def test_the_order_of_the_files_does_not_matter(files):
    pairs = pair_pictures("data", files).pairs
    assert set(pairs) == {
        Pair("images/a.jpg", "masks/a_mask.png"),
        Pair("images/b.jpg", "masks/b.png"),
    }
