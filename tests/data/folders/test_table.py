from pathlib import Path

import pytest

from fewmask.data.folders.table import Entry, read_table
from fewmask.errors import DataError

PATHS = [
    "images/train/1.png",
    "images/val/1.png",
    "images/val/ghế.png",
    "masks/train/1.png",
    "masks/val/1.png",
    "masks/val/ghế.png",
    "instances/train/1.png",
]


def read(folder, text, masks=None, paths=PATHS):
    (folder / "split.csv").write_text(text, encoding="utf-8")
    return read_table(folder, paths, masks)


def test_bare_names_are_found_where_they_belong(tmp_path):
    text = "split,image,mask\nval,1.png,1.png\ntrain,1.png,1.png\n\nvalid,GHẾ.png,ghế.png\n"
    assert read(tmp_path, text) == [
        Entry(2, "images/val/1.png", "masks/val/1.png", "validation", None),
        Entry(3, "images/train/1.png", "masks/train/1.png", "train", None),
        Entry(5, "images/val/ghế.png", "masks/val/ghế.png", "validation", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "image,group\nimages/train/1.png,An\n",
        "\ufeffgroup;filename\nAn;images/train/1.png\n",
        "Image\tGroup\n./images\\train\\1.png\tAn\n",
    ],
)
def test_spreadsheets_of_many_countries_are_read(tmp_path, text):
    assert read(tmp_path, text) == [Entry(2, "images/train/1.png", None, "train", "An")]


def test_names_that_do_not_match_are_paired_by_the_table(tmp_path):
    paths = ["a.jpg", "seg 17.png"]
    assert read(tmp_path, "image,mask\na.jpg,seg 17.png\n", paths=paths) == [
        Entry(2, "a.jpg", "seg 17.png", None, None)
    ]


def test_a_table_whose_masks_lie_elsewhere_than_was_said_is_refused(tmp_path):
    text = "image,mask\nimages/train/1.png,masks/train/1.png\n"
    assert read(tmp_path, text, masks="masks")[0].mask == "masks/train/1.png"
    for named in ("instances", "../nothing"):
        with pytest.raises(DataError) as caught:
            read(tmp_path, text, masks=named)
        assert str(caught.value) == (
            f"{tmp_path}/split.csv, line 2: expected a mask in {named}, which was named as their "
            "folder, found masks/train/1.png. Correct the line, or leave out --masks: split.csv "
            "says where masks are."
        )


def test_no_table_says_nothing(tmp_path):
    assert read_table(tmp_path, PATHS) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "split,file name\ntrain,1.png\n",
            ": expected a column named image, images, file, filename, file_name, image_path, "
            "found columns split, file name. "
            "Name the column that holds the image files 'image'.",
        ),
        (
            "split,image\n",
            ": expected a line for each image, found none. Fill the table or remove it.",
        ),
        (
            "split,image\nfold1,images/train/1.png\n",
            ", line 2: expected a part named train, validation or test, found 'fold1'. "
            "Correct the line, or remove the column to have parts drawn.",
        ),
        (
            "split,image\ntest,images/train/1.png\n",
            ", line 2: expected the part that the folder of images/train/1.png names, train, "
            "found test. Correct the line or move the file.",
        ),
        (
            "image\n2.png\n",
            ", line 2: expected the file of an image, found '2.png', which is not in the folder. "
            "Correct the name or remove the line.",
        ),
        (
            "image,mask\nghế.png\n",
            ", line 2: expected the file of a mask, found '', which is not in the folder. "
            "Correct the name or remove the line.",
        ),
        (
            "image\n1.png\n",
            ", line 2: expected one file named '1.png', found images/train/1.png and "
            "images/val/1.png. Write the path from the folder on, with /.",
        ),
        (
            "image\nghế.png\nimages/val/ghế.png\n",
            ", line 3: expected each image once, found images/val/ghế.png, which line 2 names "
            "too. Remove one of the lines.",
        ),
        pytest.param(
            f"image\n{'x' * 200_000}\n",
            ", line 2: expected cells with commas between, found field larger than field limit "
            "(131072). Correct it.",
            id="a cell without end",
        ),
    ],
)
def test_a_table_that_contradicts_is_refused_with_the_line(tmp_path, text, sentence):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == str(tmp_path / "split.csv") + sentence


def test_another_encoding_is_refused(tmp_path):
    (tmp_path / "split.csv").write_bytes("image\nghế.png".encode("utf-16"))
    with pytest.raises(DataError, match="expected a table in UTF-8, found another encoding"):
        read_table(tmp_path, PATHS)


def test_a_table_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(path, **how):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(DataError) as caught:
        read(tmp_path, "image\n1.png\n")
    assert str(caught.value) == (
        f"{tmp_path}/split.csv: expected a table that can be read, found permission denied. Check "
        "its rights."
    )
