"""How numbers of things are written in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Writes a number with its noun.

    Example:

    >>> counted(1, "image"), counted(20, "image")
    ('1 image', '20 images')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def some(names: Sequence[str], limit: int = 3) -> str:
    """Names the first few of many.

    Example:

    >>> some(["a.png", "b.png", "c.png", "d.png"])
    'a.png, b.png, c.png and 1 more'
    """
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest
