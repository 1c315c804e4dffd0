import numpy as np
import pytest

from fewmask.data.formats.cvat import read_cvat, write_cvat
from fewmask.data.formats.fields import read_xml
from fewmask.data.formats.source import source_of_dataset

from .conftest import difficult_mask, labels_in, make_dataset, masks_of, save_image, save_text

LABELS = """<meta><task><labels>
<label><name>ghế</name><color>#ff0000</color></label>
<label><name>bàn</name><color>#00ff00</color></label>
</labels></task></meta>"""
SQUARE = "10.0,10.0;30.0,10.0;30.0,40.0;10.0,40.0"


def annotations(shapes, more='name="ảnh 1.jpg"', meta=LABELS, size='width="80" height="60"'):
    return (
        f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{meta}'
        f'<image id="0" {more} {size}>{shapes}</image></annotations>'
    )


@pytest.fixture
def labels(tmp_path):
    save_image(tmp_path / "images" / "ảnh 1.jpg")

    def write(text):
        save_text(tmp_path / "annotations.xml", text)
        return labels_in(tmp_path, format_name="cvat")

    return write


def test_every_kind_of_area_is_read_by_its_height(labels):
    source = read_cvat(
        labels(
            annotations(
                f'<polygon label="ghế" points="{SQUARE}" z_order="1">'
                '<attribute name="old">true</attribute></polygon>'
                '<box label="bàn" xtl="0" ytl="0" xbr="40" ybr="20" z_order="0"/>'
                '<mask label="bàn" rle="1, 3, 2" left="70" top="50" width="3" height="2"/>'
                '<ellipse label="ghế" cx="60" cy="30" rx="8" ry="4" z_order="2"/>'
                '<polyline label="ghế" points="1,1;2,2"/><points label="bàn" points="1,1"/>'
                '<tag label="bàn"/>'
            )
        )
    )
    assert source.classes.names == ("background", "ghế", "bàn")
    assert source.classes.colors == ((0, 0, 0), (255, 0, 0), (0, 255, 0))
    mask = masks_of(source)["images/ảnh 1"]
    assert (mask[10:40, 10:30] == 1).all()
    assert mask[50:52, 70:73].tolist() == [[0, 2, 2], [2, 0, 0]]
    assert np.count_nonzero(mask[25:35, 50:70] == 1) == pytest.approx(np.pi * 8 * 4, rel=0.03)
    assert source.losses.sentence() == (
        "Not kept: 1 attribute; 1 polyline; 1 point; 1 tag; 4 objects (their pixels keep the "
        "class); 200 pixels under a shape of another class."
    )


def test_a_turned_box_is_turned(labels):
    box = '<box label="ghế" xtl="20" ytl="25" xbr="60" ybr="35" rotation="90"/>'
    mask = masks_of(read_cvat(labels(annotations(box))))["images/ảnh 1"]
    expected = np.zeros((60, 80), np.uint8)
    expected[10:50, 35:45] = 1
    np.testing.assert_array_equal(mask, expected)


def test_a_project_with_images_of_equal_names_keeps_them_apart(tmp_path):
    for part in ("Train", "Test"):
        save_image(tmp_path / "images" / part / "1.jpg")
    images = "".join(
        f'<image id="0" name="1.jpg" subset="{part}" width="80" height="60">'
        f'<polygon label="ghế" points="{SQUARE}"/></image>'
        for part in ("Test", "Train")
    )
    save_text(tmp_path / "annotations.xml", f"<annotations>{LABELS}{images}</annotations>")
    source = read_cvat(labels_in(tmp_path))
    assert [(image.name, image.part) for image in source.images] == [
        ("images/Test/1", "test"),
        ("images/Train/1", "train"),
    ]


def test_the_frames_of_a_video_are_read(tmp_path):
    for frame in (10, 13):
        save_image(tmp_path / "images" / f"frame_{frame:06d}.png")
    meta = LABELS.replace(
        "<labels>", "<original_size><width>80</width><height>60</height></original_size><labels>"
    )
    track = (
        f'<track id="0" label="ghế"><polygon frame="10" outside="0" points="{SQUARE}"/>'
        f'<polygon frame="13" outside="1" points="{SQUARE}"/></track>'
        f'<track id="1" label="bàn"><points frame="13" outside="0" points="1,1"/></track>'
    )
    save_text(tmp_path / "annotations.xml", f"<annotations>{meta}{track}</annotations>")
    masks = masks_of(read_cvat(labels_in(tmp_path)))
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {
        "images/frame_000010": 600,
        "images/frame_000013": 0,
    }


POLYGON = '<polygon label="{label}" points="{points}"/>'
BAD = {
    "two corners": (
        annotations(POLYGON.format(label="ghế", points="1,1;2,2")),
        "image 0, polygon 0: expected at least 3 corners, found 2. Draw this outline again or "
        "remove it.",
    ),
    "no number": (
        annotations(POLYGON.format(label="ghế", points="1,1;2,nan;3,3")),
        "image 0, polygon 0: expected corners at finite numbers, found nan. Draw this outline "
        "again or remove it.",
    ),
    "no pairs": (
        annotations(POLYGON.format(label="ghế", points="1,1;2;3,3")),
        "image 0, polygon 0: expected corners as pairs of numbers, found [['1', '1'], ['2'], "
        "['3', '3']]. Export it again from the tool that wrote it.",
    ),
    "an unknown class": (
        annotations(POLYGON.format(label="xe", points=SQUARE)),
        "image 0, polygon 0: expected one of the classes ghế, bàn, found 'xe'. Correct the name, "
        "or add it to the list of classes.",
    ),
    "too few runs": (
        annotations('<mask label="ghế" rle="1, 3" left="0" top="0" width="3" height="2"/>'),
        "image 0, mask 0: expected runs for 2 × 3 = 6 pixels (height × width), found runs for 4. "
        "Use the image that was labelled, or export again.",
    ),
    "no runs": (
        annotations('<mask label="ghế" rle="1, x" left="0" top="0" width="3" height="2"/>'),
        "image 0, mask 0: expected whole numbers as 'rle', found '1, x'. Export it again.",
    ),
    "a path that climbs": (
        annotations(POLYGON.format(label="ghế", points=SQUARE), 'name="../../a.jpg"'),
        "image 0: expected the path of an image from the folder {folder} on, found '../../a.jpg', "
        "which leads out of it. Write what follows the folder.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    text, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_cvat(labels(text)))) == (
        f"{tmp_path}/annotations.xml, {sentence.replace('{folder}', str(tmp_path))}"
    )


def test_what_is_written_is_what_cvat_exports(tmp_path):
    masks = {f"{part}/{part} 1.png": difficult_mask() for part in ("train", "test")}
    dataset = make_dataset(tmp_path / "data", masks)
    write_cvat(source_of_dataset(dataset), tmp_path, None)
    root = read_xml(tmp_path / "annotations.xml")
    assert [label.findtext("name") for label in root.iterfind("meta/project/labels/label")] == [
        "cái ghế",
        "bàn & tủ",
    ]
    assert [each.text for each in root.iter("subset")] == ["test", "train"]
    assert [image.attrib["name"] for image in root.iterfind("image")] == [
        "test 1.png",
        "train 1.png",
    ]
    assert (tmp_path / "images" / "train" / "train 1.png").is_file()
    polygon = next(root.iter("polygon"))
    assert {"label", "points", "z_order", "occluded"} <= polygon.attrib.keys()
