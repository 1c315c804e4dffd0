import csv

import numpy as np
import pytest

from fewmask.data.folders.folder import read_folder
from fewmask.data.folders.settings import FILE_NAME
from fewmask.data.formats import convert as convert_module
from fewmask.data.formats.convert import WRITERS, convert
from fewmask.data.imageio import read_image, write_png

from .conftest import (
    NAMES,
    difficult_mask,
    ignoring_mask,
    iou,
    make_dataset,
    round_mask,
    save_image,
    save_json,
    save_text,
)

POLYGONS = ("coco", "labelme", "yolo", "cvat", "label-studio")
KEEP_IGNORED = ("folder", "tiff", "voc", "labelme", "cityscapes")
MASKS = {
    "train/ảnh đẹp 1.jpg": difficult_mask(),
    "val/2.png": round_mask(),
    "train/10.png": ignoring_mask(),
}


def saved(path):
    return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "data", MASKS)


@pytest.fixture
def labelled(tmp_path):
    """A COCO file beside a folder of one image."""
    save_image(tmp_path / "photos" / "a.jpg")
    return save_json(
        tmp_path / "labels.json",
        {
            "images": [{"id": 1, "file_name": "a.jpg"}],
            "categories": [{"id": 1, "name": "ghế"}],
            "annotations": [
                {"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 20, 1, 20, 20]]}
            ],
        },
    )


@pytest.mark.parametrize("to", WRITERS)
def test_there_and_back(dataset, tmp_path, to):
    there = convert(dataset, to=to, out=tmp_path / "there")
    convert(tmp_path / "there", out=tmp_path / "back")
    back = read_folder(tmp_path / "back")
    assert back.classes.names == NAMES
    assert sorted(back.values("part")) == ["train", "train", "validation"]
    for place, row in enumerate(back):
        name = row.image.removeprefix("images/").removesuffix("_leftImg8bit.jpg")
        (path,) = [path for path in MASKS if path.split("/")[1].startswith(name.split(".")[0])]
        original = tmp_path / "data" / "images" / path
        assert (back.root / row.image).read_bytes() == original.read_bytes()
        mask, truth = back.read_mask(place), MASKS[path]
        if to not in KEEP_IGNORED:
            truth = np.where(truth == 255, 0, truth)
        if to in POLYGONS:
            for class_id in np.unique(truth):
                assert iou(truth, mask, class_id) >= 0.98
        else:
            np.testing.assert_array_equal(mask, truth)
    if to not in KEEP_IGNORED:
        assert "Not kept: 800 pixels marked as not to count" in there.lost


@pytest.mark.parametrize("to", POLYGONS)
def test_where_classes_touch_outlines_lose_nothing(tmp_path, to):
    rng = np.random.default_rng(0)
    mask = np.kron(rng.integers(1, 3, (12, 16)), np.ones((5, 5), int)).astype(np.uint8)
    dataset = make_dataset(tmp_path / "data", {"a.png": mask})
    convert(dataset, to=to, out=tmp_path / "there")
    convert(tmp_path / "there", out=tmp_path / "back")
    np.testing.assert_array_equal(read_folder(tmp_path / "back").read_mask(0), mask)


def test_from_a_file_and_the_folder_of_its_images(labelled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = []
    done = convert("labels.json", "photos", progress=lambda *now: calls.append(now))
    assert str(done.out) == "photos-dataset"
    assert (done.source, done.to, done.num_images) == ("coco", "folder", 1)
    assert done.classes == ("background", "ghế")
    assert done.lost == "Not kept: 1 object (their pixels keep the class)."
    assert calls == [(1, 1)]
    assert saved(tmp_path / "photos-dataset") == {"images/a.jpg", "masks/a.png", "classes.json"}


def test_images_of_one_name_in_two_folders_are_kept_apart(tmp_path):
    masks = {"nhà/1.png": round_mask(), "vườn/1.png": difficult_mask()}
    done = convert(make_dataset(tmp_path / "data", masks), to="coco-rle", out=tmp_path / "there")
    convert(done.out, out=tmp_path / "back")
    back = read_folder(tmp_path / "back")
    assert back.values("image") == ["images/images_nhà_1.png", "images/images_vườn_1.png"]
    np.testing.assert_array_equal(back.read_mask(1), difficult_mask())


def test_16_bit_tiff_with_a_number_an_object_needs_a_decision(tmp_path, refusal):
    from fewmask.data.imageio import encode_tiff

    objects = np.zeros((60, 80), np.uint16)
    for number in range(300):
        objects[number // 20 * 4, number % 20 * 4] = number + 1
    for name, pixels in (("img", objects), ("mask", objects)):
        (tmp_path / "tế bào").mkdir(exist_ok=True)
        (tmp_path / "tế bào" / f"{name} 1.tif").write_bytes(encode_tiff(pixels))
    assert "make them one class with --threshold 1" in refusal(
        lambda: convert(tmp_path / "tế bào", out=tmp_path / "out")
    )
    convert(tmp_path / "tế bào", out=tmp_path / "out", threshold=1)
    back = read_folder(tmp_path / "out")
    np.testing.assert_array_equal(back.read_mask(0), objects > 0)
    assert read_image(tmp_path / "out" / back[0].image).dtype == np.uint16


def test_colours_become_class_ids(tmp_path):
    save_image(tmp_path / "photos" / "images" / "a.jpg")
    colors = np.array([(0, 0, 0), (110, 193, 228), (60, 16, 152)], np.uint8)
    write_png(tmp_path / "photos" / "masks" / "a.png", colors[difficult_mask()])
    options = ("nền=#000000", "đường=#6EC1E4", "nhà=#3C1098")
    convert(tmp_path / "photos", out=tmp_path / "out", classes=options)
    back = read_folder(tmp_path / "out")
    assert back.classes.names == ("nền", "đường", "nhà")
    np.testing.assert_array_equal(back.read_mask(0), difficult_mask())


def test_masks_in_a_folder_of_their_own_are_read_with_that_of_the_images(tmp_path):
    save_image(tmp_path / "photos" / "a.jpg")
    write_png(tmp_path / "drawn" / "a.png", round_mask())
    done = convert(tmp_path / "drawn", tmp_path / "photos", out=tmp_path / "out")
    assert done.source == "folder"
    np.testing.assert_array_equal(read_folder(tmp_path / "out").read_mask(0), round_mask())


def test_groups_are_counted_where_they_cannot_be_kept(dataset, tmp_path):
    with (tmp_path / "data" / "split.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["image", "group"], *([f"images/{name}", name[:3]] for name in MASKS)]
        )
    grouped = read_folder(tmp_path / "data")
    assert "2 groups" in convert(grouped, to="voc", out=tmp_path / "voc").lost
    assert convert(grouped, out=tmp_path / "again").lost is None


def test_several_formats_are_a_question_that_from_answers(dataset, tmp_path, refusal):
    save_text(tmp_path / "data" / "labels" / "val" / "2.txt", "0 0 0 1 0 1 1 0 1\n")
    root = tmp_path / "data"
    assert refusal(lambda: convert(root, out=tmp_path / "out")) == (
        f"{root}: expected labels in one format, found YOLO text files (1 file) and masks as "
        "pictures. Choose with --from yolo or --from folder."
    )
    assert convert(root, out=tmp_path / "a", read_as="folder").source == "folder"
    assert convert(root, out=tmp_path / "b", read_as="yolo").source == "yolo"
    assert convert(root / "labels", root / "images", out=tmp_path / "c").source == "yolo"
    assert refusal(lambda: convert(root, out=tmp_path / "d", read_as="voc")) == (
        f"{root}: expected labels as Pascal VOC, found none. Check the path, or leave --from out "
        "to have the format recognised."
    )


def test_files_that_only_list_classes_stand_for_their_folder(dataset, tmp_path):
    for to, name in (("yolo", "data.yaml"), ("supervisely", "meta.json")):
        convert(dataset, to=to, out=tmp_path / to)
        assert convert(tmp_path / to / name, out=tmp_path / f"{to}-back").source == to


READ = (
    "COCO JSON, LabelMe JSON, YOLO text files, Pascal VOC, CVAT XML, Label Studio JSON, "
    "Cityscapes, Kaggle's tables of runs (CSV), Supervisely"
)
BAD = {
    "nothing there": (
        lambda root: root / "none",
        "expected a file or folder of labels, found nothing there. Check the path for a slip.",
    ),
    "an empty file": (
        lambda root: save_text(root / "a.json", ""),
        "expected labels, found an empty file. Export it again.",
    ),
    "an archive": (
        lambda root: save_text(root / "a.zip", "PK"),
        "expected labels, found an archive. Unpack it and name the folder.",
    ),
    "photographs": (
        lambda root: save_image(root / "ảnh" / "a.jpg").parent,
        f"expected labels in a format that is read ({READ}) or images beside masks, found none. "
        "Export the labels in one of these, and name the file or its folder.",
    ),
    "broken JSON": (
        lambda root: save_text(root / "a.json", '{"a": 1,\n"b" 2}'),
        "expected JSON, found a slip in line 2, column 5 (Expecting ':' delimiter). Correct it "
        "there, or export it again.",
    ),
    "broken XML": (
        lambda root: save_text(root / "a.xml", "<a>\n<b></a>"),
        "expected XML, found a slip in line 2, column 6 (mismatched tag). Correct it there, or "
        "export it again.",
    ),
    "some other table": (
        lambda root: save_text(root / "a.csv", "name,age\nAn,3\n"),
        f"expected labels in a format that is read ({READ}) or images beside masks, found none. "
        "Export the labels in one of these, and name the file or its folder.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(tmp_path, refusal, case):
    make, sentence = BAD[case]
    (tmp_path / "nhãn").mkdir()
    path = make(tmp_path / "nhãn")
    assert refusal(lambda: convert(path, out=tmp_path / "out")) == f"{path}: {sentence}"
    assert not (tmp_path / "out").exists()


def test_a_format_that_is_none_is_refused(labelled, tmp_path, refusal):
    assert refusal(lambda: convert(labelled, to="coko", out=tmp_path / "out")) == (
        f"--to: expected one of {', '.join(WRITERS)}, found 'coko'. Did you mean coco?"
    )
    assert "--from: expected one of folder, coco, labelme" in refusal(
        lambda: convert(labelled, tmp_path / "photos", read_as="tiff", out=tmp_path / "out")
    )


def test_decisions_are_for_masks_that_are_pictures(labelled, tmp_path, refusal):
    convert_it = lambda: convert(  # noqa: E731
        labelled, tmp_path / "photos", threshold=3, out=tmp_path / "out"
    )
    assert refusal(convert_it) == (
        "--classes, --ignore-index and --threshold: expected masks that are pictures, whose values "
        "they explain, found COCO JSON, which names its classes. Leave them out."
    )


@pytest.mark.parametrize(
    ("more", "argument"),
    [({"images": "photos"}, "IMAGES photos"), ({"read_as": "coco"}, "--from coco")],
)
def test_a_loaded_dataset_has_no_labels_to_find(dataset, tmp_path, refusal, more, argument):
    assert refusal(lambda: convert(dataset, out=tmp_path / "there", **more)) == (
        f"{argument}: expected labels in files of their own, found data, a dataset that knows its "
        "images and masks. Leave it out."
    )


def test_a_folder_that_exists_is_refused_with_a_free_name(labelled, tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos-dataset").mkdir()
    save_text(tmp_path / "my out-2" / "x", "")
    (tmp_path / "my out").symlink_to(tmp_path / "nowhere")
    assert refusal(lambda: convert("labels.json", "photos")) == (
        "--out photos-dataset: expected a folder that does not exist yet, found one that does. "
        "Try: --out photos-dataset-2"
    )
    assert refusal(lambda: convert("labels.json", "photos", out="my out")).endswith(
        "Try: --out 'my out-3'"
    )


def test_a_place_inside_the_source_is_refused_or_avoided(labelled, tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path / "photos")
    assert refusal(lambda: convert("../labels.json", ".", out="new")) == (
        "--out new: expected a place outside the source, found one inside, where it would be taken "
        f"for a part of it. Try: --out {tmp_path / 'new'}"
    )
    assert convert("../labels.json", ".").out == tmp_path / "photos-dataset"


def test_nothing_is_left_of_a_conversion_that_fails(dataset, tmp_path, refusal):
    before = saved(tmp_path)
    (tmp_path / "data" / "images" / "val" / "2.png").write_bytes(b"no picture")
    for to in WRITERS:
        assert "2.png" in refusal(lambda to=to: convert(dataset, to=to, out=tmp_path / "out"))
    assert saved(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_nothing_is_left_of_one_that_is_stopped(dataset, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(dataset, out=tmp_path / "out", progress=stop)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_full_disk_is_one_sentence(dataset, tmp_path, monkeypatch, refusal):
    def fill(source, out, progress):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(convert_module.WRITERS, "voc", fill)
    assert refusal(lambda: convert(dataset, to="voc", out=tmp_path / "out")) == (
        f"{tmp_path / 'out'}: expected room on the disk to write it, found the disk is full. Free "
        "some room or choose another folder; nothing half-written was left."
    )


def test_a_class_list_of_the_owner_is_kept(tmp_path):
    """What `fewmask.toml` decides goes into the new folder, which needs no such file."""
    save_image(tmp_path / "photos" / "images" / "a.jpg")
    mask = difficult_mask() * 100
    write_png(tmp_path / "photos" / "masks" / "a.png", mask)
    save_text(
        tmp_path / "photos" / FILE_NAME, 'classes = ["nền=0", "một=100"]\nignore_index = 200\n'
    )
    convert(tmp_path / "photos", out=tmp_path / "out")
    back = read_folder(tmp_path / "out")
    assert (back.classes.names, back.classes.ignore_index) == (("nền", "một"), 255)
    np.testing.assert_array_equal(back.read_mask(0), np.array([0, 1, 255])[difficult_mask()])
