"""The command `fewmask build`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.errors import ArgumentError, typed

if TYPE_CHECKING:
    from fewmask.cli.watch import Watch
    from fewmask.data.dataset import Dataset
    from fewmask.packages.build import Built


@click.command(
    "build", epilog="Example: fewmask build rohan/chairs-with-masks photos/ --license CC-BY-4.0"
)
@click.argument("name")
@click.argument("folder", required=False)
@click.option(
    "--license",
    "license_",
    metavar="ID",
    help="Licence of the images and masks, such as CC-BY-4.0; 'unknown' must be written out.",
)
@click.option(
    "--description",
    help="What it shows, for its card.  [default: the text of README.md in FOLDER]",
)
@click.option("--config", metavar="JSON", help="Build from a configuration of brine instead.")
@click.option(
    "--data-dir", metavar="DIR", help="Build from images without masks instead, as brine did."
)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def build(
    name: str,
    folder: str | None,
    license_: str | None,
    description: str | None,
    config: str | None,
    data_dir: str | None,
    reading: DataOptions,
    as_json: bool,
) -> None:
    """Build NAME, a dataset that travels by its name, from FOLDER.

    NAME is owner/name; each build is a new version, and owner/name@3 asks for that one. FOLDER
    holds images and masks, or Parquet files, or is itself the name of an installed dataset.
    """
    _check(name, folder, license_, config, data_dir, reading)
    source = folder or config or data_dir or ""
    # Said before the imports that take most of a second.
    click.echo(f"Reading {source}", err=True)
    from fewmask.cli.watch import Watch, make_console
    from fewmask.packages.build import build_package
    from fewmask.packages.card import text_of_folder

    with Watch(make_console(stderr=as_json)) as watch:
        dataset, made_from = _read(folder, config, data_dir, reading, watch)
        for sentence in dataset.findings:
            click.echo(f"  {sentence}", err=as_json)
        built = build_package(
            name,
            dataset,
            license=str(license_),
            description=text_of_folder(source) if description is None else description,
            made_from=made_from,
            checking=watch.progress("checking every pixel"),
            packing=watch.progress("packing"),
        )
    if as_json:
        click.echo(json.dumps(_facts(built), ensure_ascii=False, indent=1))
    else:
        _report(built)


def _facts(built: Built) -> dict[str, Any]:
    manifest = built.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "new": built.is_new,
        "images": manifest.rows,
        "bytes": manifest.size,
        "bytes_shared": built.shared,
        "licence": manifest.licence,
        "contact_sheet": None if built.sheet is None else str(built.sheet),
    }


def _check(
    name: str,
    folder: str | None,
    license_: str | None,
    config: str | None,
    data_dir: str | None,
    reading: DataOptions,
) -> None:
    """Refuses what can be refused before anything is read."""
    from fewmask.packages.licences import check_licence
    from fewmask.packages.names import parse_name

    parse_name(name)
    sources = [source for source in (folder, config, data_dir) if source]
    if len(sources) != 1:
        raise ArgumentError(
            "fewmask build",
            "one of FOLDER, --config and --data-dir",
            "none" if not sources else " and ".join(sources),
            f"Try: {typed('fewmask', 'build', name, 'photos/', '--license', 'CC-BY-4.0')}",
        )
    of_masks = replace(reading, max_pixels=None)
    if data_dir is not None and (idle := of_masks.options()):
        raise ArgumentError(
            "--data-dir",
            "nothing about masks, because its images have none",
            typed(*idle),
            "Leave it out, or build from FOLDER.",
        )
    if license_ is None:
        raise ArgumentError(
            "--license",
            "the licence under which others may use the images",
            "none",
            "Name one, such as CC-BY-4.0 or CC0-1.0; if nobody knows it: --license unknown",
        )
    check_licence(license_)


def _read(
    folder: str | None,
    config: str | None,
    data_dir: str | None,
    reading: DataOptions,
    watch: Watch,
) -> tuple[Dataset, dict[str, Any]]:
    """Reads the samples, and says for the manifest where they are from."""
    from fewmask.data.masks.decisions import MaskDecisions
    from fewmask.packages.brine import extra_data, read_brine_config, read_images
    from fewmask.packages.load import load_dataset

    progress = watch.progress("reading the dataset")
    if folder is not None:
        dataset = load_dataset(folder, **reading.keywords(), progress=progress)
        encoding = {"masks": dataset.encoding.describe()} if dataset.encoding else {}
        return dataset, {"dataset": dataset.name, **encoding}
    limit = {} if reading.max_pixels is None else {"max_pixels": reading.max_pixels}
    if config is not None:
        decisions = MaskDecisions(reading.classes, reading.ignore_index, reading.threshold)
        dataset = read_brine_config(
            config, decisions, progress=progress, masks=reading.masks, **limit
        )
        extra = extra_data(config)
        kept = {} if extra is None else {"extra_data": extra}
        return dataset, {"brine_config": Path(config).name, **kept}
    return read_images(str(data_dir), **limit), {"images": Path(str(data_dir)).resolve().name}


def _report(built: Built) -> None:
    """Says what was built, shows its classes, and what to do next."""
    from fewmask.cli.package_text import class_lines
    from fewmask.packages.progress import bytes_text

    manifest = built.manifest
    if built.is_new:
        shared = f", of which {bytes_text(built.shared)} are in the version before too"
        click.echo(
            f"Built {manifest.dataset}: {manifest.rows} images, {bytes_text(manifest.size)}"
            f"{shared if built.shared else ''}; licence {manifest.licence}"
        )
    else:
        click.echo(f"Nothing has changed since {manifest.dataset}, so there is no new version.")
    for line in class_lines(manifest):
        click.echo(f"  {line}")
    if built.sheet is not None:
        click.echo(f"Look at {click.format_filename(built.sheet)}: is that what you meant?")
    name = manifest.name
    click.echo(f"Publish it: {typed('fewmask', 'push', name)} --to FOLDER-OR-ADDRESS")
    click.echo(f"Or train on it: {typed('fewmask', 'train', manifest.dataset)}")
