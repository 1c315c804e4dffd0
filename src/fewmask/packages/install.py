"""Installing a dataset from a registry: asked for, fetched, checked, then visible at once."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewmask.errors import ArgumentError, DataError, typed
from fewmask.files import cannot_write
from fewmask.packages.lockfile import Pin, read_pins
from fewmask.packages.names import parse_name
from fewmask.packages.progress import Progress
from fewmask.packages.registries import address_of, known_registries
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import Interrupted
from fewmask.packages.search import HUB, Installed, Search
from fewmask.packages.store import Say, Store, default_store

_HUB_NAME = re.compile(r"hf://(?:datasets/)?([^@]+?)/?(?:@([0-9a-f]{40})|(@\d+))?")


def install(
    name: str,
    *,
    source: str | None = None,
    store: Store | None = None,
    lock: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    patience: Patience | None = None,
    options: Mapping[str, Any] | None = None,
) -> Installed:
    """Brings a dataset into the store.

    A version that is there already is not fetched, and of a new one only the files that no
    other version has brought. What has arrived when a connection is cut is kept, and the next
    attempt goes on from there. Until every byte has been checked nothing is visible.

    Args:
        name: `owner/name` for the newest version, `owner/name@3` for that one, or
            `hf://owner/name` for a repository of the Hub.
        source: Name of a registry in the user's list, or its address; when left out, those of
            the list in their order, and the first that has the dataset counts. Not beside a name
            with `hf://`.
        store: Where to put it; the user's own store when left out.
        lock: Lock file of a project, in which the version is pinned.
        offline: Whether to ask nobody and take what is in the store.
        progress: Called with the bytes that are there, then all that are to be fetched.
        say: Told, after two seconds, whom this waits for.
        patience: How long to wait for the registry, and how often to try.
        options: Further arguments for the library that speaks to the registry.

    Returns:
        What is installed now.

    Raises:
        ArgumentError: If the name is none, no registry is known, or two are named.
        DataError: If no registry has it, or what it sends is not what it should be.
        RemoteError: If the registry cannot be read.
        FewmaskError: If the store cannot be written to.
    """
    match = _HUB_NAME.fullmatch(name)
    if match:
        if source is not None:
            raise ArgumentError(
                typed("--from", source),
                f"no registry beside {name}, which says itself where it is",
                "both",
                f"Leave out --from, or name the dataset: {match[1]}{match[3] or ''}",
            )
        source = f"{HUB}{match[1]}{f'@{match[2]}' if match[2] else ''}"
        name = f"{match[1]}{match[3] or ''}"
    wanted = parse_name(name)
    _check_writable(lock)
    search = Search(store or default_store(), lock, progress, say, patience or Patience(), options)
    pin = search.pins().get(wanted.path)
    if offline or (wanted.version is not None and search.store.is_whole(wanted)):
        return search.take_from_store(wanted, pin)
    if source is not None:
        urls = [address_of(source)]
    else:
        urls = _addresses(pin if pin and pin.name == wanted else None)
    try:
        return search.find_and_fetch(wanted, urls, pin)
    except Interrupted as error:
        here = search.store.versions(wanted)
        if not here or wanted.version is not None:
            raise
        remedy = (
            f"Check the network, or take version {here[-1]}, which is here: "
            f"{typed('fewmask', 'install', wanted, '--offline')}"
        )
        raise Interrupted(error.where, error.expected, error.found, remedy) from error


def install_pinned(
    lock: Path,
    *,
    store: Store | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    patience: Patience | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Installed]:
    """Brings every dataset that a project's lock file pins into the store.

    Args:
        lock: The lock file.
        store: As for `install`, like all that follows.
        offline: Whether to ask nobody.
        progress: Called with the bytes of one dataset after the other.
        say: Told whom this waits for.
        patience: How long to wait.
        options: For the library that speaks to the registries.

    Returns:
        What is installed now, in the order of names.

    Raises:
        DataError: If there is no lock file, or one of its datasets cannot be had as it was.
    """
    pins = read_pins(lock)
    if not pins:
        raise DataError(
            lock,
            "a lock file that pins datasets",
            "none in it" if lock.exists() else "no such file here",
            "Name a dataset: fewmask install owner/name",
        )
    return [
        install(
            str(pin.name),
            store=store,
            lock=lock,
            offline=offline,
            progress=progress,
            say=say,
            patience=patience,
            options=options,
        )
        for _, pin in sorted(pins.items())
    ]


def _check_writable(lock: Path | None) -> None:
    """Refuses early where a version could be installed but not pinned."""
    if lock is not None:
        place = lock.absolute().parent  # a new file takes the place of the old one
        if place.exists() and not os.access(place, os.W_OK):
            raise cannot_write(lock, PermissionError(errno.EACCES, "Permission denied"))


def _addresses(pin: Pin | None) -> list[str]:
    """Lists where to look: first where the project found it, then in the user's registries."""
    known = [each.url for each in known_registries()]
    urls = list(dict.fromkeys([pin.registry, *known] if pin and pin.registry else known))
    if not urls:
        raise ArgumentError(
            "fewmask install",
            "a registry to install from",
            "none in your list",
            "Add one: fewmask registry add NAME URL, or name it with --from.",
        )
    return urls
