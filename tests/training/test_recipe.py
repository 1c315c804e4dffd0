from dataclasses import fields
from typing import Any

import pytest

from fewmask.cli.plan import plan
from fewmask.errors import ArgumentError
from fewmask.models.losses import LOSSES as LOSSES_THERE_ARE
from fewmask.training.recipe import LOSSES, MODELS, Recipe, make_recipe, option


def test_what_is_left_out_is_left_to_the_plan() -> None:
    assert make_recipe(epochs=None, size=None, dropout=None) == Recipe()


def test_knows_every_loss_there_is() -> None:
    assert set(LOSSES) == set(LOSSES_THERE_ARE)


def test_calls_a_field_as_the_command_line_does() -> None:
    options = {name for each in plan.params for name in each.opts}
    # The last one is asked in Python alone.
    assert {option(field.name) for field in fields(Recipe)} - options == {"average"}


def test_auto_stands_before_the_networks() -> None:
    assert MODELS[:3] == ("auto", "unet", "mobilenet_v2")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"model": "unett"},
            f"--model: expected one of {', '.join(MODELS)}, found 'unett'. Try --model unet.",
        ),
        (
            {"loss": "Dice"},
            f"--loss: expected one of {', '.join(LOSSES)}, found 'Dice'. Try --loss dice.",
        ),
        (
            {"epochs": 0},
            "--epochs: expected a whole number, 1 or more, found 0. Try --epochs 1.",
        ),
        (
            {"epochs": True},
            "--epochs: expected a whole number, 1 or more, found True. Try --epochs 1.",
        ),
        (
            {"size": 5000},
            "--size: expected a whole number, 32 to 4096, found 5000. Try --size 4096.",
        ),
        (
            {"early_stopping": 2.5},
            "--early-stopping: expected a whole number, 1 or more, found 2.5. "
            "Try --early-stopping 1.",
        ),
        (
            {"dropout": 1.0},
            "--dropout: expected a number from 0 to below 1, found 1.0. Try --dropout 0.1.",
        ),
        (
            {"dropout": "a lot"},
            "--dropout: expected a number from 0 to below 1, found 'a lot'. Try --dropout 0.1.",
        ),
        (
            {"learning_rate": 0},
            "--learning-rate: expected a number above 0, up to 1, found 0. "
            "Try --learning-rate 0.001.",
        ),
        (
            {"learning_rate": float("nan")},
            "--learning-rate: expected a number above 0, up to 1, found nan. "
            "Try --learning-rate 0.001.",
        ),
        *(
            (
                {"scale": scale},
                f"--scale: expected a number above 0, up to 2, found {scale!r}. Try --scale 1.",
            )
            for scale in (0, -1, 2.5, float("nan"), float("inf"), "half", True)
        ),
        (
            {"augment": "no"},
            "augment: expected True or False, found 'no'. Give one of the two.",
        ),
        (
            {"widht": 8},
            "widht: expected one of model, pretrained, budget, epochs, size, scale, batch_size, "
            "learning_rate, width, depth, normalization, dropout, loss, augment, plateau, "
            "early_stopping, average, seed, tensorboard, found no such field. Did you mean width?",
        ),
    ],
)
def test_refuses_in_a_sentence(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ArgumentError) as error:
        make_recipe(**asked)
    assert str(error.value) == sentence
