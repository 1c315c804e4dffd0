"""The command line: parse, one library call, print."""

from __future__ import annotations

import sys
import time
import traceback
from importlib import import_module

import click

import fewmask
from fewmask.errors import FewmaskError

BEGAN = time.monotonic()
"""When the process began, but for the moment that Python itself takes to start."""

COMMANDS = {
    "inspect": "Show what a folder of images and masks is taken for.",
    "plan": "Say what a training would do in a given time.",
    "train": "Train a model on a folder of images and masks.",
    "evaluate": "Score a model on images with masks.",
    "predict": "Make label maps and overlays of photographs.",
    "build": "Build a dataset that travels by name, from a folder.",
    "dataset": "List, show, verify, compare and remove installed datasets.",
    "push": "Publish a dataset in a registry.",
    "install": "Bring a dataset to this machine, by its name.",
    "registry": "Keep the list of places that datasets are installed from.",
    "convert": "Turn the labels of other tools into a dataset, or back.",
}
"""Command → the line that `--help` shows, so that the list needs none of their imports."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Returns the names in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Imports a command from the module of its name."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"fewmask.cli.{name}"), name)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggests the nearest command for a misspelled one."""
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"Did you mean: fewmask {near[0]}" if near else "See: fewmask --help"
            context.fail(f"expected one of {', '.join(COMMANDS)}, found {name!r}. {hint}")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: fewmask train demo/chairs",
)
@click.version_option(fewmask.__version__, package_name="fewmask")
def commands() -> None:
    """From a handful of labelled images to a segmentation model you can trust and ship."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; a mistake of the user ends in one sentence and exit code 2."""
    try:
        code = commands.main(arguments, prog_name="fewmask", standalone_mode=False)
    except FewmaskError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception:  # noqa: BLE001 the outermost room: whoever waits for a word gets one
        traceback.print_exc()
        click.echo(
            "This is a fault of fewmask, not of yours. Please report it with the lines above.",
            err=True,
        )
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
