"""Columns, classes and encodings as JSON describes them, read without belief."""

from __future__ import annotations

from typing import Any

from fewmask.data.classes import Classes
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError
from fewmask.packages.checks import Check, without_controls


def read_columns(values: dict[str, Any], check: Check) -> tuple[Column, ...]:
    """Reads the list `columns` of a JSON object.

    Args:
        values: The object.
        check: Names its origin in errors.

    Raises:
        DataError: If it holds anything but columns of different names.
    """
    columns = []
    for item in check.list(values, "columns"):
        check.that(isinstance(item, dict), "an object for each column", item)
        check.keys(item, "a column", ("name", "kind", "categories"))
        name, kind = check.text(item, "name", 500), check.text(item, "kind", 50)
        categories = check.list(item, "categories")
        check.that(
            all(map(_is_plain, categories)) and len(set(categories)) == len(categories),
            f"different texts without control characters as categories of column '{name}'",
            categories,
        )
        try:
            columns.append(Column(name, kind, tuple(categories)))  # type: ignore[arg-type]
        except ArgumentError as error:
            check.that(False, f"{error.expected} in column '{name}'", error.found)
    names = [column.name for column in columns]
    check.that(len(set(names)) == len(names), "columns of different names", names)
    return tuple(columns)


def _is_plain(text: Any) -> bool:
    return isinstance(text, str) and text == without_controls(text)


def read_classes(values: Any, check: Check) -> Classes | None:
    """Reads classes as `Classes.to_json` writes them; None stays None.

    Args:
        values: What stands in the JSON.
        check: Names its origin in errors.

    Raises:
        DataError: If they break a rule: fewer than two, or an ignore index other than 255.
    """
    if values is None:
        return None
    try:
        check.that(
            all(name and _is_plain(name) for name in values["names"])
            and all(0 <= value <= 255 for color in values["colors"] for value in color)
            and values["ignore_index"] in (None, 255),
            "names without control characters, colours of 0 to 255 and the ignore index 255 or "
            "none in classes",
            values,
        )
        return Classes.from_json(values)
    except (KeyError, TypeError, ValueError) as error:
        raise check.refusal("classes with names, colors and ignore_index", values) from error


def read_encoding(values: Any, check: Check) -> dict[str, Any] | None:
    """Reads an encoding as `MaskEncoding.to_json` writes it; None stays None.

    Args:
        values: What stands in the JSON.
        check: Names its origin in errors.

    Raises:
        DataError: If it breaks a rule: another rule than those known, no value for the background.
    """
    if values is None:
        return None
    try:
        check.keys(values, "encoding", ("rule", "table", "threshold"))
        largest = {"values": 2**16, "colors": 2**24, "threshold": 0}[values["rule"]]
        good = all(
            type(stored) is type(target) is int and 0 <= stored < largest and 0 <= target <= 255
            for stored, target in values["table"]
        ) and (type(values["threshold"]) is int and 0 <= values["threshold"] < 2**16)
    except (KeyError, TypeError, ValueError, AttributeError):
        good = False
    check.that(good, "an encoding with rule, table and threshold", values)
    return dict(values)
