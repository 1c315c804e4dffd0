"""Places that hold registries, each kind in one file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from fewmask.errors import ArgumentError
from fewmask.files import expanded
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import Remote

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_KINDS = "a folder, or http(s)://, s3://, gs://, ssh:// or hf://"


def open_remote(
    url: str, *, patience: Patience | None = None, options: Mapping[str, Any] | None = None
) -> Remote:
    """Opens a registry; nothing is asked of it yet.

    Args:
        url: Path of a folder, or an address that begins with `file://`, `http://`, `https://`,
            `s3://`, `gs://`, `ssh://` or `hf://`.
        patience: How long to wait for it, and how often to ask again.
        options: Further arguments for the library that speaks to it; see the file of its kind.

    Returns:
        The registry.

    Raises:
        ArgumentError: If it is no such address.
        MissingPackage: If the library that speaks to it is not installed.

    Example:

    >>> open_remote("https://example.org/registry").writable
    False
    """
    patience = patience or Patience()
    match = _SCHEME.match(url)
    if not url or not url.isprintable():
        raise ArgumentError(repr(url), _KINDS, "nothing that can be read", "Name the registry.")
    kind = match[1].lower() if match else "file"
    if match:
        url = f"{kind}{url[match.end(1) :]}"
        _check_parts(url)
    # Imported one at a time: each of the libraries takes a second.
    if kind == "file":
        from fewmask.packages.remotes.folder import FolderRemote

        return FolderRemote(expanded(_path_in(url) if match else url).absolute())
    if kind in ("http", "https"):
        from fewmask.packages.remotes.http import HttpRemote

        return HttpRemote(url, patience)
    if kind in ("s3", "gs"):
        from fewmask.packages.remotes.objectstore import ObjectStoreRemote

        return ObjectStoreRemote(url, patience, options)
    if kind == "ssh":
        from fewmask.packages.remotes.ssh import SshRemote

        return SshRemote(url, patience, options)
    if kind == "hf":
        from fewmask.packages.remotes.hub import HubRemote

        return HubRemote(url, patience, options)
    raise ArgumentError(url, _KINDS, f"{kind}://", "Check the address for a slip.")


def _check_parts(url: str) -> None:
    try:
        urlsplit(url).port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        # The text of the error may repeat a password, and so may all before the last @.
        shown = f"{url.partition('://')[0]}://{url.rpartition('@')[2].rpartition('://')[2]}"
        raise ArgumentError(
            shown,
            "an address with a server's name, and a number as its port if it has one",
            "another text",
            "Check the address for a slip.",
        ) from error


def _path_in(url: str) -> str:
    from urllib.request import url2pathname  # with it comes all that HTTP needs

    parts = urlsplit(url)
    server = parts.netloc.removeprefix("localhost")
    beside = server or urlunsplit(("", "", "", parts.query, parts.fragment))
    if beside:
        raise ArgumentError(
            url,
            "a folder of this machine after file://, which begins with a third /",
            f"{beside} beside its path",
            "Write file:///folder, or the path of the folder alone.",
        )
    return url2pathname(parts.path)
