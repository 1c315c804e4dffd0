"""Measuring by `benchmarks/quality.py`: cells, tools, scores, going on, tables."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import quality
import quality_cells
import quality_measure
from machine import name_machine
from marked_page import END, around_markers, begin_marker
from quality_cells import BLOCKS, TOOLS, Cell, Tool, cells_of
from quality_data import Prepared
from quality_measure import score
from quality_page import SCRIPT, show_gain, tables
from score_file import read_scores

from fewmask.data.classes import Classes
from fewmask.data.imageio import write_png
from fewmask.errors import DataError

GOOD = """
import sys
sys.path.insert(0, {peers!r})
from task import read_image, run_tool

def train(task):
    assert [path.stem for path, _ in task.samples()] == ["0", "1", "3", "4"]
    assert (task.num_classes, task.seed, task.num_test) == (2, 7, 2)
    assert 50 < task.seconds_left() < 60
    (task.out / "weights").write_text("many")
    return lambda path: read_image(path)[..., 0] > 150

run_tool(train, ("numpy",))
"""
BAD = "import sys\nsys.exit('It ran out of ideas.')\n"


def test_scoring_by_hand(tmp_path: Path) -> None:
    truths = {
        "a": [[0, 1, 1], [0, 1, 255]],
        "b": [[0, 0, 0], [0, 0, 0]],
        "c": [[0, 2, 2], [1, 1, 1]],
    }
    predictions = {
        "a": [[0, 1, 0], [1, 1, 1]],  # 2 right, 1 missed, 1 in vain; one pixel does not count
        "b": [[0, 0, 0], [0, 0, 0]],  # nothing there and nothing found: no score
        "c": [[0, 0, 0], [1, 1, 1]],  # class 1 found, class 2 missed
    }
    for name, truth in truths.items():
        write_png(tmp_path / "truth" / f"{name}.png", np.array(truth, np.uint8))
        write_png(tmp_path / "out" / f"{name}.png", np.array(predictions[name], np.uint8))
    prepared = Prepared(tmp_path, Classes(("wall", "chair", "table"), ignore_index=255))
    dice = score(prepared, tmp_path / "out")
    np.testing.assert_allclose(dice, [4 / 6, np.nan, 0.5])


def test_a_label_map_that_does_not_fit_is_no_score(tmp_path: Path) -> None:
    write_png(tmp_path / "truth" / "a.png", np.zeros((2, 3), np.uint8))
    prepared = Prepared(tmp_path, Classes(("wall", "chair")))
    with pytest.raises(DataError, match=r"a\.png"):
        score(prepared, tmp_path / "out")
    write_png(tmp_path / "out" / "a.png", np.zeros((3, 2), np.uint8))
    with pytest.raises(DataError, match="a prediction of the mask's shape"):
        score(prepared, tmp_path / "out")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """A dataset of six images, two of which judge, and three tools."""
    for number in range(6):
        image = np.full((10, 12, 3), 40 + number, np.uint8)
        image[2:6, 3:9] = 200
        mask = np.where(image[..., 0] > 150, 255, 0).astype(np.uint8)
        part = "test" if number % 3 == 2 else "train"
        write_png(tmp_path / "data/boxes/images" / part / f"{number}.png", image)
        write_png(tmp_path / "data/boxes/masks" / part / f"{number}.png", mask)
    decided = {"classes": ["wall=0", "box=255"], "test_part": "test", "view": "whole"}
    monkeypatch.setattr(quality, "read_decisions", lambda: {"boxes": decided})
    for name, text in (("good", GOOD.format(peers=str(quality_cells.PEERS))), ("bad", BAD)):
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        monkeypatch.setitem(TOOLS, name, Tool(name, str(tmp_path / f"{name}.py")))
    monkeypatch.setitem(TOOLS, "absent", Tool("absent", str(tmp_path / "good.py"), ".venv-absent"))
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{begin_marker(SCRIPT)}\n{END}\n", "utf-8")
    return argparse.Namespace(
        data=tmp_path / "data", scores=tmp_path / "scores.csv", page=page, work=tmp_path / "work"
    )


def test_a_cell_is_measured_once_in_a_process_of_its_own(
    asked: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = Cell("boxes", "good", 1, 7)
    assert quality.measure_all([cell], asked) == []
    (found,) = read_scores(asked.scores)
    assert tuple(found[name] for name in quality.KEY) == (*cell.key, name_machine())
    assert found["mean_dice"] == "1.0000"
    assert found["dice_of_images"] == "1.0000 1.0000"
    assert 0 <= float(found["seconds"]) < 30
    assert "numpy" in found["packages"]
    out = asked.work / "cells" / cell.name
    assert sorted(path.name for path in out.iterdir()) == ["facts.json", "log.txt", "predicted"]
    assert "good" in asked.page.read_text("utf-8")
    capsys.readouterr()
    assert quality.measure_all([cell], asked) == []
    assert capsys.readouterr().out == ""
    assert len(read_scores(asked.scores)) == 1


def test_another_machine_measures_for_itself(
    asked: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Cell("boxes", "good", 1, 7)
    for name in ("One Chip, 1 core", "Another, 2 cores"):
        for module in (quality, quality_measure):
            monkeypatch.setattr(module, "name_machine", lambda name=name: name)
        assert not quality.is_measured(cell, asked.scores)
        assert quality.measure_all([cell], asked) == []
        assert quality.is_measured(cell, asked.scores)
    assert [found["machine"] for found in read_scores(asked.scores)] == [
        "One Chip, 1 core",
        "Another, 2 cores",
    ]


def test_a_tool_that_fails_says_why_and_the_others_go_on(
    asked: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [Cell("boxes", tool, 1, 7) for tool in ("bad", "absent", "good")]
    assert quality.measure_all(cells, asked) == [cells[0].name, cells[1].name]
    shown = capsys.readouterr().out
    assert "It ran out of ideas." in shown
    assert "absent is not installed: make bench-quality does that." in shown
    assert [found["tool"] for found in read_scores(asked.scores)] == ["good"]


def test_the_first_block_is_what_was_agreed_and_nothing_is_measured_twice() -> None:
    first = list(BLOCKS["first"])
    assert len(first) == len(set(first)) == 3 * 4 * 2 + 2 * 2
    assert {cell.minutes for cell in first if cell.dataset != "chairs97"} == {3}
    assert [cell.tool for cell in first if cell.minutes == 10] == ["ours", "smp"] * 2
    # Whatever is stopped half-way has one seed of everything first.
    assert [cell.seed for cell in first] == sorted(cell.seed for cell in first)
    everything = list(cells_of(list(BLOCKS), list(TOOLS), ["chairs97", "isbi_em"]))
    assert len(everything) == len(set(everything)) == 2 * len(TOOLS) * 3 * 2


def measured(
    tool: str,
    minutes: float,
    seed: int,
    *dice: float,
    machine: str = "One Chip, 1 core",
    date: str = "2026-01-02",
) -> dict[str, str]:
    return {
        "dataset": "chairs97", "tool": tool, "minutes": f"{minutes:g}", "seed": str(seed),
        "machine": machine, "dice_of_images": " ".join(f"{each:.4f}" for each in dice),
        "seconds": "181", "commit": "abc1234", "packages": "keras 3", "date": date,
    }  # fmt: skip


def test_every_dataset_has_its_lines_and_what_is_not_measured_is_empty() -> None:
    scores = [measured("ours", 3, 0, 0.5, 0.7), measured("ours", 3, 1, 0.7, float("nan"))]
    scores += [measured("forest", 3, 0, 0.2, 0.2)]
    text = tables(scores, ["chairs97", "isbi_em"])
    lines = text.splitlines()
    empty = "  |" * len(TOOLS)
    assert f"| chairs97 | 1 |{empty}" in lines
    assert f"| isbi_em | 10 |{empty}" in lines
    line = next(line for line in lines if line.startswith("| chairs97 | 3 | 0."))
    assert line.startswith("| chairs97 | 3 | 0.650 |  |")
    assert "|  | 0.200 (1 seed) |" in line
    assert "    - fewmask: 2026-01-02, keras 3; commit abc1234" in lines
    assert "| fewmask |  | 181 to 181 |  |" in lines


def test_nothing_measured_makes_a_page_too() -> None:
    assert tables([], ["chairs97"]) == "Not measured yet.\n"


def test_what_two_machines_measured_is_not_compared() -> None:
    old, new = "An Older Chip, 1 core", "Z80, 1 core"
    scores = [
        measured("smp", 3, 0, 0.6, 0.7, machine=old),
        measured("ours", 3, 0, 0.5, 0.6, machine=new, date="2026-01-03"),
        measured("ours", 3, 1, 0.5, 0.6, machine=old, date="2026-01-01"),
    ]
    first, second = tables(scores, ["chairs97"]).split(f"### {old}")
    assert first.startswith(f"### {new}")
    assert "| chairs97 | 3 | 0.550 (1 seed) |  |  |" in first
    assert "| chairs97 | 3 | 0.550 (1 seed) |  | 0.650 (1 seed) |" in second
    assert "+0." not in first + second


def test_a_gain_is_paired_over_images_and_over_the_seeds_of_both() -> None:
    ours = {0: np.array([0.5, 0.6, 0.9]), 1: np.array([0.7, 0.8, np.nan])}
    theirs = {0: np.array([0.4, 0.5, 0.8])}
    # Seed 1 was measured on one side only; hard images are hard for both.
    assert show_gain(ours, theirs) == "+0.100 (+0.100 to +0.100)"
    assert show_gain(ours, {}) == ""
    worse = show_gain({0: np.array([0.1, 0.2])}, {0: np.array([0.3, 0.2])})
    assert worse == "-0.100 (-0.200 to +0.000)"


def test_our_minutes_are_compared_with_more_of_the_others() -> None:
    scores = [measured("ours", 3, 0, 0.5, 0.6), measured("smp", 10, 0, 0.6, 0.7)]
    text = tables(scores, ["chairs97"])
    assert "| chairs97 | 3 | 10 | -0.100 (-0.100 to -0.100) |  |  |" in text
    same = text.partition("in the same minutes")[2].partition("###")[0]
    assert "Not measured yet." in same


def test_the_page_of_the_documentation_has_its_markers() -> None:
    around_markers(quality.PAGE, SCRIPT)


def test_what_is_measured_shows_in_the_page_of_the_documentation() -> None:
    made = tables(read_scores(quality.SCORES), list(quality.read_decisions()))
    assert made in quality.PAGE.read_text("utf-8"), "python benchmarks/quality.py --tables"


def test_every_tool_has_its_file_and_its_packages() -> None:
    for tool in TOOLS.values():
        script = quality_measure.PEERS / tool.script
        assert script.is_file()
        if tool.environment is not None:
            name = tool.environment.removeprefix(".venv-")
            assert (script.parent / f"{name}.txt").is_file()
