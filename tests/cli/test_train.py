import json
import shutil

import pytest

from fewmask.cli import BEGAN
from fewmask.run import Run
from fewmask.training import train as training
from fewmask.training.events import Said

from .conftest import TINY, draw_folder


def test_a_training_ends_with_the_report_and_the_next_command(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("train", "photos", "--name", "my boxes", *TINY)
    assert (told.code, told.err) == (0, "Starting Keras\n")
    lines = told.out.splitlines()
    assert lines[0] == "10 images in images/ paired with masks in masks/ by equal names."
    assert sum(line.startswith("epoch  1/1  loss ") for line in lines) == 1
    assert any(line.startswith("mean Dice ") for line in lines)
    assert lines[-2:] == [
        f"Report: {tmp_path / 'runs' / 'my boxes' / 'report.html'}",
        "Use the model: fewmask predict 'runs/my boxes' PHOTO.jpg",
    ]
    # A log file gets lines and nothing else: no empty ones, no control codes.
    assert all(line and line.isprintable() for line in lines)
    for name in ("model.keras", "model.onnx", "report.html", "scores.json"):
        assert (tmp_path / "runs" / "my boxes" / name).is_file()


def test_json_alone_is_on_the_standard_output(fewmask, tmp_path):
    draw_folder(tmp_path / "photos", count=4)
    told = fewmask("train", "photos", "--json", *TINY)
    facts = json.loads(told.out)
    assert facts["run"] == "runs/photos-1"
    assert facts["state"] == "finished"
    assert facts["scores"]["num_images"] == 1
    assert "epoch  1/1" in told.err


def test_the_arguments_reach_the_training(fewmask, monkeypatch, trained):
    asked = {}

    def train(dataset, **arguments):
        asked.update(arguments, dataset=dataset)
        return Run(trained / "runs" / "boxes")

    monkeypatch.setattr(training, "train", train)
    told = fewmask(
        "train", "photos", "--classes", "wall=0,chair=255", "--classes", "cat=7", "--scratch",
        "--no-augment", "--ignore-index", "9", "--max-pixels", "8", "--loss", "focal",
    )  # fmt: skip
    assert told.code == 0
    asked.pop("listener")
    assert asked.pop("began") == BEGAN
    assert {name: value for name, value in asked.items() if value is not None} == {
        "dataset": "photos",
        "classes": ("wall=0,chair=255", "cat=7"),
        "ignore_index": 9,
        "max_pixels": 8,
        "pretrained": False,
        "augment": False,
        "loss": "focal",
    }


def test_a_budget_and_a_plan_reach_the_training(fewmask, monkeypatch, trained):
    asked = {}

    def train(dataset, **arguments):
        asked.update(arguments)
        return Run(trained / "runs" / "boxes")

    monkeypatch.setattr(training, "train", train)
    assert fewmask("train", "photos", "--budget", "90s").code == 0
    assert (asked["budget"], asked["plan"]) == ("90s", None)
    assert fewmask("train", "photos", "--plan", "my plan.toml").code == 0
    assert (asked["budget"], asked["plan"]) == (None, "my plan.toml")


@pytest.mark.parametrize("command", ["train", "plan"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--budget", "10"], "--budget: expected a span of time with its unit, s, m or h, found "
                             "'10'. Try --budget 10m."),
        (["--budget", "ten"], "--budget: expected a span of time with its unit, s, m or h, found "
                              "'ten'. Try --budget 10m."),
        (["--budget", "0s"], "--budget: expected more than nothing, up to 720h, found '0s'. Try "
                             "--budget 10m."),
        (["--budget", "10m", "--epochs", "3"],
         "--budget: expected either a budget or a number of epochs, found both, and 3 epochs take "
         "as long as they take. Leave --epochs out."),
    ],
)  # fmt: skip
def test_a_budget_that_is_none(fewmask, tmp_path, command, words, sentence):
    told = fewmask(command, "photos", *words)
    assert (told.code, told.error) == (2, f"Error: {sentence}")
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_training_says_so_and_can_be_gone_on_with(fewmask, monkeypatch, trained):
    def train(dataset, listener, **_):
        listener(Said("Stopped after 3 epochs; finishing with the best model so far."))
        run = Run(trained / "runs" / "boxes")
        before = run.read_json
        monkeypatch.setattr(
            type(run), "read_json", lambda self, name: {**before(name), "state": "stopped"}
        )
        return run

    monkeypatch.setattr(training, "train", train)
    told = fewmask("train", "photos")
    assert told.code == 130
    assert told.out.splitlines()[0].startswith("Stopped after 3 epochs")


def test_ctrl_c_before_there_is_a_model(fewmask, monkeypatch):
    def train(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", train)
    told = fewmask("train", "photos")
    assert (told.code, told.error, told.out) == (130, "Stopped.", "")


def test_a_finished_training_is_resumed_without_harm(fewmask, tmp_path, trained, monkeypatch):
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    told = fewmask("train", "--resume", "boxes")
    assert told.code == 0
    assert "Use the model: fewmask predict runs/boxes PHOTO.jpg" in told.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "fewmask train: expected a folder, or --resume with a run, found neither. "
             "Try: fewmask train demo/chairs"),
        (["photos", "--resume", "a b"],
         "--resume a b: expected nothing beside it, because a training goes on as it began, "
         "found photos. Try: fewmask train --resume 'a b'"),
        (["--resume", "x", "--epochs", "3", "--seed", "0", "--scratch"],
         "--resume x: expected nothing beside it, because a training goes on as it began, "
         "found --epochs, --scratch, --seed. Try: fewmask train --resume x"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_before_keras_starts(fewmask, words, sentence):
    told = fewmask("train", *words)
    assert (told.code, told.err) == (2, f"Error: {sentence}\n")
