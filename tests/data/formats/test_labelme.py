import base64
import json

import numpy as np
import pytest

from fewmask.data.formats.labelme import read_labelme, write_labelme
from fewmask.data.formats.source import source_of_dataset
from fewmask.data.imageio import encode_png

from .conftest import (
    ignoring_mask,
    iou,
    labels_in,
    make_dataset,
    masks_of,
    save_image,
    save_json,
    save_text,
)

SQUARE = [[10, 10], [30, 10], [30, 40], [10, 40]]


def content(shapes, **more):
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "ảnh 1.jpg",
        "imageData": None,
        "imageHeight": 60,
        "imageWidth": 80,
    } | more


def shape(label="ghế", points=SQUARE, kind="polygon", **more):
    return {"label": label, "points": points, "shape_type": kind, "flags": {}} | more


@pytest.fixture
def labels(tmp_path):
    """Writes a LabelMe file beside its image of 60 × 80 pixels, and recognises the folder."""
    save_image(tmp_path / "ảnh 1.jpg")

    def write(values):
        save_json(tmp_path / "ảnh 1.json", values)
        return labels_in(tmp_path)

    return write


def test_every_kind_of_area_is_read_in_order(labels):
    painted = base64.b64encode(encode_png(np.ones((3, 4), np.uint8))).decode()
    source = read_labelme(
        labels(
            content(
                [
                    shape("bàn", [[0, 0], [40, 20]], "rectangle"),
                    shape("ghế"),  # later, so it lies over the table
                    shape("cốc", [[60, 30], [60, 40]], "circle", description="old"),
                    shape("cốc", [[70, 5], [73, 7]], "mask", mask=painted),
                    shape("__ignore__", [[0, 50], [80, 50], [80, 60], [0, 60]]),
                    shape("ghế", [[1, 1], [2, 2]], "line"),
                    shape("ghế", [[1, 1]], "point", flags={"blurred": True, "dark": False}),
                ],
                flags={"checked": True},
            )
        )
    )
    assert source.classes.names == ("background", "bàn", "cốc", "ghế")
    assert source.classes.ignore_index == 255
    mask = masks_of(source)["ảnh 1"]
    expected = np.zeros((60, 80), np.uint8)
    expected[0:20, 0:40] = 1
    expected[10:40, 10:30] = 3
    rows, columns = np.mgrid[:60, :80] + 0.5
    expected[(rows - 30) ** 2 + (columns - 60) ** 2 < 100] = 2
    expected[5:8, 70:74] = 2
    expected[50:] = 255
    assert np.count_nonzero(mask != expected) <= 4  # a circle of corners, not quite round
    assert source.losses.sentence() == (
        "Not kept: 3 attributes; 1 line; 1 point; 5 objects (their pixels keep the class); 200 "
        "pixels under a shape of another class."
    )


def test_classes_follow_the_list_beside_them(labels, tmp_path):
    save_text(tmp_path / "labels.txt", "__ignore__\n_background_\nxe\nghế\n")
    source = read_labelme(labels(content([shape("ghế"), shape("bàn")])))
    assert source.classes.names == ("background", "xe", "ghế", "bàn")


def test_files_and_images_may_lie_in_folders_of_their_own(tmp_path):
    save_image(tmp_path / "images" / "ảnh 1.jpg")
    save_json(
        tmp_path / "labels" / "ảnh 1.json",
        content([shape()], imagePath="..\\images\\ảnh 1.jpg"),
    )
    assert [*masks_of(read_labelme(labels_in(tmp_path)))] == ["images/ảnh 1"]
    apart = labels_in(tmp_path / "labels", tmp_path / "images")
    assert [*masks_of(read_labelme(apart))] == ["ảnh 1"]


def test_the_image_inside_the_file_is_used_where_there_is_no_other(tmp_path):
    image = save_image(tmp_path / "x.jpg")
    packed = base64.b64encode(image.read_bytes()).decode()
    save_json(tmp_path / "nhãn" / "a.json", content([shape()], imageData=packed))
    source = read_labelme(labels_in(tmp_path / "nhãn"))
    (only,) = source.images
    assert (only.name, only.file.name) == ("a", "a.jpg")
    assert only.file.read_bytes() == image.read_bytes()
    assert masks_of(source)["a"].sum() == 600


def test_an_image_without_shapes_holds_nothing(tmp_path):
    for name in ("a", "b"):
        save_image(tmp_path / f"{name}.jpg")
        shapes = [shape()] if name == "a" else []
        save_json(tmp_path / f"{name}.json", content(shapes, imagePath=f"{name}.jpg"))
    assert masks_of(read_labelme(labels_in(tmp_path)))["b"].max() == 0


BAD = {
    "two corners": (
        content([shape(points=[[1, 2], [3, 4]])]),
        ", shapes 0: expected at least 3 corners, found 2. Draw this outline again or remove it.",
    ),
    "no corner": (
        content([shape(points=[[1, 2], [3, None], [5, 6]])]),
        ", shapes 0: expected corners at finite numbers, found nan. Draw this outline again or "
        "remove it.",
    ),
    "far outside": (
        content([shape(points=[[0, 0], [640, 0], [640, 480]])]),
        ", shapes 0: expected corners inside its image of 60 × 80 pixels (height × width), found "
        "columns 0 to 640, rows 0 to 480. Check that this is the image that was labelled, and that "
        "corners are in pixels.",
    ),
    "no label": (
        content([shape(label=None)]),
        ", shapes 0: expected a text as 'label', found nothing. Export it again from the tool that "
        "wrote it.",
    ),
    "no list": (
        content({"a": 1}),
        ": expected a list as 'shapes', found {'a': 1}. Export it again from the tool that wrote "
        "it.",
    ),
    "absolute": (
        content([shape()], imagePath="/home/an/ảnh 1.jpg"),
        ": expected the path of an image from the folder {folder} on, found '/home/an/ảnh 1.jpg', "
        "which leads out of it. Write what follows the folder.",
    ),
    "no picture": (
        content([shape("a", [[1, 1], [2, 2]], "mask", mask="@@@@")]),
        ", shapes 0: expected a picture in base64 as 'mask', found Only base64 data is allowed. "
        "Save it again.",
    ),
    "no letters of base64": (
        content([shape("a", [[1, 1], [2, 2]], "mask", mask="é")]),
        ", shapes 0: expected a picture in base64 as 'mask', found string argument should contain "
        "only ASCII characters. Save it again.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    values, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_labelme(labels(values)))) == (
        f"{tmp_path}/ảnh 1.json{sentence.replace('{folder}', str(tmp_path))}"
    )


def test_a_missing_image_is_named(labels, tmp_path, refusal):
    labelled = labels(content([shape()]))
    (tmp_path / "ảnh 1.jpg").unlink()
    assert refusal(lambda: read_labelme(labelled)) == (
        f"{tmp_path}: expected its images in {tmp_path}, found 1 of 1 missing: ảnh 1.jpg. Add "
        "them, or name the folder that holds them after the file."
    )


def test_an_empty_file_among_others_is_refused(labels, tmp_path, refusal):
    labels(content([shape()]))
    save_image(tmp_path / "b.jpg")
    (tmp_path / "b.json").touch()
    assert refusal(lambda: read_labelme(labels_in(tmp_path))) == (
        f"{tmp_path}/b.json: expected JSON, found an empty file. Export it again, or remove it."
    )


def test_what_is_written_is_what_labelme_writes(tmp_path):
    truth = {"ảnh 1.jpg": ignoring_mask()}
    dataset = make_dataset(tmp_path / "data", truth, ("background", "ghế", "bàn"))
    write_labelme(source_of_dataset(dataset), tmp_path, None)
    stored = json.loads((tmp_path / "ảnh 1.json").read_text("utf-8"))
    assert {
        key: stored[key] for key in ("imagePath", "imageHeight", "imageWidth", "imageData")
    } == {
        "imagePath": "ảnh 1.jpg",
        "imageHeight": 60,
        "imageWidth": 80,
        "imageData": None,
    }
    assert {each["label"] for each in stored["shapes"]} == {"ghế", "bàn", "__ignore__"}
    assert {each["shape_type"] for each in stored["shapes"]} == {"polygon"}
    assert (tmp_path / "labels.txt").read_text("utf-8").split() == [
        "__ignore__", "_background_", "ghế", "bàn",
    ]  # fmt: skip
    (mask,) = masks_of(read_labelme(labels_in(tmp_path / "ảnh 1.json"))).values()
    assert iou(truth["ảnh 1.jpg"], mask, 255) == 1
