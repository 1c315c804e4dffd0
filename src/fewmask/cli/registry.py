"""The commands `fewmask registry add`, `list` and `remove`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fewmask.errors import typed

if TYPE_CHECKING:
    from fewmask.packages.registries import KnownRegistry


@click.group("registry", epilog="Example: fewmask registry add lab https://example.org/registry")
def registry() -> None:
    """Keep the list of places that datasets are installed from."""


@registry.command("add", epilog="Example: fewmask registry add lab /mnt/lab/registry")
@click.argument("name")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, nothing else.")
def add(name: str, url: str, as_json: bool) -> None:
    """Add the registry at URL to your list, and call it NAME.

    URL is a folder, or begins with https://, http://, s3://, gs://, ssh:// or hf://.
    """
    from fewmask.packages.registries import add_registry, list_path

    added = add_registry(name, url)
    if as_json:
        click.echo(json.dumps(_facts(added), ensure_ascii=False, indent=1))
        return
    click.echo(f"Added {added.name}: {added.url}")
    click.echo(f"The list is {click.format_filename(list_path())}")
    click.echo("Then: fewmask install owner/name")


@registry.command("list", epilog="Example: fewmask registry list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, nothing else.")
def list_(as_json: bool) -> None:
    """Show your list, in the order in which registries are asked."""
    from fewmask.packages.registries import known_registries, list_path

    known = known_registries()
    if as_json:
        facts = [_facts(each) for each in known]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    width = max((len(each.name) for each in known), default=0)
    for each in known:
        click.echo(f"{each.name:{width}}  {each.url}")
    if known:
        click.echo(f"The list is {click.format_filename(list_path())}")
        click.echo(f"Then: fewmask install owner/name, or with --from {typed(known[-1].name)}")
    else:
        click.echo("Your list is empty.")
        click.echo("Add to it: fewmask registry add NAME URL")


@registry.command("remove", epilog="Example: fewmask registry remove lab")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, nothing else.")
def remove(name: str, as_json: bool) -> None:
    """Take the registry NAME off your list; its datasets stay where they are."""
    from fewmask.packages.registries import remove_registry

    removed = remove_registry(name)
    if as_json:
        click.echo(json.dumps(_facts(removed), ensure_ascii=False, indent=1))
        return
    click.echo(f"Removed {removed.name}: {removed.url}")
    click.echo("See what is left: fewmask registry list")


def _facts(registry: KnownRegistry) -> dict[str, str]:
    return {"name": registry.name, "url": registry.url}
