"""Reading a registry: which versions it holds, and their manifests."""

from __future__ import annotations

import hashlib
from functools import cached_property

from fewmask.errors import DataError, typed
from fewmask.packages.index import (
    INDEX,
    Index,
    listed_versions,
    manifest_path,
    read_file,
    read_index,
)
from fewmask.packages.manifest import Manifest
from fewmask.packages.names import DatasetName
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import NoRight, Remote, RemoteError, exists

_MOST_UNLISTED = 200
"""Some web servers answer to every address."""


class NotHeld(DataError):
    """The registry does not hold this dataset, or not this version of it."""


class Registry:
    """A place with datasets in it, for those who want to install some.

    Args:
        remote: The place.
        patience: How often to try.
    """

    def __init__(self, remote: Remote, patience: Patience) -> None:
        self.remote = remote
        self._patience = patience
        self._refused: NoRight | None = None

    @cached_property
    def index(self) -> Index | None:
        """The index, None where there is none that can be used."""
        if not self.remote.keeps_index:
            return None
        try:
            return read_index(self.remote, self._patience)
        except NoRight as error:
            # Buckets say so of what is not there, too.
            self._refused = error
            return None

    def versions(self, name: DatasetName) -> list[int]:
        """Lists the versions of a dataset, oldest first.

        Where files cannot be listed, the index says which there are; what was pushed after it
        was written is found by asking for the next number.

        Raises:
            NoRight: If the registry lets nobody in.
            RemoteError: If it claims to hold whatever is asked for.
        """
        if self.remote.listable:
            found = self._patience.keep_trying(
                lambda: listed_versions(self.remote, f"versions/{name.path}")
            )
            return [version for each in found if (version := each.version)]
        known = sorted(each.version or 0 for each in self.index or () if each.path == name.path)
        first = (known[-1] if known else 0) + 1
        for following in range(first, first + _MOST_UNLISTED):
            if not self._is_there(name.at(following)):
                break
            known.append(following)
        else:
            raise RemoteError(
                self.remote.url,
                f"no more than {_MOST_UNLISTED} versions of {name.path} that are not in {INDEX}",
                "one of every number that was asked for",
                "Name the version that you want, or ask the owner of the registry.",
            )
        if not known and self._refused is not None:
            raise self._refused
        return known

    def only_dataset(self) -> DatasetName | None:
        """Returns the one dataset of a repository on the Hub; None where there is none of ours."""
        listed = self._patience.keep_trying(lambda: listed_versions(self.remote))
        return listed[0].at(None) if listed else None

    def find(self, wanted: DatasetName) -> DatasetName:
        """Finds the version that somebody wants, the newest if any will do.

        Raises:
            DataError: If it is not there; the error says what is.
        """
        if wanted.version is not None and self._is_there(wanted):
            return wanted
        versions = self.versions(wanted)
        if wanted.version is not None or not versions:
            raise self.no_such(wanted, versions)
        return wanted.at(versions[-1])

    def read_manifest(self, name: DatasetName) -> tuple[Manifest, bytes]:
        """Reads the manifest of a version, and compares it with the index.

        Args:
            name: With a version.

        Returns:
            The manifest, and its bytes as they were published.

        Raises:
            DataError: If it is no good manifest, or another than the index says.
            NotThere: If there is none.
        """
        path = manifest_path(name)
        where = f"{self.remote.url}/{path}"
        content = read_file(self.remote, path, self._patience)
        manifest = Manifest.from_bytes(content, where)
        if manifest.dataset != name:
            raise DataError(
                where,
                f"the manifest of {name}",
                f"that of {manifest.dataset}",
                "Nothing was installed; tell the owner of the registry.",
            )
        expected = (self.index or {}).get(name)
        found = hashlib.sha256(content).hexdigest()
        if expected is not None and found != expected:
            raise DataError(
                where,
                f"the SHA-256 that {INDEX} says, {expected[:12]}…",
                f"{found[:12]}…",
                f"Nothing was installed. One of the two was damaged or changed: tell the owner of "
                f"the registry, who can delete {INDEX}; the next push writes it anew.",
            )
        return manifest, content

    def no_such(self, name: DatasetName, versions: list[int]) -> NotHeld:
        """Makes the error for a dataset or a version that is not there, naming what is."""
        if versions:
            there = ", ".join(map(str, versions[-8:]))
            return NotHeld(
                name,
                f"a version that {self.remote.url} holds",
                f"only {'… ' if len(versions) > 8 else ''}{there}",
                f"Run: {typed('fewmask', 'install', f'{name.path}@{versions[-1]}')}",
            )
        names = sorted({each.path for each in self.index or ()})
        holds = f"only {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"
        return NotHeld(
            name.path,
            f"a dataset that {self.remote.url} holds",
            holds if names else "none of this name",
            "Check the name for a slip, or name another registry with --from.",
        )

    def _is_there(self, name: DatasetName) -> bool:
        try:
            return self._patience.keep_trying(lambda: exists(self.remote, manifest_path(name)))
        except NoRight as error:
            self._refused = error
            return False
