"""The command `fewmask install`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewmask.errors import ArgumentError, typed

if TYPE_CHECKING:
    from fewmask.cli.transfer import Transfer
    from fewmask.packages.search import Installed


DEMO = "demo/chairs"
"""Also in `packages/load.py`, which takes most of a second to import."""


@click.command("install", epilog="Example: fewmask install rohan/chairs-with-masks@3")
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    metavar="REGISTRY",
    help="Name of a registry in your list, a folder, or an address: https://, s3://, gs://, "
    "ssh://, hf://.  [default: those in your list]",
)
@click.option("--offline", is_flag=True, help="Ask nobody; take what is on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def install(name: str | None, source: str | None, offline: bool, as_json: bool) -> None:
    """Bring a dataset to this machine: NAME is owner/name, owner/name@3 or hf://owner/name.

    What is installed is pinned in fewmask.lock in the folder where you type. Without NAME,
    everything that fewmask.lock pins is installed.
    """
    if name == DEMO and as_json:
        nothing = {"registry": "", "fetched": 0, "shared": 0, "replaced": None}
        click.echo(json.dumps([{"dataset": DEMO, **nothing}], indent=1))
        return
    if name == DEMO:
        click.echo(f"{DEMO} is part of fewmask: it is drawn when it is first used.")
        click.echo(f"Then: fewmask train {DEMO}")
        return
    if name is not None and name.startswith("demo/"):
        raise ArgumentError(
            name,
            f"{DEMO}, the only dataset of the owner 'demo', who is fewmask itself",
            "another name or a version",
            f"Run: fewmask train {DEMO}",
        )
    from fewmask.packages.install import install as bring
    from fewmask.packages.install import install_pinned
    from fewmask.packages.lockfile import LOCKFILE

    lock = Path(LOCKFILE)
    if name is None and source is not None:
        raise ArgumentError(
            f"--from {source}",
            "the name of a dataset beside it",
            "none",
            f"Try: {typed('fewmask', 'install', 'owner/name', '--from', source)}",
        )
    with _Shown(name or f"what {LOCKFILE} pins") as shown:
        if name is None:
            done = install_pinned(lock, offline=offline, progress=shown.progress, say=shown.say)
        else:
            one = bring(
                name,
                source=source,
                lock=lock,
                offline=offline,
                progress=shown.progress,
                say=shown.say,
            )
            done = [one]
    if as_json:
        click.echo(json.dumps([_facts(each) for each in done], ensure_ascii=False, indent=1))
        return
    for each in done:
        click.echo(_sentence(each))
        if each.replaced is not None:
            click.echo(f"{LOCKFILE} pinned {each.replaced} before.")
    newest = name is not None and "@" not in name
    then = done[0].name.path if newest else str(done[0].name)
    click.echo(f"Then: {typed('fewmask', 'train', then, *_say_masks(done[0]))}")


def _say_masks(installed: Installed) -> list[str]:
    """Says which columns could hold the masks if that is open; returns the option to type."""
    if not installed.manifest.lacks_mask_column:
        return []
    from fewmask.packages.opening import masks_to_choose
    from fewmask.packages.store import default_store

    columns = masks_to_choose(installed.manifest, default_store())
    click.echo(f"Its masks could be in {' or '.join(columns)}: say which with --masks.")
    return ["--masks", columns[-1]]


class _Shown:
    """Shows a transfer once there is one: for what is there already, drawing takes too long."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._closing = ExitStack()
        self._transfer: Transfer | None = None

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def progress(self, done: int, total: int) -> None:
        """Shows that so many bytes of so many are there."""
        if total and self._transfer is None:
            from fewmask.cli.transfer import Transfer

            self._transfer = self._closing.enter_context(Transfer(f"fetching {self._what}"))
        if self._transfer is not None:
            self._transfer(done, total)

    def say(self, sentence: str) -> None:
        """Shows a sentence."""
        click.echo(sentence, err=True)


def _sentence(installed: Installed) -> str:
    from fewmask.packages.progress import bytes_text

    name, url = installed.name, installed.registry
    if not installed.fetched:
        newest = f", the newest in {url}" if url else ""
        return f"{name} is installed already{newest}."
    shared = (
        f", {bytes_text(installed.shared)} shared with what was here" if installed.shared else ""
    )
    return f"Installed {name} from {url}: {bytes_text(installed.fetched)} fetched{shared}."


def _facts(installed: Installed) -> dict[str, object]:
    return {
        "dataset": str(installed.name),
        "registry": installed.registry,
        "fetched": installed.fetched,
        "shared": installed.shared,
        "replaced": str(installed.replaced) if installed.replaced else None,
    }
