"""The command `fewmask plan`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from fewmask.cli import BEGAN
from fewmask.cli.data_options import DataOptions, data_options
from fewmask.cli.recipe_options import recipe_options
from fewmask.errors import ArgumentError
from fewmask.files import check_can_write, expanded, write_text


@click.command("plan", epilog="Example: fewmask plan photos/ --budget 10m")
@click.argument("dataset")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("plan.toml"),
    show_default=True,
    metavar="TOML",
    help="File for the plan.",
)
@data_options
@recipe_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON, nothing else.")
def plan(
    dataset: str, out: Path, reading: DataOptions, asked: dict[str, Any], as_json: bool
) -> None:
    """Say what a training on DATASET would do, why, and what it expects; nothing is trained.

    The plan lies in a file that can be edited and given back to fewmask train.
    """
    out = expanded(out)
    if out.exists():
        raise ArgumentError(
            f"--out {out}",
            "a new file",
            "one that is there already, and may have been edited",
            "Name another one with --out, or remove it.",
        )
    check_can_write(out)
    # Said before the imports that take seconds.
    click.echo("Starting Keras", err=True)
    from fewmask.cli.watch import Watch, make_console

    with Watch(make_console(stderr=as_json)) as watch:
        watch.wait("starting Keras")
        from fewmask.training import preparation

        planned = preparation.plan(
            dataset, listener=watch, began=BEGAN, **reading.keywords(), **asked
        )
        write_text(out, planned.to_toml())
    if as_json:
        facts = tomllib.loads(planned.to_toml())
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    click.echo(f"Plan: {click.format_filename(out.absolute())}")
    click.echo(f"Then: {reading.command('fewmask', 'train', dataset, '--plan', str(out))}")
