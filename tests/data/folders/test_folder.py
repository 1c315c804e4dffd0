import io
import os
import shutil
import sys
import unicodedata

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.folders.folder import read_folder
from fewmask.data.imageio import encode_jpeg, write_png
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.data.parts import assign_parts
from fewmask.errors import DataError, DecisionNeeded

SIZE = (12, 20)


def image(path, size=SIZE):
    if path.suffix == ".jpg":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(np.full((*size, 3), 90, np.uint8)))
    else:
        write_png(path, np.full((*size, 3), 90, np.uint8))


def mask(path, size=SIZE):
    values = np.zeros(size, np.uint8)
    values[2:8, 3:9] = 255
    write_png(path, values)


def fill(root, *names, masks=("masks", "labels")):
    """Makes each file: a mask where a folder of masks stands in its path, else an image."""
    for name in names:
        make = mask if any(part in name for part in masks) else image
        make(root / name)
    return root


def test_a_folder_becomes_a_dataset(tmp_path):
    names = [f"{part}/{kind}/ghế {n}.{suffix}"
             for part, numbers in (("train", (2, 10, 1)), ("val", (3,)))
             for n in numbers
             for kind, suffix in (("images", "jpg"), ("masks", "png"))]  # fmt: skip
    root = fill(tmp_path / "Bàn ghế", *names, "contact.png", ".hidden.png")
    calls = []
    dataset = read_folder(root, progress=lambda *now: calls.append(now))
    assert dataset.name == "Bàn ghế"
    assert [column.kind for column in dataset.columns] == ["image", "mask", "category"]
    assert dataset.columns[2].categories == ("train", "validation")
    assert dataset.values("image") == [
        "train/images/ghế 1.jpg",
        "train/images/ghế 2.jpg",
        "train/images/ghế 10.jpg",
        "val/images/ghế 3.jpg",
    ]
    assert dataset.values("part") == ["train", "train", "train", "validation"]
    assert dataset.sample_id(2) == "train/images/ghế 10"
    assert isinstance(dataset.classes, Classes)
    assert [int(dataset.read_mask(index).sum()) for index in range(4)] == [36] * 4
    assert dataset.findings[:3] == (
        "4 images in images/ paired with masks in masks/ by equal names.",
        "Left out: 1 other picture, contact.png.",
        "Its images come in parts: 3 train, 1 validation.",
    )
    assert calls[0] == (1, 8)
    assert calls[-1] == (8, 8)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_one_image_is_enough_to_read(tmp_path):
    assert len(read_folder(fill(tmp_path, "a.jpg", "masks/a.png"))) == 1


def test_split_csv_names_pairs_parts_and_groups(tmp_path):
    root = fill(
        tmp_path, "images/1.jpg", "images/2.jpg", "masks/1.png", "masks/2.png", "masks/x.png"
    )
    (root / "split.csv").write_text(
        "split,image,mask,group\ntest,2.jpg,1.png,An\ntrain,1.jpg,2.png,\n"
    )
    dataset = read_folder(root)
    assert [tuple(row) for row in dataset] == [
        ("images/1.jpg", "masks/2.png", "train", "images/1.jpg"),
        ("images/2.jpg", "masks/1.png", "test", "An"),
    ]
    assert dataset.findings[:4] == (
        "2 images paired with masks by split.csv.",
        "Left out: 1 other picture, masks/ (1).",
        "Its images come in parts: 1 train, 1 test.",
        "Its images come in 2 groups, each kept together.",
    )


def test_split_csv_without_masks_chooses_images_and_parts(tmp_path):
    names = [f"{kind}/{n}.png" for kind in ("images", "masks") for n in (1, 2, 3)]
    root = fill(tmp_path, *names)
    (root / "split.csv").write_text("part,image\ntrain,1.png\nvalid,3.png\n")
    dataset = read_folder(root)
    assert [tuple(row) for row in dataset] == [
        ("images/1.png", "masks/1.png", "train"),
        ("images/3.png", "masks/3.png", "validation"),
    ]
    assert "Left out: 1 image that split.csv does not list." in dataset.findings


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("masks/1.png", "masks/1.png, which is a mask"),
        ("overlays/1.png", "overlays/1.png, which has none"),
    ],
)
def test_a_line_of_split_csv_that_names_no_image_is_refused(listed, found, tmp_path):
    names = [f"{kind}/{n}.png" for kind in ("images", "masks", "overlays") for n in (1, 2)]
    root = fill(tmp_path, *names)
    (root / "split.csv").write_text(f"image,part\nimages/2.png,train\n{listed},train\n")
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root}/split.csv, line 3: expected an image that has a mask, found {found}. "
        "Correct the line or remove it."
    )


def test_split_csv_may_list_a_part_without_masks(tmp_path):
    root = fill(tmp_path, "images/train/1.png", "images/test/2.png", "masks/train/1.png")
    (root / "split.csv").write_text("image,group\nimages/train/1.png,An\nimages/test/2.png,Bo\n")
    dataset = read_folder(root)
    assert dataset.values("image") == ["images/train/1.png"]
    assert "The part test is left out: no masks for its 1 image." in dataset.findings


PARTS_OF_MASKS = ("images/1.png", "images/2.png", "masks/train/1.png", "masks/test/2.png")


@pytest.mark.parametrize("columns", ["image,group", "image,group,mask"])
def test_split_csv_without_parts_keeps_those_of_the_masks_folders(columns, tmp_path):
    root = fill(tmp_path, *PARTS_OF_MASKS)
    (root / "split.csv").write_text(f"{columns}\n1.png,An,1.png\n2.png,Bo,2.png\n")
    assert read_folder(root).values("part") == ["train", "test"]


@pytest.mark.parametrize("columns", ["image,part", "image,part,mask"])
def test_split_csv_that_contradicts_the_masks_folders_is_refused(columns, tmp_path):
    root = fill(tmp_path, *PARTS_OF_MASKS)
    (root / "split.csv").write_text(
        f"{columns}\nimages/1.png,train,masks/train/1.png\nimages/2.png,train,masks/test/2.png\n"
    )
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root}/split.csv, line 3: expected the part that the folder of masks/test/2.png names, "
        "test, found train. Correct the line or move the file."
    )


def test_the_owner_chooses_between_two_folders_of_masks(tmp_path, monkeypatch):
    root = fill(tmp_path / "data", "images/1.jpg", "masks/1.png", "labels/1.png")
    with pytest.raises(DecisionNeeded) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root}: expected one folder of masks, found 2 that fit the images equally well: "
        "labels/ (1 pair) and masks/ (1 pair). "
        "Choose with --masks DIR: --masks labels or --masks masks."
    )
    assert read_folder(root, masks="labels")[0].mask == "labels/1.png"
    assert read_folder(root, masks=root / "masks")[0].mask == "masks/1.png"
    monkeypatch.chdir(tmp_path)
    assert read_folder("data", masks="data/labels")[0].mask == "labels/1.png"
    fill(tmp_path, "masks/1.png")
    assert read_folder("data", masks="masks")[0].mask == "masks/1.png", "not the one beside"
    (root / "fewmask.toml").write_text('masks = "labels"')
    dataset = read_folder(root)
    assert dataset[0].mask == "labels/1.png"
    assert "fewmask.toml decides: masks = 'labels'." in dataset.findings
    assert read_folder(root, masks="masks")[0].mask == "masks/1.png", "the call wins"


def test_masks_may_lie_elsewhere(tmp_path):
    fill(tmp_path, "photos/1.jpg", "drawn/masks/1.png")
    dataset = read_folder(tmp_path / "photos", masks=tmp_path / "drawn" / "masks")
    assert dataset[0].mask == "../drawn/masks/1.png"
    assert dataset.read_mask(0).shape == SIZE


def test_masks_may_lie_beside_the_images(tmp_path, monkeypatch):
    fill(tmp_path, "images/1.jpg", "masks/1.png")
    assert read_folder(tmp_path / "images", masks="../masks")[0].mask == "../masks/1.png"
    monkeypatch.chdir(tmp_path / "images")
    assert read_folder(".", masks="../masks")[0].mask == "../masks/1.png"
    (tmp_path / "images" / "fewmask.toml").write_text('masks = "../masks"')
    assert read_folder(".")[0].mask == "../masks/1.png"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links on this system")
def test_masks_may_lie_elsewhere_than_a_linked_folder(tmp_path):
    fill(tmp_path, "disk/photos/1.jpg", "drawn/masks/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "photos")
    dataset = read_folder(tmp_path / "link", masks=tmp_path / "drawn" / "masks")
    assert dataset[0].mask == "../../drawn/masks/1.png"
    assert dataset.read_mask(0).shape == SIZE


def test_decisions_come_from_the_call_then_from_the_file(tmp_path):
    root = fill(tmp_path, "images/1.jpg", "masks/1.png")
    (root / "fewmask.toml").write_text(
        'classes = ["ground", "chair=255"]\n'.replace('"ground"', '"ground=0"')
    )
    assert read_folder(root).classes.names == ("ground", "chair")
    called = read_folder(root, decisions=MaskDecisions(("floor=0", "seat=255")))
    assert called.classes.names == ("floor", "seat")


def test_values_that_were_given_classes_need_no_list_beside_them(tmp_path):
    root = fill(tmp_path, "images/a.jpg", "masks/a.png")
    (root / "classes.json").write_text('{"theme": "dark"}')
    with pytest.raises(DataError, match="give each value a class with --classes"):
        read_folder(root, decisions=MaskDecisions("floor,seat"))
    dataset = read_folder(root, decisions=MaskDecisions("floor=0,seat=255"))
    assert dataset.classes.names == ("floor", "seat")
    (root / "fewmask.toml").write_text('classes = ["floor=0", "chair=255"]')
    assert read_folder(root).classes.names == ("floor", "chair")


@pytest.mark.parametrize(
    ("text", "typed", "rule"),
    [
        ("threshold = 128", MaskDecisions(("a=0", "b=255")), "values"),
        ("threshold = 128", MaskDecisions(ignore_index=7), "values"),
        ("threshold = 128", MaskDecisions(("a=#000000", "b=#FFFFFF")), "colors"),
        ("ignore_index = 7", MaskDecisions(("a=#000000", "b=#FFFFFF")), "colors"),
        ("ignore_index = 255", MaskDecisions(("a=0", "b=255")), "values"),
        ("ignore_index = 7", MaskDecisions(threshold=128), "threshold"),
        ('classes = ["a=0", "b=255"]', MaskDecisions(threshold=128), "threshold"),
        ('classes = ["a", "b", "c"]', MaskDecisions(threshold=128), "threshold"),
    ],
)
def test_what_is_typed_goes_before_what_contradicts_it_in_the_file(text, typed, rule, tmp_path):
    root = fill(tmp_path, "images/1.jpg", "masks/1.png")
    (root / "fewmask.toml").write_text(text)
    dataset = read_folder(root, decisions=typed)
    assert dataset.encoding.rule == rule
    assert dataset.read_mask(0).sum() == 36
    assert not any("fewmask.toml" in finding for finding in dataset.findings)


def test_what_is_typed_stands_beside_what_agrees_with_it_in_the_file(tmp_path):
    root = fill(tmp_path, "images/1.jpg", "masks/1.png")
    (root / "fewmask.toml").write_text('classes = ["ground", "chair"]\nignore_index = 7')
    dataset = read_folder(root, decisions=MaskDecisions(threshold=128))
    assert dataset.classes.names == ("ground", "chair")
    assert "fewmask.toml decides: classes = ['ground', 'chair']." in dataset.findings
    both = read_folder(root, decisions=MaskDecisions(("floor=0", "seat=255")))
    assert both.classes.ignore_index == 255
    assert "fewmask.toml decides: ignore_index = 7." in both.findings


def test_what_trainings_wrote_and_what_is_hidden_is_not_read(tmp_path):
    root = fill(
        tmp_path,
        "images/1.jpg",
        "masks/1.png",
        "runs/first/images/2.jpg",
        ".cache/images/3.jpg",
        "__MACOSX/images/4.jpg",
        "images/._1.jpg",
    )
    (root / "runs" / "first" / "run.json").write_text("{}")
    assert read_folder(root).values("image") == ["images/1.jpg"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links on this system")
def test_links_are_followed_and_circles_are_not(tmp_path):
    fill(tmp_path, "elsewhere/1.jpg", "data/masks/1.png")
    (tmp_path / "data" / "images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    assert read_folder(tmp_path / "data").values("image") == ["images/1.jpg"]


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    root = fill(tmp_path, "images/1.jpg", "masks/1.png")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("masks"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root / 'masks'}: expected a folder that may be read, found a refusal: Permission "
        "denied. Change its rights, or move it out of the folder of the data."
    )


def test_accents_may_be_stored_in_either_way(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Ảnh") for form in ("NFC", "NFD"))
    root = fill(tmp_path, f"images/{composed}.jpg", f"masks/{decomposed}.png")
    assert read_folder(root).read_mask(0).shape == SIZE


def test_photographs_alone_are_told_how_to_get_masks(tmp_path):
    root = fill(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root}: expected images and their masks, found 2 pictures and no masks. Draw masks "
        "with LabelMe, CVAT or Label Studio and export them as PNG masks, which are read: put them "
        "into a folder masks/ beside the images, under the same names."
    )


def test_one_step_too_deep_is_told_to_go_up(tmp_path):
    root = fill(tmp_path, "images/a.jpg", "masks/a.png")
    with pytest.raises(DataError) as caught:
        read_folder(root / "images")
    assert str(caught.value) == (
        f"{root / 'images'}: expected images and their masks, found 1 picture and no masks. "
        f"Name the folder above, which holds both: {root}"
    )


def test_nobody_needs_to_list_the_folder_above(tmp_path, monkeypatch):
    root = fill(tmp_path, "images/a.jpg", "masks/a.png") / "images"

    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(type(root), "iterdir", refuse)
    with pytest.raises(DataError, match=r"found 1 picture and no masks\. Draw masks"):
        read_folder(root)


def test_no_pictures_no_folder_no_directory(tmp_path):
    with pytest.raises(DataError, match=r"expected pictures \(PNG, .* or WebP\), found none\."):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="nothing there: expected a folder of images and masks, "):
        read_folder(tmp_path / "nothing there")
    (tmp_path / "data.zip").write_bytes(b"")
    with pytest.raises(DataError, match=r"data\.zip: expected a folder .*, found a single file"):
        read_folder(tmp_path / "data.zip")


def test_sizes_that_differ_are_refused_before_anything_is_trained(tmp_path):
    root = fill(tmp_path, "images/a b.jpg")
    mask(root / "masks/a b.png", (20, 12))
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root / 'masks' / 'a b.png'}: expected the size of its image a b.jpg, 12 × 20 pixels "
        "(height × width), found 20 × 12. Export the mask again at the image's full size, or "
        "remove both."
    )


def test_a_photograph_taken_upright_has_the_size_that_is_seen(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: stored rows are seen columns
    stored = io.BytesIO()
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(stored, "JPEG", exif=exif)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(stored.getvalue())
    mask(tmp_path / "masks" / "a.png", SIZE[::-1])
    dataset = read_folder(tmp_path)
    assert dataset.read_mask(0).shape == dataset.read_image(0).shape[:2] == SIZE[::-1]


def test_some_images_in_parts_and_some_not_are_refused(tmp_path):
    root = fill(tmp_path, "images/train/a.jpg", "images/b.jpg", "masks/train/a.png", "masks/b.png")
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        f"{root}: expected every image in a folder train, validation or test, or none, found 1 "
        "that are and 1 that are not: images/b.jpg. Move all of them into the folders, or out."
    )


def test_a_broken_picture_is_refused_by_name(tmp_path):
    root = fill(tmp_path, "images/a.jpg", "masks/a.png")
    (root / "images" / "a.jpg").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"images/a\.jpg: expected"):
        read_folder(root)


REAL = {
    "chairs97": ({"train": 77, "validation": 20}, (69, 8, 20)),
    "dsb2018_nuclei": ({"train": 240, "validation": 60}, (216, 24, 60)),
    "furniture6": ({"train": 180, "validation": 60, "test": 60}, (180, 60, 60)),
    "isbi_em": ({"train": 30}, (22, 2, 6)),
}


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_folders_are_read_and_divided(real_data, name):
    counts, sizes = REAL[name]
    dataset = read_folder(real_data / name)
    parts = dataset.values("part")
    assert {part: parts.count(part) for part in counts} == counts
    assert len(dataset) == sum(counts.values())
    ids = [(0,)] * len(dataset)
    divided = assign_parts(dataset, class_ids=ids)
    assert (len(divided.train), len(divided.validation or ()), len(divided.test)) == sizes
    assert dataset.read_mask(0).max() > 0


@pytest.mark.real
@pytest.mark.parametrize("name", ["chairs97", "isbi_em"])
def test_real_folders_are_paired_the_same_without_their_table(real_data, tmp_path, name):
    for entry in (real_data / name).iterdir():
        if entry.is_dir():
            (tmp_path / entry.name).symlink_to(entry)
    for file in ("classes.json", "data.yaml"):
        if (real_data / name / file).exists():
            shutil.copy(real_data / name / file, tmp_path)
    by_table, by_name = read_folder(real_data / name), read_folder(tmp_path)
    assert by_table.rows == by_name.rows


@pytest.mark.real
def test_real_palettes_are_read(real_data):
    spec = ("background=0", "bus=6", "person=15", "other=5+7+9+18")
    folder = real_data / "formats" / "voc_semantic"
    dataset = read_folder(folder, decisions=MaskDecisions(spec, ignore_index=255))
    assert dataset.values("mask")[0] == "SegmentationClass/2011_000003.png"
    assert set(np.unique(dataset.read_mask(0))) <= {0, 1, 2, 3, 255}
    assert len(dataset) == 3


def test_images_that_differ_in_the_suffix_alone_are_refused(tmp_path):
    for name in ("images/0.png", "images/0.bmp", "masks/a.png", "masks/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_png(tmp_path / f"{name}.png", np.eye(8, dtype=np.uint8) * 255)
        (tmp_path / f"{name}.png").rename(tmp_path / name)
    (tmp_path / "split.csv").write_text(
        "image,mask\nimages/0.png,masks/a.png\nimages/0.bmp,masks/b.png\n"
    )
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    assert str(caught.value) == (
        "images/0.png: expected a name that differs before the suffix, found images/0.bmp too. "
        "Rename one of them."
    )


@pytest.mark.skipif(sys.platform != "linux", reason="names are text on this system")
def test_names_that_are_no_text_are_refused(tmp_path):
    root = fill(tmp_path, "images/1.png", "masks/1.png")
    for folder in ("images", "masks"):
        (root / folder / "1.png").rename(root / folder / os.fsdecode(b"caf\xe9.png"))
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert str(caught.value) == (
        "images/caf\ufffd.png: expected a name in UTF-8, found one in another encoding. Rename it."
    )
