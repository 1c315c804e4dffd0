"""The command `fewmask push`."""

from __future__ import annotations

import json

import click

from fewmask.errors import typed


@click.command(
    "push", epilog="Example: fewmask push rohan/chairs-with-masks --to s3://bucket/registry"
)
@click.argument("name")
@click.option(
    "--to",
    "to",
    required=True,
    metavar="REGISTRY",
    help="Name of a registry in your list, a folder, or an address: s3://, gs://, ssh://, hf://.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
def push(name: str, to: str, as_json: bool) -> None:
    """Publish NAME, a dataset that was built or installed here, in a registry.

    NAME is owner/name for the newest version, or owner/name@3. A version that is published
    never changes; files that the registry has already are not sent again.
    """
    from fewmask.cli.transfer import Transfer
    from fewmask.packages.progress import bytes_text
    from fewmask.packages.push import push as publish

    with Transfer(f"pushing {name}") as transfer:
        pushed = publish(name, to, progress=transfer)
    if as_json:
        facts = {
            "dataset": str(pushed.name),
            "registry": pushed.url,
            "new": pushed.new,
            "sent": pushed.sent,
            "shared": pushed.shared,
            "note": pushed.note,
        }
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    if pushed.new:
        click.echo(
            f"Pushed {pushed.name} to {pushed.url}: {bytes_text(pushed.sent)} sent"
            + (f", {bytes_text(pushed.shared)} were there already." if pushed.shared else ".")
        )
    else:
        click.echo(
            f"{pushed.name} is in {pushed.url} already, with the same content"
            + (
                f"; {bytes_text(pushed.sent)} that were missing are there now."
                if pushed.sent
                else "."
            )
        )
    if pushed.note:
        click.echo(pushed.note)
    if pushed.url.startswith("hf://"):
        click.echo(
            "A repository that is new is private: its settings on the Hub open it to others."
        )
        click.echo(f"Others type: fewmask install {typed(pushed.url)}")
        return
    click.echo(
        f"Others type: {typed('fewmask', 'install', pushed.name.path, '--from', pushed.url)}"
    )
