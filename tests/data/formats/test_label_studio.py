import json

import numpy as np
import pytest

from fewmask.data.formats.brush import pack_brush
from fewmask.data.formats.label_studio import (
    read_label_studio,
    write_label_studio,
    write_label_studio_brush,
)
from fewmask.data.formats.source import source_of_dataset

from .conftest import (
    difficult_mask,
    labels_in,
    make_dataset,
    masks_of,
    save_image,
    save_json,
    save_text,
)

SQUARE = [[12.5, 50], [37.5, 50], [37.5, 75], [12.5, 75]]  # percent: columns 10-30, rows 30-45


def result(kind="polygonlabels", label="ghế", size=(60, 80), **value):
    value = value or {"points": SQUARE}
    return {
        "id": f"{kind}{label}",
        "type": kind,
        "original_height": size[0],
        "original_width": size[1],
        "image_rotation": 0,
        "value": {**value, **({kind: [label]} if label else {})},
    }


def task(*results, image="/data/upload/1/1a2b3c4d-ảnh 1.jpg", **more):
    return {"id": 1, "data": {"image": image}, "annotations": [{"result": [*results]}]} | more


@pytest.fixture
def labels(tmp_path):
    save_image(tmp_path / "photos" / "ảnh 1.jpg")

    def write(tasks):
        path = save_json(tmp_path / "project.json", tasks)
        return labels_in(path, tmp_path / "photos", "label-studio")

    return write


def test_polygons_and_brush_strokes_are_read_in_order(labels):
    stroke = pack_brush(np.array([60 * 40, 80 * 10, 80 * 20]))  # rows 30 to 40
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    source = read_label_studio(
        labels(
            [
                task(
                    result(),
                    result("brushlabels", "bàn", format="rle", rle=stroke),
                    result("rectanglelabels", "bàn", **box),
                    {"type": "choices", "value": {"choices": ["good"]}},
                )
            ]
        )
    )
    assert source.classes.names == ("background", "bàn", "ghế")
    mask = masks_of(source)["ảnh 1"]
    expected = np.zeros((60, 80), np.uint8)
    expected[30:45, 10:30] = 2
    expected[30:40] = 1
    np.testing.assert_array_equal(mask, expected)
    assert source.losses.sentence() == (
        "Not kept: 1 region that is neither polygon nor brush; 2 objects (their pixels keep the "
        "class); 200 pixels under a shape of another class."
    )


def test_regions_with_labels_of_their_own_are_read(labels):
    region = result("polygon", "") | {"id": "r1"}
    label = result("labels", "ghế", points=SQUARE) | {"id": "r1"}
    alone = result("polygon", "") | {"id": "r2"}
    source = read_label_studio(labels([task(region, label, alone)]))
    assert source.classes.names == ("background", "ghế")
    assert "1 region without a label" in source.losses.sentence()


def test_the_interface_gives_order_and_colours(labels, tmp_path):
    save_text(
        tmp_path / "label_config.xml",
        '<View><PolygonLabels name="a"><Label value="xe" background="#0000FF"/>'
        '<Label value="ghế" background="#ff0000"/></PolygonLabels></View>',
    )
    source = read_label_studio(labels([task(result())]))
    assert source.classes.names == ("background", "xe", "ghế")
    assert source.classes.colors[1:] == ((0, 0, 255), (255, 0, 0))
    # That of another project says nothing.
    source = read_label_studio(labels([task(result(label="bàn"), result())]))
    assert source.classes.names == ("background", "bàn", "ghế")


@pytest.mark.parametrize(
    "image",
    [
        "/data/upload/1/ảnh 1.jpg",
        "/data/upload/1/%E1%BA%A3nh%201.jpg",
        "/data/local-files/?d=photos%2Fảnh 1.jpg",
        "s3://bucket/deep/photos/ảnh 1.jpg",
        "https://example.org/a/ảnh 1.jpg?token=x",
        "../../ảnh 1.jpg",
    ],
)
def test_images_are_found_by_the_end_of_their_address(labels, image):
    assert [*masks_of(read_label_studio(labels([task(result(), image=image)])))] == ["ảnh 1"]


def test_of_several_labellings_the_newest_is_read_or_the_true_one(labels):
    old = {"result": [result(label="cũ")], "updated_at": "2023-01-01"}
    new = {"result": [result(label="mới")], "updated_at": "2024-01-01"}
    true = {"result": [result(label="đúng")], "updated_at": "2022-01-01", "ground_truth": True}
    gone = {"result": [result(label="bỏ")], "updated_at": "2025-01-01", "was_cancelled": True}
    source = read_label_studio(labels([task(annotations=[new, old, gone])]))
    assert source.classes.names == ("background", "mới")
    assert source.findings == ("1 image labelled more than once: the newest labels are read.",)
    source = read_label_studio(labels([task(annotations=[new, true])]))
    assert source.classes.names == ("background", "đúng")


def test_tasks_that_nobody_labelled_are_left_out(labels, tmp_path):
    save_image(tmp_path / "photos" / "b.jpg")
    tasks = [task(result()), task(image="/data/upload/b.jpg", annotations=[])]
    assert read_label_studio(labels(tasks)).findings == (
        "Left out: 1 picture that project.json does not name.",
        "Left out: 1 task that nobody has labelled.",
    )


BAD = {
    "two corners": (
        [task(result(points=[[1, 1], [2, 2]]))],
        "task 0, annotations 0, result 0: expected at least 3 corners, found 2. Draw this outline "
        "again or remove it.",
    ),
    "a painting of another size": (
        [task(result("brushlabels", rle=pack_brush(np.array([3, 3]))))],
        "task 0, annotations 0, result 0: expected 19,200 values for 60 × 80 pixels (height × "
        "width), found 24. Use the image that was labelled, or export again.",
    ),
    "turned": (
        [task(result() | {"image_rotation": 90})],
        "task 0, annotations 0, result 0: expected an image that was not turned in Label Studio, "
        "found one turned by 90 degrees. Turn it back there, or turn the file and label it again.",
    ),
    "the short export": (
        [{"id": 1, "image": "/a.jpg", "label": [{"original_width": 1}]}],
        "task 0: expected a task with its 'annotations', found none, as in the shortened export "
        "JSON-MIN. Export the project as JSON.",
    ),
    "no image": (
        [task(result(), image="text")],
        "task 0: expected the address of an image in its 'data', found text. Export the project "
        "as JSON, with images that have a name.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    tasks, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_label_studio(labels(tasks)))) == (
        f"{tmp_path}/project.json, {sentence}"
    )


def test_an_image_of_another_size_or_none_is_refused(labels, refusal):
    source = read_label_studio(labels([task(result(size=(30, 40)))]))
    assert "gives, 30 × 40 pixels (height × width), found 60 × 80" in refusal(
        lambda: masks_of(source)
    )
    missing = labels([task(result(), image="/data/upload/1/1a2b3c4d-c.jpg")])
    assert "found 1 of 1 missing: 1a2b3c4d-c.jpg." in refusal(lambda: read_label_studio(missing))


def test_what_is_written_is_what_label_studio_exports(tmp_path):
    truth = {"train/một.png": difficult_mask(), "val/a+b & 50% #2.png": difficult_mask()}
    source = source_of_dataset(make_dataset(tmp_path / "data", truth))
    for write, kind in ((write_label_studio, "polygon"), (write_label_studio_brush, "brush")):
        out = tmp_path / kind
        out.mkdir()
        write(source, out, None)
        tasks = json.loads((out / "tasks.json").read_text("utf-8"))
        assert [each["data"] for each in tasks] == [
            {"image": "/data/local-files/?d=images/train/m%E1%BB%99t.png", "part": "train"},
            {
                "image": "/data/local-files/?d=images/val/a%2Bb%20%26%2050%25%20%232.png",
                "part": "validation",
            },
        ]
        first = tasks[0]["annotations"][0]["result"][0]
        assert first["type"] == f"{kind}labels"
        assert first["value"][f"{kind}labels"] == ["cái ghế"]
        back = read_label_studio(labels_in(out))
        assert back.classes.names == source.classes.names
        assert back.classes.colors[1:] == source.classes.colors[1:]
        assert [image.part for image in back.images] == ["train", "validation"]
        assert back.images[1].name.endswith("val/a+b & 50% #2")
        for mask in masks_of(back).values():
            np.testing.assert_array_equal(mask, difficult_mask())
