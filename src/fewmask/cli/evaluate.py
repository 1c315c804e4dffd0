"""The command `fewmask evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.cli.keras_model import load_keras_model
from fewmask.errors import typed


@click.command("evaluate", epilog="Example: fewmask evaluate runs/chairs photos/ --part test")
@click.argument("run")
@click.argument("dataset")
@click.option("--part", help="Score only this part: train, val or test.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of scores.json and report.html.  [default: evaluations/ in the run]",
)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON, nothing else.")
def evaluate(
    run: str, dataset: str, part: str | None, out: Path | None, reading: DataOptions, as_json: bool
) -> None:
    """Score RUN on the images of DATASET, whole and at their own size.

    RUN is the folder of a training, or its name in runs/. DATASET is a folder of images and
    masks, or the name of an installed dataset. The scores say whether the model has seen the
    images before.
    """
    # Said before the imports that take most of a second.
    click.echo(f"Evaluating {run}", err=True)
    from fewmask.cli.watch import Watch, make_console
    from fewmask.evaluation.judgement import evaluate_run
    from fewmask.packages.load import load_dataset
    from fewmask.run import open_run

    opened = open_run(run)
    with Watch(make_console(stderr=as_json)) as watch:
        samples = load_dataset(
            dataset,
            **reading.keywords(),
            progress=watch.progress("reading the dataset"),
            drawing=watch.progress("drawing demo/chairs, once"),
        )
        # Of an installed dataset this names the version.
        click.echo(f"On {samples.name}", err=True)
        evaluation, folder = evaluate_run(
            opened,
            samples,
            part=part,
            folder=out,
            progress=watch.progress("scoring the images"),
            keras_model=load_keras_model,
        )
    if as_json:
        click.echo(evaluation.to_json())
        return
    for line in evaluation.summary_lines():
        click.echo(line)
    click.echo(f"Report: {(folder / 'report.html').absolute()}")
    click.echo(f"Use the model: fewmask predict {typed(run)} PHOTO.jpg")
