"""What `what_helps.py` shows: tables for the documentation, and six images under every row."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from score_file import Score

from fewmask import Dataset
from fewmask.data.imageio import encode_jpeg, resize
from fewmask.evaluation.bootstrap import difference_interval
from fewmask.evaluation.scores import confusion_matrix, mean_dice
from fewmask.files import whole_file
from fewmask.inference.outputs import Prediction

SCRIPT = "what_helps.py"
KEY = ("dataset", "row", "minutes", "seed")
"""The columns of the file of scores that tell one cell from the others."""
SHOWN = 6
SIDE, GAP, HEAD, FOOT = 200, 6, 44, 20

PRETRAINED = "pretrained"

LabelMap = NDArray[np.uint8]


class Row(NamedTuple):
    """One way to train.

    Args:
        network: What is trained, in words.
        begins: What its weights are at first.
        augmentation: How training images are changed.
        model: `model` of `fewmask.train`, None for the network of 2017.
        augment: `augment` of `fewmask.train`.
    """

    network: str
    begins: str
    augmentation: str
    model: str | None = None
    augment: bool = True

    @property
    def in_short(self) -> str:
        """Says whether training images are changed, for the narrow columns of the drawing."""
        return "augmented" if self.augment else "not augmented"


ROWS = {
    "2017": Row("U-Net of 2017", "at random", "that of 2017"),
    "scratch": Row("U-Net", "at random", "none", "unet", False),
    "scratch-augmented": Row("U-Net", "at random", "ours", "unet", True),
    "pretrained": Row("MobileNetV2 U-Net", PRETRAINED, "none", "mobilenet_v2", False),
    "pretrained-augmented": Row("MobileNetV2 U-Net", PRETRAINED, "ours", "mobilenet_v2", True),
}
STEPS = (
    ("U-Net", "the same, augmented", "scratch", "scratch-augmented"),
    ("pretrained", "the same, augmented", "pretrained", "pretrained-augmented"),
    ("U-Net", "pretrained", "scratch", "pretrained"),
    ("U-Net, augmented", "pretrained, augmented", "scratch-augmented", "pretrained-augmented"),
    ("U-Net of 2017", "pretrained, augmented", "2017", "pretrained-augmented"),
)


def tables(scores: Sequence[Score], page: Path) -> str:
    """Makes two tables for each dataset and number of minutes: the rows, and what steps bring.

    Below them is the drawing, if it is there. Before anything is measured the cells are empty.
    """
    sections = []
    for dataset, minutes in sorted({(s["dataset"], float(s["minutes"])) for s in scores}):
        mine = [s for s in scores if s["dataset"] == dataset and float(s["minutes"]) == minutes]
        sections.append(section(f"### {dataset}, {minutes:g} minutes each", mine))
        picture = picture_of(page, dataset, minutes)
        if picture.exists():
            sections.append(
                f"![The same six test images under each row](../images/{picture.name})\n"
            )
    return "\n".join(sections or [section("### Not measured yet", [])])


def picture_of(page: Path, dataset: str, minutes: float) -> Path:
    """Returns where a page of the documentation has the drawing of a dataset."""
    name = f"what-helps-{dataset.replace('/', '-')}-{minutes:g}min.jpg"
    return page.parent.parent / "images" / name


def section(title: str, scores: Sequence[Score]) -> str:
    """Makes the tables of one dataset and number of minutes; what is not measured stays empty."""
    seeds = sorted({int(score["seed"]) for score in scores}) or [0, 1]
    head = ["network", "begins", "augmentation", "epochs", "images/s", "minutes taken"]
    head += [f"mean Dice, seed {seed}" for seed in seeds] + ["mean"]
    lines = [title, "", table_line(head), table_line(["---"] * 3 + ["--:"] * (len(head) - 3))]
    for name, row in ROWS.items():
        cells = {int(score["seed"]): score for score in scores if score["row"] == name}
        mine = [cells[seed] for seed in seeds if seed in cells]
        dice = [float(cell["mean_dice"]) for cell in mine]
        speed = [float(cell["images_per_second"]) for cell in mine]
        seconds = [float(cell["seconds"]) for cell in mine]
        lines.append(
            table_line(
                [
                    *row[:3],
                    ", ".join(sorted({cell["epochs"] for cell in mine}, key=int)),
                    f"{statistics.mean(speed):.1f}" if mine else "",
                    f"{statistics.mean(seconds) / 60:.1f}" if mine else "",
                    *(show_cell(cells.get(seed)) for seed in seeds),
                    f"{statistics.mean(dice):.3f}" if len(mine) == len(seeds) else "",
                ]
            )
        )
    lines += ["", "| from | to | mean Dice gained | 95 % interval |", "|---|---|--:|---|"]
    lines += [table_line([here, there, *gain(scores, a, b)]) for here, there, a, b in STEPS]
    where = {(score["date"], score["machine"], score["commit"]) for score in scores}
    lines += [""] + [f"Measured {date} on {at}; commit {by}.\n" for date, at, by in sorted(where)]
    return "\n".join(lines)


def table_line(cells: Sequence[str]) -> str:
    """Writes one line of a table."""
    return f"| {' | '.join(cells)} |"


def show_cell(score: Score | None) -> str:
    """Writes a score with its interval."""
    if score is None:
        return ""
    low, high = float(score["low"]), float(score["high"])
    return f"{float(score['mean_dice']):.3f} ({low:.2f} to {high:.2f})"


def gain(scores: Sequence[Score], before: str, after: str) -> tuple[str, str]:
    """Compares two rows image by image, each image's Dice averaged over the seeds of both."""
    dice = {
        name: {s["seed"]: dice_of_images(s) for s in scores if s["row"] == name}
        for name in (before, after)
    }
    seeds = sorted(dice[before].keys() & dice[after].keys())
    if not seeds:
        return "", ""
    first, second = (np.mean([dice[n][s] for s in seeds], axis=0) for n in (before, after))
    low, high = difference_interval(second, first)
    return f"{np.nanmean(second - first):+.3f}", f"{low:+.3f} to {high:+.3f}"


def dice_of_images(score: Score) -> NDArray[np.float64]:
    """Reads the Dice of each test image, in the order of the test part."""
    return np.array(score["dice_of_images"].split(), np.float64)


def shown_places(test: Dataset) -> list[int]:
    """Spreads six places evenly over the test part: nobody has chosen them for their looks."""
    count = min(SHOWN, len(test))
    return [int(place) for place in np.linspace(0, len(test) - 1, count).round()]


def cell_name(row: str, minutes: float, seed: int) -> str:
    """Returns what the files of one training are called."""
    return f"{row}-{minutes:g}min-seed{seed}"


def read_label_maps(folder: Path, minutes: float) -> dict[str, list[LabelMap]]:
    """Reads what the rows predict for the six images, of those that were trained with seed 0."""
    label_maps = {}
    for name in ROWS:
        file = folder / f"{cell_name(name, minutes, 0)}.npz"
        if file.exists():
            with np.load(file) as arrays:
                label_maps[name] = list(arrays.values())
    return label_maps


def draw_sheet(
    path: Path, test: Dataset, label_maps: Mapping[str, Sequence[NDArray[np.uint8]]]
) -> None:
    """Draws the same six test images, a row each, with the truth and what each row predicts.

    Args:
        path: The JPEG file to be.
        test: The test part.
        label_maps: By name of the row, the six label maps; what is missing stays empty.
    """
    places = shown_places(test)
    sheet = np.full(
        (HEAD + len(places) * (SIDE + FOOT + GAP), (1 + len(ROWS)) * (SIDE + GAP) - GAP, 3),
        255,
        np.uint8,
    )
    titles = [("mask", "")]
    titles += [(row.network, f"{row.begins}, {row.in_short}") for row in ROWS.values()]
    for column, lines in enumerate(titles):
        for number, text in enumerate(lines):
            write_text_on(sheet, text, column * (SIDE + GAP), 17 + 18 * number)
    for number, place in enumerate(places):
        image, truth = test.read_image(place, channels=3), test.read_mask(place)
        maps = [truth, *(label_maps[name][number] if name in label_maps else None for name in ROWS)]
        for column, label_map in enumerate(maps):
            if label_map is None:
                continue
            left, top = column * (SIDE + GAP), HEAD + number * (SIDE + FOOT + GAP)
            overlay = Prediction(image, label_map, test.classes).overlay()
            height, width = (max(1, side * SIDE // max(truth.shape)) for side in truth.shape)
            small = resize(overlay, height, width, smooth=True)
            sheet[top : top + height, left : left + width] = small
            if column:
                confusion = confusion_matrix(truth, label_map, test.classes.num_classes)
                dice = float(mean_dice(confusion))
                write_text_on(sheet, f"Dice {dice:.2f}", left, top + SIDE + 15)
    with whole_file(path) as beside:
        beside.write_bytes(encode_jpeg(sheet, quality=85))


def write_text_on(sheet: NDArray[np.uint8], text: str, left: int, bottom: int) -> None:
    """Writes a line of plain letters, which is all that OpenCV can."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(sheet, text, (left, bottom), font, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
