import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from fewmask.data.formats.coco import read_coco, write_coco, write_coco_rle
from fewmask.data.formats.source import source_of_dataset

from .conftest import (
    NAMES,
    SIZE,
    difficult_mask,
    iou,
    labels_in,
    make_dataset,
    masks_of,
    round_mask,
    save_image,
    save_json,
)

SQUARE = [10, 10, 30, 10, 30, 40, 10, 40]


def content(**more):
    return {
        "images": [{"id": 7, "file_name": "ảnh 1.jpg", "height": 60, "width": 80}],
        "categories": [{"id": 3, "name": "ghế"}, {"id": 9, "name": "cốc"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": [SQUARE]}],
    } | more


def annotation(**more):
    return {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [SQUARE]} | more


@pytest.fixture
def labels(tmp_path):
    """Writes a COCO file beside one image of 60 × 80 pixels, and recognises it."""
    save_image(tmp_path / "photos" / "ảnh 1.jpg")

    def write(values):
        path = save_json(tmp_path / "nhãn.json", values)
        return labels_in(path, tmp_path / "photos", "coco")

    return write


def test_polygons_runs_and_crowds_are_read(labels):
    crowd = np.zeros(SIZE, bool)
    crowd[:, 20:50] = True
    packed = coco_mask.encode(np.asfortranarray(crowd, np.uint8))["counts"].decode()
    small = [0, 0, 4, 0, 4, 4, 0, 4]
    source = read_coco(
        labels(
            content(
                annotations=[
                    annotation(segmentation=[SQUARE, small], attributes={"a": 1, "b": 2}),
                    annotation(
                        segmentation={"size": list(SIZE), "counts": packed},
                        category_id=9,
                        iscrowd=1,
                    ),
                    annotation(
                        segmentation={"size": list(SIZE), "counts": [0, 2, 60 * 80 - 2]},
                        category_id=9,
                    ),
                    annotation(segmentation=[], bbox=[1, 2, 3, 4]),
                ]
            )
        )
    )
    assert source.classes.names == ("background", "ghế", "cốc")
    mask = masks_of(source)["ảnh 1"]
    expected = np.zeros(SIZE, np.uint8)
    expected[crowd] = 2
    expected[10:40, 10:30] = expected[0:4, 0:4] = 1
    expected[0:2, 0] = 2  # the smallest lies on top
    np.testing.assert_array_equal(mask, expected)
    assert source.findings == ("1 of its shapes are crowds: read as their class, below the rest.",)
    # 30 × 10 pixels of the crowd under the square, 2 of the small square under the runs
    assert source.losses.sentence() == (
        "Not kept: 2 attributes; 1 box; 3 objects (their pixels keep the class); "
        "302 pixels under a shape of another class."
    )


def test_polygons_have_the_pixels_of_pycocotools_but_for_their_borders(labels):
    rng = np.random.default_rng(0)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 30))
    corners = np.stack([40 + 30 * np.cos(angles), 30 + 25 * np.sin(angles)], axis=1)
    polygon = corners.ravel().tolist()
    theirs = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects([polygon], *SIZE)))
    source = read_coco(labels(content(annotations=[annotation(segmentation=[polygon])])))
    assert iou(masks_of(source)["ảnh 1"], theirs, 1) > 0.99


def test_a_folder_may_have_a_file_a_part(tmp_path):
    for part in ("train", "val"):
        save_image(tmp_path / "images" / part / "1.jpg")
        values = content(images=[{"id": 7, "file_name": "1.jpg"}])
        save_json(tmp_path / "annotations" / f"instances_{part}2017.json", values)
    source = read_coco(labels_in(tmp_path))
    assert [(image.name, image.part) for image in source.images] == [
        ("images/train/1", "train"),
        ("images/val/1", "validation"),
    ]


def test_two_files_of_the_same_images_are_a_question(tmp_path, refusal):
    save_image(tmp_path / "ảnh 1.jpg")
    for name in ("instances", "person_keypoints"):
        save_json(tmp_path / f"{name}.json", content())
    assert refusal(lambda: read_coco(labels_in(tmp_path))) == (
        f"{tmp_path}: expected one COCO file for each image, found instances.json and "
        "person_keypoints.json, which both name ảnh 1.jpg. Name the one that is meant: "
        f"fewmask convert {tmp_path}/instances.json {tmp_path}"
    )


ITEM = "annotations 0"
BAD = {
    "an unknown class": (
        content(annotations=[annotation(category_id=4)]),
        f"{ITEM}: expected the id of a class in the list 'categories', found 4. Correct it, or add "
        "the class to the list.",
    ),
    "an unknown image": (
        content(annotations=[annotation(image_id=8)]),
        f"{ITEM}: expected the id of an image in the list 'images', found 8. Remove it, or add its "
        "image to the list.",
    ),
    "two corners": (
        content(annotations=[annotation(segmentation=[[1, 1, 5, 5]])]),
        f"{ITEM}, polygon 0: expected at least 3 corners, found 2. Draw this outline again or "
        "remove it.",
    ),
    "an odd number": (
        content(annotations=[annotation(segmentation=[[1, 1, 5, 5, 6, 6, 7]])]),
        f"{ITEM}, polygon 0: expected a list x, y, x, y, …, found 7 numbers. Draw it again or "
        "remove it.",
    ),
    "no number": (
        content(annotations=[annotation(segmentation=[[1, 1, 5, float("nan"), 6, 6]])]),
        f"{ITEM}, polygon 0: expected corners at finite numbers, found nan. Draw this outline "
        "again or remove it.",
    ),
    "too few runs": (
        content(annotations=[annotation(segmentation={"size": [60, 80], "counts": [3, 4]})]),
        f"{ITEM}: expected runs for 60 × 80 = 4,800 pixels (height × width), found runs for 7. Use "
        "the image that was labelled, or export again.",
    ),
    "a run beyond all images": (
        content(annotations=[annotation(segmentation={"size": [60, 80], "counts": [2**70]})]),
        f"{ITEM}, segmentation: expected whole numbers of pixels, found [1180591620717411303424]. "
        "Export it again.",
    ),
    "runs that are no runs": (
        content(annotations=[annotation(segmentation={"size": [60, 80], "counts": "zz"})]),
        f"{ITEM}, segmentation: expected runs in COCO's letters, found the letter 'z'. Use the "
        "image that was labelled, or export again.",
    ),
    "panoptic": (
        content(annotations=[{"image_id": 7, "segments_info": [{"id": 1}]}]),
        f"{ITEM}: expected objects with outlines or runs, found segments of a panoptic picture. "
        "Use the file of instances that belongs to it, or the pictures as masks.",
    ),
    "an image id twice": (
        content(images=[{"id": 7, "file_name": "ảnh 1.jpg"}, {"id": 7, "file_name": "ảnh 2.jpg"}]),
        "images 1: expected an id of its own in the list 'images', found 7, which images 0 has "
        "too. Give one of them another id, and its shapes likewise.",
    ),
    "a class id twice": (
        content(categories=[{"id": 3, "name": "ghế"}, {"id": 3, "name": "cốc"}]),
        "categories 1: expected an id of its own in the list 'categories', found 3, which "
        "categories 0 has too. Give one of them another id, and its shapes likewise.",
    ),
    "no id": (
        content(images=[{"file_name": "ảnh 1.jpg"}], annotations=[]),
        "images 0: expected a text as 'id', found nothing. Export it again from the tool that "
        "wrote it.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    values, sentence = BAD[case]

    def read():
        masks_of(read_coco(labels(values)))

    assert refusal(read) == f"{tmp_path}/nhãn.json, {sentence}"


def test_an_image_of_another_size_is_refused(labels, tmp_path, refusal):
    size = {"id": 7, "file_name": "ảnh 1.jpg", "height": 80, "width": 60}
    source = read_coco(labels(content(images=[size])))
    assert refusal(lambda: masks_of(source)) == (
        f"{tmp_path}/photos/ảnh 1.jpg: expected the size that {tmp_path}/nhãn.json gives, 80 × 60 "
        "pixels (height × width), found 60 × 80. Use the image that was labelled."
    )


def test_boxes_alone_are_refused(labels, tmp_path, refusal):
    values = content(annotations=[annotation(segmentation=[])] * 2)
    assert refusal(lambda: read_coco(labels(values))) == (
        f"{tmp_path}/nhãn.json: expected outlines or painted areas, found none in 1 image, but "
        "2 boxes. Draw outlines around the objects: boxes, lines and points have no area."
    )


@pytest.mark.parametrize(("write", "least"), [(write_coco, 0.98), (write_coco_rle, 1)])
def test_what_is_written_means_the_same_to_pycocotools(tmp_path, write, least, capsys):
    truth = {"một.png": difficult_mask(), "hai.png": round_mask()}
    source = source_of_dataset(make_dataset(tmp_path / "data", truth))
    write(source, tmp_path, None)
    coco = COCO(tmp_path / "annotations.json")
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == list(NAMES[1:])
    for image in coco.loadImgs(coco.getImgIds()):
        mask = np.zeros(SIZE, np.uint8)
        for each in coco.loadAnns(coco.getAnnIds(image["id"])):
            mask[coco.annToMask(each) > 0] = each["category_id"]
        for class_id in (1, 2):
            if (truth[image["file_name"]] == class_id).any():
                assert iou(truth[image["file_name"]], mask, class_id) >= least
    stored = json.loads((tmp_path / "annotations.json").read_text("utf-8"))["annotations"]
    assert all(each["iscrowd"] == 0 and len(each["bbox"]) == 4 for each in stored)
    capsys.readouterr()
