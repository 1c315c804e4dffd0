"""Recognises the format of labels by what lies in a folder or stands in a file."""

from __future__ import annotations

import csv
import mmap
from collections.abc import Sequence
from pathlib import Path

from fewmask.data.folders.pairing import pair_pictures
from fewmask.data.folders.sorting import natural_key
from fewmask.data.folders.walking import walk_files
from fewmask.data.formats.cityscapes import MASK
from fewmask.data.formats.kaggle import IMAGE_TITLES, RUN_TITLES
from fewmask.data.formats.labels import FOLDER, TITLES
from fewmask.data.formats.supervisely import META
from fewmask.data.formats.voc import CLASS_FOLDER
from fewmask.data.formats.yolo import NAME_LISTS, is_label_file
from fewmask.data.imageio import IMAGE_SUFFIXES
from fewmask.data.wording import counted
from fewmask.errors import DataError

Files = dict[str, list[Path]]
"""The files of each format that was seen, by its name."""

_HEAD = 4096  # bytes at the beginning of a file of text in which its kind shows
_JSON_KEYS = {
    "labelme": ("{", ("shapes", "imagePath")),
    "coco": ("{", ("images", "annotations", "categories")),
    "label-studio": ("[", ("original_width",)),
}
"""How a JSON file of each format begins, and the names of values that it has."""
_FILE_PER_IMAGE = frozenset({"yolo", "labelme", "supervisely"})


def find_formats(path: Path) -> Files:
    """Looks for labels in the formats that are known.

    Evidence is what a file holds, not what it is called; a file that is cut off still counts
    for what it was, so that its reader can tell where it is broken.

    Args:
        path: A file, or a folder with all below it.

    Returns:
        The files of each format; `folder` stands for masks that are pictures and have the
        names of the images.

    Raises:
        DataError: If a folder may not be read.
    """
    files = sorted(walk_files(path), key=_order) if path.is_dir() else [path]
    found: Files = {}
    for file in files:
        format_name = _format_of_file(file)
        if format_name is not None:
            found.setdefault(format_name, []).append(file)
    for name in found.keys() & _FILE_PER_IMAGE:
        _add_empty_files(found[name], files)
    if "supervisely" in found:
        _check_supervisely(found)
    if path.is_dir() and not {"voc", "cityscapes"} & found.keys():
        # Where nothing else was seen, masks that do not match are for their reader to complain of.
        has_pairs = _has_pairs(path, files)
        if has_pairs or (has_pairs is None and not found):
            found[FOLDER] = [path]
    return found


def describe_formats(found: Files) -> str:
    """Says what was seen, as a phrase.

    Example:

    >>> describe_formats({"labelme": [Path("a.json"), Path("b.json")]})
    'LabelMe JSON (2 files)'
    """
    texts = [
        TITLES[name] if name == FOLDER else f"{TITLES[name]} ({counted(len(files), 'file')})"
        for name, files in found.items()
    ]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _order(path: Path) -> tuple[object, ...]:
    return natural_key(path.as_posix())


def _format_of_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        if MASK.fullmatch(path.stem):
            return "cityscapes"
        return "voc" if CLASS_FOLDER in path.parts[-3:-1] and suffix == ".png" else None
    if suffix == ".json":
        return _format_of_json(path)
    if suffix == ".xml":
        return "cvat" if _starts(path, b"<annotations") else None
    if suffix == ".csv":
        return "kaggle" if _has_runs(path) else None
    if suffix == ".txt":
        return "yolo" if is_label_file(path) else None
    return None


def _format_of_json(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            if path.parent.name == "ann" or path.name == META:
                content = file.read(_HEAD)
                if b'"classTitle"' in content or b'"objects"' in content or path.name == META:
                    return "supervisely"
            file.seek(0)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content_of:
                start = content_of[:64].decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")[:1]
                for name, (opening, keys) in _JSON_KEYS.items():
                    texts = [f'"{key}"'.encode() for key in keys]
                    if start == opening and all(content_of.find(text) >= 0 for text in texts):
                        return name
    except (OSError, ValueError):  # no right to read it; nothing in it
        return None
    return None


def _starts(path: Path, text: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return text in file.read(_HEAD)
    except OSError:
        return False


def _has_runs(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            titles = [title.strip().lower() for title in next(csv.reader(file), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return any(title in titles for title in RUN_TITLES) and any(
        title in titles for title in IMAGE_TITLES
    )


def _add_empty_files(found: list[Path], files: Sequence[Path]) -> None:
    """Adds files without content among those of a format: images without an object, or slips."""
    folders = {path.parent for path in found}
    suffix = found[-1].suffix
    found += [
        path
        for path in files
        if path.suffix == suffix
        and path.parent in folders
        and path.name not in NAME_LISTS
        and _is_empty(path)
    ]


def _is_empty(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not file.read(1)
    except OSError:  # the reader of the format says what is wrong with it
        return True


def _check_supervisely(found: Files) -> None:
    """Puts `meta.json` first; without it, or without labels, it is no such project."""
    named = found.pop("supervisely")
    metas = sorted((path for path in named if path.name == META), key=lambda path: len(path.parts))
    labels = [path for path in named if path.name != META]
    if metas and labels:
        found["supervisely"] = [metas[0], *labels]


def _has_pairs(root: Path, files: Sequence[Path]) -> bool | None:
    """Says whether pictures are masks of others; None if they are but do not match."""
    pictures = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    try:
        pairing = pair_pictures(root, [path.relative_to(root).as_posix() for path in pictures])
    except DataError:
        return None
    return pairing is not None and bool(pairing.pairs)
