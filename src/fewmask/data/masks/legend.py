"""The list of class names, colours or ids that lies beside some datasets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fewmask.data.classes import Color
from fewmask.data.masks.decisions import parse_classes
from fewmask.errors import DataError

FILE_NAMES = ("classes.json", "data.yaml", "data.yml")
"""The first of these that is there is the legend."""

VOID_NAMES = ("ignore", "ignored", "void", "unlabeled", "unlabelled", "border")
"""What lists call the id of pixels that do not count."""

_LISTS = ("classes", "names", "labels")
_BACKGROUND = frozenset({"background", "_background_", "__background__", "bg"})


@dataclass(frozen=True)
class Legend:
    """What a dataset says about its classes.

    Args:
        path: The file it stands in.
        names: Names of the classes, in the order of the file or of its ids.
        colors: One colour a name, or None where the file has none.
        ids: Stored value of each name where the file gives such, else None. Numbers that only
            count the names (0, 1, 2, …) in a YOLO file do not count as given.
    """

    path: Path
    names: tuple[str, ...]
    colors: tuple[Color, ...] | None = None
    ids: tuple[int, ...] | None = None

    @property
    def is_yolo(self) -> bool:
        """Whether it is a YOLO file, whose lists of names leave the background out."""
        return self.path.suffix in (".yaml", ".yml")


def is_background(name: str) -> bool:
    """Says whether a class name means the background."""
    return name.strip().lower() in _BACKGROUND


def find_legend(folder: str | Path, classes: Sequence[str] = ()) -> Legend | None:
    """Reads the legend in a folder, if there is one.

    Understood are, as JSON in `classes.json`: `{"classes": [{"title": "road", "color":
    "#6EC1E4"}]}` and its like, `{"names": ["wall", "chair"]}`, `{"background": 0, "chair": 1}`,
    `{"0": "background"}`, `{"road": "#6EC1E4"}`, or a bare list; in `data.yaml` the `names` of
    a YOLO dataset.

    Args:
        folder: The folder of the data.
        classes: What was decided, as in `MaskDecisions`. Where it gives each value its class,
            there is nothing left to read: the file may be another tool's.

    Returns:
        The legend, or None where no file of `FILE_NAMES` lies in the folder or none is needed.

    Raises:
        DataError: If the file is there and cannot be read or understood.
        ArgumentError: If the classes cannot be understood.
    """
    if parse_classes(classes).stored:
        return None
    for name in FILE_NAMES:
        path = Path(folder) / name
        if path.is_file():
            return _read(path)
    return None


def refuse_twins(path: Path, pairs: Iterable[tuple[object, str]]) -> None:
    """Refuses classes that masks cannot tell apart.

    Args:
        path: The file that lists them.
        pairs: What masks store for each class, and its name.

    Raises:
        DataError: If two of them are stored alike.
    """
    names: dict[object, str] = {}
    for stored, name in pairs:
        if stored in names:
            raise DataError(
                path,
                "an id or colour of its own for each class",
                f"{stored} for {names[stored]!r} and for {name!r}",
                "Correct it, or leave one of the two out.",
            )
        names[stored] = name


def _read(path: Path) -> Legend | None:
    kind = "JSON" if path.suffix == ".json" else "YAML"
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text) if kind == "JSON" else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        # The parsers' texts run over lines; the first says what is wrong.
        reason = str(error).splitlines()[0]
        raise DataError(
            path, f"{kind} in UTF-8", f"text that is none: {reason}", "Correct or remove it."
        ) from error
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise DataError(path, "a file that can be read", found, "Check its rights.") from error
    if kind == "YAML" and not (isinstance(content, Mapping) and "names" in content):
        return None  # any tool may keep its settings under this name
    if isinstance(content, Mapping):
        content = next((content[key] for key in _LISTS if key in content), content)
    try:
        legend = _from_list(path, content) if isinstance(content, list) else None
        if isinstance(content, Mapping):
            legend = _from_map(path, content)
    except (ValueError, TypeError, AttributeError, StopIteration, RuntimeError):
        legend = None
    if legend is None or not legend.names:
        raise _not_understood(path, "no list of classes")
    for name in legend.names:
        if legend.names.count(name) > 1:
            raise _not_understood(path, f"{name!r} twice")
    return legend


def _from_list(path: Path, items: list[Any]) -> Legend:
    if all(isinstance(item, str) for item in items):
        return Legend(path, tuple(items))
    names = tuple(_name(item) for item in items)
    colors = ids = None
    if all("color" in item for item in items):
        colors = tuple(_color(item["color"]) for item in items)
    # Supervisely files carry database numbers as ids; only small ones can stand in a mask.
    if not colors and all(isinstance(item.get("id"), int) for item in items):
        ids = tuple(int(item["id"]) for item in items)
    return Legend(path, names, colors, ids)


def _from_map(path: Path, items: Mapping[Any, Any]) -> Legend:
    if all(str(key).isdecimal() for key in items):
        pairs = sorted((int(key), str(name)) for key, name in items.items())
    elif all(isinstance(value, int) for value in items.values()):
        pairs = sorted((int(value), str(name)) for name, value in items.items())
    else:
        colors = tuple(_color(value) for value in items.values())
        return Legend(path, tuple(str(name) for name in items), colors)
    ids, names = tuple(number for number, _ in pairs), tuple(name for _, name in pairs)
    counted = path.suffix != ".json" and ids == tuple(range(len(ids)))
    return Legend(path, names, ids=None if counted else ids)


def _name(item: Mapping[str, Any]) -> str:
    return str(next(item[key] for key in ("title", "name", "label") if key in item))


def _color(value: Any) -> Color:
    """Reads `#RRGGBB` or `[red, green, blue]`; raises ValueError for anything else."""
    if isinstance(value, str):
        if len(value) != 7 or value[0] != "#":
            raise ValueError(value)
        value = bytes.fromhex(value[1:])
    red, green, blue = (int(part) for part in value)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(value)
    return red, green, blue


def _not_understood(path: Path, found: str) -> DataError:
    return DataError(
        path,
        'classes as in {"classes": [{"title": "road", "color": "#6EC1E4"}]} or {"names": ["wall"]}',
        found,
        "Correct or remove it, or give each value a class with --classes.",
    )
