"""A training that was killed goes on as if it never had been."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fewmask
from fewmask.data.imageio import write_png
from fewmask.errors import ArgumentError, RunError
from fewmask.run import Run
from fewmask.training.checkpoint import State
from fewmask.training.keeper import LAST
from fewmask.training.lock import locked
from fewmask.training.train import resume, train

USUAL = {"epochs": 5, "dropout": 0.3}
# So small a rate betters nothing: the third epoch cuts it, the fourth ends the training, but
# only where those that were waited for before the kill are counted too.
PATIENT = {
    "epochs": 8, "dropout": 0.3, "average": False,
    "plateau": 2, "early_stopping": 3, "learning_rate": 1e-12,
}  # fmt: skip

# What a kill may hit: the middle of the third epoch, or its end, when the best model is written
# and the state is half written.
CASES = {
    "usual": (USUAL, "step"),
    "patience": (PATIENT, "step"),
    "while saving": (USUAL, "save"),
}

KILLED = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from fewmask.training.events import StepDone
from fewmask.training.train import train

folder, runs, asked, moment = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def listen(event):
    if moment == "step" and isinstance(event, StepDone) and (event.epoch, event.step) == (3, 2):
        die()

def savez(file, **arrays):
    if "facts" in arrays and json.loads(arrays["facts"].tobytes())["epoch"] == 3:
        file.write(b"half")
        file.flush()
        die()
    write(file, **arrays)

write = np.savez
if moment == "save":
    np.savez = savez
train(Path(folder), runs=Path(runs), name="a", listener=listen, **json.loads(asked))
"""

Killed = Callable[[str], Run]


@pytest.fixture(scope="module")
def killed(
    discs: Path, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killed]:
    """Trainings that kill themselves; all begin at once, and each is waited for when needed."""
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("nothing kills like SIGKILL here")
    source = str(Path(fewmask.__file__).parents[1])
    begun = {}
    for case, (asked, moment) in CASES.items():
        runs = tmp_path_factory.mktemp("killed")
        arguments = [str(discs), str(runs), json.dumps({**tiny, **asked}), moment]
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", KILLED, *arguments],
            env={**os.environ, "PYTHONPATH": source},
        )
        begun[case] = (process, runs)

    def wait(case: str) -> Run:
        process, runs = begun[case]
        assert process.wait(timeout=300) == -signal.SIGKILL
        return Run(runs / "a")

    yield wait
    for process, _ in begun.values():
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def never_killed(
    discs: Path, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Killed:
    """The same trainings, left alone."""
    runs = tmp_path_factory.mktemp("whole")
    made: dict[int, Run] = {}

    def make(case: str) -> Run:
        asked, _ = CASES[case]
        if id(asked) not in made:
            made[id(asked)] = train(
                discs, runs=runs, listener=lambda event: None, **{**tiny, **asked}
            )
        return made[id(asked)]

    return make


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_curve_is_that_of_a_training_never_killed(
    case: str, killed: Killed, never_killed: Killed, heard: Any
) -> None:
    asked, _ = CASES[case]
    whole, run = never_killed(case), killed(case)
    assert State.load(run.folder / LAST).epoch == 2
    resume(run, listener=heard)
    assert f"after 2 of {asked['epochs']} epochs." in heard.sentences[0]
    assert run.read_json("run.json")["state"] == "finished"
    assert curve(run) == curve(whole)
    if case == "patience":
        rates = [row["learning_rate"] for row in whole.epochs()]
        assert rates == pytest.approx([1e-12, 1e-12, 1e-13, 1e-13])
    mine, theirs = State.load(run.folder / LAST), State.load(whole.folder / LAST)
    assert mine.counters == theirs.counters
    for group in ("model", "optimizer", "average"):
        pairs = zip(getattr(mine, group), getattr(theirs, group), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)
    assert {path.name for path in run.folder.rglob("*")} == {
        path.name for path in whole.folder.rglob("*")
    }
    one, other = (each.read_json("scores.json") for each in (run, whole))
    assert one == other


def curve(run: Run) -> list[list[str]]:
    """The cells of `epochs.csv` without those that a clock filled."""
    rows = [line.split(",") for line in (run.folder / "epochs.csv").read_text().splitlines()]
    kept = [place for place, name in enumerate(rows[0]) if name not in TIMES]
    assert len(kept) == 6
    return [[row[place] for place in kept] for row in rows]


TIMES = ("seconds", "images_per_second")


def test_a_finished_run_is_left_alone(finished: Run, heard: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")}
    resume(finished.name, runs=finished.folder.parent, listener=heard)
    assert heard.sentences == [f"{finished.folder} is finished, and nothing is missing from it."]
    assert {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")} == before


def test_a_finished_run_gets_back_what_is_missing(finished: Run, heard: Any) -> None:
    names = ("model.onnx", "report.html", "scores.json")
    before = finished.read_json("scores.json")
    for name in names:
        (finished.folder / name).unlink()
    resume(finished, listener=heard)
    assert heard.sentences[0] == f"Going on with {finished.folder} after 2 of 2 epochs."
    assert all((finished.folder / name).exists() for name in names)
    assert finished.read_json("scores.json") == before
    assert [row["epoch"] for row in finished.epochs()] == [1, 2]


@pytest.fixture
def unfinished(finished: Run, discs: Path, tmp_path: Path) -> Run:
    """A run that is not finished, on a copy of its dataset."""
    folder = Path(shutil.copytree(discs, tmp_path / "data" / "discs"))
    source = {**finished.read_json("run.json")["source"], "path": str(folder)}
    finished.update(state="training", source=source)
    return finished


def spoil(change: str, folder: Path) -> None:
    image, mask = (sorted((folder / kind).iterdir())[3] for kind in ("images", "masks"))
    if change == "mask":
        write_png(mask, np.eye(50, 60, dtype=np.uint8) * np.uint8(255))
        write_png(image, np.zeros((50, 60, 3), np.uint8))
    elif change == "missing":
        image.unlink()
        mask.unlink()
    else:
        shutil.copy(image, image.with_name("new.png"))
        shutil.copy(mask, mask.with_name("new.png"))


@pytest.mark.parametrize("change", ["mask", "missing", "new"])
def test_refuses_a_dataset_that_has_changed(change: str, unfinished: Run, heard: Any) -> None:
    folder = Path(unfinished.read_json("run.json")["source"]["path"])
    spoil(change, folder)
    with pytest.raises(RunError) as error:
        resume(unfinished, listener=heard)
    assert str(error.value).startswith(
        f"{unfinished.folder}: expected the dataset that the training began with, found discs "
        "with files missing, new or changed: "
    )
    assert "Restore the dataset, or train again: fewmask train FOLDER" in str(error.value)
    assert unfinished.read_json("run.json")["state"] == "training"


def test_refuses_a_run_that_is_not_there(tmp_path: Path, heard: Any) -> None:
    with pytest.raises(RunError) as error:
        resume("ghế-7", runs=tmp_path, listener=heard)
    assert str(error.value) == (
        "ghế-7: expected the folder of a run, found nothing there. Make one: fewmask train FOLDER"
    )


def test_refuses_a_run_of_a_newer_fewmask(finished: Run, heard: Any) -> None:
    finished.update(format=99)
    with pytest.raises(RunError, match="found format 99, made by a newer fewmask"):
        resume(finished.folder, listener=heard)


def test_refuses_a_run_that_someone_is_training(unfinished: Run, heard: Any) -> None:
    with locked(unfinished), pytest.raises(RunError, match="another training at work in it"):
        resume(unfinished, listener=heard)
    assert heard == []


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("plan.toml", "size = [", RunError, "expected TOML"),
        ("plan.toml", "size = 32", ArgumentError, "missing or unknown"),
        ("plan.toml", None, RunError, "a file that every run holds"),
        ("fingerprint.json", "{", RunError, "expected JSON"),
        ("fingerprint.json", '{"size": 3}', RunError, "expected a fingerprint"),
        ("fingerprint.json", None, RunError, "a file that every run holds"),
        ("parts.csv", None, RunError, "a file that every run holds"),
        ("last/state.npz", "half", RunError, "expected a whole checkpoint"),
        ("best/weights.npz", "half", RunError, "expected whole weights"),
    ],
)
def test_names_the_file_that_is_damaged(
    name: str, content: str | None, error: Any, words: str, unfinished: Run, heard: Any
) -> None:
    path = unfinished.folder / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(error, match=words):
        resume(unfinished, listener=heard)


def test_begins_again_where_no_epoch_was_completed(unfinished: Run, heard: Any) -> None:
    before = curve(unfinished)
    for name in ("last", "best"):
        shutil.rmtree(unfinished.folder / name)
    resume(unfinished, listener=heard)
    assert heard.sentences[0] == f"Going on with {unfinished.folder} after 0 of 2 epochs."
    assert curve(unfinished) == before
    (resumed,) = unfinished.read_json("run.json")["resumed"]
    assert resumed["after_epoch"] == 0
