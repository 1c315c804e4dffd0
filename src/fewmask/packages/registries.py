"""The list of registries that a person uses, in a small file of theirs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import tomli_w

from fewmask.errors import ArgumentError, DataError, typed
from fewmask.files import expanded, write_text
from fewmask.packages.remotes import open_remote

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class KnownRegistry:
    """A registry in the list.

    Args:
        name: What its user calls it.
        url: Its address: of a folder, or with `https://`, `s3://` and so on.
    """

    name: str
    url: str


def list_path() -> Path:
    """Returns the file of the list."""
    return Path(platformdirs.user_config_dir("fewmask")) / "registries.toml"


def known_registries(path: Path | None = None) -> tuple[KnownRegistry, ...]:
    """Reads the list, in the order in which registries are asked; at first it is empty.

    Args:
        path: The file; the user's own when left out.

    Raises:
        DataError: If the file is damaged.
    """
    path = path or list_path()
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        entries = values.get("registry", [])
        known = tuple(KnownRegistry(entry["name"], entry["url"]) for entry in entries)
        if any(not isinstance(text, str) for each in known for text in (each.name, each.url)):
            raise TypeError("name and url are texts")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DataError(
            path, "a file that can be read", str(error.strerror), "Check its rights."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            path,
            "a list of registries, each with name and url",
            f"something else ({error})",
            "Put it right, or delete it and add the registries again.",
        ) from error
    return known


def add_registry(name: str, url: str, path: Path | None = None) -> KnownRegistry:
    """Adds a registry at the end of the list.

    Args:
        name: What to call it: letters, digits, `-` and `_`.
        url: Its address, or the path of a folder.
        path: The file of the list; the user's own when left out.

    Returns:
        The registry; the path of a folder is now a full one.

    Raises:
        ArgumentError: If the name or the address is none, or the name is taken.
        MissingPackage: If the library that speaks to it is not installed.
    """
    if not _NAME.fullmatch(name):
        raise ArgumentError("NAME", "letters, digits, - and _", repr(name), "Try for example: lab")
    known = known_registries(path)
    taken = next((each for each in known if each.name == name), None)
    if taken is not None:
        raise ArgumentError(
            name,
            "a name that is free",
            f"that of {taken.url}",
            f"Choose another, or run: {typed('fewmask', 'registry', 'remove', name)}",
        )
    added = KnownRegistry(name, open_remote(url).url)
    _write((*known, added), path)
    return added


def remove_registry(name: str, path: Path | None = None) -> KnownRegistry:
    """Takes a registry off the list; nothing in it changes.

    Args:
        name: What it is called.
        path: The file of the list; the user's own when left out.

    Raises:
        ArgumentError: If none is called so.
    """
    known = known_registries(path)
    removed = next((each for each in known if each.name == name), None)
    if removed is None:
        raise _no_such(name, known)
    _write(tuple(each for each in known if each is not removed), path)
    return removed


def address_of(registry: str, path: Path | None = None) -> str:
    """Finds the address of a registry that is named by its name, its address or its folder.

    Args:
        registry: What somebody typed.
        path: The file of the list; the user's own when left out.

    Raises:
        ArgumentError: If it is none of the three. A single word is only taken for a folder if
            there is one, so that a slip makes no new folder.
    """
    known = known_registries(path)
    for each in known:
        if each.name == registry:
            return each.url
    plain_word = not _ADDRESS.match(registry) and "/" not in registry and "\\" not in registry
    if plain_word and not expanded(registry).is_dir():
        raise _no_such(registry, known)
    return registry


def _no_such(name: str, known: tuple[KnownRegistry, ...]) -> ArgumentError:
    names = ", ".join(each.name for each in known)
    return ArgumentError(
        name or "''",
        f"one of the registries {names}" if known else "a registry",
        "none of this name",
        "See: fewmask registry list"
        if known
        else f"Add it: {typed('fewmask', 'registry', 'add', name or 'NAME')} URL, "
        f"or give its address; a folder here is ./{name}",
    )


def _write(known: tuple[KnownRegistry, ...], path: Path | None) -> None:
    entries = [{"name": each.name, "url": each.url} for each in known]
    write_text(path or list_path(), tomli_w.dumps({"registry": entries}))
