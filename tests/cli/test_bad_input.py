"""What goes wrong on the first day: each ends in one sentence that tells what to do."""

import errno
import json
import os
import shlex
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewmask.errors import ArgumentError
from fewmask.packages.load import load_dataset

from .conftest import TINY, contents, draw_folder, save, scene

PHOTOS = "photos"
IMAGE, MASK = scene(1)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    code = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + code


def bitmap(side: int) -> bytes:
    """Makes a black 1-bit PNG of `side` × `side` pixels, row by row."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(side // 8 + 1)) for _ in range(side)]
    pixels = b"".join(rows) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


def lie_about_the_height(folder):
    path = folder / "images" / "0.png"
    whole = path.read_bytes()
    header = whole[16:20] + struct.pack(">I", 30) + whole[24:29]
    path.write_bytes(whole[:8] + png_chunk(b"IHDR", header) + whole[33:])
    save(folder / "masks" / "0.png", np.zeros((30, 32), np.uint8))


def only_photos(folder):
    shutil.rmtree(folder / "masks")


def only_names_of_folders(folder):
    shutil.rmtree(folder)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()


def one_image(folder):
    for number in range(1, 4):
        (folder / "images" / f"{number}.png").unlink()
        (folder / "masks" / f"{number}.png").unlink()


def cut_a_jpeg(folder):
    (folder / "images" / "0.png").unlink()
    path = folder / "images" / "0.jpg"
    save(path, IMAGE)
    path.write_bytes(path.read_bytes()[:-100])


def a_photo_of_a_phone(folder):
    (folder / "images" / "0.png").unlink()
    (folder / "images" / "0.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def a_class_for_the_test_only(folder):
    rows = ["image,mask,part"]
    rows += [f"images/{n}.png,masks/{n}.png,{'test' if n == 3 else 'train'}" for n in range(4)]
    (folder / "split.csv").write_text("\n".join(rows))
    for number in range(4):
        mask = scene(number)[1] // 255
        mask[0] = 2 if number == 3 else 0
        save(folder / "masks" / f"{number}.png", mask)


def empty_masks(folder):
    for path in (folder / "masks").iterdir():
        save(path, np.zeros_like(MASK))


def soft_edges(folder):
    for path in (folder / "masks").iterdir():
        save(path, np.array(Image.open(path).resize((20, 15)).resize((32, 24), Image.BILINEAR)))


def grey_values_between(folder):
    for number in range(4):
        mask = scene(number)[1]
        mask[0] = 128
        save(folder / "masks" / f"{number}.png", mask)


def two_folders_of_masks(folder):
    shutil.copytree(folder / "masks", folder / "labels")


Spoil = Callable[..., object]
CASES: dict[str, tuple[Spoil, list[str], str]] = {
    "no masks": (
        only_photos, [],
        "photos: expected images and their masks, found 4 pictures and no masks. Draw masks with "
        "LabelMe, CVAT or Label Studio and export them as PNG masks, which are read: put them into "
        "a folder masks/ beside the images, under the same names.",
    ),
    "an image without a mask": (
        lambda folder: save(folder / "images" / "mới.png", IMAGE), [],
        "photos: expected a mask for every image, found 1 image without a mask: images/mới.png. "
        "Give an image and its mask the same name, draw what is missing, or move the rest out of "
        "the folder.",
    ),
    "a mask without an image": (
        lambda folder: save(folder / "masks" / "a b.png", MASK), [],
        "photos: expected an image for every mask, found 1 mask without an image: masks/a b.png. "
        "Give an image and its mask the same name, draw what is missing, or move the rest out of "
        "the folder.",
    ),
    "sizes differ": (
        lambda folder: save(folder / "masks" / "3.png", scene(3, 20, 30)[1]), [],
        "photos/masks/3.png: expected the size of its image 3.png, 24 × 32 pixels "
        "(height × width), found 20 × 30. Export the mask again at the image's full size, or "
        "remove both.",
    ),
    "a JPEG that was cut off": (
        cut_a_jpeg, [],
        "photos/images/0.jpg: expected a whole picture, found a damaged or cut-off one (",
    ),
    "HEIC": (
        a_photo_of_a_phone, [],
        "photos/images/0.heic: expected a PNG, JPEG, TIFF, BMP, GIF or WebP picture, found a HEIC "
        "picture. Convert it to JPEG or PNG, for example with: magick mogrify -format jpg *.heic",
    ),
    "a bomb": (
        lambda folder: (folder / "images" / "0.png").write_bytes(bitmap(30_000)), [],
        "photos/images/0.png: expected at most 200,000,000 pixels, found 30,000 × 30,000 = "
        "900,000,000. If the file is meant to be so large, allow it with --max-pixels 900000000.",
    ),
    "a header that lies": (
        lie_about_the_height, [],
        "photos/images/0.png: expected a whole picture, found a damaged or cut-off one "
        "(it holds fewer rows than its header declares). Copy or export the file again, or leave "
        "it out.",
    ),
    "an empty file": (
        lambda folder: (folder / "images" / "0.png").write_bytes(b""), [],
        "photos/images/0.png: expected a PNG, JPEG, TIFF, BMP, GIF or WebP picture, found an empty "
        "file. Copy or export the file again, or leave it out.",
    ),
    "a text": (
        lambda folder: (folder / "masks" / "0.png").write_text("a mask, honestly"), [],
        "photos/masks/0.png: expected a PNG, JPEG, TIFF, BMP, GIF or WebP picture, found something "
        "else. Leave it out, or convert it to PNG.",
    ),
    "no images": (
        only_names_of_folders, [],
        "photos: expected pictures (PNG, JPEG, TIFF, BMP, GIF or WebP), found none. Name the "
        "folder that holds the images and their masks.",
    ),
    "one image": (
        one_image, [],
        "photos: expected at least 2 images with masks, one to train from and one to test on, "
        "found 1. Add images and draw their masks; 20 are a good beginning.",
    ),
    "a class that training never sees": (
        a_class_for_the_test_only, [],
        "photos: expected every class in the masks of the training images, found 'class2' only in "
        "photos/masks/3.png. Move one of these images to the training part, add images of it, or "
        "merge the class into another with --classes.",
    ),
    "masks of one value": (
        empty_masks, [],
        "masks: expected at least two values to tell apart, found only 0 in all 4 files. Check "
        "that these are the masks and that none are missing.",
    ),
    "a folder of masks that is not there": (
        lambda folder: None, ["--masks", "maks"],
        "photos: expected masks in maks, found no picture there. Name the folder that holds the "
        "masks with --masks DIR.",
    ),
    "values that no class has": (
        lambda folder: None, ["--classes", "wall=0,chair=7"],
        "masks/0.png: expected only the values declared, 0, 7, found 255 in 80 pixels (and in 3 "
        "more files). Add it to a class, as in wall=0+255, or leave it out with --ignore-index "
        "255.",
    ),
}  # fmt: skip


@pytest.fixture
def photos(tmp_path):
    return draw_folder(tmp_path / PHOTOS, count=4)


@pytest.mark.parametrize("command", ["inspect", "train"])
@pytest.mark.parametrize("case", CASES)
def test_bad_data(fewmask, photos, tmp_path, command, case):
    spoil, options, sentence = CASES[case]
    spoil(photos)
    before = contents(tmp_path)
    told = fewmask(command, PHOTOS, *options)
    # A training names the folder in full, so that it can be resumed from anywhere.
    error = told.error.replace(f"{tmp_path}{os.sep}", "")
    assert error.startswith(f"Error: {sentence}")
    assert told.code == 2
    assert told.out == ""
    assert "Traceback" not in told.err
    assert contents(tmp_path) == before  # no run, nothing half-written


def test_the_limit_on_pixels_is_raised_as_the_sentence_says(fewmask, photos):
    told = fewmask("inspect", PHOTOS, "--max-pixels", 700)
    assert told.error == (
        "Error: photos/images/0.png: expected at most 700 pixels, found 24 × 32 = 768. If the file "
        "is meant to be so large, allow it with --max-pixels 768."
    )
    told = fewmask("inspect", PHOTOS, "--max-pixels", 768)
    assert told.code == 0


@pytest.mark.parametrize(
    ("spoil", "found", "marker", "words"),
    [
        (two_folders_of_masks,
         "2 that fit the images equally well: labels/ (4 pairs) and masks/ (4 pairs)",
         "DIR: ", ["--masks", "labels"]),
        (grey_values_between, "0 (85.4 %), 128 (4.2 %) and 255 (10.4 %)",
         "name them: ", ["--classes", "background=0,class1=128,class2=255"]),
        (grey_values_between, "0 (85.4 %), 128 (4.2 %) and 255 (10.4 %)",
         "cut them with ", ["--threshold", "128"]),
        (soft_edges, "values from 0 to 255, as in photographs",
         "cut them with ", ["--threshold", "128"]),
    ],
)  # fmt: skip
def test_a_decision_is_asked_for_and_the_line_that_makes_it_works(
    fewmask, photos, tmp_path, spoil, found, marker, words
):
    spoil(photos)
    before = contents(tmp_path)
    told = fewmask("train", PHOTOS)
    assert told.code == 2
    assert found in told.error
    typed = shlex.split(told.error.partition(marker)[2])[:2]
    assert [word.rstrip(";.") for word in typed] == words
    assert contents(tmp_path) == before
    assert fewmask("inspect", PHOTOS, *words).code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "photo"],
         "photo: expected a folder of images and masks, the name of an installed dataset, or "
         "demo/chairs, found nothing there. Check the path for a slip."),
        (["train", "owner/chairs"],
         "owner/chairs: expected a folder of images and masks, or the name of an installed "
         "dataset, found neither. Check the path for a slip, or bring the dataset: "
         "fewmask install owner/chairs"),
        (["train", PHOTOS, "--model", "unett"],
         "--model: expected one of auto, unet, mobilenet_v2, mobilenet_v3_small, "
         "mobilenet_v3_large, efficientnet_v2_b0, resnet50, vgg16, fcn32, fcn16, fcn8, "
         "found 'unett'. Try --model unet"),
        (["train", PHOTOS, "--epochs", "0"],
         "--epochs: expected a whole number, 1 or more, found 0. Try --epochs 1"),
        *((["train", PHOTOS, "--scale", typed],
           f"--scale: expected a number above 0, up to 2, found {found}. Try --scale 1")
          for typed, found in (("0", "0.0"), ("-1", "-1.0"), ("2.5", "2.5"), ("nan", "nan"))),
        (["train", PHOTOS, "--scale", "half"],
         "Invalid value for '--scale': 'half' is not a valid float"),
        (["train", PHOTOS, "--name", "a/b"],
         "--name 'a/b': expected letters, digits, spaces and . _ + - beginning and ending with a "
         "letter or digit, found something else. Try --name a-b"),
        (["train", "--resume", "chairs"],
         "chairs: expected the folder of a run, found nothing there. "
         "Make one: fewmask train FOLDER"),
        (["predict", "chairs", "photos/images"],
         "chairs: expected the folder of a run, found nothing there. "
         "Make one: fewmask train FOLDER"),
        (["evaluate", PHOTOS, PHOTOS],
         "photos: expected the folder of a run, found a folder without run.json. "
         "Make one: fewmask train FOLDER"),
    ],
)  # fmt: skip
def test_what_was_mistyped(fewmask, photos, tmp_path, words, sentence):
    before = contents(tmp_path)
    told = fewmask(*words)
    assert (told.code, told.out) == (2, "")
    assert told.error.removesuffix(".") == f"Error: {sentence}".removesuffix(".")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "runs/future", PHOTOS],
        ["predict", "runs/future", "photos/images/0.png"],
        ["train", "--resume", "future"],
    ],
)
def test_a_run_of_a_newer_version(fewmask, photos, tmp_path, words):
    run = tmp_path / "runs" / "future"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"format": 99}))
    told = fewmask(*words)
    assert (told.code, told.error) == (
        2,
        "Error: runs/future: expected a run in format 1 or older, found format 99, made by a newer "
        "fewmask. Upgrade: pip install --upgrade fewmask",
    )


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_full_disk(fewmask, photos, tmp_path, monkeypatch):
    before = contents(tmp_path)
    monkeypatch.setattr(os, "replace", refusing(errno.ENOSPC))
    told = fewmask("inspect", PHOTOS)
    assert (told.code, told.error) == (
        2,
        "Error: contact.png: expected room on the disk to write it, found the disk is full. Free "
        "some room or choose another folder; nothing half-written was left.",
    )
    assert contents(tmp_path) == before


def test_a_disk_without_room_for_a_run(fewmask, photos, tmp_path, monkeypatch):
    before = contents(tmp_path)
    monkeypatch.setattr(os, "replace", refusing(errno.ENOSPC))
    told = fewmask("train", PHOTOS, "--name", "ghế")
    assert told.code == 2
    assert "expected room on the disk to write it, found the disk is full." in told.error
    assert contents(tmp_path) == {**before, "runs": "folder"}


def test_a_disk_that_fills_up_while_a_model_is_saved(fewmask, photos, tmp_path, monkeypatch):
    replace = os.replace

    def fill_up(source, destination):
        if str(destination).endswith("model.keras"):
            refusing(errno.ENOSPC)()
        replace(source, destination)

    monkeypatch.setattr(os, "replace", fill_up)
    told = fewmask("train", PHOTOS, *TINY)
    run = tmp_path / "runs" / "photos-1"
    assert told.code == 2
    assert told.error.startswith(
        "Error: runs/photos-1/model.keras: expected room on the disk to write it"
    )
    assert not list(run.glob("model*"))
    monkeypatch.setattr(os, "replace", replace)
    # What was learnt is not lost.
    assert fewmask("train", "--resume", "photos-1").code == 0
    assert (run / "model.onnx").is_file()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_to(fewmask, photos, tmp_path, monkeypatch, number):
    before = contents(tmp_path)
    refused = "expected a folder that may be written to, found no right to write there. "
    remedy = "Choose another folder or change its rights."
    monkeypatch.setattr(os, "replace", refusing(number))
    monkeypatch.setattr(os, "mkdir", refusing(number))
    told = fewmask("inspect", PHOTOS)
    assert (told.code, told.error) == (2, f"Error: contact.png: {refused}{remedy}")
    told = fewmask("train", PHOTOS)
    assert (told.code, told.error) == (2, f"Error: runs: {refused}{remedy}")
    assert contents(tmp_path) == before


def test_more_images_than_there_are_in_folds(photos):
    with pytest.raises(ArgumentError) as caught:
        load_dataset(photos).create_folds((3, 2))
    assert str(caught.value) == (
        "sizes: expected sizes from 0 on that add up to at most 4, the number of images, found "
        "3 + 2 = 5. Ask for smaller folds."
    )


def test_names_of_any_language_work_from_end_to_end(fewmask, tmp_path):
    draw_folder(tmp_path / "Bàn ghế (ảnh)", suffix=".JPG", stem="ghế gỗ {} – été")
    told = fewmask("train", "Bàn ghế (ảnh)", "--name", "thử 1", "--classes", "nền=0,ghế=255", *TINY)
    assert told.code == 0
    command = shlex.split(told.out.splitlines()[-1].removeprefix("Use the model: "))
    assert command == ["fewmask", "predict", "runs/thử 1", "PHOTO.jpg"]

    told = fewmask(*command[1:3], "Bàn ghế (ảnh)/images", "--out", "kết quả")
    assert told.code == 0
    assert (tmp_path / "kết quả" / "ghế gỗ 3 – été.png").is_file()
    command = shlex.split(told.out.splitlines()[-1].partition("model: ")[2])
    assert command == ["fewmask", "evaluate", "runs/thử 1", "FOLDER"]

    told = fewmask(*command[1:3], "Bàn ghế (ảnh)", "--classes", "nền=0,ghế=255")
    assert told.code == 0
    report = told.out.splitlines()[-2].removeprefix("Report: ")
    assert "Bàn ghế (ảnh)" in Path(report).read_text("utf-8")
