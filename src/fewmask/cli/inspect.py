"""The command `fewmask inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.errors import ArgumentError, typed
from fewmask.files import check_suffix, expanded

if TYPE_CHECKING:
    from fewmask.data.classes import Classes
    from fewmask.data.fingerprint import Fingerprint


@click.command("inspect", epilog="Example: fewmask inspect photos/ --out contact.png")
@click.argument("dataset")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PNG",
    help="Picture of twelve samples with their masks outlined.  "
    "[default: contact.png, here or beside DATASET]",
)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON, nothing else.")
def inspect(dataset: str, out: Path | None, reading: DataOptions, as_json: bool) -> None:
    """Show what DATASET is taken for: pairs, parts, classes; nothing is trained.

    DATASET is a folder of images and masks, or the name of an installed dataset.
    """
    # Said before the imports that take most of a second.
    click.echo(f"Reading {dataset}", err=True)
    from fewmask.cli.watch import Watch, make_console
    from fewmask.data.contact_sheet import draw_contact_sheet
    from fewmask.data.fingerprint import take_fingerprint
    from fewmask.data.parts import assign_parts
    from fewmask.packages.load import load_dataset

    sheet = _outside(dataset, out)
    with Watch(make_console(stderr=as_json)) as watch:
        samples = load_dataset(
            dataset,
            **reading.keywords(),
            progress=watch.progress("reading the dataset"),
            drawing=watch.progress("drawing demo/chairs, once"),
        )
        fingerprint = take_fingerprint(samples, watch.progress("measuring the images"))
        has_masks = samples.mask_column is not None
        parts = assign_parts(samples, class_ids=fingerprint.class_ids) if has_masks else None
        draw_contact_sheet(samples, sheet)
    findings = (*samples.findings, *(parts.findings if parts else ("Its images have no masks.",)))
    if as_json:
        facts = {
            "dataset": samples.name,
            "findings": findings,
            "classes": samples.classes and samples.classes.to_json(),
            "parts": parts
            and {
                "train": len(parts.train),
                "validation": len(parts.validation or ()),
                "test": len(parts.test),
            },
            "contact_sheet": str(sheet),
            "fingerprint": json.loads(fingerprint.to_json()),
        }
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    click.echo(f"{samples.name}: {len(samples)} images")
    for sentence in findings:
        click.echo(f"  {sentence}")
    if samples.classes is not None:
        _print_outlines(samples.classes, fingerprint)
    click.echo(f"Look at {click.format_filename(sheet.absolute())}: is that what you meant?")
    if has_masks:
        click.echo(f"Then: {reading.command('fewmask', 'train', dataset)}")
    else:
        click.echo("Then draw their masks: training needs them.")


def _outside(dataset: str, out: Path | None) -> Path:
    """Finds a place for the contact sheet where nobody will take it for an image or a mask."""
    folder = expanded(dataset).resolve()
    sheet = expanded(out or "contact.png")
    check_suffix(sheet, (".png",), "Name the picture with --out, contact.png for example.")
    if not sheet.resolve().is_relative_to(folder):
        return sheet
    beside = folder.with_name("contact.png")
    if out is None:
        return beside
    raise ArgumentError(
        f"--out {out}",
        "a place outside the dataset",
        "one inside, where it would be taken for an image or a mask",
        f"Try --out {typed(beside)}",
    )


def _print_outlines(classes: Classes, fingerprint: Fingerprint) -> None:
    """Tells which outline of the picture is which class, in its colour where there is colour."""
    listed = zip(classes.names, classes.colors, fingerprint.class_images, strict=True)
    for class_id, (name, color, images) in enumerate(listed):
        if class_id > 0:  # the background has no outline
            square = click.style("■", fg=color)
            code = "#{:02X}{:02X}{:02X}".format(*color)
            click.echo(
                f"  {square} {name} is outlined in {code}, "
                f"in {images} of {fingerprint.num_images} images"
            )
