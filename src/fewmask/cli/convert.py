"""The command `fewmask convert`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.errors import typed
from fewmask.files import expanded

if TYPE_CHECKING:
    from fewmask.data.formats.convert import Conversion


@click.command("convert", epilog="Example: fewmask convert annotations.json photos/")
@click.argument("source")
@click.argument("images", required=False)
@click.option(
    "--to",
    default="folder",
    show_default=True,
    metavar="FORMAT",
    help="folder (images/ and masks/), coco, coco-rle, labelme, yolo, voc, cvat, label-studio, "
    "label-studio-brush, cityscapes, kaggle, supervisely or tiff.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The new folder.  [default: named after the source, here]",
)
@click.option(
    "--from",
    "read_as",
    metavar="FORMAT",
    help="Format of SOURCE, if it could be several: folder, coco, labelme, yolo, voc, cvat, "
    "label-studio, cityscapes, kaggle or supervisely.",
)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON, nothing else.")
def convert(
    source: str,
    images: str | None,
    to: str,
    out: Path | None,
    read_as: str | None,
    reading: DataOptions,
    as_json: bool,
) -> None:
    """Convert labels to a folder that can be trained on, or a dataset to another format.

    SOURCE is a file or folder of labels as a tool or contest stores them, a folder of images
    and masks or of Parquet files, or a dataset by its name. IMAGES is the folder of the images,
    where they lie apart. Nothing is changed: images are copied.
    """
    # Said before the imports that take most of a second.
    click.echo(f"Reading {source}", err=True)
    from fewmask.cli.watch import Watch, make_console
    from fewmask.data.dataset import Dataset
    from fewmask.data.formats.convert import convert as convert_labels
    from fewmask.packages.load import load_dataset

    keywords = reading.keywords()
    with Watch(make_console(stderr=as_json)) as watch:
        given: str | Dataset = source
        path = expanded(source)
        if not path.exists() or (read_as is None and _is_packed(path)):
            given = load_dataset(
                source,
                **keywords,
                progress=watch.progress("reading the dataset"),
                drawing=watch.progress("drawing demo/chairs, once"),
            )
        watch.wait("reading the labels")
        done = convert_labels(
            given,
            images,
            to=to,
            out=out,
            read_as=read_as,
            **keywords,
            reading=watch.progress("reading the dataset"),
            progress=watch.progress("converting"),
        )
    if as_json:
        click.echo(json.dumps(_as_json(done), ensure_ascii=False, indent=1))
        return
    _print(done, source)


def _is_packed(path: Path) -> bool:
    """Whether a path is a dataset of Parquet files; a lone table may lie beside labels."""
    from fewmask.packages.hubfolder import list_parquet

    if not (path.is_dir() and list_parquet(path)):
        return False
    from fewmask.packages.opening import holds_images

    return holds_images(path)


def _print(done: Conversion, source: str) -> None:
    from fewmask.data.formats.labels import TITLES
    from fewmask.data.wording import counted, some

    what = TITLES.get(done.source, "a dataset")
    classes = some(done.classes[1:], 8)
    click.echo(f"{source}: {what}, {counted(done.num_images, 'image')} of {classes}")
    for sentence in filter(None, (*done.findings, done.lost)):
        click.echo(f"  {sentence}")
    click.echo(f"Written to {click.format_filename(done.out)}")
    inspected = done.to in ("folder", "tiff")
    verb = "inspect" if inspected else "convert"
    click.echo(f"{'Then' if inspected else 'To read it back'}: {typed('fewmask', verb, done.out)}")


def _as_json(done: Conversion) -> dict[str, object]:
    return {
        "out": click.format_filename(done.out),
        "from": done.source,
        "to": done.to,
        "images": done.num_images,
        "classes": done.classes,
        "findings": done.findings,
        "lost": done.lost,
    }
