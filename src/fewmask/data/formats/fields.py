"""Files of labelling tools, read strictly: every slip names the file and the place."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from fewmask.data.formats.filling import Ring
from fewmask.data.wording import counted
from fewmask.errors import DataError

_AGAIN = "Export it again from the tool that wrote it."
_MOST_PIXELS = 2**31  # before anything of the size that a file claims is made
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")


@dataclass(frozen=True)
class Fields:
    """Named values, and where they stand.

    Args:
        values: The names and values; those of XML are all text.
        where: The file and the place in it, for errors: `a.json, shapes 3`.
    """

    values: Mapping[str, Any]
    where: str

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """Returns a text, or a number as text.

        Raises:
            DataError: If it is missing and there is no default, or of another kind.
        """
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(key, "a text")

    def number(self, key: str, default: float | None = None) -> float:
        """Returns a number.

        Raises:
            DataError: If it is missing and there is no default, of another kind, or not finite.
        """
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self._wrong(key, "a number")
        return number

    def whole(self, key: str, default: int | None = None) -> int:
        """Returns a whole number.

        Raises:
            DataError: If it is missing and there is no default, or no whole number.
        """
        number = self.number(key, default)
        if number != int(number):
            raise self._wrong(key, "a whole number")
        return int(number)

    def sequence(self, key: str) -> Sequence[Any]:
        """Returns a list.

        Raises:
            DataError: If it is missing or of another kind.
        """
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def item(self, key: str) -> Fields:
        """Returns named values inside these.

        Raises:
            DataError: If they are missing or of another kind.
        """
        value = self.values.get(key)
        if not isinstance(value, Mapping):
            raise self._wrong(key, "named values")
        return Fields(value, f"{self.where}, {key}")

    def items(self, key: str) -> Iterator[Fields]:
        """Yields named values out of a list.

        Raises:
            DataError: If it is missing, or one of them is of another kind.
        """
        for number, value in enumerate(self.sequence(key)):
            yield as_fields(value, f"{self.where}, {key} {number}")

    def size(self, height: str = "height", width: str = "width") -> tuple[int, int]:
        """Returns the height and width of an image.

        Raises:
            DataError: If one of them is missing, not above 0, or no image has so many pixels.
        """
        size = self.whole(height), self.whole(width)
        for key, value in zip((height, width), size, strict=True):
            if value < 1:
                raise self._wrong(key, "a number above 0")
        if size[0] * size[1] > _MOST_PIXELS:
            found = f"{size[0]:,} × {size[1]:,}"
            raise DataError(self.where, "the height and width of an image", found, _AGAIN)
        return size

    def _wrong(self, key: str, expected: str) -> DataError:
        value = self.values.get(key)
        found = "nothing" if value is None else _short(value)
        return DataError(self.where, f"{expected} as '{key}'", found, _AGAIN)


def as_fields(value: Any, where: str) -> Fields:
    """Takes a value for named values.

    Raises:
        DataError: If it is of another kind.
    """
    if not isinstance(value, Mapping):
        raise DataError(where, "named values", _short(value), _AGAIN)
    return Fields(value, where)


def as_ring(points: Any, where: str, least: int = 3) -> Ring:
    """Takes a list of `[x, y]` for the corners of an outline.

    Args:
        points: What should be such a list.
        where: Its place, for the error.
        least: Fewest corners there may be.

    Raises:
        DataError: If these are no pairs of finite numbers, or too few.

    Example:

    >>> as_ring([[0, 0], [2, 0], [2.5, 2]], "a.json").shape
    (3, 2)
    """
    try:
        ring = np.asarray(points, np.float64).reshape(len(points), 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(where, "corners as pairs of numbers", _short(points), _AGAIN) from error
    if len(ring) < least:
        raise DataError(
            where,
            f"at least {least} corners",
            str(len(ring)),
            "Draw this outline again or remove it.",
        )
    if not np.isfinite(ring).all():
        raise DataError(
            where,
            "corners at finite numbers",
            f"{ring[~np.isfinite(ring)][0]}",
            "Draw this outline again or remove it.",
        )
    return ring


def as_color(text: str) -> tuple[int, int, int] | None:
    """Takes `#RRGGBB`, maybe with an opacity after it, for a colour; None if it is none."""
    match = _COLOR.fullmatch(text.strip())
    return tuple(bytes.fromhex(match[1])) if match else None  # type: ignore[return-value]


def read_text(path: Path, kind: str, may_be_empty: bool = False) -> str:
    """Reads a text file.

    Args:
        path: The file.
        kind: What it is, for errors: `JSON`.
        may_be_empty: Whether nothing in it means something.

    Raises:
        DataError: If it is missing, empty, or not in UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            path, f"{kind} in UTF-8", "another encoding", "Save it again as UTF-8."
        ) from error
    except OSError as error:
        found = "a folder" if path.is_dir() else error.strerror or str(error)
        raise DataError(path, f"a file of {kind}", found.lower(), "Check the path.") from error
    if not (may_be_empty or text.strip()):
        raise DataError(path, kind, "an empty file", "Export it again, or remove it.")
    return text


def read_lines(path: Path) -> list[str]:
    """Reads the lines of a list that are not empty, without spaces around them.

    Raises:
        DataError: If the file cannot be read as text.
    """
    lines = read_text(path, "text", may_be_empty=True).splitlines()
    return [line.strip() for line in lines if line.strip()]


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: As `read_text` does, and where it is broken, with the line.
    """
    text = read_text(path, "JSON")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        found = f"a slip in line {error.lineno}, column {error.colno} ({error.msg})"
    except (RecursionError, ValueError) as error:
        found = f"text that is none ({error})"
    raise DataError(path, "JSON", found, "Correct it there, or export it again.")


def read_xml(path: Path) -> ElementTree.Element:
    """Reads an XML file.

    Raises:
        DataError: As `read_text` does, where it is broken, with the line, and if it declares
            entities, which no labelling tool writes and which can be made to fill the memory.
    """
    text = read_text(path, "XML")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError(path, "XML without DOCTYPE", "one", "Remove its declarations.")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise DataError(
            path,
            "XML",
            f"a slip in line {line}, column {column + 1} ({str(error).partition(':')[0]})",
            "Correct it there, or export it again.",
        ) from error


def read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Reads a table with a line of titles.

    Yields:
        The number of each line that is not empty, from 2 on, and its cells by their titles in
        small letters.

    Raises:
        DataError: As `read_text` does, and if a line has more cells than there are titles.
    """
    text = read_text(path, "CSV")
    # Runs may be longer than the 128 kB that the module allows a cell.
    usual = csv.field_size_limit(2**31 - 1)
    reader = csv.reader(text.splitlines())
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DataError(where, "cells with commas between", str(error), "Correct it.") from error
    finally:
        csv.field_size_limit(usual)
    titles = [title.strip().lower() for title in lines[0][1]]
    for number, cells in lines[1:]:
        if not any(cells):
            continue
        if len(cells) != len(titles):
            raise DataError(
                f"{path}, line {number}",
                f"{counted(len(titles), 'cell')}, as the first line has titles",
                str(len(cells)),
                "Correct the line, or export the table again.",
            )
        yield number, dict(zip(titles, (cell.strip() for cell in cells), strict=True))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
