"""The decisions about a dataset that its owner wrote into `fewmask.toml`."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from fewmask.data.masks.decisions import ClassSpec, MaskDecisions, parse_classes
from fewmask.errors import ArgumentError

FILE_NAME = "fewmask.toml"


@dataclass(frozen=True)
class Settings:
    """What `fewmask.toml` beside the data decides; every key may be left out.

    Args:
        masks: Folder of the masks, from the folder that the file lies in.
        classes: The classes in the order of their ids, each as the option `--classes` takes it.
        ignore_index: Value of mask pixels that are not to count.
        threshold: Value from which on a grey mask shows its object.
    """

    masks: str | None = None
    classes: tuple[str, ...] = ()
    ignore_index: int | None = None
    threshold: int | None = None

    def beside(self, typed: MaskDecisions) -> Settings:
        """Returns what the file still decides beside what was typed, which goes before it.

        Args:
            typed: Decisions of the call; those of the file that contradict one are left out.

        Raises:
            ArgumentError: If classes cannot be understood.
        """
        spec, kept = parse_classes(typed.classes), self
        by_threshold, ignores = typed.threshold is not None, typed.ignore_index is not None
        if typed.classes or (by_threshold and _name_values(parse_classes(self.classes))):
            kept = replace(kept, classes=())
        if by_threshold or ignores or spec.by_color or self.ignore_index in dict(spec.stored):
            kept = replace(kept, ignore_index=None)
        if by_threshold or ignores or _name_values(spec):
            kept = replace(kept, threshold=None)
        return kept

    def describe(self) -> str:
        """Returns the decisions as they stand in the file, `masks = 'labels'`; maybe empty."""
        decided = {field.name: getattr(self, field.name) for field in fields(self)}
        return ", ".join(
            f"{key} = {list(value) if key == 'classes' else value!r}"
            for key, value in decided.items()
            if value not in (None, ())
        )

    def findings(self) -> list[str]:
        """Says what the file decides, in a sentence; nothing where it decides nothing."""
        return [] if self == Settings() else [f"{FILE_NAME} decides: {self.describe()}."]


def _name_values(spec: ClassSpec) -> bool:
    """Says whether classes are others than the two that a threshold makes."""
    return bool(spec.stored) or len(spec.names) > 2


def read_settings(folder: Path) -> Settings:
    """Reads `fewmask.toml`, if the folder has one.

    Args:
        folder: The folder of the data.

    Returns:
        What the file decides; nothing where there is no file.

    Raises:
        ArgumentError: If the file cannot be read, is no TOML, or holds a key or a value that means
            nothing.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "fewmask.toml").write_text('masks = "labels"')
    >>> read_settings(folder).describe()
    "masks = 'labels'"
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return Settings()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(
            path,
            "TOML in UTF-8",
            f"text that is none: {error}",
            "Correct it; keys look like: threshold = 128",
        ) from error
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise ArgumentError(path, "a file that can be read", found, "Check its rights.") from error
    _check_keys(path, values)
    if "masks" in values and not (isinstance(values["masks"], str) and values["masks"]):
        raise _wrong_value(path, "masks", 'a folder, as in masks = "labels"', values["masks"])
    classes = values.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(item, str) for item in classes):
        example = 'a list of texts, as in classes = ["background=0", "cell=255"]'
        raise _wrong_value(path, "classes", example, classes)
    for key in ("ignore_index", "threshold"):
        number = values.get(key, 0)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise _wrong_value(path, key, f"a whole number from 0 on, as in {key} = 128", number)
    return Settings(
        values.get("masks"), tuple(classes), values.get("ignore_index"), values.get("threshold")
    )


def _check_keys(path: Path, values: dict[str, Any]) -> None:
    known = [field.name for field in fields(Settings)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ArgumentError(
                path,
                f"keys out of {', '.join(known)}",
                f"'{key}'",
                f"Did you mean '{near[0]}'?" if near else "Remove it.",
            )


def _wrong_value(path: Path, key: str, expected: str, found: object) -> ArgumentError:
    return ArgumentError(f"{path}, {key}", expected, repr(found), "Correct the value.")
