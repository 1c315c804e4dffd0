"""Names of datasets, `owner/name` or `owner/name@3`, and what may be one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fewmask.errors import ArgumentError

LONGEST = 64
"""Most letters of an owner, and of a name; file systems and buckets allow more."""

_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_SHAPE = re.compile(r"\w[\w.-]*/[\w.-]+(@[\w.+-]*)?")
WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)}
)
"""Names that Windows takes for devices, with any suffix, in capitals or not."""


@dataclass(frozen=True, order=True)
class DatasetName:
    """The name of a dataset, of one version of it where there is a version.

    It becomes a path in stores and registries, so `parse_name` is the door to make one from
    what people or files say.

    Args:
        owner: Who publishes it.
        name: What it is called.
        version: 1 or more; None means any, and where one must be taken the newest.

    Example:

    >>> str(DatasetName("rohan", "chairs-with-masks", 3))
    'rohan/chairs-with-masks@3'
    """

    owner: str
    name: str
    version: int | None = None

    def __str__(self) -> str:
        return self.path if self.version is None else f"{self.path}@{self.version}"

    @property
    def path(self) -> str:
        """The name without its version: `owner/name`."""
        return f"{self.owner}/{self.name}"

    def at(self, version: int | None) -> DatasetName:
        """Returns the name of this version, or without one."""
        return replace(self, version=version)


def parse_name(text: str) -> DatasetName:
    """Reads a name of a dataset, and refuses what could mean anything else.

    Owner and name are made of the letters `a` to `z`, digits, `.`, `_` and `-`, so that they
    are safe as folders on every system, in web addresses and in buckets. Capitals are kept, but
    a store holds no two names that differ by them alone.

    Args:
        text: `owner/name`, or `owner/name@3`.

    Returns:
        The name.

    Raises:
        ArgumentError: If it is no such name.

    Example:

    >>> parse_name("rohan/chairs@3")
    DatasetName(owner='rohan', name='chairs', version=3)
    """
    path, at, version = text.partition("@")
    parts = path.split("/")
    if len(parts) != 2:
        raise _refusal(text, "a name of the form owner/name or owner/name@3", repr(text))
    for part in parts:
        if len(part) > LONGEST:
            found = f"{len(part)} letters in {part[:20]}…"
            raise _refusal(text[:40], f"an owner and a name of at most {LONGEST} letters", found)
        if not _PART.fullmatch(part) or ".." in part:
            raise _refusal(
                text,
                "an owner and a name of the letters a to z, digits, '.', '_' and '-', with a "
                "letter or digit in front and no dot at the end",
                repr(part),
            )
        if part.partition(".")[0].lower() in WINDOWS_DEVICES:
            raise _refusal(
                text, "names that are no devices of Windows, where people may install it", part
            )
    if at and not _VERSION.fullmatch(version):
        raise _refusal(text, "a version after the @: 1, 2, 3 and so on", repr(version))
    return DatasetName(parts[0], parts[1], int(version) if at else None)


def looks_like_name(text: str) -> bool:
    """Says whether a text has the shape of a dataset's name rather than that of a path.

    Args:
        text: What somebody typed where a folder or a name may stand.

    Example:

    >>> looks_like_name("rohan/chairs"), looks_like_name("./rohan/chairs")
    (True, False)
    """
    return _SHAPE.fullmatch(text) is not None


def _refusal(text: str, expected: str, found: str) -> ArgumentError:
    # Control characters must not reach the terminal; repr keeps everything else readable.
    where = text if text.isprintable() and text else repr(text)
    return ArgumentError(where, expected, found, "Try for example: rohan/chairs-with-masks")
