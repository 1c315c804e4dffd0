"""What the owner of the masks decides about them, as typed after `--classes` and its like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fewmask.data.classes import Color
from fewmask.errors import ArgumentError

MAX_CLASSES = 254
"""Class ids are 8-bit numbers, and two of these are taken: 255 ignored, 254 not understood."""

_EXAMPLE = 'For example: --classes "background=0,chair=255"'
_COLOR = re.compile(r"#([0-9a-fA-F]{6})")


@dataclass(frozen=True)
class MaskDecisions:
    """What is known about the values of the masks; everything may be left open.

    Args:
        classes: The classes in the order of their ids, background first. Each item is a name
            (`chair`: the values of the masks are understood without help), a name with the
            value it is stored as (`chair=255`), with several (`other=3+4`), or with a colour
            (`road=#6EC1E4`). `ignore=#9B9B9B` is no class but a colour that is not to count.
            Items may also stand in one text, separated by commas. A tuple once it is made.
        ignore_index: Stored value whose pixels count neither in the loss nor in scores.
        threshold: In grey masks, the value from which on a pixel is foreground.
    """

    classes: Sequence[str] = ()
    ignore_index: int | None = None
    threshold: int | None = None

    def __post_init__(self) -> None:
        # A text is a sequence as well, one of letters.
        items = [self.classes] if isinstance(self.classes, str) else self.classes
        object.__setattr__(self, "classes", tuple(items))


@dataclass(frozen=True)
class ClassSpec:
    """The decided classes, taken apart.

    Args:
        names: Names of the classes; the place is the class id.
        stored: Value or packed colour and the class id it becomes; empty where only names
            were given.
        by_color: Whether `stored` holds colours.
        ignored: Colours that are not to count.
    """

    names: tuple[str, ...] = ()
    stored: tuple[tuple[int, int], ...] = ()
    by_color: bool = False
    ignored: tuple[int, ...] = ()


def parse_classes(items: Iterable[str]) -> ClassSpec:
    """Takes the items of `--classes` apart.

    Args:
        items: As in `MaskDecisions.classes`.

    Returns:
        The classes; without any names if there were no items.

    Raises:
        ArgumentError: If an item is none of these, or a name or value stands twice.

    Example:

    >>> parse_classes(["background=0", "chair=1+255"]).stored
    ((0, 0), (1, 1), (255, 1))
    """
    parts = [part.strip() for item in items for part in item.split(",")]
    if not parts:
        return ClassSpec()
    named = [(name.strip(), value.strip()) for name, _, value in (p.partition("=") for p in parts)]
    for part, (name, value) in zip(parts, named, strict=True):
        if not name or (("=" in part) and not value):
            raise _wrong("NAME, NAME=VALUE or NAME=#RRGGBB, separated by commas", repr(part))
    if len({bool(value) for _, value in named}) == 2:
        bare = next(name for name, value in named if not value)
        raise _wrong("a value after every name or after none", f"none after {bare!r}")
    names: list[str] = []
    stored: dict[int, int] = {}
    ignored: list[int] = []
    kinds: set[bool] = set()
    for name, value in named:
        numbers = [_number(name, text.strip()) for text in value.split("+")] if value else []
        kinds |= {is_color for _, is_color in numbers}
        ignores = name.lower() == "ignore" and bool(numbers)
        if ignores and not all(is_color for _, is_color in numbers):
            raise ArgumentError(
                "--classes",
                "ignore to be a colour, as in ignore=#9B9B9B",
                f"'{name}={value}'",
                f"Leave it out and add: --ignore-index {numbers[0][0]}",
            )
        if name in names:
            raise _wrong("every name once", f"{name!r} twice")
        for number, is_color in numbers:
            if number in stored or number in ignored:
                text = color_text(number) if is_color else number
                raise _wrong("every value once", f"{text} twice")
            if ignores:
                ignored.append(number)
            else:
                stored[number] = len(names)
        if not ignores:
            names.append(name)
    if len(kinds) == 2:
        raise _wrong("either numbers or colours", "both")
    if stored and len(names) < 2:
        raise _wrong("at least two classes, the background first", f"only {names[0]!r}")
    if not names or len(names) > MAX_CLASSES:
        raise _wrong(f"1 to {MAX_CLASSES} classes", f"{len(names)}")
    return ClassSpec(tuple(names), tuple(stored.items()), kinds == {True}, tuple(ignored))


def classes_option(names: Sequence[str], stored: Sequence[str]) -> str:
    """Writes the option that gives each stored value a class.

    Args:
        names: One name a class.
        stored: The value or colour of each, as text.

    Returns:
        What to type.

    Example:

    >>> classes_option(["background", "road"], ["#000000", "#6EC1E4"])
    '--classes "background=#000000,road=#6EC1E4"'
    """
    clean = [re.sub(r'[,="]+', " ", name).strip() for name in names]
    pairs = [f"{name}={value}" for name, value in zip(clean, stored, strict=True)]
    return f'--classes "{",".join(pairs)}"'


def pack_color(color: Color) -> int:
    """Packs `(red, green, blue)` into one number, as in `#RRGGBB`."""
    red, green, blue = color
    return red << 16 | green << 8 | blue


def unpack_color(packed: int) -> Color:
    """Takes a packed colour apart again."""
    return packed >> 16, packed >> 8 & 255, packed & 255


def color_text(packed: int) -> str:
    """Writes a packed colour as `#RRGGBB`.

    Example:

    >>> color_text(pack_color((110, 193, 228)))
    '#6EC1E4'
    """
    return f"#{packed:06X}"


def _number(name: str, text: str) -> tuple[int, bool]:
    """Returns the stored value that a text means, and whether it is a packed colour."""
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16), True
    if not (text.isdecimal() and int(text) <= 65535):
        expected = "a value from 0 to 65535 or a colour as #RRGGBB"
        raise _wrong(f"{expected} for {name!r}", repr(text))
    return int(text), False


def _wrong(expected: str, found: str) -> ArgumentError:
    return ArgumentError("--classes", expected, found, _EXAMPLE)
