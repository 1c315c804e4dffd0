"""Compares what a page shows with what a program printed, whatever the numbers are."""

from __future__ import annotations

import re
from collections.abc import Iterable

REST = "…"
"""Stands for lines that a page leaves out, or for the part of a line that it leaves out."""

_DURATION = re.compile(r"\d+ (?:h|min|s)(?: \d+ (?:min|s))?(?= left)")
_SIZE = re.compile(r"\d+(?:\.\d+)? (?:bytes|[kMG]B)\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def without_numbers(line: str, home: str = "/home/you") -> str:
    """Writes a line with `#` for each number and one space for several.

    Args:
        line: The line.
        home: The folder that the program ran in; a page calls it `/home/you`.

    Example:

    >>> without_numbers("epoch  1/48  loss 1.30  3 min 11 s left")
    'epoch #/# loss # # left'
    """
    line = line.replace(home, "/home/you")
    for pattern in (_DURATION, _SIZE, _NUMBER):
        line = pattern.sub("#", line)
    return " ".join(line.split())


def line_in_print(line: str, printed: Iterable[str], home: str) -> str | None:
    """Finds the first line that was printed like a line of a page, whatever its numbers are.

    Args:
        line: A line of a page; `…` in it stands for anything.
        printed: The lines that were printed.
        home: The folder that they were printed in.

    Returns:
        The line as it was printed, None where there is none.
    """
    pattern = ".*".join(re.escape(part) for part in without_numbers(line, home).split(REST))
    fits = (each for each in printed if re.fullmatch(pattern, without_numbers(each, home)))
    return next(fits, None)


def strange_lines(shown: str, printed: str, home: str, except_for: Iterable[str] = ()) -> list[str]:
    """Returns the lines that a page shows and no program printed.

    Their order and numbers are not compared: tests train for a moment where a page trains for
    minutes.

    Args:
        shown: The block of the page.
        printed: All that was printed.
        home: The folder that it was printed in.
        except_for: Beginnings of lines that are not compared.

    Example:

    >>> strange_lines("97 images\\n…\\nDone.\\n", "12 images\\nReady.\\n", "/home/mai")
    ['Done.']
    """
    return [
        line
        for line in shown.splitlines()
        if line.strip() not in ("", REST)
        and not line.strip().startswith(tuple(except_for))
        and line_in_print(line, printed.splitlines(), home) is None
    ]


def with_new_numbers(shown: str, printed: str, home: str) -> str:
    """Puts the numbers that were printed into a block of a page.

    Args:
        shown: The block; lines that it leaves out stay left out.
        printed: All that was printed.
        home: The folder that it was printed in; a page calls it `/home/you`.

    Returns:
        The block, in which every line that was printed stands as it was printed.

    Example:

    >>> with_new_numbers("epoch 1: 0.5\\n…\\nDone.\\n", "epoch 1: 0.7\\nepoch 2: 0\\n", "/home/mai")
    'epoch 1: 0.7\\n…\\nDone.\\n'
    """
    rest = [line.replace(home, "/home/you") for line in printed.splitlines()]
    new = []
    for line in shown.splitlines():
        found = None if line.strip() in ("", REST) else line_in_print(line, rest, home)
        if found is not None:
            rest = rest[rest.index(found) + 1 :]
        new.append(line if found is None or REST in line else found)
    return "".join(f"{line}\n" for line in new)
