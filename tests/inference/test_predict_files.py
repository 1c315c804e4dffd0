import errno
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.errors import ArgumentError, FewmaskError, ModelError
from fewmask.inference.predict import Predictor
from fewmask.inference.predict_files import predict_files
from fewmask.scale import Frame


def red_predictor(num_classes=2):
    def find_red(image):
        red = image[..., 0] > 127
        rest = [np.zeros_like(red)] * (num_classes - 2)
        maps = np.stack([~red, red, *rest], axis=2).astype(np.float32)
        return red.astype(np.uint8), maps

    names = ("background", "red thing", "nothing")[:num_classes]
    return Predictor(Bundle(Classes(names), Frame(256)), find_red)


@pytest.fixture
def photos(tmp_path, monkeypatch, write_photo):
    """A folder `photos` with three images, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "ghế gỗ số 1.jpg", "été/b c.png"):
        write_photo(Path("photos") / name)
    return Path("photos")


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.*"))


def test_a_mask_and_an_overlay_of_every_image(photos):
    outcome = predict_files(red_predictor(), [photos])
    expected = ["a", "ghế gỗ số 1", "été/b c"]
    assert [result.mask for result in outcome.written] == [
        Path("predicted", f"{name}.png") for name in expected
    ]
    assert files("predicted") == sorted(
        f"{name}{ending}" for name in expected for ending in (".png", ".overlay.jpg")
    )
    assert (outcome.out, outcome.failed) == (Path("predicted"), ())
    with Image.open("predicted/ghế gỗ số 1.png") as mask:
        np.testing.assert_array_equal(np.asarray(mask), [[1, 1, 1, 1, 0, 0, 0, 0]] * 6)
    assert outcome.written[0].area_shares == {"background": 0.5, "red thing": 0.5}


def test_masks_alone(photos):
    predict_files(red_predictor(), photos / "a.png", "out", overlay=False)
    assert files("out") == ["a.png"]


@pytest.mark.parametrize(("num_classes", "suffix"), [(2, "png"), (3, "npz")])
def test_probabilities(photos, num_classes, suffix):
    predictor = red_predictor(num_classes)
    (result,) = predict_files(predictor, photos / "a.png", probability=True).written
    assert result.probability == Path(f"predicted/a.probability.{suffix}")
    assert all(path.exists() for path in result.files)


def test_a_second_time_reads_no_results_and_replaces_none(photos):
    predict_files(red_predictor(), [Path()])
    before = {path: path.stat().st_mtime_ns for path in Path("predicted").rglob("*.*")}
    with pytest.raises(
        ArgumentError,
        match=r"^--out predicted: expected a place for 6 new files, found 6 there already, such as "
        r"predicted/photos/a\.png\. Replace with --overwrite, or choose another folder with --out"
        r"\.$",
    ):
        predict_files(red_predictor(), [Path()])
    assert {path: path.stat().st_mtime_ns for path in Path("predicted").rglob("*.*")} == before
    assert len(predict_files(red_predictor(), [Path()], overwrite=True).written) == 3


def test_results_there_already_are_noticed_before_anything_is_computed(photos):
    def never(image):
        raise AssertionError("something was computed")

    Path("predicted").mkdir()
    Path("predicted/a.overlay.jpg").touch()
    with pytest.raises(ArgumentError, match=r"found 1 there already, such as predicted/a\.overlay"):
        predict_files(Predictor(red_predictor().bundle, never), [photos])


def test_images_that_differ_in_the_suffix_keep_it(photos, write_photo):
    write_photo(photos / "a.jpg")
    write_photo(photos / "A.tif")
    results = predict_files(red_predictor(), photos / "[aA].*", overlay=False).written
    assert [result.mask.name for result in results] == ["A.tif.png", "a.jpg.png", "a.png.png"]


def test_names_that_clash_otherwise_are_numbered(tmp_path, monkeypatch, write_photo):
    monkeypatch.chdir(tmp_path)
    names = ["a.jpg", "a.png", "a.jpg.tif", "b.png", "b.probability.png"]
    for name in names:
        write_photo(Path(name))
    results = predict_files(red_predictor(), names, "out", probability=True).written
    assert [result.mask.name for result in results] == [
        "a.jpg.png", "a.png.png", "a.jpg (2).png", "b.png", "b.probability (2).png",
    ]  # fmt: skip
    assert len(files("out")) == 15


def test_one_corrupt_image_does_not_stop_the_others(photos):
    Path("photos/bad.jpg").write_bytes(b"\xff\xd8\xff cut off")
    Path("photos/phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    outcome = predict_files(red_predictor(), [photos])
    assert len(outcome.written) == 3
    (bad, why_bad), (phone, why_phone) = outcome.failed
    assert (bad, phone) == (Path("photos/bad.jpg"), Path("photos/phone.HEIC"))
    assert why_bad.startswith("photos/bad.jpg: expected a whole picture, found a damaged")
    assert re.match("photos/phone.HEIC: expected a PNG.* found a HEIC.* Convert it to", why_phone)
    assert not any("bad" in name or "phone" in name for name in files("predicted"))


def test_an_image_too_large_fails_alone(photos, write_photo):
    write_photo(photos / "large.png", height=50, width=50)
    outcome = predict_files(red_predictor(), [photos], max_pixels=100)
    ((path, why),) = outcome.failed
    assert path == Path("photos/large.png")
    assert "expected at most 100 pixels, found 50 × 50 = 2,500" in why


@pytest.mark.parametrize("where", ["model", "reader", "overlay"])
def test_a_full_memory_fails_one_image(photos, monkeypatch, where):
    def full(*arguments, **options):
        raise MemoryError

    predictor = red_predictor()
    if where == "model":
        predictor = Predictor(predictor.bundle, full)
    elif where == "overlay":
        monkeypatch.setattr("fewmask.inference.outputs.paint_overlay", full)
    else:
        monkeypatch.setattr("fewmask.inference.predict_files.take_in", full)
    outcome = predict_files(predictor, photos / "a.png")
    assert outcome.failed == (
        (
            Path("photos/a.png"),
            "photos/a.png: expected an image that fits into memory, found one that does not. "
            "Shrink it, or cut it up.",
        ),
    )


def test_a_model_that_gives_up_on_one_image(photos, write_photo):
    def choosy(image):
        if image.shape[0] == 7:
            raise ModelError("model.onnx", "to predict it", "that it cannot", "Try a smaller one.")
        return red_predictor()._model(image)

    write_photo(photos / "z.png", height=7)
    outcome = predict_files(Predictor(red_predictor().bundle, choosy), [photos])
    assert [str(path) for path, _ in outcome.failed] == ["photos/z.png"]
    assert len(outcome.written) == 3


def test_progress_counts_failures_too(photos):
    Path("photos/bad.jpg").touch()
    seen = []
    predict_files(
        red_predictor(), [photos], progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_results_into_a_file(photos):
    Path("taken").touch()
    with pytest.raises(
        ArgumentError,
        match=r"^--out taken: expected a folder, found a file\. Choose another name with --out\.$",
    ):
        predict_files(red_predictor(), [photos], "taken", overwrite=True)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_to(photos):
    Path("locked").mkdir(mode=0o500)
    with pytest.raises(FewmaskError, match="found no right to write there"):
        predict_files(red_predictor(), [photos], "locked/out")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, "expected a folder that may be written to, found no right to write there"),
        (errno.ENOSPC, "expected room on the disk to write it, found the disk is full"),
    ],
)
def test_a_disk_that_takes_nothing_more(photos, monkeypatch, number, sentence):
    wrote = []
    replace = os.replace

    def refuse_the_third(source, destination):
        if len(wrote) == 2:
            raise OSError(number, os.strerror(number))
        wrote.append(destination)
        replace(source, destination)

    monkeypatch.setattr(os, "replace", refuse_the_third)
    with pytest.raises(FewmaskError, match=re.escape(f"predicted/ghế gỗ số 1.png: {sentence}")):
        predict_files(red_predictor(), [photos])
    assert files("predicted") == ["a.overlay.jpg", "a.png"]


def test_stopping_leaves_whole_files_only(photos):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_files(red_predictor(), [photos], progress=stop)
    assert files("predicted") == ["a.overlay.jpg", "a.png"]
    for name in files("predicted"):
        with Image.open(Path("predicted", name)) as picture:
            picture.load()


@pytest.mark.real
def test_real_photographs(real_data, tmp_path):
    photos = sorted((real_data / "chairs97" / "images" / "val").iterdir())[:3]
    outcome = predict_files(red_predictor(), photos, tmp_path / "out")
    assert len(outcome.written) == 3
    for result in outcome.written:
        with Image.open(result.image) as image, Image.open(result.overlay) as overlay:
            assert image.size == overlay.size
