"""Where results lie: the folder of one training."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import platform
import re
import sys
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewmask import __version__
from fewmask.errors import FewmaskError, RunError, typed
from fewmask.files import cannot_write, expanded, write_text

FORMAT = 1
"""Version of the folder's layout; a run with a higher one was made by a newer fewmask."""

RUNS = Path("runs")
"""Folder that runs are made in and looked for, beside where the command is typed."""

BUNDLE = "bundle.json"
BEST = Path("best") / "weights.npz"
"""The best model so far: what travels with it, and its weights."""

SEEN = "parts.csv"
"""Which sample was in which part."""

NETWORKS = "networks"
"""Folder for the second network of a training and those after it, a folder each."""

CROSS_VALIDATION = "crossvalidation.json"

_RESTORE = "Restore the file or train again."

_NAMED = 8
"""Runs that are named to someone who asked for one that is not there."""

_NAME = re.compile(r"[^\W_](?:[\w .+-]*[^\W_])?")


@dataclass(frozen=True)
class Run:
    """One training and its folder.

    | in the folder | what it is |
    |---|---|
    | `plan.toml` | every number the training uses |
    | `run.json` | layout version, state, versions of everything, times |
    | `fingerprint.json` | what was measured of the dataset |
    | `parts.csv` | which sample was in which part |
    | `bundle.json` | what travels with the model |
    | `epochs.csv` | the curve, a row an epoch |
    | `last/`, `best/` | checkpoints: to resume, to use |
    | `networks/` | of a training of several: plan, curve and checkpoints of all but the first |
    | `samples/` | predictions of six fixed samples, each time the model got better |
    | `model.keras`, `model.onnx` | the model, for Keras and for everything else |
    | `scores.json`, `report.html` | how good it is on images it never saw |
    | `crossvalidation.json` | of several networks: each on the training images that it left out |

    Args:
        folder: The folder.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The run's name, which is the folder's."""
        return self.folder.name

    def read_json(self, name: str) -> dict[str, Any]:
        """Reads a JSON file of the run.

        Args:
            name: File name in the folder.

        Raises:
            RunError: If it is missing or not JSON.
        """
        path = self.folder / name
        try:
            values = json.loads(path.read_text("utf-8"))
            if not isinstance(values, dict):
                raise ValueError(f"a {type(values).__name__}")
        except FileNotFoundError:
            raise RunError(
                path, "a file that every run holds", "nothing", "Train again: the run is not whole."
            ) from None
        except ValueError as error:
            raise RunError(path, "JSON", str(error), _RESTORE) from error
        return values

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Writes a JSON file of the run, whole or not at all."""
        write_text(self.folder / name, json.dumps(values, ensure_ascii=False, indent=1) + "\n")

    def update(self, **values: Any) -> None:
        """Sets entries of `run.json`, the run's own record."""
        self.write_json("run.json", {**self.read_json("run.json"), **values})

    @property
    def has_plan(self) -> bool:
        """Whether a training has begun here; where one was killed, the folder alone may be."""
        return (self.folder / "plan.toml").exists()

    def plan(self) -> dict[str, Any]:
        """Reads `plan.toml`."""
        path = self.folder / "plan.toml"
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise RunError(
                path, "a file that every run holds", "nothing", "Train again: the run is not whole."
            ) from None
        except ValueError as error:
            raise RunError(path, "TOML", str(error), _RESTORE) from error

    def write_plan(self, text: str) -> None:
        """Writes `plan.toml`, whole or not at all."""
        write_text(self.folder / "plan.toml", text)

    def epochs(self) -> list[dict[str, float]]:
        """Reads the curve.

        Returns:
            One dictionary an epoch; values that were not measured are NaN.

        Raises:
            RunError: If it holds anything but numbers.
        """
        path = self.folder / "epochs.csv"
        if not path.exists():
            return []
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return [
                    {key: float(value or "nan") for key, value in row.items()}
                    for row in csv.DictReader(file)
                ]
        except (ValueError, TypeError) as error:
            raise RunError(path, "a table of numbers", str(error), _RESTORE) from error

    def write_epochs(self, rows: list[dict[str, float]]) -> None:
        """Writes the curve, whole or not at all; NaN becomes an empty cell."""
        text = io.StringIO()
        if rows:
            # The first rows of a training that goes on may be of a version with fewer columns.
            table = csv.DictWriter(text, list(rows[-1]), lineterminator="\n")
            table.writeheader()
            for row in rows:
                table.writerow(
                    {key: "" if math.isnan(value) else f"{value:.8g}" for key, value in row.items()}
                )
        write_text(self.folder / "epochs.csv", text.getvalue())

    def _repr_html_(self) -> str:
        from html import escape

        files = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        items = "".join(f"<li>{escape(name)}</li>" for name in files)
        score = ""
        if (self.folder / "scores.json").exists():
            mean = self.read_json("scores.json").get("mean_dice")
            score = f": mean Dice {mean:.3f}" if isinstance(mean, float) else ""
        return f"<b>run {escape(self.name)}</b>{score}<ul>{items}</ul>"


def create_run(name: str | None = None, runs: Path = RUNS, prefix: str = "run") -> Run:
    """Makes the folder of a new run.

    Args:
        name: The run's name; a numbered one is taken when left out.
        runs: Folder that the run is made in.
        prefix: What a numbered name begins with, the dataset's name say.

    Raises:
        RunError: If the name is in use or no name for a folder.
        FewmaskError: If the folder cannot be made.
    """
    if name is not None:
        check_name(name, runs)
    prefix = as_name(prefix) or "run"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            folder = runs / (name if name is not None else _free_name(runs, prefix))
            try:
                folder.mkdir()
                break
            except FileExistsError:
                # Another training took that name just now.
                if name is not None:
                    raise _name_in_use(name, runs) from None
    except OSError as error:
        raise cannot_write(runs, error) from error
    run = Run(folder)
    try:
        run.write_json("run.json", {"format": FORMAT, "state": "new", "versions": versions()})
    except FewmaskError:
        # Without its record it is no run, and its name should be free again.
        with suppress(OSError):
            folder.rmdir()
        raise
    return run


def check_name(name: str, runs: Path = RUNS) -> None:
    """Refuses a name that no new run can have.

    Args:
        name: The name.
        runs: Folder that the run is to be made in.

    Raises:
        RunError: If the name is in use or no name for a folder.
    """
    if not _NAME.fullmatch(name):
        near = as_name(name) or "chairs"
        raise RunError(
            f"--name {name!r}",
            "letters, digits, spaces and . _ + - beginning and ending with a letter or digit",
            "something else" if name else "nothing",
            f"Try --name {near if not (runs / near).exists() else _next_name(runs, near)}",
        )
    if os.path.lexists(runs / name):
        raise _name_in_use(name, runs)


def _name_in_use(name: str, runs: Path) -> RunError:
    folder = runs / name
    remedy = f"Take --name {typed(_next_name(runs, name))}"
    if (folder / "run.json").exists():
        return RunError(
            folder,
            "a new name",
            "a run that is there already",
            f"{remedy}, or go on with it: fewmask train --resume {typed(folder)}",
        )
    return RunError(folder, "a new name", "a file or folder that is there already", f"{remedy}.")


def as_name(text: str) -> str:
    """Returns what is left of a text when only characters of a name are kept.

    Example:

    >>> as_name("demo/chairs: test"), as_name("../..")
    ('demo-chairs-test', '')
    """
    return re.sub(r"[^\w.+-]+", "-", text).strip("-._")


def _free_name(runs: Path, prefix: str) -> str:
    """Returns the first `prefix-N` that is not in use."""
    number = 1 if not (runs / prefix).exists() else 2
    while os.path.lexists(runs / f"{prefix}-{number}"):
        number += 1
    return f"{prefix}-{number}"


def _next_name(runs: Path, name: str) -> str:
    """Returns the first free name of the kind of one that is in use: `chairs-3` for `chairs-2`."""
    prefix, dash, number = name.rpartition("-")
    return _free_name(runs, prefix if dash and number.isdecimal() else name)


def open_run(name: str | Path, runs: Path = RUNS) -> Run:
    """Opens the folder of an earlier training.

    Args:
        name: The folder, or the run's name inside `runs`.
        runs: Folder that a bare name is looked for in.

    Raises:
        RunError: If there is no such run, or a newer fewmask made it.
    """
    folder = expanded(name)
    if not (folder / "run.json").exists() and (runs / name / "run.json").exists():
        folder = runs / name
    if not (folder / "run.json").exists():
        there = sorted(path.parent.name for path in runs.glob("*/run.json"))
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        if folder.is_dir():
            found = "a folder without run.json"
        else:
            found = "a single file" if folder.exists() else "nothing there"
        raise RunError(
            name,
            "the folder of a run",
            found,
            f"Runs in {runs}: {', '.join(there[:_NAMED])}{more}."
            if there
            else "Make one: fewmask train FOLDER",
        )
    run = Run(folder)
    made_with = run.read_json("run.json").get("format", 0)
    if made_with > FORMAT:
        raise RunError(
            folder,
            f"a run in format {FORMAT} or older",
            f"format {made_with}, made by a newer fewmask",
            "Upgrade: pip install --upgrade fewmask",
        )
    return run


def versions() -> dict[str, str]:
    """Returns the versions of fewmask and of what its results depend on."""
    # Imported here: prediction opens runs too, and need not wait for it.
    from importlib import metadata

    found = {
        "fewmask": __version__,
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
    }
    names = ("keras", "torch", "jax", "tensorflow", "numpy", "onnxruntime")
    for name in (*names, "opencv-python-headless", "pillow"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
