"""What labelling tools and contests really wrote; see --real-data."""

from pathlib import Path

import numpy as np
import pytest

from fewmask.data.folders.folder import read_folder
from fewmask.data.formats.convert import convert
from fewmask.data.imageio import read_mask_values

from .conftest import iou

pytestmark = pytest.mark.real


@pytest.fixture
def samples(real_data: Path) -> Path:
    folder = real_data / "formats"
    if not folder.is_dir():
        pytest.skip(f"no samples of formats in {real_data}")
    return folder


def masks_in(folder):
    dataset = read_folder(folder)
    return {row.image[7:].partition(".")[0]: dataset.read_mask(i) for i, row in enumerate(dataset)}


# The first three hold the same three photographs, labelled once; LabelMe's own tools made the
# masks, half a pixel larger all round.
@pytest.mark.parametrize("name", ["labelme_json", "coco_json"])
def test_labelme_and_coco_agree_with_the_masks_that_labelme_made(samples, tmp_path, name):
    convert(samples / name, out=tmp_path / name)
    for stem, mask in masks_in(tmp_path / name).items():
        truth = read_mask_values(samples / "voc_semantic/SegmentationClass" / f"{stem}.png").values
        if name == "coco_json":  # it leaves out what LabelMe ignores
            mask, truth = (np.where(truth == 255, 0, each) for each in (mask, truth))
        # what is one pixel wide is lost to half a pixel first
        for class_id in np.unique(truth):
            assert iou(truth, mask, class_id) > (0.96 if (truth == class_id).sum() > 2000 else 0.9)


def test_voc_is_read_as_it_is(samples, tmp_path):
    done = convert(samples / "voc_instance", out=tmp_path / "out")
    assert done.lost == "Not kept: 12 objects (their pixels keep the class)."
    assert read_folder(tmp_path / "out").classes.ignore_index == 255
    for stem, mask in masks_in(tmp_path / "out").items():
        stored = read_mask_values(samples / "voc_instance/SegmentationClass" / f"{stem}.png").values
        np.testing.assert_array_equal(mask, stored)


def test_yolo_agrees_with_masks_that_others_drew(samples, real_data, tmp_path):
    done = convert(samples / "yolo_seg", out=tmp_path / "out")
    assert done.classes[1:] == ("bed", "chair", "plant pot", "sofa", "swivelchair", "table")
    for stem, mask in masks_in(tmp_path / "out").items():
        truth = read_mask_values(real_data / "furniture6" / "masks" / "test" / f"{stem}.png").values
        assert iou(truth, mask, int(truth.max())) > 0.98


def test_runs_of_kaggle_are_the_pixels_of_the_masks_they_were_made_from(
    samples, real_data, tmp_path
):
    convert(samples / "kaggle_rle", out=tmp_path / "out")
    for stem, mask in masks_in(tmp_path / "out").items():
        (path,) = (real_data / "dsb2018_nuclei" / "masks").rglob(f"{stem[:16]}.png")
        np.testing.assert_array_equal(mask, read_mask_values(path).values > 0)


def test_the_image_inside_a_labelme_file_is_found_beside_it(samples, tmp_path):
    convert(samples / "labelme_embedded", out=tmp_path / "out")
    (mask,) = masks_in(tmp_path / "out").values()
    assert np.bincount(mask.ravel()).min() > 5000


@pytest.mark.parametrize(
    ("name", "images", "parts"),
    [
        ("cvat_dataset/for_images/export_project", 6, {"train", "validation", "test"}),
        ("cvat_dataset/for_video", 3, set()),
        ("coco_dataset/coco_instances", 2, {"train", "validation"}),
        ("coco_dataset/coco_stuff", 2, {"train", "validation"}),
        ("cityscapes_dataset/dataset", 4, {"train", "validation", "test"}),
        ("voc_dataset/voc_dataset1", 1, {"train"}),
    ],
)
def test_the_layouts_of_datumaro_are_read(samples, tmp_path, name, images, parts):
    done = convert(samples / "datumaro_tiny" / name, out=tmp_path / "out")
    assert done.num_images == images
    table = tmp_path / "out" / "split.csv"
    rows = table.read_text("utf-8").splitlines()[1:] if table.exists() else []
    assert {row.rpartition(",")[2] for row in rows} == parts


def test_polygons_of_label_studio_are_read_with_an_image_of_their_size(samples, tmp_path):
    from .conftest import save_image

    save_image(tmp_path / "photos" / "000000000025.jpg", (426, 640))
    source = samples / "label_studio" / "test_export_yolo" / "data_polygons.json"
    done = convert(source, tmp_path / "photos", out=tmp_path / "out")
    assert done.classes == ("background", "Airplane")
    (mask,) = masks_in(tmp_path / "out").values()
    assert 0.02 < (mask == 1).mean() < 0.2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("datumaro_tiny/yolo_dataset/labels", "found none in 2 images, but 4 boxes."),
        ("datumaro_tiny/coco_dataset/coco_panoptic", "Choose with --from coco or --from folder."),
        ("label_studio/test_export_yolo/data_polygons.json", "000000000025.jpg. Add them, or name"),
        ("datumaro_tiny/cvat_dataset/for_images/export_task", "label1, label2, found ''."),
        ("via_json/val", "expected labels in a format that is read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(samples, tmp_path, refusal, name, sentence):
    assert sentence in refusal(lambda: convert(samples / name, out=tmp_path / "out"))


def test_numbers_of_objects_in_16_bit_tiff_are_a_question(samples, tmp_path, refusal):
    (tmp_path / "cells").mkdir()
    for name in ("img2d.tif", "mask2d.tif"):
        (tmp_path / "cells" / name).write_bytes((samples / "tiff_uint16" / name).read_bytes())
    assert "--threshold 1" in refusal(lambda: convert(tmp_path / "cells", out=tmp_path / "out"))
    convert(tmp_path / "cells", out=tmp_path / "out", threshold=1)
    stored = read_mask_values(samples / "tiff_uint16" / "mask2d.tif").values
    np.testing.assert_array_equal(read_folder(tmp_path / "out").read_mask(0), stored > 0)
