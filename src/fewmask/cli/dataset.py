"""The commands `fewmask dataset …`: what is installed here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from fewmask.cli.data_options import DataOptions, data_options
from fewmask.data.wording import counted
from fewmask.errors import typed
from fewmask.files import check_suffix, expanded


@click.group("dataset", epilog="Begin with: fewmask dataset list")
def dataset() -> None:
    """Look after the datasets that are installed here."""


@dataset.command("list", epilog="Example: fewmask dataset list")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, nothing else.")
def list_(as_json: bool) -> None:
    """List the installed datasets, the newest first, and the disk they use."""
    from fewmask.cli.package_text import table
    from fewmask.packages.overview import look_over
    from fewmask.packages.progress import bytes_text
    from fewmask.packages.store import default_store

    store = default_store()
    overview = look_over(store)
    if as_json:
        facts = {
            "store": str(store.root),
            "bytes": overview.size,
            "datasets": [
                {
                    "name": str(entry.name),
                    "versions": [manifest.version for manifest in entry.manifests],
                    "images": entry.manifests[0].rows if entry.manifests else None,
                    "licence": entry.manifests[0].licence if entry.manifests else None,
                    "bytes": entry.size,
                    "damaged": [name.version for name, _ in entry.damaged],
                }
                for entry in overview.entries
            ],
        }
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    if not overview.entries:
        click.echo(f"No dataset is installed in {click.format_filename(store.root)}.")
        click.echo("Bring one: fewmask install OWNER/NAME")
        click.echo("Or build one: fewmask build OWNER/NAME FOLDER --license ID")
        return
    rows = []
    for entry in overview.entries:
        newest = entry.manifests[0] if entry.manifests else None
        versions = ", ".join(str(manifest.version) for manifest in entry.manifests) or "damaged"
        rows.append(
            (
                str(entry.name),
                versions,
                str(newest.rows) if newest else "",
                bytes_text(entry.size),
                newest.licence if newest else "",
            )
        )
    for line in table(("DATASET", "VERSIONS", "IMAGES", "ON DISK", "LICENCE"), rows):
        click.echo(line)
    for entry in overview.entries:
        for name, reason in entry.damaged:
            click.echo(f"{name}: its manifest cannot be read ({reason})")
    used = f"They use {bytes_text(overview.size)} of {click.format_filename(store.root)}"
    if overview.unfinished:
        used += f"; unfinished downloads and builds {bytes_text(overview.unfinished)}"
    if overview.set_aside:
        used += f"; damaged files that were set aside {bytes_text(overview.set_aside)}"
    click.echo(f"{used}.")
    click.echo(f"Look at one: {typed('fewmask', 'dataset', 'info', overview.entries[0].name)}")


@dataset.command("info", epilog="Example: fewmask dataset info rohan/chairs-with-masks")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print its manifest, nothing else.")
def info(name: str, as_json: bool) -> None:
    """Show what the installed dataset NAME holds: classes, sizes, licence, a contact sheet."""
    from fewmask.cli.package_text import class_lines, parts_text, sizes_text
    from fewmask.packages.names import parse_name
    from fewmask.packages.overview import sheet_file
    from fewmask.packages.progress import bytes_text
    from fewmask.packages.statistics import Statistics
    from fewmask.packages.store import default_store

    store = default_store()
    asked = parse_name(name)
    manifest = store.manifest(asked)
    if as_json:
        click.echo(store.manifest_bytes(manifest.dataset).decode("utf-8"), nl=False)
        return
    statistics = Statistics.from_json(manifest.statistics, manifest.dataset)
    click.echo(f"{manifest.dataset}, licence {manifest.licence}")
    for line in manifest.description.strip().splitlines():
        click.echo(f"  {line}" if line else "")
    sizes = f", {sizes_text(statistics)}" if statistics else ""
    click.echo(f"{parts_text(manifest)}{sizes}, {bytes_text(manifest.size)}")
    for line in class_lines(manifest):
        click.echo(f"  {line}")
    others = [column for column in manifest.columns if column.kind not in ("image", "mask")]
    for column in others:
        click.echo(f"  column {column!r}")
    origin = "; ".join(f"{key} {value}" for key, value in manifest.made_from.items())
    made = f"Made {manifest.created[:10]} by {manifest.made_by}" if manifest.made_by else "Made"
    click.echo(f"{made} from {origin or 'nobody says what'}")
    versions = store.versions(asked)
    if len(versions) > 1:
        click.echo(f"Installed versions: {', '.join(map(str, reversed(versions)))}")
    sheet = sheet_file(store, manifest)
    if sheet is not None:
        click.echo(f"Look at {click.format_filename(sheet)}")
    click.echo(f"Train on it: {typed('fewmask', 'train', manifest.dataset)}")


@dataset.command("verify", epilog="Example: fewmask dataset verify")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print what is damaged as JSON.")
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Read every byte of the datasets NAMES again, or of all, and report what is damaged."""
    from fewmask.cli.watch import Watch, make_console
    from fewmask.packages.names import parse_name
    from fewmask.packages.store import default_store
    from fewmask.packages.verify import verify as check

    store = default_store()
    asked = store.names()
    if names:
        asked = [name for text in names for name in store.matching(parse_name(text))]
    with Watch(make_console(stderr=as_json)) as watch:
        bad = check(store, asked, watch.progress("reading every byte"))
    if as_json:
        damage = [{"name": str(f.name), "path": f.path, "problem": f.problem} for f in bad]
        facts = {"verified": [str(name) for name in asked], "damaged": damage}
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        sys.exit(2 if bad else 0)
    if not asked:
        click.echo("No dataset is installed, so there is nothing to verify.")
        click.echo("Bring one: fewmask install OWNER/NAME")
        return
    for file in bad:
        remedy = f". {file.remedy}" if file.remedy else ""
        click.echo(f"{file.name}: {file.path} is {file.problem}{remedy}")
    gone = sorted({file.name for file in bad if file.remedy is None})
    if gone:
        click.echo("What was damaged no longer counts as installed. Get it again:")
        for name in gone:
            click.echo(f"  {typed('fewmask', 'install', name)}")
    if bad:
        sys.exit(2)
    count = counted(len(asked), "version")
    click.echo(f"All files of {count} are what was published, byte for byte.")
    click.echo(f"Train on one: {typed('fewmask', 'train', asked[-1].path)}")


@dataset.command("diff", epilog="Example: fewmask dataset diff rohan/chairs@1 rohan/chairs@2")
@click.argument("old")
@click.argument("new")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("diff.png"),
    show_default=True,
    metavar="PNG",
    help="Drawing of the masks that changed.",
)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON, nothing else.")
def diff(old: str, new: str, out: Path, reading: DataOptions, as_json: bool) -> None:
    """Show what changed from OLD to NEW: rows, and in changed masks which pixels.

    Options about masks are for datasets that somebody else has made: others say what they hold.
    """
    from fewmask.cli.package_text import change_lines, difference_to_json
    from fewmask.cli.watch import Watch, make_console
    from fewmask.data.imageio import write_png
    from fewmask.packages.diff import compare
    from fewmask.packages.diff_sheet import draw_difference
    from fewmask.packages.names import parse_name
    from fewmask.packages.reading import Reading
    from fewmask.packages.store import default_store

    out = expanded(out)
    check_suffix(out, (".png",), "Name the drawing with --out, diff.png for example.")
    store = default_store()
    before, after = (store.manifest(parse_name(name)) for name in (old, new))
    how = Reading.of(**reading.keywords())
    with Watch(make_console(stderr=as_json)) as watch:
        difference = compare(store, before, after, watch.progress("comparing the rows"), how)
        drawing = draw_difference(difference)
    if drawing is not None:
        write_png(out, drawing)
    if as_json:
        facts = difference_to_json(difference, None if drawing is None else out)
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    click.echo(f"From {before.dataset} to {after.dataset}:")
    for line in change_lines(difference):
        click.echo(f"  {line}")
    if drawing is not None:
        click.echo(f"Look at {click.format_filename(out.absolute())}: which pixels changed")
    click.echo(f"Train on the newer one: {typed('fewmask', 'train', after.dataset)}")


@dataset.command("export", epilog="Example: fewmask dataset export rohan/chairs chairs/")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def export(name: str, folder: Path, as_json: bool) -> None:
    """Write NAME into FOLDER as on the Hugging Face Hub: its card, and Parquet files."""
    from fewmask.cli.watch import Watch, make_console
    from fewmask.packages.export import export_package
    from fewmask.packages.names import parse_name
    from fewmask.packages.progress import bytes_text
    from fewmask.packages.store import default_store

    store = default_store()
    manifest = store.manifest(parse_name(name))
    with Watch(make_console(stderr=as_json)) as watch:
        export_package(store, manifest, folder, watch.progress("copying"))
    if as_json:
        facts = {
            "dataset": str(manifest.dataset),
            "folder": str(folder),
            "files": len(manifest.files),
            "bytes": manifest.size,
        }
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    click.echo(
        f"{manifest.dataset}: {len(manifest.files)} files, {bytes_text(manifest.size)}, in "
        f"{click.format_filename(folder)}"
    )
    click.echo(f'Open it elsewhere: datasets.load_dataset("{folder}")')
    click.echo(f"Or train on it: {typed('fewmask', 'train', folder)}")


@dataset.command("uninstall", epilog="Example: fewmask dataset uninstall rohan/chairs@1")
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print what is gone as JSON, nothing else.")
def uninstall(names: tuple[str, ...], as_json: bool) -> None:
    """Remove the datasets NAMES; owner/name@1 only that version, owner/name all of them."""
    from fewmask.packages.names import parse_name
    from fewmask.packages.progress import bytes_text
    from fewmask.packages.store import default_store

    store = default_store()
    gone = [(text, store.matching(parse_name(text))) for text in names]
    removed: list[str] = []
    freed = 0
    for text, found in gone:
        still = [str(name) for name in found if str(name) not in removed]
        if still:
            of_these = store.remove_version(parse_name(text))
            if not as_json:
                click.echo(f"Removed {', '.join(still)}; {bytes_text(of_these)} are free again.")
            removed += still
            freed += of_these
    if as_json:
        click.echo(json.dumps({"removed": removed, "bytes": freed}, ensure_ascii=False, indent=1))
        return
    click.echo(f"Get it again, if it was published: {typed('fewmask', 'install', names[-1])}")
