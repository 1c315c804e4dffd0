"""Finds the blocks of a page in Markdown: what is typed, what is run, what is only shown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

TYPED = "sh"
"""What an indented block is, in this house: lines that a reader types."""

_FENCE = re.compile(r"^ *(`{3,})(\w*)")
_BOX = re.compile(r"^(!!!|\?\?\?\+?|===)\s")
_ITEM = re.compile(r"^ {0,3}([-*+]|\d+\.) ")
_MARGIN = " " * 4


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Args:
        line: The line of the page that it begins in, from 1.
        language: What stands behind the fence; `"sh"` where a block is only indented.
        code: Its lines without their margin.
    """

    line: int
    language: str
    code: str


def find_blocks(text: str) -> list[Block]:
    """Finds all blocks of a page, those in boxes (`!!! note`) too.

    Args:
        text: A page of Markdown.

    Raises:
        ValueError: If a fence is not closed, or a block is indented below an item of a list, where
            nobody can tell code from a paragraph.

    Example:

    >>> page = "Type\\n\\n    fewmask --help\\n\\n```text\\nUsage: …\\n```\\n"
    >>> [(block.language, block.code) for block in find_blocks(page)]
    [('sh', 'fewmask --help\\n'), ('text', 'Usage: …\\n')]
    """
    return list(_walk(list(enumerate(text.splitlines(), start=1))))


def _walk(lines: list[tuple[int, str]]) -> Iterator[Block]:
    place, in_list, after_blank = 0, False, True
    while place < len(lines):
        number, line = lines[place]
        fence, began = _FENCE.match(line), place
        place += 1
        if fence:
            ticks, language = fence.groups()
            while place < len(lines) and lines[place][1].strip() != ticks:
                place += 1
            if place == len(lines):
                raise ValueError(f"line {number}: this fence is never closed")
            yield _block(lines[began + 1 : place], number, language)
            place += 1
        elif _BOX.match(line):
            place = _end_of_indented(lines, place)
            inner = [
                (number, line.removeprefix(_MARGIN)) for number, line in lines[began + 1 : place]
            ]
            yield from _walk(inner)
        elif line.startswith(_MARGIN) and after_blank:
            if in_list:
                raise ValueError(f"line {number}: indented below a list; use a fence for code")
            place = _end_of_indented(lines, place)
            yield _block(lines[began:place], number, TYPED)
        elif line.strip() and not line.startswith(" "):
            in_list = _ITEM.match(line) is not None or (in_list and not after_blank)
        after_blank = not line.strip()


def _end_of_indented(lines: list[tuple[int, str]], place: int) -> int:
    """Returns the place behind the last indented line, with blank lines in between."""
    end = place
    while place < len(lines) and (
        lines[place][1].startswith(_MARGIN) or not lines[place][1].strip()
    ):
        place += 1
        if lines[place - 1][1].strip():
            end = place
    return end


def _block(lines: list[tuple[int, str]], number: int, language: str) -> Block:
    code = textwrap.dedent("".join(f"{line}\n" for _, line in lines))
    return Block(number, language, code)
