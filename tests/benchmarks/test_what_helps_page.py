"""The tables that `benchmarks/what_helps.py` writes, and its drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import what_helps_page as page
from marked_page import END, around_markers, begin_marker, write_between
from score_file import add_score, read_scores

import fewmask
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import read_image, write_png

PAGE = "# A page\n\n{begin}\nold tables\n{end}\n\nNext: more\n"


def score(row: str, seed: int, *dice: float, minutes: str = "5") -> dict[str, str]:
    mean = sum(dice) / len(dice)
    return {
        "dataset": "chairs", "row": row, "minutes": minutes, "seed": str(seed),
        "mean_dice": f"{mean:.4f}", "low": f"{mean - 0.1:.4f}", "high": f"{mean + 0.1:.4f}",
        "epochs": "30", "seconds": "300", "images_per_second": "7.1", "date": "2026-01-02",
        "load": "0.1", "commit": "abc1234", "machine": "a machine, 2 cores",
        "dice_of_images": " ".join(f"{each:.4f}" for each in dice),
    }  # fmt: skip


def write_page(file: Path, scores: list[dict[str, str]]) -> None:
    write_between(file, page.SCRIPT, page.tables(scores, file))


def test_a_score_is_added_and_one_of_the_same_cell_replaced(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    assert read_scores(file) == []
    add_score(file, score("scratch", 0, 0.5), page.KEY)
    add_score(file, score("scratch", 1, 0.6), page.KEY)
    add_score(file, score("scratch", 0, 0.7), page.KEY)
    add_score(file, score("scratch", 0, 0.8, minutes="10"), page.KEY)
    kept = read_scores(file)
    assert [(each["minutes"], each["seed"]) for each in kept] == [
        ("5", "1"),
        ("5", "0"),
        ("10", "0"),
    ]
    assert [each["mean_dice"] for each in kept] == ["0.6000", "0.7000", "0.8000"]


def test_the_table_has_every_row_and_empty_cells_where_nothing_was_measured(tmp_path: Path) -> None:
    scores = [score("scratch", 0, 0.5, 0.7), score("scratch", 1, 0.7, 0.7), score("2017", 0, 0.2)]
    lines = page.tables(scores, tmp_path / "page.md").splitlines()
    assert lines[0] == "### chairs, 5 minutes each"
    assert (
        "| U-Net | at random | none | 30 | 7.1 | 5.0 | 0.600 (0.50 to 0.70) "
        "| 0.700 (0.60 to 0.80) | 0.650 |"
    ) in lines
    # The mean is of all seeds or of none.
    assert (
        "| U-Net of 2017 | at random | that of 2017 | 30 | 7.1 | 5.0 | 0.200 (0.10 to 0.30) |  |  |"
        in lines
    )
    assert "| MobileNetV2 U-Net | pretrained | ours |  |  |  |  |  |  |" in lines
    assert "Measured 2026-01-02 on a machine, 2 cores; commit abc1234." in lines
    assert len({line.count("|") for line in lines[2:9]}) == 1


def test_a_gain_is_that_of_the_images_over_the_seeds_of_both() -> None:
    scores = [
        score("scratch", 0, 0.5, 0.6),
        score("scratch", 1, 0.1, 0.1),
        score("scratch-augmented", 0, 0.6, 0.7),
    ]
    # Seed 1 was measured on one side only.
    assert page.gain(scores, "scratch", "scratch-augmented") == ("+0.100", "+0.100 to +0.100")
    assert page.gain(scores, "scratch", "pretrained") == ("", "")


def test_only_what_is_between_the_markers_is_written(tmp_path: Path) -> None:
    file = tmp_path / "docs" / "explanation" / "page.md"
    file.parent.mkdir(parents=True)
    file.write_text(PAGE.format(begin=begin_marker(page.SCRIPT), end=END), "utf-8")
    write_page(file, [])
    write_page(file, [score("2017", 0, 0.2)])
    text = file.read_text("utf-8")
    assert text.startswith("# A page\n\n" + begin_marker(page.SCRIPT))
    assert text.endswith(END + "\n\nNext: more\n")
    assert "old tables" not in text
    assert text.count("| U-Net of 2017 | at random |") == 1
    assert "![" not in text
    picture = page.picture_of(file, "chairs", 5.0)
    picture.parent.mkdir()
    picture.write_bytes(b"a drawing")
    write_page(file, [score("2017", 0, 0.2)])
    assert "(../images/what-helps-chairs-5min.jpg)" in file.read_text("utf-8")


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# A page\n", "utf-8")
    with pytest.raises(SystemExit, match="expected a page with the lines"):
        write_page(tmp_path / "page.md", [])


def test_the_page_of_the_documentation_has_its_markers() -> None:
    docs = Path(__file__).parents[2] / "docs" / "explanation"
    around_markers(docs / "what-augmentation-and-pretraining-bring.md", page.SCRIPT)


def test_the_drawing_has_a_row_an_image_and_a_column_a_training(tmp_path: Path) -> None:
    for number in range(8):
        mask = np.zeros((30, 40), np.uint8)
        mask[5:20, 5:20] = 255
        write_png(tmp_path / "set" / "images" / f"{number}.png", np.full((30, 40, 3), 99, np.uint8))
        write_png(tmp_path / "set" / "masks" / f"{number}.png", mask)
    dataset: Dataset = fewmask.load_dataset(tmp_path / "set")
    assert dataset.classes == Classes(("background", "foreground"), dataset.classes.colors)
    right = [dataset.read_mask(place) for place in page.shown_places(dataset)]
    page.draw_sheet(tmp_path / "sheet.jpg", dataset, {"2017": right})
    sheet = read_image(tmp_path / "sheet.jpg")
    step = page.SIDE + page.GAP
    assert sheet.shape[1] == (1 + len(page.ROWS)) * step - page.GAP
    assert len(right) == page.SHOWN
    first = sheet[page.HEAD : page.HEAD + 150]
    np.testing.assert_allclose(first[:, :200], first[:, step : step + 200], atol=40)
    assert (first[:, 2 * step :] > 240).all()  # the other four were not trained
