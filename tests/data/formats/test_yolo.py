import numpy as np
import pytest

from fewmask.data.formats.source import source_of_dataset
from fewmask.data.formats.yolo import is_label_file, read_yolo, write_yolo

from .conftest import (
    difficult_mask,
    labels_in,
    make_dataset,
    masks_of,
    round_mask,
    save_image,
    save_text,
)

SQUARE = "0.125 0.25 0.375 0.25 0.375 0.5 0.125 0.5"  # of 80 × 60: columns 10-30, rows 15-30
YAML = 'names:\n- ghế\n- "bàn: to"\n'


@pytest.fixture
def labels(tmp_path):
    save_image(tmp_path / "images" / "ảnh 1.jpg")
    save_text(tmp_path / "data.yaml", YAML)

    def write(text, name="ảnh 1"):
        save_text(tmp_path / "labels" / f"{name}.txt", text)
        return labels_in(tmp_path, format_name="yolo")

    return write


def test_polygons_are_read_small_ones_on_top(labels):
    source = read_yolo(labels(f"1 {SQUARE}\n0 0 0 1 0 1 1 0 1\n1 0.5 0.5 0.1 0.1\n\n"))
    assert source.classes.names == ("background", "ghế", "bàn: to")
    mask = masks_of(source)["images/ảnh 1"]
    assert (mask[15:30, 10:30] == 2).all()
    assert np.bincount(mask.ravel()).tolist() == [0, 4500, 300]
    assert source.losses.sentence() == (
        "Not kept: 1 box; 2 objects (their pixels keep the class); 300 pixels under a shape of "
        "another class."
    )


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("train/images/a.jpg", "train/labels/a.txt"),
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("train/a.jpg", "train/a.txt"),
    ],
)
def test_every_layout_is_read_with_its_parts(tmp_path, image, label):
    save_image(tmp_path / image)
    save_text(tmp_path / label, f"0 {SQUARE}\n")
    source = read_yolo(labels_in(tmp_path))
    assert [each.part for each in source.images] == ["train"]
    assert source.findings == ("No data.yaml names the classes: they are numbered.",)
    assert source.classes.names == ("background", "class0")


def test_two_names_of_one_number_are_refused(labels, tmp_path, refusal):
    labelled = labels(f"0 {SQUARE}\n")
    save_text(tmp_path / "data.yaml", "names: {ghế: 0, bàn: 0}")
    assert "found 0 for 'bàn' and for 'ghế'." in refusal(lambda: read_yolo(labelled))


def test_labels_and_images_may_be_named_apart(tmp_path):
    for part in ("train", "val"):
        save_image(tmp_path / "photos" / part / "a.jpg")
        save_text(tmp_path / "labels_yolo" / part / "a.txt", f"2 {SQUARE}\n")
    save_text(tmp_path / "labels_yolo" / "classes.txt", "một\nhai\nba\n")
    source = read_yolo(labels_in(tmp_path / "labels_yolo", tmp_path / "photos"))
    assert [each.name for each in source.images] == ["train/a", "val/a"]
    assert source.classes.names == ("background", "một", "hai", "ba")


def test_an_image_without_a_file_holds_nothing_but_a_part_without_files_is_left_out(tmp_path):
    for name in ("train/images/a", "train/images/b", "test/images/c"):
        save_image(tmp_path / f"{name}.jpg")
    save_text(tmp_path / "train/labels/a.txt", f"0 {SQUARE}\n")
    save_text(tmp_path / "data.yaml", YAML)
    source = read_yolo(labels_in(tmp_path))
    assert [each.name for each in source.images] == ["train/images/a", "train/images/b"]
    assert source.findings == (
        "1 image without a text file: no object in it, as YOLO reads it.",
        "Left out: 1 image of a part that has no text files.",
    )


def test_an_empty_file_is_an_image_without_objects(labels, tmp_path):
    labels(f"0 {SQUARE}")
    save_image(tmp_path / "images" / "b.jpg")
    masks = masks_of(read_yolo(labels("", "b")))
    assert masks["images/b"].max() == 0


BAD = {
    "two corners": (
        "0 0.1 0.1 0.2 0.2 0.3",
        "line 1: expected the number of a class, then x and y of each corner, found 6 words, the "
        "first '0'. Correct the line or remove it.",
    ),
    "no number": (
        f"0 {SQUARE}\n0 0.1 0.1 0.2 0,2 0.3 0.3",
        "line 2: expected numbers, found '0,2'. Correct the line or remove it.",
    ),
    "infinite": (
        f"0 {SQUARE}\n0 0.1 0.1 0.2 nan 0.3 0.3",
        "line 2: expected corners at finite numbers, found nan. Draw this outline again or remove "
        "it.",
    ),
    "an unknown class": (
        f"2 {SQUARE}",
        "line 1: expected the number of a class, 0 to 1, found 2. Correct it, or add the class to "
        "data.yaml.",
    ),
    "pixels": (
        "0 10 10 40 10 40 50",
        "line 1: expected corners inside its image of 60 × 80 pixels (height × width), found "
        "columns 800 to 3200, rows 600 to 3000. Check that this is the image that was labelled, "
        "and that corners are in pixels.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(labels, tmp_path, refusal, case):
    text, sentence = BAD[case]
    assert refusal(lambda: masks_of(read_yolo(labels(text)))) == (
        f"{tmp_path}/labels/ảnh 1.txt, {sentence}"
    )


def test_a_file_without_an_image_is_named(labels, tmp_path, refusal):
    labelled = labels(f"0 {SQUARE}", "b c")
    assert refusal(lambda: read_yolo(labelled)) == (
        f"{tmp_path}: expected an image in {tmp_path} for every text file, found 1 file without "
        f"one: {tmp_path}/labels/b c.txt. Add the image, or name the folder that holds the images "
        "after the labels."
    )


def test_a_link_that_leads_nowhere_is_named(labels, tmp_path, refusal):
    save_image(tmp_path / "images" / "b.jpg")
    labels(f"0 {SQUARE}")
    (tmp_path / "labels" / "b.txt").symlink_to(tmp_path / "nowhere")
    assert refusal(lambda: read_yolo(labels_in(tmp_path, format_name="yolo"))) == (
        f"{tmp_path}/labels/b.txt: expected a file of text, found no such file or directory. "
        "Check the path."
    )


def test_two_images_of_a_name_are_refused(labels, tmp_path, refusal):
    save_image(tmp_path / "images" / "ảnh 1.png")
    assert "expected one image of a name" in refusal(lambda: read_yolo(labels(f"0 {SQUARE}")))


def test_which_text_files_are_labels(tmp_path):
    cases = {
        "a.txt": ("0 0.5 0.5 0.1 0.1", True),
        "b.txt": ("\n 12  .5 5e-1 1 0 1 1\n", True),
        "c.txt": ("2007_000001 1", False),
        "d.txt": ("0 1 2", False),
        "classes.txt": ("0 1 2 3 4 5", False),
    }
    for name, (text, _) in cases.items():
        save_text(tmp_path / name, text)
    (tmp_path / "e.txt").write_bytes(b"\xff\xfe\x00")
    seen = {name: is_label_file(tmp_path / name) for name in cases}
    assert seen == {name: expected for name, (_, expected) in cases.items()}
    assert not is_label_file(tmp_path / "e.txt")


def test_what_is_written_is_what_trainers_of_yolo_read(tmp_path):
    masks = {f"{part}/{part} 1.png": round_mask() for part in ("train", "val")}
    masks["train/khó.png"] = difficult_mask()
    dataset = make_dataset(tmp_path / "data", masks)
    write_yolo(source_of_dataset(dataset), tmp_path, None)
    assert (tmp_path / "data.yaml").read_text("utf-8") == (
        'path: .\ntrain: images/train\nval: images/val\nnames:\n  0: "cái ghế"\n  1: "bàn & tủ"\n'
    )
    lines = (tmp_path / "labels/train/khó.txt").read_text("utf-8").splitlines()
    assert {line.split()[0] for line in lines} == {"0", "1"}
    assert all(0 <= float(word) <= 1 for line in lines for word in line.split()[1:])
    assert (tmp_path / "images/val/val 1.png").is_file()


@pytest.mark.parametrize(
    ("part", "validation"), [("test", "images/test"), ("validation", "images/val")]
)
def test_a_dataset_without_a_part_to_learn_from_is_written_too(tmp_path, part, validation):
    dataset = make_dataset(tmp_path / "data", {f"{part}/a.png": round_mask()})
    write_yolo(source_of_dataset(dataset), tmp_path, None)
    lines = (tmp_path / "data.yaml").read_text("utf-8").splitlines()
    # There is no such folder: that is better than learning from the images to judge by.
    assert "train: images/train" in lines
    assert f"val: {validation}" in lines
