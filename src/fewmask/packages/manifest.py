"""The manifest of one version of a dataset: what it is, and every file with its hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Never

from fewmask.data.classes import Classes
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError, DataError
from fewmask.packages import checks
from fewmask.packages.described import read_classes, read_columns, read_encoding
from fewmask.packages.names import DatasetName, parse_name

FORMAT = 1
"""Number of the format written here; readers refuse a higher one."""
PARTS = ("train", "validation", "test")
HUB_ORIGIN = "hub"
"""Key of `made_from` that only somebody else's datasets have: the repository they lie in."""
LARGEST = 64 * 2**20
"""Bytes above which something is no manifest, whoever sent it."""


@dataclass(frozen=True, order=True)
class PackagedFile:
    """One file of a package.

    Args:
        path: Its place in the package, with `/`: `data/train-00000-of-00004.parquet`.
        sha256: Of its bytes, 64 hexadecimal digits in small letters; also its name in a store.
        size: Number of its bytes.
        rows: Number of samples in it; 0 for files that hold none.
    """

    path: str
    sha256: str
    size: int
    rows: int = 0


class NewerFormat(DataError):
    """A manifest was written by a newer fewmask; there is nothing wrong with it."""


@dataclass(frozen=True)
class Manifest:
    """All that a version of a dataset says of itself. It never changes once it is published.

    Args:
        name: `owner/name`.
        version: 1 or more.
        licence: An SPDX identifier such as `CC-BY-4.0`, or `unknown`.
        files: Every file of the package.
        columns: The columns of the dataset, without those that only say where pixels lie.
        parts: Rows of each part: `{"train": 77, "validation": 20}`.
        classes: The classes of its masks; None where nobody has said them yet.
        encoding: How the mask files that it was built from said which class a pixel is, as
            `MaskEncoding.to_json` writes it; None where they held class ids, and without masks.
        description: What it shows, in a sentence or a few.
        statistics: What was measured when it was built; see `statistics.py`. Empty for
            packages made by other tools.
        made_from: Where it comes from, for example `{"folder": "photos"}`.
        created: When, as `2026-11-22T10:00:00Z`.
        made_by: Name and version of the program.
        format: Number of the format.

    Example:

    >>> file = PackagedFile("data/train-00000-of-00001.parquet", "0" * 64, 10, 1)
    >>> manifest = Manifest("rohan/chairs", 1, "CC0-1.0", (file,), (), {"train": 1})
    >>> Manifest.from_bytes(manifest.to_bytes(), "here") == manifest
    True
    """

    name: str
    version: int
    licence: str
    files: tuple[PackagedFile, ...]
    columns: tuple[Column, ...]
    parts: Mapping[str, int]
    classes: Classes | None = None
    encoding: Mapping[str, Any] | None = None
    description: str = ""
    statistics: Mapping[str, Any] = field(default_factory=dict)
    made_from: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    made_by: str = ""
    format: int = FORMAT

    @property
    def dataset(self) -> DatasetName:
        """The name with its version."""
        return parse_name(self.name).at(self.version)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> int:
        """Number of its samples."""
        return sum(self.parts.values())

    @property
    def lacks_mask_column(self) -> bool:
        """Whether whoever reads it has to say which of several columns holds the masks."""
        return not self.columns and HUB_ORIGIN in self.made_from

    def file(self, path: str) -> PackagedFile | None:
        """Returns the file at a place in the package, or None."""
        return next((file for file in self.files if file.path == path), None)

    def to_bytes(self) -> bytes:
        """Writes it as JSON; equal manifests give equal bytes."""
        values = {
            "classes": self.classes and self.classes.to_json(),
            "columns": [column.to_json() for column in self.columns],
            "created": self.created,
            "description": self.description,
            "encoding": self.encoding,
            "files": [
                {"path": file.path, "rows": file.rows, "sha256": file.sha256, "size": file.size}
                for file in self.files
            ],
            "format": self.format,
            "licence": self.licence,
            "made_by": self.made_by,
            "made_from": self.made_from,
            "name": self.name,
            "parts": dict(self.parts),
            "statistics": self.statistics,
            "version": self.version,
        }
        text = json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
        return (text + "\n").encode("utf-8")

    @classmethod
    def from_bytes(cls, content: bytes, where: object, remedy: str = checks.DISTRUST) -> Manifest:
        """Reads a manifest and believes nothing of it unchecked.

        Args:
            content: The bytes of the file.
            where: Where they come from, for the error.
            remedy: What to do about one that breaks a rule.

        Raises:
            DataError: If it is no manifest, breaks a rule of the format, or was written in a
                newer one.
        """
        values = _read_object(content, where)
        number = values.get("format")
        if type(number) is int and number > FORMAT:
            raise NewerFormat(
                where,
                f"a manifest of format {FORMAT} or older",
                f"format {number}, made by a newer fewmask",
                "Update: pip install --upgrade fewmask",
            )
        check = checks.Check(where, remedy)
        check.keys(values, "the manifest", cls.__dataclass_fields__)
        check.that(type(number) is int and number == FORMAT, f"format {FORMAT}", number)
        manifest = cls(
            name=check.text(values, "name", 200),
            version=check.number(values, "version", 1),
            licence=check.text(values, "licence", 200),
            files=tuple(_read_file(item, check) for item in check.list(values, "files")),
            columns=read_columns(values, check),
            parts=_read_parts(check.object(values, "parts"), check),
            classes=read_classes(values["classes"], check),
            encoding=read_encoding(values["encoding"], check),
            description=check.text(values, "description", 100_000),
            statistics=check.object(values, "statistics"),
            made_from=check.object(values, "made_from"),
            created=check.text(values, "created", 100),
            made_by=check.text(values, "made_by", 200),
        )
        _check_whole(manifest, check)
        return manifest


def _read_object(content: bytes, where: object) -> dict[str, Any]:
    found, values = "", None
    if len(content) > LARGEST:
        found = f"{len(content):,} bytes"
    elif content.lstrip()[:1] == b"<":
        found = "a web page"  # what servers say in place of a missing file, or before a log-in
    else:
        try:
            values = json.loads(content, object_pairs_hook=_no_key_twice, parse_constant=_no_number)
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            found = f"no such thing ({str(error)[:100]})"
    if not isinstance(values, dict):
        raise DataError(
            where,
            "the manifest of a dataset, a JSON object",
            found or "other JSON",
            "Check the address, or ask whoever publishes it.",
        )
    return values


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice")
    return values


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number")


def _read_file(item: Any, check: checks.Check) -> PackagedFile:
    check.that(isinstance(item, dict), "an object for each file", item)
    check.keys(item, "a file", PackagedFile.__dataclass_fields__)
    file = PackagedFile(
        check.text(item, "path", 1000),
        check.text(item, "sha256", 64),
        check.number(item, "size", 0),
        check.number(item, "rows", 0),
    )
    check.path(file.path)
    check.that(checks.is_sha256(file.sha256), f"64 hexadecimal digits for {file.path}", file.sha256)
    return file


def _read_parts(values: dict[str, Any], check: checks.Check) -> dict[str, int]:
    for part in values:
        check.that(part in PARTS, f"parts out of {', '.join(PARTS)}", part)
        check.number(values, part, 0)
    return {part: values[part] for part in PARTS if part in values}


def _check_whole(manifest: Manifest, check: checks.Check) -> None:
    """Checks what concerns several fields at once."""
    try:
        name = parse_name(manifest.name)
    except ArgumentError as error:
        raise check.refusal(error.expected, error.found) from error
    check.that(name.version is None, "a name without a version", manifest.name)
    check.that(bool(manifest.files), "at least one file", "none")
    seen: dict[str, str] = {}
    for file in manifest.files:
        plain = checks.plain_path(file.path)
        # A folder and a file of one name would be as bad: `a` and `a/b`.
        check.that(
            plain not in seen, f"paths that differ by more than case from {file.path}", "two"
        )
        seen[plain] = file.path
    for plain, path in seen.items():
        above = plain.rpartition("/")[0]
        while above:
            check.that(
                above not in seen, f"a file or a folder at {seen.get(above)}, not both", path
            )
            above = above.rpartition("/")[0]
    rows = sum(file.rows for file in manifest.files)
    check.that(rows == manifest.rows, f"{manifest.rows} rows in its files, as its parts say", rows)
