import numpy as np
import pytest

from fewmask.data.formats.kaggle import read_kaggle, write_kaggle
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


@pytest.fixture
def labels(tmp_path):
    save_image(tmp_path / "images" / "ảnh 1.png")
    save_image(tmp_path / "images" / "b.jpg")

    def write(text):
        save_text(tmp_path / "train.csv", text)
        return labels_in(tmp_path, format_name="kaggle")

    return write


def test_runs_go_down_the_columns_from_1_on(labels):
    source = read_kaggle(labels("ImageId,EncodedPixels\nảnh 1,1 2 61 60\nảnh 1,4799 2\nb,\n"))
    masks = masks_of(source)
    expected = np.zeros((60, 80), np.uint8)
    expected[:2, 0] = expected[:, 1] = expected[58:, 79] = 1
    np.testing.assert_array_equal(masks["images/ảnh 1"], expected)
    assert masks["images/b"].max() == 0
    assert source.classes.names == ("background", "foreground")


@pytest.mark.parametrize(
    ("titles", "line", "name"),
    [
        ("img,rle_mask", "b.jpg,1 9", "foreground"),
        ("ImageId,ClassId,EncodedPixels", "b.jpg,3,1 9", "class3"),
        ("ImageId_ClassId,EncodedPixels", "b.jpg_2,1 9", "class2"),
        ("id,class,segmentation", "b,ruột,1 9", "ruột"),
    ],
)
def test_tables_of_several_contests_are_read(labels, titles, line, name):
    assert read_kaggle(labels(f"{titles}\n{line}\n")).classes.names == ("background", name)


def test_classes_json_names_the_numbers(labels, tmp_path):
    save_json(tmp_path / "classes.json", {"names": ["ghế", "bàn"]})
    source = read_kaggle(labels("ImageId,ClassId,EncodedPixels\nb,2,1 9\n"))
    assert source.classes.names == ("background", "ghế", "bàn")
    assert masks_of(source)["images/b"].max() == 2


def test_runs_along_the_rows_are_noticed_where_images_are_not_square(labels):
    mask = np.zeros((60, 80), bool)
    mask[10:20, 30:50] = True
    starts = [row * 80 + 31 for row in range(10, 20)]
    runs = " ".join(f"{start} 20" for start in starts)
    source = read_kaggle(labels(f"ImageId,EncodedPixels\nb,{runs}\n"))
    np.testing.assert_array_equal(masks_of(source)["images/b"] == 1, mask)
    assert source.findings == (
        f"Left out: 1 picture that {source.name} does not name.",
        "The runs go along the rows: those of images that are not square show it.",
    )


BAD = {
    "an odd number": (
        "ImageId,EncodedPixels\nb,1 2 3\n",
        "line 2: expected pairs of whole numbers, the start of a run and its length, found 3 "
        "words: '1 2 3'. Correct the line, or export the table again.",
    ),
    "words": (
        "ImageId,EncodedPixels\nb,1 x\n",
        "line 2: expected pairs of whole numbers, the start of a run and its length, found 2 "
        "words: '1 x'. Correct the line, or export the table again.",
    ),
    "runs over each other": (
        "ImageId,EncodedPixels\nb,1 5 4 2\n",
        "line 2: expected runs that start at pixel 1 or later, each after the one before, found a "
        "run at pixel 4. Correct the line, or export the table again.",
    ),
    "a run at 0": (
        "ImageId,EncodedPixels\nb,0 5\n",
        "line 2: expected runs that start at pixel 1 or later, each after the one before, found a "
        "run at pixel 0. Correct the line, or export the table again.",
    ),
    "too long": (
        "ImageId,EncodedPixels\nb,4800 5\n",
        "line 2: expected runs for 60 × 80 = 4,800 pixels (height × width), found runs for 4,804. "
        "Use the image that was labelled, or export again.",
    ),
    "a cell too many": (
        "ImageId,EncodedPixels\nb,1 2\nb,1 2,3\n",
        "line 3: expected 2 cells, as the first line has titles, found 3. Correct the line, or "
        "export the table again.",
    ),
    "a path that climbs": (
        "ImageId,EncodedPixels\n../b,1 2\n",
        "line 2: expected the path of an image from the folder {folder} on, found '../b', which "
        "leads out of it. Write what follows the folder.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    text, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_kaggle(labels(text)))) == (
        f"{tmp_path}/train.csv, {sentence.replace('{folder}', str(tmp_path))}"
    )


def test_an_image_that_is_missing_is_named(labels, tmp_path, refusal):
    assert refusal(lambda: read_kaggle(labels("ImageId,EncodedPixels\nb,1 2\nc d,1 2\n"))) == (
        f"{tmp_path}: expected its images in {tmp_path}, found 1 of 2 missing: c d. Add them, or "
        "name the folder that holds them after the file."
    )


def test_what_is_written_is_a_line_a_piece(tmp_path):
    empty = np.zeros((60, 80), np.uint8)
    truth = {"một.png": np.minimum(difficult_mask(), 1), "hai 2.png": empty}
    dataset = make_dataset(tmp_path / "data", truth, ("background", "ghế"))
    write_kaggle(source_of_dataset(dataset), tmp_path, None)
    lines = (tmp_path / "train.csv").read_text("utf-8").splitlines()
    assert lines[:2] == ["ImageId,EncodedPixels", "hai 2,"]
    assert all(line.startswith("một,") for line in lines[2:])
    back = read_kaggle(labels_in(tmp_path / "train.csv", tmp_path / "images"))
    assert back.classes.names == ("background", "ghế")
    np.testing.assert_array_equal(masks_of(back)["một"], truth["một.png"])
