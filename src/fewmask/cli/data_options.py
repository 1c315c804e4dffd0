"""The options of every command that reads a dataset."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import click

from fewmask.errors import typed

_OPTIONS = (
    click.option(
        "--masks",
        metavar="DIR",
        help="Folder of the masks, where several could be; in Parquet files their column.",
    ),
    click.option(
        "--classes",
        multiple=True,
        metavar="SPEC",
        help="What the values of the masks mean, background first: --classes wall=0,chair=255, "
        "or one at a time; colours as road=#6EC1E4.",
    ),
    click.option("--ignore-index", type=int, help="Mask value whose pixels do not count."),
    click.option("--threshold", type=int, help="Grey value from which on a mask is foreground."),
    click.option(
        "--max-pixels",
        type=click.IntRange(min=1),
        help="Refuse images with more pixels.  [default: 200000000]",
    ),
)


@dataclass(frozen=True)
class DataOptions:
    """How a dataset is to be read, as it was typed.

    Args:
        masks: Folder of the masks.
        classes: Items of `--classes`.
        ignore_index: Mask value whose pixels do not count.
        threshold: Grey value from which on a mask is foreground.
        max_pixels: Largest picture that is opened.
    """

    masks: str | None = None
    classes: tuple[str, ...] = ()
    ignore_index: int | None = None
    threshold: int | None = None
    max_pixels: int | None = None

    def keywords(self) -> dict[str, Any]:
        """Returns what was typed as keyword arguments of `load_dataset` or `train`."""
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}

    def command(self, *words: object) -> str:
        """Writes a command with these options, ready to be typed.

        Args:
            words: The words before the options.

        Example:

        >>> DataOptions(classes=("wall=0", "chair=#FF0000")).command("fewmask", "train", "a b")
        "fewmask train 'a b' --classes 'wall=0,chair=#FF0000'"
        """
        return typed(*words, *self.options())

    def options(self) -> list[str]:
        """Returns what was typed as words of a command."""
        options = []
        for name, value in self.keywords().items():
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            options += [f"--{name.replace('_', '-')}", text]
        return options


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--masks`, `--classes`, `--ignore-index`, `--threshold` and `--max-pixels`.

    Args:
        command: The function of a command; it gets them as one argument `reading`.
    """

    @functools.wraps(command)
    def collect(
        *,
        masks: str | None,
        classes: tuple[str, ...],
        ignore_index: int | None,
        threshold: int | None,
        max_pixels: int | None,
        **others: Any,
    ) -> Any:
        reading = DataOptions(masks, classes, ignore_index, threshold, max_pixels)
        return command(reading=reading, **others)

    for add in reversed(_OPTIONS):
        collect = add(collect)
    return collect
