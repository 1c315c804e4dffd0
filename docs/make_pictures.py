"""Makes the pictures of README and documentation from a run.

    python docs/make_pictures.py runs/chairs-1 chairs

Run and dataset are those that the tutorial makes. Written are, in docs/images: `result.png`, four
test images as photo, truth and prediction, from the best scored to the worst; `prediction.jpg`,
the overlay of the first test image; `inspect.png`, the contact sheet of the dataset; `early.jpg`
and `late.jpg`, what training drew in its first epochs and its last; `report.png`, the report as
Chromium shows it, where there is a Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fewmask
from fewmask.data.contact_sheet import draw_contact_sheet
from fewmask.data.imageio import resize, write_png
from fewmask.inference.outputs import Prediction

IMAGES = Path(__file__).parent / "images"
SIDE, GAP, COUNT = 220, 6, 4
EARLY = 5
"""By this epoch something is found, and most of it is wrong."""


def pick_samples(run: fewmask.Run) -> list[str]:
    """Picks test images evenly between the best scored and the worst, not those we like.

    Args:
        run: A run with `scores.json`.

    Returns:
        Sample ids, the best first.
    """
    rows = [row for row in run.read_json("scores.json")["images"] if row["mean_dice"] is not None]
    rows.sort(key=lambda row: -row["mean_dice"])
    places = np.linspace(0, len(rows) - 1, min(COUNT, len(rows))).round().astype(int)
    return [rows[place]["sample"] for place in places]


def draw_strip(run: fewmask.Run, dataset: fewmask.Dataset) -> NDArray[np.uint8]:
    """Draws a column an image: photo over truth over prediction.

    Args:
        run: The run.
        dataset: The dataset it was trained on.

    Returns:
        Shape `(H, W, 4)`, transparent around the pictures.
    """
    predictor = fewmask.load(run)
    places = {dataset.sample_id(index): index for index in range(len(dataset))}
    samples = [sample for sample in pick_samples(run) if sample in places]
    step = SIDE + GAP
    strip = np.zeros((3 * step - GAP, len(samples) * step - GAP, 4), np.uint8)
    for column, sample in enumerate(samples):
        place = places[sample]
        prediction = predictor.predict(dataset.image_path(place))
        truth = Prediction(prediction.image, dataset.read_mask(place), prediction.classes)
        views = (prediction.image, truth.overlay(), prediction.overlay())
        for row, view in enumerate(views):
            height, width = (max(1, side * SIDE // max(view.shape[:2])) for side in view.shape[:2])
            top = row * step + (SIDE - height) // 2
            left = column * step + (SIDE - width) // 2
            spot = strip[top : top + height, left : left + width]
            spot[..., :3], spot[..., 3] = resize(view, height, width, smooth=True), 255
    return strip


def pick_sheets(run: fewmask.Run) -> tuple[Path, Path]:
    """Picks two of the sheets that training draws whenever the model gets better.

    Args:
        run: A run whose model got better in its first epoch, as every model does.

    Returns:
        The last one up to epoch `EARLY`, and the last of all.
    """
    sheets = sorted((run.folder / "samples").glob("epoch-*.jpg"))
    early = [sheet for sheet in sheets if int(sheet.stem.removeprefix("epoch-")) <= EARLY]
    return early[-1], sheets[-1]


def photograph_page(page: Path, picture: Path) -> bool:
    """Lets Chromium draw a page into a PNG file.

    Args:
        page: An HTML file.
        picture: The file to be.

    Returns:
        Whether there was a Chromium to do it.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as profile:
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        switches += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
        switches += ["--disable-component-update", "--hide-scrollbars", "--window-size=1100,1250"]
        switches += [f"--user-data-dir={profile}", f"--screenshot={picture.absolute()}"]
        address = page.absolute().as_uri()
        subprocess.run([browser, *switches, address], check=True, capture_output=True, timeout=120)
    return True


def main() -> None:
    """Makes all pictures."""
    parser = argparse.ArgumentParser(description="Makes the pictures of the documentation.")
    parser.add_argument("run", help="a run that has ended")
    parser.add_argument("dataset", nargs="?", default="demo/chairs")
    asked = parser.parse_args()
    run, dataset = fewmask.open_run(asked.run), fewmask.load_dataset(asked.dataset)
    write_png(IMAGES / "result.png", draw_strip(run, dataset))
    first = next(place for place, row in enumerate(dataset) if row["part"] == "test")
    prediction = fewmask.load(run).predict(dataset.image_path(first))
    prediction.save_overlay(IMAGES / "prediction.jpg")
    draw_contact_sheet(dataset, IMAGES / "inspect.png")
    for name, sheet in zip(("early.jpg", "late.jpg"), pick_sheets(run), strict=True):
        shutil.copyfile(sheet, IMAGES / name)
        print(f"{name} is {sheet.name}")
    if not photograph_page(run.folder / "report.html", IMAGES / "report.png"):
        print("No Chromium: report.png stays as it was.")
    print(f"Look at {IMAGES}")


if __name__ == "__main__":
    main()
