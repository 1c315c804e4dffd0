import shutil
from dataclasses import replace

import numpy as np
import pytest

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint, take_fingerprint
from fewmask.data.imageio import write_png
from fewmask.data.least_areas import LeastAreas
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column
from fewmask.errors import DataError

COLUMNS = [Column("image", "image"), Column("mask", "mask")]
CLASSES = Classes(("background", "chair", "table"), ignore_index=255)
ENCODING = MaskEncoding("values", ((0, 0), (1, 1), (2, 2), (9, 255)))


def dataset_of(folder, images, masks=None):
    rows = []
    for number, image in enumerate(images):
        mask = np.zeros(image.shape[:2], np.uint8) if masks is None else masks[number]
        write_png(folder / f"images/{number}.png", image)
        write_png(folder / f"masks/{number}.png", mask)
        rows.append((f"images/{number}.png", f"masks/{number}.png"))
    return Dataset("made", folder, COLUMNS, rows, CLASSES, ENCODING)


def test_everything_is_measured_as_by_hand(tmp_path):
    images = [
        np.full((2, 3, 3), (10, 20, 30), np.uint8),
        np.full((2, 3, 3), (30, 20, 10), np.uint8),
        np.full((4, 1, 3), (0, 0, 0), np.uint8),
    ]
    masks = [
        np.array([[0, 0, 1], [0, 0, 1]], np.uint8),
        np.array([[9, 9, 2], [0, 0, 0]], np.uint8),
        np.zeros((4, 1), np.uint8),
    ]
    calls = []
    found = take_fingerprint(dataset_of(tmp_path, images, masks), lambda *now: calls.append(now))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert found.num_images == 3
    assert found.sizes == ((2, 3, 2), (4, 1, 1))
    assert found.channels == ((3, 3),)
    assert found.num_channels == 3
    assert (found.dtype, found.value_range) == ("uint8", (0, 255))
    # red: 6 pixels of 10, 6 of 30, 4 of 0: mean 15, mean square (600 + 5400) / 16 = 375
    assert found.mean == pytest.approx((15.0, 15.0, 15.0))
    assert found.standard_deviation == pytest.approx(
        ((375 - 225) ** 0.5, (300 - 225) ** 0.5, (375 - 225) ** 0.5)
    )
    assert found.class_pixels == (4 + 3 + 4, 2, 1)
    assert found.class_shares == pytest.approx((11 / 14, 2 / 14, 1 / 14))
    assert found.class_images == (3, 1, 1)
    assert found.ignored_pixels == 2
    assert found.class_ids == ((0, 1), (0, 2), (0,))
    assert found.least_shares == pytest.approx((3 / 6, 2 / 6, 1 / 6))
    # One mask of six: half of the least, times 1 / (1 + 5); the third mask shows nothing.
    assert found.least_areas(at_own_scale=True) == LeastAreas(
        (0.0, pytest.approx(2 / 72), pytest.approx(1 / 72)), of_pixels=6
    )
    assert found.least_areas(at_own_scale=False).of_pixels is None


def test_a_fingerprint_survives_json(tmp_path):
    found = take_fingerprint(dataset_of(tmp_path, [np.zeros((3, 4, 3), np.uint8)]))
    assert Fingerprint.from_json(found.to_json()) == found


def test_masks_that_all_show_something_are_never_empty(tmp_path):
    masks = [np.array([[0, value]], np.uint8) for value in (1, 2)]
    found = take_fingerprint(dataset_of(tmp_path, [np.zeros((1, 2, 3), np.uint8)] * 2, masks))
    assert found.least_areas(at_own_scale=False).never_empty


def test_16_bits_lose_a_thousandth_at_both_ends(tmp_path):
    image = np.linspace(1000, 3000, 10_000).astype(np.uint16).reshape(100, 100)
    image[0, 0], image[0, 1] = 0, 65535
    found = take_fingerprint(dataset_of(tmp_path, [image]))
    low, high = found.value_range
    assert found.dtype == "uint16"
    assert (low, high) == pytest.approx((1002, 2998), abs=2)
    assert found.mean[0] == pytest.approx(127.5, abs=0.5)
    assert found.standard_deviation[0] == pytest.approx(255 / 12**0.5, abs=0.5)


def test_an_even_16_bit_image_still_has_a_range(tmp_path):
    found = take_fingerprint(dataset_of(tmp_path, [np.full((3, 3), 700, np.uint16)]))
    assert found.value_range == (700, 701)


def test_grey_counts_for_all_three_colours(tmp_path):
    images = [np.full((2, 2), 100, np.uint8), np.full((2, 2, 3), (0, 100, 200), np.uint8)]
    found = take_fingerprint(dataset_of(tmp_path, images))
    assert found.channels == ((1, 1), (3, 1))
    assert found.num_channels == 3
    assert found.mean == pytest.approx((50, 100, 150))


def test_the_digest_follows_content_not_place(tmp_path):
    images = [np.full((2, 2, 3), value, np.uint8) for value in (1, 2)]
    here = dataset_of(tmp_path / "here", images)
    shutil.copytree(tmp_path / "here", tmp_path / "ở đây")
    there = replace(here, root=tmp_path / "ở đây")
    digest = take_fingerprint(here).sha256
    assert take_fingerprint(there).sha256 == digest
    assert take_fingerprint(here[::-1]).sha256 == digest
    write_png(there.mask_path(0), np.eye(2, dtype=np.uint8))
    assert take_fingerprint(there).sha256 != digest
    assert take_fingerprint(here[:1]).sha256 != digest


def test_images_without_masks_have_no_classes(tmp_path):
    dataset = dataset_of(tmp_path, [np.zeros((3, 4, 3), np.uint8)]).select("image")
    found = take_fingerprint(replace(dataset, classes=None, encoding=None))
    assert (found.class_pixels, found.class_ids, found.ignored_pixels) == ((), (), 0)


def test_images_that_no_model_takes_together_are_refused(tmp_path):
    images = [np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint16)]
    dataset = dataset_of(tmp_path, images)
    with pytest.raises(DataError) as caught:
        take_fingerprint(dataset)
    assert str(caught.value) == (
        f"made: expected images of one bit depth, found uint8 in {dataset.image_path(0)} and "
        f"uint16 in {dataset.image_path(1)}. Save all of them with 8 or all with 16 bits."
    )


def test_nothing_cannot_be_measured(tmp_path):
    with pytest.raises(DataError, match="made: expected at least one image, found none"):
        take_fingerprint(dataset_of(tmp_path, []))
