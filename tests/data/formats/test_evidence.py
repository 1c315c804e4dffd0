import json

import numpy as np
import pytest

from fewmask.data.folders.folder import read_folder
from fewmask.data.formats.convert import WRITERS
from fewmask.data.formats.evidence import describe_formats, find_formats
from fewmask.data.formats.source import source_of_dataset
from fewmask.data.imageio import write_png

from .conftest import difficult_mask, make_dataset, save_image, save_json, save_text

READ_AS = {"coco-rle": "coco", "label-studio-brush": "label-studio", "tiff": "folder"}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_recognised_and_only_as_itself(tmp_path, name):
    dataset = make_dataset(
        tmp_path / "data", {"a.jpg": difficult_mask(), "b.png": difficult_mask()}
    )
    out = tmp_path / "out"
    out.mkdir()
    WRITERS[name](source_of_dataset(dataset), out, None)
    assert [*find_formats(out)] == [READ_AS.get(name, name)]


def test_an_ordinary_folder_holds_nothing_else(tmp_path):
    make_dataset(tmp_path, {"a.jpg": difficult_mask()})
    save_text(tmp_path / "notes.txt", "0 1 is not a label")
    save_text(tmp_path / "split.csv", "image,part\na,train\n")
    save_json(tmp_path / "package.json", {"name": "x", "images": []})
    save_text(tmp_path / "a.xml", "<annotation><object/></annotation>")
    assert [*find_formats(tmp_path)] == ["folder"]


def test_photographs_alone_are_nothing(tmp_path):
    save_image(tmp_path / "a.jpg")
    assert find_formats(tmp_path) == {}


def test_a_file_that_was_cut_off_is_still_what_it_was(tmp_path):
    text = json.dumps({"images": [], "categories": [], "annotations": [{"id": 1}]})
    assert [*find_formats(save_text(tmp_path / "a.json", text[:-9]))] == ["coco"]
    assert [*find_formats(save_text(tmp_path / "b.json", "\ufeff\n" + text))] == ["coco"]
    assert find_formats(save_text(tmp_path / "c.json", text[:20])) == {}
    (tmp_path / "d.json").touch()
    assert find_formats(tmp_path / "d.json") == {}


def test_what_hides_is_not_looked_at(tmp_path):
    save_json(tmp_path / ".git" / "a.json", {"shapes": [], "imagePath": "a.jpg"})
    assert find_formats(tmp_path) == {}


def test_a_label_studio_export_of_texts_is_none(tmp_path):
    save_json(tmp_path / "a.json", [{"annotations": [{"result": [{"type": "choices"}]}]}])
    assert find_formats(tmp_path) == {}


def test_several_formats_are_all_seen(tmp_path):
    make_dataset(tmp_path, {"a.jpg": difficult_mask()})
    save_text(tmp_path / "labels_yolo" / "a.txt", "0 0 0 1 0 1 1")
    save_json(tmp_path / "a.json", {"shapes": [], "imagePath": "a.jpg"})
    assert describe_formats(find_formats(tmp_path)) == (
        "LabelMe JSON (1 file), YOLO text files (1 file) and masks as pictures"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", "0 0 0 1 0 1 1 0 1"), ("a.json", '{"shapes": [], "imagePath": "a.jpg"}')],
)
def test_a_label_that_cannot_be_read_is_for_its_reader_to_complain_of(tmp_path, name, content):
    save_text(tmp_path / name, content)
    link = tmp_path / f"b{name[1:]}"
    link.symlink_to(tmp_path / "nowhere")
    (files,) = find_formats(tmp_path).values()
    assert files == [tmp_path / name, link]


def test_masks_that_match_no_image_are_for_their_reader_to_complain_of(tmp_path):
    write_png(tmp_path / "masks" / "a.png", np.zeros((5, 5), np.uint8))
    save_image(tmp_path / "images" / "b.jpg")
    assert [*find_formats(tmp_path)] == ["folder"]


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("a.json", {"shapes": [], "imagePath": "a.jpg"}, "LabelMe JSON"),
        ("b.json", {"images": [], "annotations": [], "categories": []}, "COCO JSON"),
        ("labels/a.txt", "0 0 0 1 0 1 1 0 1", "YOLO text files"),
        ("annotations.xml", "<annotations><image/></annotations>", "CVAT XML"),
        ("c.json", [{"original_width": 1}], "Label Studio JSON"),
        ("train.csv", "ImageId,EncodedPixels\na,1 2", "Kaggle's tables of runs (CSV)"),
    ],
)
def test_a_folder_without_masks_says_what_it_holds_and_what_to_type(
    tmp_path, refusal, path, content, what
):
    root = tmp_path / "ảnh của tôi"
    save_image(root / "a.jpg")
    save = save_text if isinstance(content, str) else save_json
    save(root / path, content)
    assert refusal(lambda: read_folder(root)) == (
        f"{root}: expected images beside masks that are pictures, found labels as {what} "
        f"(1 file). Convert them: fewmask convert '{root}'"
    )
    # The same for who names the file, or where the images lie elsewhere.
    assert refusal(lambda: read_folder(root / path)).endswith(
        f"Convert them: fewmask convert '{root / path}'"
    )
    (root / "a.jpg").unlink()
    assert refusal(lambda: read_folder(root)).endswith(f"fewmask convert '{root}'")


def test_a_layout_with_a_list_of_its_own_answers_the_question(tmp_path, refusal):
    save_image(tmp_path / "JPEGImages" / "2007_000032.jpg")
    mask = difficult_mask()
    mask[mask == 2] = 15
    write_png(tmp_path / "SegmentationClass" / "2007_000032.png", mask)
    assert refusal(lambda: read_folder(tmp_path)).endswith(
        f"Or, as these are Pascal VOC (1 file): fewmask convert {tmp_path}"
    )
