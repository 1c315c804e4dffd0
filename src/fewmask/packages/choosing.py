"""Says which installed version a name means: the one asked for, the pinned, or the newest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from fewmask.errors import DataError, typed
from fewmask.packages.lockfile import Pin, check_pin, read_pins
from fewmask.packages.names import DatasetName
from fewmask.packages.store import Store


class Chosen(NamedTuple):
    """A version, and why it is the one.

    Args:
        name: With its version.
        findings: What the lock file had to do with it, in sentences; none without a pin.
    """

    name: DatasetName
    findings: tuple[str, ...]


def is_known(name: DatasetName, store: Store, lock: Path | None) -> bool:
    """Whether a name means a dataset here: some version is installed, or the project pins one.

    Args:
        name: With or without a version.
        store: Where datasets are installed.
        lock: The lock file of the project, which need not be there; None to look at none.

    Raises:
        DataError: If the lock file is damaged.
    """
    return bool(store.versions(name)) or _pin_of(name, lock) is not None


def choose_version(name: DatasetName, store: Store, lock: Path | None) -> Chosen:
    """Chooses the version that a name means.

    A version in the name is the one. Without, the lock file decides, so that a project reads
    tomorrow what it reads today; then the newest that is installed.

    Args:
        name: With or without a version.
        store: Where datasets are installed.
        lock: The lock file of the project, which need not be there; None to look at none.

    Returns:
        A version that is installed, and is what the lock file pins if it pins this version.

    Raises:
        DataError: If the version is not installed, or not the one that was pinned; if the lock
            file is damaged.
    """
    pin = _pin_of(name, lock)
    if pin is None or lock is None:
        return Chosen(store.manifest(name).dataset, ())
    chosen = name if name.version is not None else pin.name
    versions = store.versions(name)
    if chosen == pin.name and chosen.version not in versions:
        raise DataError(
            name,
            f"version {pin.name.version}, which {lock} pins",
            f"only {', '.join(map(str, versions))} installed" if versions else "none installed",
            f"Run: {typed('fewmask', 'install', pin.name)}",
        )
    chosen = store.manifest(chosen).dataset
    check_pin(lock, pin, chosen, hashlib.sha256(store.manifest_bytes(chosen)).hexdigest())
    return Chosen(chosen, (_why(chosen, pin, lock, versions[-1]),))


def _pin_of(name: DatasetName, lock: Path | None) -> Pin | None:
    return None if lock is None else read_pins(lock).get(name.path)


def _why(chosen: DatasetName, pin: Pin, lock: Path, newest: int) -> str:
    if chosen != pin.name:
        return f"{lock} pins version {pin.name.version}; {chosen} was asked for."
    if chosen.version == newest:
        return f"{lock} pins {chosen}."
    moving = typed("fewmask", "install", chosen.at(newest))
    return f"{lock} pins {chosen}. Version {newest} is here too; to change over: {moving}"
