"""The model of a training that has not ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fewmask
from fewmask.cli import main
from fewmask.cli.keras_model import load_keras_model
from fewmask.data.imageio import write_png
from fewmask.errors import ModelError, RunError
from fewmask.inference.predict import load
from fewmask.run import BEST, Run
from fewmask.training.best import BestModel, open_model
from fewmask.training.checkpoint import State
from fewmask.training.keeper import LAST

Disc = Callable[[int], tuple[NDArray[np.uint8], NDArray[np.uint8]]]

KILLED = """
import json, os, signal, sys
from fewmask.training.events import StepDone
from fewmask.training.train import train

def listen(event):
    if isinstance(event, StepDone) and (event.epoch, event.step) == (3, 2):
        os.kill(os.getpid(), signal.SIGKILL)

folder, runs, asked = sys.argv[1:]
train(folder, runs=runs, name="a", listener=listen, **json.loads(asked))
"""


@pytest.fixture
def unended(finished: Run) -> Run:
    """A run as it is before its training ends."""
    for name in ("model.onnx", "model.keras", "scores.json", "report.html"):
        (finished.folder / name).unlink()
    finished.update(state="training")
    return finished


def test_is_the_model_that_the_end_would_make(
    unended: Run, trained: tuple[Run, Any], disc: Disc
) -> None:
    image, _ = disc(77)
    so_far, ended = load(unended, keras_model=open_model), load(trained[0])
    one, other = so_far.predict(image), ended.predict(image)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)
    assert so_far.bundle.classes == ended.bundle.classes
    assert so_far.bundle.scale == ended.bundle.scale


def test_says_of_which_epoch_it_is(unended: Run) -> None:
    rows = State.load(unended.folder / LAST).rows
    best = max(rows, key=lambda row: (row["validation_dice"], -row["validation_loss"]))
    assert BestModel(unended.folder / BEST).epoch == best["epoch"]


@pytest.mark.parametrize("name", ["bundle.json", "plan.toml"])
def test_a_file_that_is_missing_is_named(name: str, unended: Run) -> None:
    (unended.folder / name).unlink()
    with pytest.raises(RunError, match=f"{name}: expected a file that every run holds, found"):
        load(unended, keras_model=open_model)


def test_what_is_taken_of_a_run_that_has_ended_is_not_said_to_go_on(
    trained: tuple[Run, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = trained
    model = load_keras_model(run.folder / BEST)
    assert isinstance(model, BestModel)
    assert capsys.readouterr().err.splitlines() == [
        "Starting Keras",
        f"Taking the best model so far of {run.folder}, of epoch {model.epoch}.",
    ]


def test_a_file_that_is_damaged_is_named(unended: Run) -> None:
    (unended.folder / "bundle.json").write_text("{}")
    with pytest.raises(ModelError, match=r"bundle\.json: expected the facts that fewmask writes"):
        load(unended, keras_model=open_model)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills like SIGKILL here")
def test_a_killed_training_predicts_with_its_best_model(
    discs: Path,
    disc: Disc,
    tiny: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = json.dumps({**tiny, "epochs": 5})
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(discs), str(tmp_path / "runs"), asked],
        env={**os.environ, "PYTHONPATH": str(Path(fewmask.__file__).parents[1])},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    write_png(tmp_path / "photo.png", disc(77)[0])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["predict", "a", "photo.png", "--out", "masks"])
    assert ended.value.code == 0
    epoch = BestModel(tmp_path / "runs" / "a" / BEST).epoch
    assert epoch in (1, 2)
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"Taking the best model so far of {Path('runs', 'a')}, of epoch {epoch}."
    )
    assert (tmp_path / "masks" / "photo.png").exists()
