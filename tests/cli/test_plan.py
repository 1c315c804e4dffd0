import json
import tomllib

import pytest

from fewmask.training import preparation
from fewmask.training.probe import Speed

from .conftest import TINY, draw_folder


@pytest.fixture
def probed(monkeypatch):
    """A machine that is measured at once."""
    monkeypatch.setattr(preparation, "make_probe", lambda *_: lambda size: Speed(0.05, 0.001))


def test_a_plan_is_written_and_followed(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("plan", "photos", "--seed", "3", *TINY)
    assert (told.code, told.err) == (0, "Starting Keras\n")
    assert told.out.splitlines()[-2:] == [
        f"Plan: {tmp_path / 'plan.toml'}",
        "Then: fewmask train photos --plan plan.toml",
    ]
    written = (tmp_path / "plan.toml").read_text("utf-8")
    assert tomllib.loads(written)["seed"] == 3
    assert not (tmp_path / "runs").exists()
    told = fewmask("train", "photos", "--plan", "plan.toml", "--name", "a")
    assert told.code == 0
    assert (tmp_path / "runs" / "a" / "plan.toml").read_text("utf-8") == written


def test_a_plan_for_a_budget_says_why(fewmask, tmp_path, probed):
    draw_folder(tmp_path / "photos")
    told = fewmask("plan", "photos", "--budget", "24h", "--model", "unet", "--out", "kế hoạch.toml")
    assert told.code == 0
    lines = told.out.splitlines()
    assert any(
        line.startswith("size 64: this machine learns from 80 at 64 pixels") for line in lines
    )
    assert any(line.startswith("budget 24 h 0 min: ") for line in lines)
    assert lines[-1] == "Then: fewmask train photos --plan 'kế hoạch.toml'"
    plan = tomllib.loads((tmp_path / "kế hoạch.toml").read_text("utf-8"))
    assert plan["pace"][0][1] > 100_000
    assert len(plan["reasons"]) >= 3


def test_how_the_data_is_read_is_in_the_next_command(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("plan", "photos", "--classes", "wall=0,box=255", *TINY)
    assert told.out.splitlines()[-1] == (
        "Then: fewmask train photos --plan plan.toml --classes wall=0,box=255"
    )


def test_json_alone_is_on_the_standard_output(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("plan", "photos", "--json", *TINY)
    assert told.code == 0
    assert json.loads(told.out) == tomllib.loads((tmp_path / "plan.toml").read_text("utf-8"))


def test_a_file_that_cannot_be_written_is_named_before_any_work(fewmask, tmp_path):
    (tmp_path / "file").write_text("")
    told = fewmask("plan", "photos", "--budget", "10m", "--out", "file/plan.toml")
    assert told.code == 2
    assert told.err.startswith("Error: file/plan.toml: expected to be written, found the system ")
    assert "Starting Keras" not in told.err


def test_a_plan_that_is_there_is_not_overwritten(fewmask, tmp_path):
    (tmp_path / "plan.toml").write_text("mine")
    told = fewmask("plan", "photos", "--budget", "10m")
    assert (told.code, told.err) == (
        2,
        "Error: --out plan.toml: expected a new file, found one that is there already, and may "
        "have been edited. Name another one with --out, or remove it.\n",
    )
    assert (tmp_path / "plan.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--plan", "plan.toml"],
         "--plan plan.toml: expected a plan.toml, found No such file or directory. Make one: "
         "fewmask plan FOLDER --budget 10m"),
        (["--plan", "broken.toml"],
         "--plan broken.toml: expected TOML, found "),
        (["--plan", "other.toml"],
         "--plan other.toml: expected the keys augmentation, average_every, "),
    ],
)  # fmt: skip
def test_a_plan_that_is_none(fewmask, tmp_path, words, sentence):
    draw_folder(tmp_path / "photos")
    (tmp_path / "broken.toml").write_text("size = [")
    (tmp_path / "other.toml").write_text("size = 3")
    told = fewmask("train", "photos", *words)
    assert told.code == 2
    assert told.error.startswith(f"Error: {sentence}")
    assert not (tmp_path / "runs").exists()


def test_a_folder_without_masks_has_no_plan(fewmask, tmp_path):
    told = fewmask("plan", "photos", "--budget", "10m")
    assert told.code == 2
    assert not (tmp_path / "plan.toml").exists()
