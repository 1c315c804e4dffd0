import os
import unicodedata

import pytest

from fewmask.data.formats.images import ImageFinder, common_name

from .conftest import save_image

WHERE = "labels.json, images 0"


@pytest.fixture
def finder(tmp_path):
    for name in ("train/a.jpg", "val/a.jpg", "train/Ảnh 1.png", "b.c.png", "masks/b.c.png"):
        save_image(tmp_path / "photos" / name)
    return ImageFinder(tmp_path / "photos", tmp_path / "labels.json")


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("train/a.jpg", "train/a"),
        ("photos/val/a.jpg", "val/a"),
        ("val\\a.jpg", "val/a"),
        ("./val/../train/a", "train/a"),
        ("VAL/A.JPG", "val/a"),
        ("ảnh 1.png", "train/Ảnh 1"),
        (unicodedata.normalize("NFD", "Ảnh 1"), "train/Ảnh 1"),
        ("b.c.png", "b.c"),
        ("b.c", "b.c"),
    ],
)
def test_images_are_found_by_path_name_and_end(finder, name, there):
    assert finder.find(name, WHERE).name == there


@pytest.mark.parametrize("name", ["test/a.jpg", "a.png", "c", "b", ""])
def test_other_names_are_missing(finder, name, tmp_path, refusal):
    assert finder.find(name, WHERE) is None
    finder.find("b.c.png", WHERE)
    assert refusal(finder.finish) == (
        f"{tmp_path}/labels.json: expected its images in {tmp_path}/photos, found 1 of 2 missing: "
        f"{name}. Add them, or name the folder that holds them after the file."
    )


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png", "train/../../secret.png", "/etc/passwd", "C:\\photos\\a.jpg", "~/../../a",
        "\\\\server\\a.jpg", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_paths_that_lead_out_are_refused(finder, name, tmp_path, refusal):
    save_image(tmp_path / "secret.png")
    assert refusal(lambda: finder.find(name, WHERE)) == (
        f"{WHERE}: expected the path of an image from the folder {tmp_path}/photos on, found "
        f"'{name}', which leads out of it. Write what follows the folder."
    )


def test_a_path_may_climb_as_long_as_it_stays_inside(finder, tmp_path):
    beside = tmp_path / "photos" / "masks"
    assert finder.find("../train/a.jpg", WHERE, beside=beside).name == "train/a"
    assert finder.find("photos/val/a.jpg", WHERE, beside=tmp_path).name == "val/a"


def test_labels_on_another_drive_of_windows_name_images_too(finder, tmp_path, monkeypatch, refusal):
    def refuse(path, start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", refuse)
    assert finder.find("train/a.jpg", WHERE, beside=tmp_path / "labels").name == "train/a"
    assert "which leads out of it" in refusal(lambda: finder.find("D:\\photos\\b.c.png", WHERE))


def test_two_images_of_a_name_are_told_apart_by_the_part_or_refused(finder, tmp_path, refusal):
    assert finder.find("a.jpg", WHERE, part="validation").name == "val/a"
    assert refusal(lambda: finder.find("a.jpg", WHERE)) == (
        f"{WHERE}: expected one image named 'a.jpg' in {tmp_path}/photos, found train/a.jpg and "
        "val/a.jpg. Rename one of them, or name the folder that holds only those meant."
    )


def test_an_image_is_named_once(finder, refusal):
    finder.find("train/a.jpg", "images 0")
    assert refusal(lambda: finder.find("photos/train/a.jpg", "images 7")) == (
        "images 7: expected each image once, found train/a.jpg, which images 0 names too. Remove "
        "one of the two, or put both images into the folder."
    )


def test_what_nobody_names_is_counted_without_masks(finder):
    finder.find("train/a.jpg", WHERE)
    assert finder.finish() == ["Left out: 3 pictures that labels.json does not name."]


def test_images_in_a_folder_called_labels_are_found_if_there_are_no_others(tmp_path):
    save_image(tmp_path / "labels" / "a.png")
    finder = ImageFinder(tmp_path, tmp_path)
    assert finder.find("a", WHERE).name == "labels/a"
    assert finder.finish() == []


def test_the_folder_has_to_be_one(tmp_path, refusal):
    path = save_image(tmp_path / "a.png")
    assert refusal(lambda: ImageFinder(path, tmp_path)) == (
        f"{path}: expected the folder of the images, found a single file. Check the path."
    )
    assert "found nothing there" in refusal(lambda: ImageFinder(tmp_path / "none", tmp_path))


def test_image_and_labels_have_a_name_in_common():
    assert common_name("leftImg8bit/train/x") == common_name("gtFine/train/x") == ("train", "x")
    assert common_name("train/images/Ảnh") != common_name("val/labels/Ảnh")
