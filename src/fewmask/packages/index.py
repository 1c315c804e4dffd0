"""The index of a registry: which versions it holds, for those who cannot list its files.

It is a cache. Truth are the manifests; whoever pushes writes the index anew from them when it
is missing, stale or broken.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fewmask.packages.checks import is_sha256
from fewmask.packages.manifest import LARGEST
from fewmask.packages.names import DatasetName, parse_name
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import NotThere, Remote, RemoteError

INDEX = "index.json"
FORMAT = 1

Index = Mapping[DatasetName, str]
"""Versions of datasets, each with the SHA-256 of its manifest."""

_ROUNDS = 20
_READERS = 8


def manifest_path(name: DatasetName) -> str:
    """Returns where the manifest of a version lies in a registry; `name` has a version.

    Example:

    >>> manifest_path(DatasetName("rohan", "chairs", 3))
    'versions/rohan/chairs/3.json'
    """
    return f"versions/{name.path}/{name.version}.json"


def object_path(sha256: str) -> str:
    """Returns where a file of this hash lies in a registry."""
    return f"objects/{sha256[:2]}/{sha256}"


def listed_versions(remote: Remote, folder: str = "versions") -> list[DatasetName]:
    """Lists the versions of which there is a manifest; passes over what is none.

    Args:
        remote: A registry that lists its files.
        folder: Where to look: everywhere, or in `versions/owner/name`.
    """
    found = []
    for path in remote.list(folder):
        parts = path.removesuffix(".json").split("/")
        if len(parts) == 4 and path.endswith(".json"):
            try:
                found.append(parse_name(f"{parts[1]}/{parts[2]}@{parts[3]}"))
            except ValueError:
                continue
    return sorted(found)


def read_file(remote: Remote, path: str, patience: Patience) -> bytes:
    """Reads a small file of a registry.

    Raises:
        NotThere: If there is none.
        RemoteError: If it is too large to be what it should be, or cannot be read.
    """

    def read() -> bytes:
        content = bytearray()
        for block in remote.read(path):
            content += block
            if len(content) > LARGEST:
                raise RemoteError(
                    f"{remote.url}/{path}",
                    f"at most {LARGEST:,} bytes",
                    "more",
                    "Check the address: this is no such file of a registry.",
                )
        return bytes(content)

    return patience.keep_trying(read)


def index_to_bytes(index: Index) -> bytes:
    """Writes an index as JSON; equal ones give equal bytes."""
    datasets: dict[str, dict[str, str]] = {}
    for name in sorted(index):
        datasets.setdefault(name.path, {})[str(name.version)] = index[name]
    text = json.dumps({"format": FORMAT, "datasets": datasets}, indent=1)
    return (text + "\n").encode("utf-8")


def index_from_bytes(content: bytes) -> Index | None:
    """Reads an index; None if it is broken or of another format, as if there were none.

    Example:

    >>> index_from_bytes(b'{"format": 1, "datasets": {')
    """
    try:
        values = json.loads(content)
        if values["format"] != FORMAT:
            return None
        index = {
            parse_name(f"{path}@{number}"): sha256
            for path, versions in values["datasets"].items()
            for number, sha256 in versions.items()
        }
        return index if all(is_sha256(sha256) for sha256 in index.values()) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def read_index(remote: Remote, patience: Patience) -> Index | None:
    """Reads the index of a registry; None if there is none that can be used."""
    try:
        return index_from_bytes(read_file(remote, INDEX, patience))
    except NotThere:
        return None


def refresh_index(remote: Remote, patience: Patience, sure: Index) -> None:
    """Makes the index say what the manifests say.

    Two who do this at once do not undo each other's work: whoever writes looks again afterwards,
    and the one who writes last sees the manifests of both.

    Args:
        remote: A registry that lists its files and can be written to.
        patience: How often to try.
        sure: What is known of some manifests, and need not be read.
    """
    for _ in range(_ROUNDS):
        old = read_index(remote, patience)
        listed = patience.keep_trying(lambda: listed_versions(remote))
        known = {**(old or {}), **sure}
        unknown = [name for name in listed if name not in known]
        with ThreadPoolExecutor(_READERS) as readers:
            read = readers.map(
                lambda name: read_file(remote, manifest_path(name), patience), unknown
            )
            known.update(
                (name, hashlib.sha256(content).hexdigest())
                for name, content in zip(unknown, read, strict=True)
            )
        new = {name: known[name] for name in listed}
        if new == old:
            return
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / INDEX
            source.write_bytes(index_to_bytes(new))
            patience.keep_trying(lambda: remote.write(INDEX, source))  # noqa: B023 called here
