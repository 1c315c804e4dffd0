"""The command `fewmask train`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from click.core import ParameterSource

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.errors import ArgumentError, typed


@click.command("train", epilog="Example: fewmask train photos/ --name chairs --epochs 40")
@click.argument("dataset", required=False)
@click.option("--name", help="Name of the run.  [default: a numbered one]")
@click.option("--resume", metavar="RUN", help="Go on with a training that was stopped or killed.")
@data_options
@click.option("--epochs", type=int, help="Passes over the training images.  [default: 40]")
@click.option(
    "--model", help="unet, or a pretrained encoder such as mobilenet_v2.  [default: auto]"
)
@click.option("--scratch", is_flag=True, help="Use no pretrained weights.")
@click.option(
    "--size",
    type=int,
    help="Longest side that the model sees; with --scale, side of a patch.  [default: 256]",
)
@click.option(
    "--scale",
    type=float,
    help="Learn from patches at this scale: 1 is the images' own.  [default: whole images]",
)
@click.option("--batch-size", type=int, help="Images a step.  [default: 4]")
@click.option("--learning-rate", type=float, help="Highest learning rate.")
@click.option("--width", type=int, help="Channels of the U-Net's finest level.  [default: 16]")
@click.option("--depth", type=int, help="Times the U-Net halves its finest level.  [default: 4]")
@click.option("--normalization", help="batch, group or none.  [default: by the batch size]")
@click.option("--dropout", type=float, help="Share of features left out in training.  [default: 0]")
@click.option(
    "--loss",
    help="cross-entropy, dice, focal, tversky or cross-entropy+dice.  "
    "[default: cross-entropy+dice]",
)
@click.option("--no-augment", is_flag=True, help="Show the training images as they are.")
@click.option(
    "--plateau", type=int, help="Cut the learning rate after so many epochs without a better loss."
)
@click.option(
    "--early-stopping", type=int, help="End after so many epochs without a better validation Dice."
)
@click.option("--seed", type=int, help="Seed of everything that is drawn.  [default: 0]")
@click.option("--tensorboard", is_flag=True, help="Also write curves for TensorBoard.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def train(
    dataset: str | None,
    name: str | None,
    resume: str | None,
    reading: DataOptions,
    scratch: bool,
    no_augment: bool,
    tensorboard: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train a model on DATASET: a folder of images and masks, or the name of an installed dataset.

    The result is a folder runs/NAME with the model for Keras and for ONNX Runtime, its score
    on images that it never saw, and report.html.
    """
    _check_beside(click.get_current_context(), dataset, resume)
    # Said before the imports that take seconds.
    click.echo("Starting Keras", err=True)
    from fewmask.cli.watch import Watch, make_console

    with Watch(make_console(stderr=as_json)) as watch:
        watch.wait("starting Keras")
        from fewmask.training import train as training

        if resume is not None:
            run = training.resume(resume, listener=watch)
        else:
            run = training.train(
                str(dataset),
                name=name,
                listener=watch,
                pretrained=False if scratch else None,
                augment=False if no_augment else None,
                tensorboard=tensorboard or None,
                **reading.keywords(),
                **asked,
            )
    facts = run.read_json("run.json")
    if as_json:
        scores = run.read_json("scores.json")
        click.echo(
            json.dumps(
                {"run": str(run.folder), **facts, "scores": scores}, ensure_ascii=False, indent=1
            )
        )
    else:
        click.echo(f"Report: {(run.folder / 'report.html').absolute()}")
        click.echo(f"Use the model: fewmask predict {typed(run.folder)} PHOTO.jpg")
    if facts["state"] == "stopped":
        sys.exit(130)


def _check_beside(context: click.Context, dataset: str | None, resume: str | None) -> None:
    """Refuses what is meant for a new training beside `--resume`, and neither of them."""
    if dataset is None and resume is None:
        raise ArgumentError(
            "fewmask train",
            "a folder, or --resume with a run",
            "neither",
            "Try: fewmask train demo/chairs",
        )
    beside = [
        option.opts[0]
        for option in context.command.params
        if option.name not in ("resume", "as_json")
        and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]
    if resume is not None and beside:
        raise ArgumentError(
            f"--resume {resume}",
            "nothing beside it, because a training goes on as it began",
            dataset if dataset is not None else ", ".join(beside),
            f"Try: fewmask train --resume {typed(resume)}",
        )
