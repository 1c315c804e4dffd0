"""Masks are packed as class ids, and handed out as their owner stored them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import MaskValues, read_mask_values, write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.errors import DataError
from fewmask.packages.build import Built
from fewmask.packages.card import CARD, encoding_of_card
from fewmask.packages.export import export_package
from fewmask.packages.load import load_dataset
from fewmask.packages.store import Store

from .conftest import Build, draw

IDS = np.array([[0, 1, 2], [2, 255, 0]], np.uint8)
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.mark.parametrize(
    ("encoding", "stored"),
    [
        (MaskEncoding("values", ((0, 0), (128, 1), (255, 2), (9, 255))),
         np.array([[0, 128, 255], [255, 9, 0]], np.uint8)),
        # The first of two values of a class.
        (MaskEncoding("values", ((7, 1), (8, 1), (0, 0), (300, 2), (1, 255))),
         np.array([[0, 7, 300], [300, 1, 0]], np.uint16)),
        (MaskEncoding("colors", ((0x0A0B0C, 0), (0xFF0000, 1), (0x00FF00, 2), (0, 255))),
         np.array([[[10, 11, 12], [255, 0, 0], [0, 255, 0]],
                   [[0, 255, 0], [0, 0, 0], [10, 11, 12]]], np.uint8)),
    ],
)  # fmt: skip
def test_class_ids_become_what_files_store(
    encoding: MaskEncoding, stored: NDArray[np.uint8]
) -> None:
    found = encoding.encode(IDS, "a.png")
    assert found.dtype == stored.dtype
    np.testing.assert_array_equal(found, stored)
    np.testing.assert_array_equal(encoding.decode(MaskValues(stored), "a.png"), IDS)


def test_a_threshold_gives_0_and_255() -> None:
    found = MaskEncoding("threshold", (), 3).encode(np.array([[0, 1]], np.uint8), "a.png")
    assert found.tolist() == [[0, 255]]


def test_a_class_that_no_value_stands_for_is_refused() -> None:
    with pytest.raises(DataError) as refused:
        MaskEncoding("values", ((0, 0), (128, 1))).encode(IDS, "rohan/things@1:masks/a.png")
    assert str(refused.value) == (
        "rohan/things@1:masks/a.png: expected the class ids 0, 1, found 2 in 2 pixels. "
        "Ask whoever publishes the dataset."
    )


def test_an_installed_mask_of_0_and_255_is_one(
    built: Built, dataset: Dataset, store: Store
) -> None:
    installed = load_dataset("rohan/things", store=store)
    assert set(np.unique(read_mask_values(installed.mask_path(0)).values)) == {0, 1}
    for index, row in enumerate(installed):
        stored = dataset.load_mask_pixels(dataset[index].mask)
        assert set(np.unique(stored)) == {0, 255}
        np.testing.assert_array_equal(installed.load_mask_pixels(row.mask), stored)
        # What the calls of 2017 gave: a picture, or what a function of one's own makes of it.
        picture = installed.load_image(row.mask)
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.asarray(picture), stored)
        opened = installed.load_image(row.mask, lambda file: np.asarray(Image.open(file)))
        np.testing.assert_array_equal(opened, stored)
        np.testing.assert_array_equal(installed.read_mask(index) * 255, stored)
        assert installed.load_image(row.image).mode == "RGB"


def test_loaders_hand_out_the_same_as_from_the_folder(
    built: Built, dataset: Dataset, store: Store
) -> None:
    installed = load_dataset("rohan/things", store=store)
    for masks in ("pixels", "ids"):
        pairs = zip(
            *(each.to_keras("image", "mask", 3, seed=0, masks=masks)
              for each in (dataset, installed)),
            strict=True,
        )  # fmt: skip
        for before, after in pairs:
            for one, other in zip(before, after, strict=True):
                np.testing.assert_array_equal(one, other)
    before, after = (each.to_pytorch(np.asarray, "images") for each in (dataset, installed))
    np.testing.assert_array_equal(before[3].mask, after[3].mask)


def draw_colors(folder: Path) -> Path:
    """Draws masks of two colours on a third."""
    draw(folder, range(4))
    for number in range(4):
        mask = np.full((24, 32, 3), 30, np.uint8)
        mask[3:9, number : number + 9] = (200, 0, 50)
        mask[12:19, 5:20] = (0, 90, 255)
        write_png(folder / f"masks/thing {number}.png", mask)
    return folder


def draw_soft(folder: Path) -> Path:
    """Draws masks with soft edges, as editors of photos leave them."""
    draw(folder, range(4))
    for number in range(4):
        path = folder / f"masks/thing {number}.png"
        mask = read_mask_values(path).values.copy()
        mask[1:, 1:] = (mask[1:, 1:] // 2 + mask[:-1, :-1] // 2) // 3 * 2 + mask[1:, 1:] // 3
        write_png(path, mask)
    return folder


def test_colours_come_back(build: Build, tmp_path: Path, store: Store) -> None:
    classes = ["ground=#1E1E1E", "roof=#C80032", "water=#005AFF"]
    folder = load_dataset(draw_colors(tmp_path / "colours"), classes=classes)
    build(folder)
    installed = load_dataset("rohan/things", store=store)
    assert installed.classes is not None
    assert installed.classes.num_classes == 3
    for before, after in zip(folder, installed, strict=True):
        stored = np.asarray(folder.load_image(before.mask))
        np.testing.assert_array_equal(np.asarray(installed.load_image(after.mask)), stored)
        np.testing.assert_array_equal(installed.load_mask_pixels(after.mask), stored)


def test_soft_edges_come_back_hard(build: Build, tmp_path: Path, store: Store) -> None:
    folder = load_dataset(draw_soft(tmp_path / "soft"), threshold=100)
    build(folder)
    installed = load_dataset("rohan/things", store=store)
    for before, after in zip(folder, installed, strict=True):
        stored = folder.load_mask_pixels(before.mask)
        assert len(np.unique(stored)) > 2
        expected = np.where(stored >= 100, 255, 0)
        np.testing.assert_array_equal(installed.load_mask_pixels(after.mask), expected)


def test_an_exported_folder_and_a_version_built_from_it_know_it_too(
    built: Built, dataset: Dataset, build: Build, store: Store, tmp_path: Path
) -> None:
    export_package(store, built.manifest, tmp_path / "things of rohan")
    exported = load_dataset(tmp_path / "things of rohan")
    assert exported.painted == dataset.encoding
    again = build(exported, "mai/things").manifest
    assert again.encoding == built.manifest.encoding
    assert set(np.unique(exported.load_mask_pixels(exported[0].mask))) == {0, 255}
    card = tmp_path / "things of rohan" / CARD
    card.write_text(card.read_text("utf-8").replace("rule: values", "rule: guess"), "utf-8")
    with pytest.raises(DataError, match=r"README\.md: expected an encoding with rule, table and"):
        load_dataset(tmp_path / "things of rohan")


def test_masks_of_class_ids_need_no_rule(build: Build, things: Path, store: Store) -> None:
    for path in (things / "masks").iterdir():
        write_png(path, read_mask_values(path).values // 255)
    built = build(things)
    assert built.manifest.encoding is None
    installed = load_dataset("rohan/things", store=store)
    assert installed.painted is None
    assert set(np.unique(installed.load_mask_pixels(installed[0].mask))) == {0, 1}


def test_another_way_of_storing_masks_changes_no_shard(
    built: Built, build: Build, things: Path, store: Store
) -> None:
    for path in (things / "masks").iterdir():
        write_png(path, read_mask_values(path).values // 255)
    newer = build(load_dataset(things, classes=["background", "foreground"])).manifest
    old = {file.path: file.sha256 for file in built.manifest.files}
    changed = {file.path for file in newer.files if old[file.path] != file.sha256}
    assert changed == {"README.md"}


def test_cards_without_a_rule() -> None:
    for text in ("", "# Roads", "---\nfewmask: 3\n---\n", "---\nfewmask: {a: 1}\n---\n"):
        assert encoding_of_card(text, "here") is None


def test_a_mask_of_another_dataset_is_left_alone(built: Built, store: Store) -> None:
    installed = load_dataset("rohan/things", store=store)
    images = installed.select(["image"])
    shown = images.load_image(installed[0].mask, lambda file: Image.open(file).mode)
    assert shown == "P", "without the column nobody knows that it is a mask"
    assert isinstance(images.file(installed[0].mask).open(), io.BytesIO)
