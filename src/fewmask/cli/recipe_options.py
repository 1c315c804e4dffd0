"""The options of every command that plans a training."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option(
        "--budget",
        metavar="TIME",
        help="Time for everything, report included: 90s, 10m, 2h.  [default: by the epochs]",
    ),
    click.option("--epochs", type=int, help="Passes over the training images.  [default: 40]"),
    click.option(
        "--model",
        help="unet; a pretrained encoder: mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large, "
        "efficientnet_v2_b0, resnet50, vgg16; or fcn8, fcn16, fcn32.  [default: auto]",
    ),
    click.option("--scratch", is_flag=True, help="Use no pretrained weights."),
    click.option(
        "--size",
        type=int,
        help="Longest side that the model sees; with --scale, side of a patch.  "
        "[default: 256, or by the budget]",
    ),
    click.option(
        "--scale",
        type=float,
        help="Learn from patches at this scale: 1 is the images' own.  "
        "[default: whole images, or by the budget]",
    ),
    click.option("--batch-size", type=int, help="Images a step.  [default: 4, or by the budget]"),
    click.option("--learning-rate", type=float, help="Highest learning rate."),
    click.option("--width", type=int, help="Channels of the U-Net's finest level.  [default: 16]"),
    click.option(
        "--depth",
        type=int,
        help="Times the U-Net halves its finest level.  [default: 4; less at small sizes]",
    ),
    click.option(
        "--normalization", help="group, batch, group+batch or none.  [default: by the model]"
    ),
    click.option(
        "--dropout", type=float, help="Share of features left out in training.  [default: 0]"
    ),
    click.option(
        "--loss",
        help="cross-entropy, dice, focal, tversky or cross-entropy+dice.  "
        "[default: cross-entropy+dice]",
    ),
    click.option("--no-augment", is_flag=True, help="Show the training images as they are."),
    click.option(
        "--plateau",
        type=int,
        help="Cut the learning rate after so many epochs without a better loss.",
    ),
    click.option(
        "--early-stopping",
        type=int,
        help="End after so many epochs without a better validation Dice.",
    ),
    click.option("--seed", type=int, help="Seed of everything that is drawn.  [default: 0]"),
    click.option("--tensorboard", is_flag=True, help="Also write curves for TensorBoard."),
)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds an option for each field of a recipe but `average`, which is for Python alone.

    Args:
        command: The function of a command; it gets what was typed as one argument `asked`, the
            fields of `Recipe` by name, None where nothing was typed.
    """

    @functools.wraps(command)
    def collect(**typed: Any) -> Any:
        asked = {str(option.name): typed.pop(str(option.name)) for option in options}
        asked["pretrained"] = False if asked.pop("scratch") else None
        asked["augment"] = False if asked.pop("no_augment") else None
        asked["tensorboard"] = asked["tensorboard"] or None
        return command(asked=asked, **typed)

    before = len(getattr(collect, "__click_params__", []))
    for add in reversed(_OPTIONS):
        collect = add(collect)
    options: list[click.Parameter] = list(collect.__click_params__[before:])  # type: ignore[attr-defined]
    return collect
