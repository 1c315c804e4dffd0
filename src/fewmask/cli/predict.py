"""The command `fewmask predict`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewmask.cli.keras_model import load_keras_model
from fewmask.data.wording import counted
from fewmask.errors import typed

if TYPE_CHECKING:
    from fewmask.data.classes import Classes
    from fewmask.inference.predict_files import Outcome, Result

_FAILURES_SHOWN = 10


@click.command("predict", epilog="Example: fewmask predict runs/chairs photos/ --out masks")
@click.argument("run")
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out",
    default="predicted",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the results.",
)
@click.option("--overwrite", is_flag=True, help="Replace earlier results.")
@click.option(
    "--overlay/--no-overlay",
    default=True,
    show_default=True,
    help="Also write pictures to look at.",
)
@click.option(
    "--probability",
    is_flag=True,
    help="Also write how probable each class is: 16-bit PNG for two classes, .npz for more.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    help="Refuse images with more pixels.  [default: 200000000]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def predict(
    run: str,
    sources: tuple[str, ...],
    out: Path,
    overwrite: bool,
    overlay: bool,
    probability: bool,
    max_pixels: int | None,
    as_json: bool,
) -> None:
    """Make label maps and overlays of photographs.

    RUN is the folder of a training, its name in runs/, or a model.onnx. SOURCES are images,
    folders of them, or patterns such as '*.jpg'.
    """
    # Said before the imports that take most of a second.
    click.echo(f"Loading {run}", err=True)
    from fewmask.data.imageio import DEFAULT_MAX_PIXELS
    from fewmask.inference.predict import load
    from fewmask.inference.predict_files import predict_files

    predictor = load(run, keras_model=load_keras_model)
    with _progress_bar() as progress:
        outcome = predict_files(
            predictor,
            sources,
            out,
            overwrite=overwrite,
            overlay=overlay,
            probability=probability,
            max_pixels=max_pixels or DEFAULT_MAX_PIXELS,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(_as_json(outcome), ensure_ascii=False, indent=1))
    else:
        _print_summary(outcome, predictor.bundle.classes, run)
    if outcome.failed:
        sys.exit(2)


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Lends a callable that draws a bar."""
    with ExitStack() as stack:
        advance: Callable[[int, int], None] | None = None

        def show(done: int, total: int) -> None:
            nonlocal advance
            if total == 1:
                return  # nothing to see, and importing Rich would take a tenth of the time
            if advance is None:
                from fewmask.cli.watch import Watch, make_console

                watch = stack.enter_context(Watch(make_console(stderr=True)))
                advance = watch.progress("predicting")
            advance(done, total)

        yield show


def _print_summary(outcome: Outcome, classes: Classes, run: str) -> None:
    written, failed = outcome.written, outcome.failed
    if len(written) == 1:
        _print_one(written[0])
    elif written:
        _print_many(outcome, classes)
    if failed:
        click.echo(f"{counted(len(failed), 'image')} could not be predicted:", err=True)
        for _, sentence in failed[:_FAILURES_SHOWN]:
            click.echo(f"  {sentence}", err=True)
        if len(failed) > _FAILURES_SHOWN:
            rest = len(failed) - _FAILURES_SHOWN
            click.echo(f"  and {rest} more; --json lists them all", err=True)
    if written and not Path(run).is_file():  # scores are written into the folder of a run
        click.echo(
            f"Have masks of such images? Score the model: fewmask evaluate {typed(run)} FOLDER"
        )


def _print_one(result: Result) -> None:
    click.echo(_name(result.image))
    shares = sorted(result.area_shares.items(), key=lambda item: -item[1])
    for name, share in shares:
        click.echo(f"  {name}: {100 * share:.1f} % of the area")
    for label, path in (
        ("mask", result.mask),
        ("overlay", result.overlay),
        ("probability", result.probability),
    ):
        if path is not None:
            click.echo(f"{label}: {_name(path)}")


def _print_many(outcome: Outcome, classes: Classes) -> None:
    number = counted(len(outcome.written), "image")
    click.echo(f"{number} predicted, the results are in {_name(outcome.out)}")
    for name in classes.names[1:]:
        shares = [result.area_shares[name] for result in outcome.written]
        found = [share for share in shares if share > 0]
        mean = f", {100 * sum(found) / len(found):.1f} % of their area" if found else ""
        click.echo(f"  {name}: in {len(found)} of {len(shares)}{mean}")


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "out": _name(outcome.out),
        "written": [
            {
                "image": _name(result.image),
                "mask": _name(result.mask),
                "overlay": result.overlay and _name(result.overlay),
                "probability": result.probability and _name(result.probability),
                "area_shares": result.area_shares,
            }
            for result in outcome.written
        ],
        "failed": [{"image": _name(path), "error": sentence} for path, sentence in outcome.failed],
    }


def _name(path: Path) -> str:
    # A name that is no valid UTF-8, of an old archive say, is shown with marks, not a traceback.
    return click.format_filename(path)
