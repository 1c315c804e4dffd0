"""Checks of what a manifest says, before anything in it is used."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Never

from fewmask.data.folders.names import plain
from fewmask.errors import DataError
from fewmask.packages.names import WINDOWS_DEVICES

_SHA256 = re.compile(r"[0-9a-f]{64}")
NEVER_IN_PATHS = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"|?*\\]')
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What could take over the terminal that shows it, or cannot be written as UTF-8."""
DISTRUST = "Do not use this package; tell whoever publishes it."
_LARGEST_NUMBER = 2**53
"""JSON readers of many languages hold larger whole numbers only roughly."""


def is_sha256(text: str) -> bool:
    """Says whether a text is a SHA-256 as 64 hexadecimal digits in small letters."""
    return _SHA256.fullmatch(text) is not None


def plain_path(path: str) -> str:
    """Makes paths equal that some file system could take for one file.

    Example:

    >>> plain_path("Data/A.png") == plain_path("data/a.png")
    True
    """
    return plain(path)


def without_controls(text: str) -> str:
    """Returns a text without what could take over a terminal; lines and tabs stay."""
    return _CONTROLS.sub("", text)


def what_is_wrong_with(path: str) -> str | None:
    """Says why a path may not be used inside a package, or None if it may.

    Safe is what stays below the folder that it is joined to, on every system: no `..`, nothing
    absolute, no backslash, no drive, no name that Windows cannot hold.

    Args:
        path: A path from a manifest or from a row, with `/`.

    Returns:
        A phrase such as `"'..' in it"`, or None.

    Example:

    >>> what_is_wrong_with("../../.bashrc"), what_is_wrong_with("data/a.png")
    ("'..' in it", None)
    """
    parts = path.split("/")
    if path.startswith("/"):
        return "an absolute path"
    if ".." in parts:
        return "'..' in it"
    if "" in parts or "." in parts:
        return "an empty or '.' folder in it"
    if NEVER_IN_PATHS.search(path):
        return "a backslash, a colon or another character that no file may have everywhere"
    for part in parts:
        if len(part.encode("utf-8", "replace")) > 255:
            return "a name of more than 255 bytes"
        if part[-1] in ". ":
            return "a name that ends with a dot or a space"
        if part.partition(".")[0].lower() in WINDOWS_DEVICES:
            return f"'{part}', a device of Windows"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Yields every text in a JSON value, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


class Check:
    """Checks values of one manifest, and names it in every refusal.

    Args:
        where: Where the manifest comes from.
        remedy: What to do about one that breaks a rule.
    """

    def __init__(self, where: object, remedy: str = DISTRUST) -> None:
        self._where = where
        self._remedy = remedy

    def refusal(self, expected: str, found: object) -> DataError:
        """Makes the error for a rule that is broken."""
        shown = found if isinstance(found, str) else repr(found)
        shown = "".join(letter if letter.isprintable() else "�" for letter in shown)
        shown = shown if len(shown) <= 120 else shown[:119] + "…"
        return DataError(
            self._where,
            expected,
            shown or "nothing",
            self._remedy,
        )

    def that(self, holds: bool, expected: str, found: object) -> None:
        """Refuses unless `holds`."""
        if not holds:
            self._refuse(expected, found)

    def _refuse(self, expected: str, found: object) -> Never:
        raise self.refusal(expected, found)

    def keys(self, values: dict[str, Any], what: str, names: Collection[str]) -> None:
        """Refuses other keys than these, and missing ones."""
        self.that(isinstance(values, dict), f"an object for {what}", values)
        strange = sorted(set(values) ^ set(names))
        self.that(
            not strange,
            f"exactly the fields {', '.join(names)} in {what}",
            f"'{', '.join(strange)}'",
        )

    def text(self, values: dict[str, Any], key: str, longest: int) -> str:
        """Returns a text of a limited length."""
        value = values.get(key)
        if not isinstance(value, str) or len(value) > longest:
            self._refuse(f"a text of at most {longest} letters as {key}", value)
        if _CONTROLS.search(value):
            self._refuse(f"a text without control characters as {key}", value)
        return value

    def number(self, values: dict[str, Any], key: str, least: int) -> int:
        """Returns a whole number that is not below `least`."""
        value = values.get(key)
        if type(value) is not int or not least <= value <= _LARGEST_NUMBER:
            self._refuse(f"a whole number from {least} up as {key}", value)
        return value

    def list(self, values: dict[str, Any], key: str) -> list[Any]:
        """Returns a list."""
        value = values.get(key)
        if not isinstance(value, list):
            self._refuse(f"a list as {key}", value)
        return value

    def object(self, values: dict[str, Any], key: str) -> dict[str, Any]:
        """Returns a JSON object."""
        value = values.get(key)
        if not isinstance(value, dict):
            self._refuse(f"an object as {key}", value)
        if any(_CONTROLS.search(text) for text in _texts(value)):
            self._refuse(f"texts without control characters in {key}", value)
        return value

    def path(self, path: str) -> None:
        """Refuses a path that is not safe everywhere."""
        wrong = what_is_wrong_with(path)
        self.that(
            wrong is None, "paths that stay inside the package on every system", f"{path}: {wrong}"
        )
