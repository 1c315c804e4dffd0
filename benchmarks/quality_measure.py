"""Runs one tool on one dataset in a process of its own, and scores what it predicts."""

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from machine import name_commit, name_machine
from quality_cells import CELL, PEERS, TOOLS, Cell
from quality_data import Prepared
from score_file import Score

from fewmask.data.imageio import read_mask_values
from fewmask.evaluation.bootstrap import mean_interval
from fewmask.evaluation.scores import confusion_matrix, mean_dice, mean_where_scored

PATIENCE = 3600.0
"""Seconds beyond its minutes that a tool may take, to predict the test images above all."""
KEPT = ("log.txt", "facts.json", "predicted", "runs")
"""What stays of the files of a cell, which can be gigabytes: enough to look at it."""


class ToolFailed(Exception):
    """A tool ended with an error, or did not end."""


def measure(cell: Cell, prepared: Prepared, work: Path) -> Score:
    """Runs one cell and scores what it predicts."""
    out = work / "cells" / cell.name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    words = ["--train", prepared.train, "--test", prepared.test, "--out", out]
    words += ["--minutes", f"{cell.minutes:g}", "--seed", str(cell.seed)]
    words += ["--scratch"] if TOOLS[cell.tool].scratch else []
    words += ["--began", str(time.time())]
    run_tool(cell.tool, words, work, out / "log.txt", 60 * cell.minutes + PATIENCE)
    facts = json.loads((out / "facts.json").read_text("utf-8"))
    dice = score(prepared, out / "predicted")
    low, high = mean_interval(dice)
    versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    for path in out.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {
        **dict(zip(CELL, cell.key, strict=True)),
        "machine": name_machine(),
        "mean_dice": f"{mean_where_scored(dice):.4f}",
        "low": f"{low:.4f}",
        "high": f"{high:.4f}",
        "dice_of_images": " ".join(f"{each:.4f}" for each in dice),
        "seconds": f"{facts['seconds']:.0f}",
        "commit": name_commit(),
        "packages": versions,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "load": f"{load:.1f}",
    }


def run_tool(name: str, words: list[object], work: Path, log: Path, patience: float) -> None:
    """Runs a tool in its environment.

    Raises:
        ToolFailed: If it is not installed, fails or does not end.
    """
    tool = TOOLS[name]
    command = [tool.python, PEERS / tool.script, "--cache", work / "cache" / name]
    try:
        with log.open("w") as output:
            subprocess.run(
                [str(word) for word in [*command, *words]],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=patience,
                check=True,
            )
    except FileNotFoundError as error:
        raise ToolFailed(f"{name} is not installed: make bench-quality does that.") from error
    except subprocess.SubprocessError as error:
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()[-5:]
        raise ToolFailed("\n".join([f"{name}: see {log}", *lines])) from error


def score(prepared: Prepared, predicted: Path) -> np.ndarray:
    """Returns the mean Dice of each test image, in the order of their names.

    Raises:
        FewmaskError: If a label map is missing, of another size, or holds what is no class.
    """
    classes = prepared.classes
    return np.array(
        [
            mean_dice(
                confusion_matrix(
                    truth,
                    read_mask_values(predicted / f"{name}.png").values,
                    classes.num_classes,
                    classes.ignore_index,
                    name,
                )
            )
            for name, truth in prepared.truth()
        ]
    )
