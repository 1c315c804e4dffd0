"""The file fewmask.lock of a project: which versions of which datasets it uses, by their hash."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from fewmask.errors import DataError
from fewmask.files import write_text
from fewmask.packages.checks import is_sha256
from fewmask.packages.names import DatasetName, parse_name

LOCKFILE = "fewmask.lock"

_HEAD = (
    "# Written by fewmask install; keep it with your code. To get all of it: fewmask install\n\n"
)


@dataclass(frozen=True)
class Pin:
    """One dataset of a project.

    Args:
        name: With its version.
        manifest: SHA-256 of the bytes of its manifest, which names the hash of every file.
        registry: Address of the registry that it came from; empty if that is not known.
    """

    name: DatasetName
    manifest: str
    registry: str = ""


Pins = Mapping[str, Pin]
"""Pins by the names of their datasets, without version."""


def read_pins(path: Path) -> Pins:
    """Reads a lock file; no pins if there is none.

    Raises:
        DataError: If it is damaged.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        pins = [_read_pin(entry) for entry in values.get("dataset", [])]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(
            path, "a file that can be read", str(error.strerror), "Check its rights."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            path,
            "datasets, each with name, version and manifest",
            f"something else ({error})",
            "Take it from your version control again, or delete it and install by name.",
        ) from error
    return {pin.name.path: pin for pin in pins}


def _read_pin(entry: dict[str, object]) -> Pin:
    name = parse_name(f"{entry['name']}@{entry['version']}")
    pin = Pin(name, str(entry["manifest"]), str(entry.get("registry", "")))
    if not is_sha256(pin.manifest):
        raise ValueError(f"manifest of {name} is no SHA-256")
    return pin


def write_pin(path: Path, pin: Pin) -> Pin | None:
    """Sets the pin of a dataset, and keeps the others.

    Nobody else may do so at the same time.

    Returns:
        The pin that it replaces; None if there was none, or the same.
    """
    pins = dict(read_pins(path))
    old = pins.get(pin.name.path)
    if old is not None and (old.name, old.manifest) == (pin.name, pin.manifest):
        return None
    pins[pin.name.path] = pin
    entries = [
        {
            "name": each.name.path,
            "version": each.name.version,
            "manifest": each.manifest,
            **({"registry": each.registry} if each.registry else {}),
        }
        for _, each in sorted(pins.items())
    ]
    write_text(path, _HEAD + tomli_w.dumps({"dataset": entries}))
    return old


def check_pin(path: Path, pin: Pin | None, name: DatasetName, manifest: str) -> None:
    """Refuses a version that is not what it was when it was pinned.

    Args:
        path: The lock file, for the error.
        pin: The pin of this dataset, if there is one.
        name: The version to be installed.
        manifest: SHA-256 of its manifest.

    Raises:
        DataError: If the pin is of this version and has another hash.
    """
    if pin is not None and pin.name == name and pin.manifest != manifest:
        raise DataError(
            name,
            f"the manifest that {path} pins, {pin.manifest[:12]}…",
            f"another, {manifest[:12]}…",
            "A published version never changes, so this is not what your project used. Find out "
            "why; only if you trust it, take the entry out of the file.",
        )
