import base64
import io
import json
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from fewmask.data.formats.source import source_of_dataset
from fewmask.data.formats.supervisely import read_supervisely, write_supervisely

from .conftest import difficult_mask, labels_in, make_dataset, masks_of, save_image, save_json

META = {
    "classes": [
        {"title": "ghế", "shape": "bitmap", "color": "#FF0000"},
        {"title": "bàn", "shape": "polygon", "color": "#00FF00"},
    ]
}


def packed(pixels):
    """Packs a bitmap as Supervisely's own tools do: a PNG with a palette and transparency."""
    picture = Image.frombytes("P", pixels.shape[::-1], (pixels * 255).astype(np.uint8).tobytes())
    picture.putpalette([0, 0, 0, 255, 255, 255])
    content = io.BytesIO()
    picture.save(content, "PNG", transparency=0)
    return base64.b64encode(zlib.compress(content.getvalue())).decode()


def bitmap(pixels, left, top, title="ghế"):
    return {
        "classTitle": title,
        "geometryType": "bitmap",
        "tags": [],
        "bitmap": {"data": packed(pixels), "origin": [left, top]},
    }


def polygon(exterior, interior=(), title="bàn"):
    points = {"exterior": exterior, "interior": list(interior)}
    return {
        "classTitle": title,
        "geometryType": "polygon",
        "points": points,
        "tags": [{"name": "x"}],
    }


@pytest.fixture
def labels(tmp_path):
    save_image(tmp_path / "train" / "img" / "ảnh 1.jpg")
    save_json(tmp_path / "meta.json", META)

    def write(objects, size=(60, 80)):
        values = {"size": {"height": size[0], "width": size[1]}, "tags": [], "objects": objects}
        save_json(tmp_path / "train" / "ann" / "ảnh 1.jpg.json", values)
        return labels_in(tmp_path)

    return write


def test_bitmaps_and_polygons_are_read_in_order(labels):
    area = np.random.default_rng(0).random((9, 7)) < 0.5
    outer, hole = [[10, 10], [50, 10], [50, 40], [10, 40]], [[20, 20], [30, 20], [30, 30], [20, 30]]
    rectangle = {"classTitle": "ghế", "geometryType": "rectangle", "points": {"exterior": []}}
    source = read_supervisely(labels([polygon(outer, [hole]), bitmap(area, 12, 14), rectangle]))
    assert source.classes.names == ("background", "ghế", "bàn")
    assert source.classes.colors[1:] == ((255, 0, 0), (0, 255, 0))
    expected = np.zeros((60, 80), np.uint8)
    cv2.fillPoly(expected, [np.array(outer)], 2)
    cv2.fillPoly(expected, [np.array(hole)], 0)
    expected[14:23, 12:19][area] = 1
    ((name, mask),) = masks_of(source).items()
    np.testing.assert_array_equal(mask, expected)
    assert (name, source.images[0].part) == ("train/img/ảnh 1", "train")
    assert source.losses.sentence().startswith("Not kept: 1 attribute; 1 rectangle; 2 objects")


BAD = {
    "an unknown class": (
        [bitmap(np.ones((2, 2), bool), 0, 0, "xe")],
        "objects 0: expected one of the classes ghế, bàn, found 'xe'. Correct the name, or add it "
        "to the list of classes.",
    ),
    "two corners": (
        [polygon([[1, 1], [2, 2]])],
        "objects 0, points: expected at least 3 corners, found 2. Draw this outline again or "
        "remove it.",
    ),
    "far outside": (
        [bitmap(np.ones((2, 2), bool), 200, 0)],
        "objects 0: expected corners inside its image of 60 × 80 pixels (height × width), found "
        "columns 200 to 202, rows 0 to 2. Check that this is the image that was labelled, and that "
        "corners are in pixels.",
    ),
    "a polygon far outside": (
        [polygon([[0, 0], [2**30, 0], [0, 9]])],
        "objects 0, points: expected corners inside its image of 60 × 80 pixels (height × width), "
        "found columns 0 to 1073741824, rows 0 to 9. Check that this is the image that was "
        "labelled, and that corners are in pixels.",
    ),
    "no origin": (
        [bitmap(np.ones((2, 2), bool), 0.5, 0)],
        "objects 0, bitmap: expected two whole numbers as 'origin', found [0.5, 0]. Export it "
        "again.",
    ),
    "no bitmap": (
        [{"classTitle": "ghế", "geometryType": "bitmap", "bitmap": {"data": "AAAA"}}],
        "objects 0, bitmap: expected a packed picture as 'data', found Error -3 while "
        "decompressing data: unknown compression method. Export the project again.",
    ),
    "no letters of base64": (
        [{"classTitle": "ghế", "geometryType": "bitmap", "bitmap": {"data": "é"}}],
        "objects 0, bitmap: expected a packed picture as 'data', found string argument should "
        "contain only ASCII characters. Export the project again.",
    ),
    "no list of holes": (
        [polygon([]) | {"points": {"exterior": [[1, 1], [9, 1], [9, 9]], "interior": 5}}],
        "objects 0, points: expected a list as 'interior', found 5. Export it again from the tool "
        "that wrote it.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    objects, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_supervisely(labels(objects)))) == (
        f"{tmp_path}/train/ann/ảnh 1.jpg.json, {sentence}"
    )


def test_a_bitmap_that_fills_the_memory_is_refused(labels, refusal):
    bomb = zlib.compress(bytes(2**20))
    for _ in range(2):
        bomb = zlib.compress(bomb)
    stored = {"data": base64.b64encode(bomb).decode(), "origin": [0, 0]}
    objects = [{"classTitle": "ghế", "geometryType": "bitmap", "bitmap": stored}]
    assert "found" in refusal(lambda: read_supervisely(labels(objects)))


def test_an_image_of_another_size_is_refused(labels, refusal):
    source = read_supervisely(labels([bitmap(np.ones((2, 2), bool), 0, 0)], size=(6, 8)))
    assert "6 × 8 pixels (height × width), found 60 × 80" in refusal(lambda: masks_of(source))


def test_what_is_written_is_a_project(tmp_path):
    truth = {"train/một.png": difficult_mask(), "val/hai.png": difficult_mask()}
    write_supervisely(source_of_dataset(make_dataset(tmp_path / "data", truth)), tmp_path, None)
    meta = json.loads((tmp_path / "meta.json").read_text("utf-8"))
    assert [each["title"] for each in meta["classes"]] == ["cái ghế", "bàn & tủ"]
    stored = json.loads((tmp_path / "val" / "ann" / "hai.png.json").read_text("utf-8"))
    assert stored["size"] == {"height": 60, "width": 80}
    drawn = np.zeros((60, 80), np.uint8)
    for each in stored["objects"]:
        left, top = each["bitmap"]["origin"]
        content = zlib.decompress(base64.b64decode(each["bitmap"]["data"]))
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) > 0
        window = drawn[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        window[pixels] = each["classId"]
    np.testing.assert_array_equal(drawn, difficult_mask())
