import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.training.conftest import draw_discs

from fewmask.data.augmentation.augment import Augmentation
from fewmask.errors import ArgumentError
from fewmask.packages.load import load_dataset
from fewmask.training import preparation
from fewmask.training.pace import Pace
from fewmask.training.plan import Plan
from fewmask.training.preparation import plan, read_plan
from fewmask.training.probe import Speed
from fewmask.training.train import train

MakePlan = Callable[..., Plan]


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Takes the place of the probe; lists the plans whose networks were to be measured."""
    asked: list[Plan] = []

    def make_probe(plan: Plan, weights_file: Path | None) -> Any:
        asked.append(plan)
        return lambda size: Speed(0.01, 0.001)

    monkeypatch.setattr(preparation, "make_probe", make_probe)
    return asked


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No network and no weights; lists the encoders whose weights were looked for."""
    looked_for: list[str] = []
    monkeypatch.setattr(preparation, "find_weights", looked_for.append)
    return looked_for


def test_a_plan_without_a_budget_measures_no_machine(
    discs: Path, heard: Any, probed: list[Plan]
) -> None:
    planned = plan(discs, listener=heard, model="unet", epochs=3)
    assert (planned.epochs, planned.steps_per_epoch, probed) == (3, 2, [])
    assert heard.sentences[-1] == planned.summary()


def test_convolutions_multiply_as_this_machine_does_fastest(
    discs: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "fast_precision", lambda: "bfloat16")
    assert plan(discs, listener=heard, model="unet").precision == "bfloat16"
    assert "\nbfloat16: this processor has a unit " in "\n".join(heard.sentences)


def test_a_plan_for_a_budget_says_what_was_measured(
    discs: Path, heard: Any, probed: list[Plan]
) -> None:
    planned = plan(discs, listener=heard, budget="5m", model="unet")
    assert len(probed) == 1
    assert planned.pace.last_step > 1000
    said = "\n".join(heard.sentences)
    assert "\nsize 64: this machine learns from 400 at 64 pixels" in said
    assert "\nbudget 5 min 0 s: " in said
    assert "\nA quick model that knows no shapes has 1.00 mean Dice on training" in said
    assert "\nLeft and right may be exchanged: " in said
    assert "What twice the labels would bring is not known: 8 images are too few" in said


def test_a_short_budget_is_spent_on_training_alone(
    discs: Path, heard: Any, probed: list[Plan]
) -> None:
    planned = plan(discs, listener=heard, budget="60s", model="unet")
    assert planned.augmentation == Augmentation()
    assert not any("exchanged" in sentence for sentence in heard.sentences)
    assert not (discs / "plan.toml").exists()


def test_without_weights_and_a_network_it_learns_from_nothing_and_says_so(
    discs: Path, heard: Any, probed: list[Plan], sent: list[str]
) -> None:
    planned = plan(discs, listener=heard, budget="5m")
    assert sent == ["mobilenet_v2"]
    assert (planned.model.name, planned.model.weights) == ("unet", None)
    assert (
        "model unet: the pretrained weights of mobilenet_v2 are neither on this machine nor to be "
        "had, so it learns from nothing."
    ) in heard.sentences


def test_a_dataset_may_be_given_itself(discs: Path, heard: Any) -> None:
    assert plan(load_dataset(discs), listener=heard, model="unet", epochs=1).epochs == 1
    with pytest.raises(ArgumentError, match=r"dataset: expected masks, classes, ignore_index, thr"):
        plan(load_dataset(discs), listener=heard, classes=["a=0"])
    with pytest.raises(ArgumentError, match="found them beside discs, which has been read"):
        train(load_dataset(discs), listener=heard, max_pixels=1000)


# -- a plan that is given ----------------------------------------------------------------------


def test_what_was_written_is_read(make_tiny_plan: MakePlan, tmp_path: Path) -> None:
    tiny = make_tiny_plan()
    (tmp_path / "kế hoạch.toml").write_text(tiny.to_toml(), "utf-8")
    assert read_plan(tmp_path / "kế hoạch.toml") == tiny


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as error:
        read_plan(tmp_path / "plan.toml")
    assert str(error.value) == (
        f"--plan {tmp_path / 'plan.toml'}: expected a plan.toml, found No such file or directory. "
        "Make one: fewmask plan FOLDER --budget 10m"
    )
    with pytest.raises(ArgumentError, match="found Is a directory"):
        read_plan(tmp_path)


@pytest.mark.parametrize("content", [b"size = [", b"\xff\xfe"])
def test_a_plan_that_is_no_toml(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match="expected TOML, found ") as error:
        read_plan(path)
    assert str(error.value).endswith(" Undo the last change to the file.")


def test_a_value_that_cannot_be_is_found_in_its_file(
    make_tiny_plan: MakePlan, tmp_path: Path
) -> None:
    path = tmp_path / "my.toml"
    path.write_text(make_tiny_plan().to_toml().replace("size = 32", "size = 33"), "utf-8")
    with pytest.raises(ArgumentError) as error:
        read_plan(path)
    assert str(error.value).startswith(f"--plan {path}, size: expected a multiple of ")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"budget": "5m"}, "--budget"),
        ({"seed": 0, "epochs": None}, "--seed"),
        ({"pretrained": False, "augment": False}, "--scratch, --no-augment"),
    ],
)
def test_a_plan_leaves_nothing_to_ask_for(
    asked: dict[str, Any], found: str, discs: Path, make_tiny_plan: MakePlan, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError) as error:
        train(discs, plan=make_tiny_plan(), runs=tmp_path / "runs", **asked)
    assert str(error.value) == (
        "--plan: expected nothing else about the training, because the plan says all of it, found "
        f"{found}. Change it in the plan."
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"channels": 4, "mean": (), "std": ()},
            "--plan: expected channels = 3, as in these images, found 4. Plan again.",
        ),
        (
            {"num_classes": 5},
            "--plan: expected num_classes = 2, as in these images, found 5. Plan again.",
        ),
    ],
)
def test_refuses_the_plan_of_other_images(
    change: dict[str, Any], sentence: str, discs: Path, make_tiny_plan: MakePlan, tmp_path: Path
) -> None:
    tiny = make_tiny_plan()
    other = replace(tiny, model=replace(tiny.model, **change))
    with pytest.raises(ArgumentError) as error:
        train(discs, plan=other, runs=tmp_path / "runs", listener=lambda event: None)
    assert str(error.value) == sentence
    assert not (tmp_path / "runs").exists()


def test_refuses_a_plan_whose_pretrained_weights_are_not_to_be_had(
    discs: Path, make_tiny_plan: MakePlan, tmp_path: Path, sent: list[str]
) -> None:
    tiny = make_tiny_plan()
    model = replace(tiny.model, name="mobilenet_v2", weights="imagenet")
    with pytest.raises(ArgumentError) as error:
        train(
            discs,
            plan=replace(tiny, model=model),
            runs=tmp_path / "runs",
            listener=lambda event: None,
        )
    assert sent == ["mobilenet_v2"]
    assert str(error.value) == (
        "--plan: expected the pretrained weights of mobilenet_v2, which it begins with, found "
        "neither a copy on this machine nor a network to fetch them from. Train with a network, "
        "or plan again with --scratch."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"early_stopping": 3}, "early_stopping: expected validation images to judge the epochs"),
        ({"plateau": 3}, "plateau: expected validation images to judge the epochs by, found 4 tr"),
        ({"later_paces": 4 * (Pace.even(2),)}, "--plan: expected validation images, and a group "),
    ],
)
def test_refuses_a_plan_for_more_images(
    change: dict[str, Any], sentence: str, make_tiny_plan: MakePlan, tmp_path: Path
) -> None:
    few = draw_discs(tmp_path / "few", 5)
    with pytest.raises(ArgumentError) as error:
        train(
            few,
            plan=replace(make_tiny_plan(), **change),
            runs=tmp_path / "runs",
            listener=lambda event: None,
        )
    assert str(error.value).startswith(sentence)
    assert not (tmp_path / "runs").exists()


# -- a plan that was edited --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("size", 100.5, "size: expected a whole number from 1, found 100.5"),
        ("size", 33, "size: expected a multiple of 4, the network's stride, found 33"),
        ("batch_size", 0, "batch_size: expected a whole number from 1, found 0"),
        ("steps_per_epoch", "many", "steps_per_epoch: expected a whole number from 1, found 'm"),
        ("learning_rate", "fast", "learning_rate: expected a number above 0, up to 1, found 'f"),
        ("learning_rate", 2.0, "learning_rate: expected a number above 0, up to 1, found 2.0"),
        ("encoder_rate", 0, "encoder_rate: expected a number above 0, up to 1, found 0"),
        ("weight_decay", -1, "weight_decay: expected a number from 0, found -1"),
        ("loss", "best", "loss: expected one of cross-entropy+dice, cross-entropy, dice, focal,"),
        ("schedule", "linear", "schedule: expected one of trapezoid, constant, found 'linear'"),
        ("data_format", "NCHW", "data_format: expected one of channels_first, channels_last, f"),
        ("precision", "float16", "precision: expected one of float32, bfloat16, found 'float16'"),
        ("plateau", True, "plateau: expected a whole number from 0, found True"),
        ("seed", -1, "seed: expected a whole number from 0, found -1"),
        ("tensorboard", 1, "tensorboard: expected true or false, found 1"),
        ("try_mirrored", "no", "try_mirrored: expected true or false, found 'no'"),
        ("reasons", "none", "reasons: expected a list of sentences, found 'none'"),
        ("foreground_share", 1.5, "foreground_share: expected a number from 0 to 1, found 1.5"),
        ("pace", [[0, 0]], "pace: expected pairs [step, last step], the first from step 0"),
        ("pace", 7, "pace: expected a list of pairs [step, last step] of whole "),
        ("pace", [[0, float("inf")]], "pace: expected a list of pairs [step, last "),
        ("pace", [[0, 3.9]], "pace: expected a list of pairs [step, last "),
        ("pace", [[0, "3"]], "pace: expected a list of pairs [step, last "),
        ("pace", [[0, 3, 9]], "pace: expected a list of pairs [step, last "),
        ("later_paces", 3, "later_paces: expected a list of paces, found 3"),
        ("later_paces", [[[0, 0]]], "pace: expected pairs [step, last step], the first from"),
        ("later_paces", [7], "pace: expected a list of pairs [step, last step]"),
        ("model", {"name": "unet"}, "[model]: expected the table as it was written"),
        ("model", 3, "[model]: expected the table as it was written"),
        (
            "pixels",
            {"tile": 64, "overlap": 16, "block": 48, "block_in_image": 48},
            "size: expected 64, the tile of [pixels]: the two are one, found 32",
        ),
        ("augmentation", {"flip": 1}, "augmentation: expected names of its numbers, found flip."),
        ("augmentation", 1, "[augmentation]: expected the table as it was written"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(
    name: str, value: Any, sentence: str, make_tiny_plan: MakePlan
) -> None:
    values = {**tomllib.loads(make_tiny_plan().to_toml()), name: value}
    with pytest.raises(ArgumentError) as error:
        Plan.from_values(values)
    assert str(error.value).startswith(f"plan.toml, {sentence}")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("networks", 5, "[model] networks: expected 1, since later_paces holds a"),
        ("width", 16.5, "width: expected a whole number, found 16.5"),
        ("outlines", "no", "outlines: expected true or false, found no"),
        ("mean", ["a", "b", "c"], "mean: expected numbers, found ['a', 'b', 'c']"),
    ],
)
def test_a_network_that_cannot_be_is_refused_by_name(
    name: str, value: Any, sentence: str, make_tiny_plan: MakePlan
) -> None:
    values = tomllib.loads(make_tiny_plan().to_toml())
    values["model"][name] = value
    with pytest.raises(ArgumentError) as error:
        Plan.from_values(values)
    assert str(error.value).startswith(f"plan.toml, {sentence}")
