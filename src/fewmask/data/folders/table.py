"""Reads `split.csv`: which image has which mask, belongs to which part, to which group."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fewmask.data.folders.names import Picture, part_named, plain, read_name
from fewmask.errors import DataError

FILE_NAME = "split.csv"

_HEADERS = {
    "image": ("image", "images", "file", "filename", "file_name", "image_path"),
    "mask": ("mask", "masks", "label", "mask_path"),
    "part": ("part", "split", "subset", "set"),
    "group": ("group", "groups"),
}


@dataclass(frozen=True)
class Entry:
    """One line of the table; None where the table has no such column.

    Args:
        line: Number of the line in the file, from 1.
        image: Path of the picture from the root of the dataset, with `/`.
        mask: Likewise.
        part: `train`, `validation` or `test`.
        group: Any text; equal ones must not be separated.
    """

    line: int
    image: str
    mask: str | None
    part: str | None
    group: str | None


def read_table(root: Path, paths: Sequence[str], masks: str | None = None) -> list[Entry] | None:
    """Reads `split.csv` beside the data, if there is one.

    Names in it are paths from the folder on, or bare file names, which are looked for among the
    pictures: an image where images lie, in the part that the line says.

    Args:
        root: The folder of the data.
        paths: The pictures in it, from the folder on, with `/`.
        masks: The folder that holds the masks, if its owner has said so.

    Returns:
        One entry a line, or None if there is no table.

    Raises:
        DataError: If the table has no images, names a file that is not there or that several
            files could be, says twice what to do with an image, or contradicts the folders or
            `masks`.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return None
    lines = _read_lines(path)
    columns = {key: _find_column(lines[0], headers) for key, headers in _HEADERS.items()}
    if columns["image"] is None:
        raise DataError(
            path,
            f"a column named {', '.join(_HEADERS['image'])}",
            f"columns {', '.join(lines[0]) or 'without names'}",
            "Name the column that holds the image files 'image'.",
        )
    pictures = [read_name(name, masks) for name in paths]
    by_name: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        by_name[plain(picture.path)].append(picture)
        if "/" in picture.path:
            by_name[plain(picture.path.rpartition("/")[2])].append(picture)

    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        cells = {
            key: line[place] if place is not None and place < len(line) else None
            for key, place in columns.items()
        }
        where = f"{path}, line {number}"
        part = _read_part(where, cells["part"]) if columns["part"] is not None else None
        image = _find(where, cells["image"], by_name, "image", part)
        mask = None
        if columns["mask"] is not None:
            mask = _find(where, cells["mask"], by_name, "mask", part)
            if masks is not None and not mask.path.startswith(f"{masks}/"):
                raise DataError(
                    where,
                    f"a mask in {masks}, which was named as their folder",
                    mask.path,
                    f"Correct the line, or leave out --masks: {FILE_NAME} says where masks are.",
                )
        named = image if image.part or mask is None else mask
        if part and named.part and part != named.part:
            raise other_part(where, named.path, named.part, part)
        if image.path in seen:
            raise DataError(
                where,
                "each image once",
                f"{image.path}, which line {seen[image.path]} names too",
                "Remove one of the lines.",
            )
        seen[image.path] = number
        entries.append(
            Entry(
                number,
                image.path,
                None if mask is None else mask.path,
                part or named.part,
                cells["group"],
            )
        )
    return entries


def other_part(where: str, path: str, named: str, found: str) -> DataError:
    """Makes the error for a line that contradicts the folders.

    Args:
        where: The table and its line.
        path: The image or mask.
        named: The part that its folder names.
        found: The part that the line names.
    """
    return DataError(
        where,
        f"the part that the folder of {path} names, {named}",
        found,
        "Correct the line or move the file.",
    )


def _read_lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            path, "a table in UTF-8", "another encoding", "Save it as CSV in UTF-8."
        ) from error
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise DataError(path, "a table that can be read", found, "Check its rights.") from error
    head = text.partition("\n")[0]
    # Spreadsheets write the separator of the country that they are set to.
    separator = max(",;\t", key=head.count)
    rows = csv.reader(text.splitlines(), delimiter=separator)
    try:
        lines = [[cell.strip() for cell in row] for row in rows]
    except csv.Error as error:
        where = f"{path}, line {rows.line_num}"
        raise DataError(where, "cells with commas between", str(error), "Correct it.") from error
    if not any(any(line) for line in lines[1:]):
        raise DataError(path, "a line for each image", "none", "Fill the table or remove it.")
    return lines


def _find_column(header: list[str], names: Sequence[str]) -> int | None:
    found = [place for place, title in enumerate(header) if plain(title) in names]
    return found[0] if found else None


def _read_part(where: str, word: str | None) -> str:
    part = part_named(word or "")
    if part is None:
        raise DataError(
            where,
            "a part named train, validation or test",
            repr(word or ""),
            "Correct the line, or remove the column to have parts drawn.",
        )
    return part


def _find(
    where: str,
    name: str | None,
    by_name: dict[str, list[Picture]],
    role: str,
    part: str | None,
) -> Picture:
    found = by_name.get(plain((name or "").replace("\\", "/").removeprefix("./")), [])
    # A bare name such as 1.png may stand for the image, its mask and an image of another part.
    if len(found) > 1:
        other = "mask" if role == "image" else "image"
        found = [p for p in found if p.role == role] or [p for p in found if p.role != other]
    if len(found) > 1 and part:
        found = [p for p in found if p.part == part] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(
            where,
            f"the file of an {role}" if role == "image" else "the file of a mask",
            f"'{name or ''}', which is not in the folder",
            "Correct the name or remove the line.",
        )
    raise DataError(
        where,
        f"one file named '{name}'",
        " and ".join(p.path for p in found[:2]),
        "Write the path from the folder on, with /.",
    )
