import json
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fewmask.data.folders.folder import read_folder
from fewmask.data.imageio import encode_png

from .conftest import contents, draw_folder, save, scene

BOX = [[4, 3], [20, 3], [20, 15], [4, 15]]


@pytest.fixture
def labelled(tmp_path):
    """Two photographs with LabelMe's files beside them, in `ảnh chụp/`."""
    for number in (1, 2):
        save(tmp_path / "ảnh chụp" / f"{number}.png", scene(number)[0])
        shapes = [{"label": "ghế", "points": BOX, "shape_type": "polygon"}] * number
        content = {"shapes": shapes, "imagePath": f"{number}.png", "imageData": None}
        path = tmp_path / "ảnh chụp" / f"{number}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return tmp_path / "ảnh chụp"


def test_labels_become_a_dataset(fewmask, labelled, tmp_path):
    before = contents(labelled)
    told = fewmask("convert", "ảnh chụp")
    assert (told.code, told.err) == (0, "Reading ảnh chụp\n")
    assert told.out.splitlines() == [
        "ảnh chụp: LabelMe JSON, 2 images of ghế",
        "  Not kept: 3 objects (their pixels keep the class).",
        "Written to ảnh chụp-dataset",
        "Then: fewmask inspect 'ảnh chụp-dataset'",
    ]
    assert contents(labelled) == before
    dataset = read_folder("ảnh chụp-dataset")
    assert dataset.classes.names == ("background", "ghế")
    assert [int(dataset.read_mask(place).sum()) for place in (0, 1)] == [192, 192]


def test_what_is_proposed_can_be_typed(fewmask, labelled):
    """A folder of labels alone: what `inspect` proposes, and then `convert`, can be typed."""
    told = fewmask("inspect", "ảnh chụp")
    assert told.code == 2
    assert "found labels as LabelMe JSON (2 files)." in told.error
    words = shlex.split(told.error.partition("Convert them: ")[2])
    told = fewmask(*words[1:])
    assert told.code == 0
    told = fewmask(*shlex.split(told.out.splitlines()[-1])[2:])
    assert told.code == 0
    assert "Then: fewmask train 'ảnh chụp-dataset'" in told.out


def test_training_says_so_too(fewmask, labelled):
    told = fewmask("train", "ảnh chụp")
    assert told.code == 2
    assert "found labels as LabelMe JSON (2 files). Convert them: fewmask convert " in told.error


def test_a_dataset_becomes_another_format_and_back(fewmask, tmp_path):
    draw_folder(tmp_path / "photos", count=3)
    told = fewmask("convert", "photos", "--to", "coco-rle", "--classes", "nền,hộp")
    assert told.code == 0
    assert told.out.splitlines()[0] == "photos: masks as pictures, 3 images of hộp"
    assert told.out.splitlines()[-1] == "To read it back: fewmask convert photos-coco-rle"
    stored = json.loads((tmp_path / "photos-coco-rle" / "annotations.json").read_text("utf-8"))
    assert [each["name"] for each in stored["categories"]] == ["hộp"]
    assert fewmask("convert", "photos-coco-rle", "--out", "again").code == 0
    for number in range(3):
        with Image.open(tmp_path / "again" / "masks" / f"{number}.png") as mask:
            np.testing.assert_array_equal(np.array(mask), scene(number)[1] // 255)


def test_json_alone_is_on_the_standard_output(fewmask, labelled):
    told = fewmask("convert", "ảnh chụp", "--json", "--out", "ra")
    assert json.loads(told.out) == {
        "out": "ra",
        "from": "labelme",
        "to": "folder",
        "images": 2,
        "classes": ["background", "ghế"],
        "findings": [],
        "lost": "Not kept: 3 objects (their pixels keep the class).",
    }


def test_a_name_that_nobody_has_is_refused(fewmask):
    told = fewmask("convert", "rohan/chairs")
    assert told.code == 2
    assert told.error.startswith("Error: rohan/chairs: expected ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["ảnh chụp/1.json", "--to", "jpeg"],
            "Error: --to: expected one of folder, coco, coco-rle, labelme, yolo, voc, cvat, "
            "label-studio, label-studio-brush, cityscapes, kaggle, supervisely, tiff, found "
            "'jpeg'. Choose one of them.",
        ),
        (
            ["ảnh chụp", "nowhere"],
            "Error: nowhere: expected the folder of the images, found nothing there. Check the "
            "path.",
        ),
        (
            ["ảnh chụp", "--out", "ảnh chụp/mới"],
            "Error: --out ảnh chụp/mới: expected a place outside the source, found one inside, "
            "where it would be taken for a part of it. Try: --out {here}/mới",
        ),
    ],
)
def test_what_was_mistyped_ends_in_a_sentence(fewmask, labelled, tmp_path, words, sentence):
    before = contents(tmp_path)
    told = fewmask("convert", *words)
    assert (told.code, told.error) == (2, sentence.replace("{here}", str(tmp_path)))
    assert contents(tmp_path) == before


def test_a_folder_of_parquet_files_is_a_dataset(fewmask, tmp_path):
    rows = []
    for number in range(3):
        image, mask = scene(number)
        cells = {"image": image, "road": mask, "roof": mask // 2}
        rows.append({key: {"bytes": encode_png(pixels)} for key, pixels in cells.items()})
    (tmp_path / "roads").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "roads/train.parquet")
    told = fewmask("convert", "roads", "--to", "labelme")
    assert told.code == 2
    assert "found image, road, roof. Say which it is, for example: --masks roof" in told.error
    told = fewmask("convert", "roads", "--to", "tiff", "--masks", "road")
    assert (told.code, told.out.splitlines()[0]) == (0, "roads: a dataset, 3 images of foreground")
    dataset = read_folder("roads-tiff")
    assert [int(dataset.read_mask(place).sum()) for place in range(3)] == [80, 80, 80]


def test_a_table_beside_labels_does_not_hide_them(fewmask, labelled):
    pq.write_table(pa.table({"weight": [1, 2]}), labelled / "notes.parquet")
    told = fewmask("convert", "ảnh chụp")
    assert (told.code, told.out.splitlines()[0]) == (
        0,
        "ảnh chụp: LabelMe JSON, 2 images of ghế",
    )


def test_a_slip_in_a_file_ends_in_its_line(fewmask, labelled, tmp_path):
    (labelled / "2.json").write_text('{"shapes": [],\n "imagePath": 2.png"}', encoding="utf-8")
    told = fewmask("convert", "ảnh chụp")
    assert told.code == 2
    assert told.error == (
        "Error: ảnh chụp/2.json: expected JSON, found a slip in line 2, column 16 (Expecting ',' "
        "delimiter). Correct it there, or export it again."
    )
    assert not (tmp_path / "ảnh chụp-dataset").exists()
