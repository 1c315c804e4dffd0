from pathlib import Path

import numpy as np
import pytest
import tifffile

from fewmask.data.contact_sheet import GAP, SIDE, compose_contact_sheet, draw_contact_sheet
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_image, write_png
from fewmask.packages.load import load_dataset

STEP = SIDE + GAP


def draw(folder: Path, count: int) -> Dataset:
    """Writes grey pictures, wide and tall in turn, each with a disc to outline."""
    y, x = np.mgrid[:300, :600]
    mask = ((y - 150) ** 2 + (x - 300) ** 2 < 60**2).astype(np.uint8) * np.uint8(255)
    for number in range(count):
        image = np.full((300, 600, 3), 40 + number, np.uint8)
        turn = (1, 0, 2)[: image.ndim]
        tall = number % 2 == 1
        write_png(folder / "images" / f"{number:02d}.png", image.transpose(turn) if tall else image)
        write_png(folder / "masks" / f"{number:02d}.png", mask.T if tall else mask)
    return load_dataset(folder)


@pytest.mark.parametrize(
    ("count", "most", "rows", "columns"),
    [(1, 12, 1, 1), (2, 12, 1, 2), (5, 12, 2, 3), (14, 12, 3, 4), (14, 3, 2, 2)],
)
def test_is_wide_rather_than_high(
    count: int, most: int, rows: int, columns: int, tmp_path: Path
) -> None:
    path = tmp_path / "sheet" / "ghế.png"
    draw_contact_sheet(draw(tmp_path / "things", count), path, most)
    assert read_image(path).shape == (rows * STEP + GAP, columns * STEP + GAP, 3)


def test_shows_the_first_and_the_last_in_the_middle_of_their_places(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    draw_contact_sheet(draw(tmp_path / "things", 14), path, 2)
    sheet = read_image(path)
    first, last = sheet[GAP:, GAP : GAP + SIDE], sheet[GAP:, GAP + STEP : GAP + STEP + SIDE]
    assert (first[SIDE // 2, 5] == 40).all()  # wide: reaches the sides,
    assert (first[5, SIDE // 2] == 255).all()  # not the top
    assert (last[5, SIDE // 2] == 53).all()  # tall: the other way round
    assert (last[SIDE // 2, 5] == 255).all()


def test_outlines_the_mask(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    draw_contact_sheet(draw(tmp_path / "things", 1), path)
    row = read_image(path)[GAP + SIDE // 2, GAP : GAP + SIDE].astype(int)
    colored = np.flatnonzero(row.max(axis=1) - row.min(axis=1) > 30)
    # the disc has a radius of 24 pixels here, around the middle
    assert abs(colored.min() - (SIDE // 2 - 24)) <= 3
    assert abs(colored.max() - (SIDE // 2 + 24)) <= 3


@pytest.mark.parametrize(("channels", "shown"), [(2, [70, 70, 70]), (5, [70, 80, 90])])
def test_shows_images_of_any_number_of_channels(
    channels: int, shown: list[int], tmp_path: Path
) -> None:
    image = np.full((40, 40, channels), [70 + 10 * number for number in range(channels)], np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    for number in range(2):
        for folder, pixels in (("images", image), ("masks", mask)):
            path = tmp_path / "things" / folder / f"{number}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            layout = {"planarconfig": "contig"} if pixels.ndim == 3 else {}
            tifffile.imwrite(path, pixels, photometric="minisblack", **layout)
    sheet = compose_contact_sheet(load_dataset(tmp_path / "things"))
    assert sheet[GAP + 5, GAP + 5].tolist() == shown
