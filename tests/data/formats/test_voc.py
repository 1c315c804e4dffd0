import numpy as np
import pytest

from fewmask.data.formats.source import source_of_dataset
from fewmask.data.formats.voc import palette, read_voc, write_voc
from fewmask.data.imageio import read_mask_values, write_png

from .conftest import (
    difficult_mask,
    ignoring_mask,
    labels_in,
    make_dataset,
    masks_of,
    save_image,
    save_text,
)


@pytest.fixture
def root(tmp_path):
    """A folder of one image with masks of classes 0, 1, 2 and 255."""
    save_image(tmp_path / "JPEGImages" / "ảnh 1.jpg")
    save_image(tmp_path / "JPEGImages" / "b.jpg")
    write_png(tmp_path / "SegmentationClass" / "ảnh 1.png", ignoring_mask(), palette(256))
    return tmp_path


def read(root):
    return read_voc(labels_in(root))


def test_masks_are_read_as_they_are_and_other_images_left_out(root):
    source = read(root)
    assert source.classes.names == ("background", "class1", "class2")
    np.testing.assert_array_equal(masks_of(source)["JPEGImages/ảnh 1"], ignoring_mask())
    assert source.findings == (f"Left out: 1 picture that {root.name} does not name.",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("class_names.txt", "_background_\nghế\nbàn/tủ\n"),
        ("labels.txt", "__ignore__\n_background_\nghế\nbàn/tủ\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nghế:128,0,0::\n"
                         "bàn/tủ:0,128,0::\n"),
    ],
)  # fmt: skip
def test_every_list_of_names_is_read(root, name, text):
    save_text(root / name, text)
    source = read(root)
    assert source.classes.names == ("background", "ghế", "bàn/tủ")
    np.testing.assert_array_equal(masks_of(source)["JPEGImages/ảnh 1"], ignoring_mask())


def test_masks_in_colour_are_read_by_the_list(root):
    colors = np.zeros((256, 3), np.uint8)
    colors[1], colors[2], colors[255] = (9, 8, 7), (1, 2, 3), (224, 224, 192)
    write_png(root / "SegmentationClass" / "ảnh 1.png", colors[ignoring_mask()])
    save_text(root / "labelmap.txt", "bàn:1,2,3::\nghế:9,8,7::\nbackground:0,0,0::\n")
    source = read(root)
    assert source.classes.names == ("background", "bàn", "ghế")
    expected = np.array([0, 2, 1] + [255] * 253, np.uint8)[ignoring_mask()]
    np.testing.assert_array_equal(masks_of(source)["JPEGImages/ảnh 1"], expected)


def test_images_of_the_challenge_have_its_classes_in_every_kind_of_mask(tmp_path):
    save_image(tmp_path / "JPEGImages" / "2007_000032.jpg")
    mask = np.zeros((60, 80), np.uint8)
    mask[:9], mask[20:] = 20, 15
    for pixels in (
        (mask, palette(256)),
        (np.array(palette(256), np.uint8)[mask], None),
        (mask, None),
    ):
        write_png(tmp_path / "SegmentationClass" / "2007_000032.png", *pixels)
        source = read(tmp_path)
        assert source.classes.names[15] == "person"
        assert source.classes.names[20] == "tvmonitor"
        np.testing.assert_array_equal(masks_of(source)["JPEGImages/2007_000032"], mask)


def test_lists_of_parts_are_read_or_left_out(root):
    save_text(root / "ImageSets" / "Segmentation" / "val.txt", "ảnh 1\n\n")
    assert [image.part for image in read(root).images] == ["validation"]
    save_image(root / "JPEGImages" / "c.jpg")
    write_png(root / "SegmentationClass" / "c.png", ignoring_mask(), palette(256))
    write_png(root / "SegmentationClass" / "b.png", ignoring_mask(), palette(256))
    save_text(root / "ImageSets" / "Segmentation" / "train.txt", "b 1\n")
    save_text(root / "ImageSets" / "Segmentation" / "val.txt", "c\n")
    assert read(root).findings == (
        "Parts are left out: 1 of 3 images are in none: JPEGImages/ảnh 1.",
    )


def test_objects_are_counted(root):
    objects = np.zeros((60, 80), np.uint8)
    objects[:5], objects[9:20], objects[30:] = 1, 2, 255
    write_png(root / "SegmentationObject" / "ảnh 1.png", objects, palette(256))
    source = read(root)
    masks_of(source)
    assert source.losses.sentence() == "Not kept: 2 objects (their pixels keep the class)."


def test_bad_input_is_refused_in_a_sentence(root, refusal):
    save_text(root / "class_names.txt", "_background_\nghế\n")
    assert refusal(lambda: masks_of(read(root))) == (
        f"{root}/SegmentationClass/ảnh 1.png: expected only the values 0, 1, 255, found 2 in 400 "
        "pixels. Correct this mask, or give each value a class with --classes."
    )
    save_text(root / "labelmap.txt", "background:0,0,0::\nghế:red::\n")
    assert "labelmap.txt: expected lines name:red,green,blue::, found" in refusal(
        lambda: read(root)
    )
    (root / "labelmap.txt").unlink()
    write_png(root / "SegmentationClass" / "ảnh 1.png", np.ones((6, 8), np.uint8), palette(256))
    assert "expected the size of its image ảnh 1.jpg, 60 × 80 pixels (height × width), found " in (
        refusal(lambda: masks_of(read(root)))
    )
    (root / "JPEGImages" / "ảnh 1.jpg").unlink()
    assert f"expected its images in {root}, found 1 of 1 missing: ảnh 1." in refusal(
        lambda: read(root)
    )


def test_colours_without_a_list_are_refused(root, refusal):
    pixels = np.full((60, 80, 3), 7, np.uint8)
    write_png(root / "SegmentationClass" / "ảnh 1.png", pixels)
    assert refusal(lambda: read(root)) == (
        f"{root}: expected a list of classes and their colours, labelmap.txt, found none beside "
        "masks in colour. Export the masks with their labelmap.txt, or write one: "
        "name:red,green,blue::"
    )


def test_what_is_written_has_the_palette_and_lists_of_the_challenge(tmp_path):
    masks = {"train/a.png": difficult_mask(), "val/b.png": ignoring_mask()}
    dataset = make_dataset(tmp_path / "data", masks)
    write_voc(source_of_dataset(dataset), tmp_path, None)
    stored = read_mask_values(tmp_path / "SegmentationClass" / "b.png")
    assert stored.palette[:3] == ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    assert stored.palette[255] == (224, 224, 192)
    np.testing.assert_array_equal(stored.values, ignoring_mask())
    objects = read_mask_values(tmp_path / "SegmentationObject" / "a.png").values
    np.testing.assert_array_equal(objects > 0, difficult_mask() > 0)
    for number in np.unique(objects)[1:]:
        assert len(np.unique(difficult_mask()[objects == number])) == 1
    assert (tmp_path / "ImageSets/Segmentation/val.txt").read_text("utf-8") == "b\n"
    assert (tmp_path / "labelmap.txt").read_text("utf-8").splitlines()[1:] == [
        "background:0,0,0::", "cái ghế:128,0,0::", "bàn & tủ:0,128,0::",
    ]  # fmt: skip


def test_the_palette_is_that_of_the_challenge():
    assert palette(256)[20] == (0, 64, 128)
    assert palette(256)[15] == (192, 128, 128)
