"""The command `fewmask train`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from click.core import ParameterSource

from fewmask.cli import BEGAN
from fewmask.cli.data_options import DataOptions, data_options
from fewmask.cli.recipe_options import recipe_options
from fewmask.errors import ArgumentError, typed


@click.command("train", epilog="Example: fewmask train photos/ --name chairs --budget 10m")
@click.argument("dataset", required=False)
@click.option("--name", help="Name of the run.  [default: a numbered one]")
@click.option("--resume", metavar="RUN", help="Go on with a training that was stopped or killed.")
@click.option(
    "--plan", metavar="TOML", help="Follow a plan as it is: of fewmask plan, or of another run."
)
@data_options
@recipe_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def train(
    dataset: str | None,
    name: str | None,
    resume: str | None,
    plan: str | None,
    reading: DataOptions,
    asked: dict[str, Any],
    as_json: bool,
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
            run = training.resume(resume, listener=watch, began=BEGAN)
        else:
            run = training.train(
                str(dataset),
                name=name,
                listener=watch,
                plan=plan,
                began=BEGAN,
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
