"""A repository of datasets on the Hugging Face Hub as a registry of one dataset.

The files of the newest version lie at the root, where the Hub and `datasets.load_dataset` look
for them; the manifests lie in `versions/owner/name/`, as in every registry. A version is
published in one commit that brings its manifest and makes the root that of this version. So the
files of a version, old or new, are those of the commit that brought its manifest, and nothing
is stored twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from fewmask.errors import ArgumentError, FewmaskError
from fewmask.packages.manifest import Manifest
from fewmask.packages.names import parse_name
from fewmask.packages.remotes.hubapi import HubApi, HubFile, HubState, Overtaken
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    AlreadyThere,
    NotThere,
    Progress,
    RemoteError,
    interrupted,
    not_there,
)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_RACES = 20
_BATCH = 8
"""Files uploaded together: the library works on several at a time."""
_OTHERS = frozenset({".gitattributes", ".gitignore", "LICENSE", "LICENSE.md", "README.md"})
"""Files that a repository may have before its first version: those the Hub itself makes."""


class HubRemote:
    """A repository of datasets on the Hub.

    Who asks is whoever logged in with `hf auth login`.

    Args:
        url: `hf://owner/name`; with `@` and the digits of a commit it is read as it was then.
        patience: How long to wait.
        options: Further arguments of `huggingface_hub.HfApi`, such as `endpoint` and `token`.
    """

    listable = True
    keeps_index = False

    def __init__(
        self, url: str, patience: Patience, options: Mapping[str, Any] | None = None
    ) -> None:
        repository, _, commit = url.removeprefix("hf://").removeprefix("datasets/").partition("@")
        try:
            self.repository = parse_name(repository.strip("/")).path
            if commit and not _COMMIT.fullmatch(commit):
                raise ArgumentError(url, "a commit after the @", repr(commit), "Leave it out.")
        except ArgumentError as error:
            raise ArgumentError(
                url,
                "hf://owner/name, or with the 40 digits of a commit after an @",
                error.found,
                "Try for example: hf://rohan/chairs",
            ) from error
        self.url = f"hf://{self.repository}"
        self.commit = commit or None
        self.writable = self.commit is None
        self._api = HubApi(self.repository, patience, options)
        self._homes: dict[str, tuple[str, str]] = {}

    @cached_property
    def state(self) -> HubState:
        """What the repository held when it was last asked."""
        return self._api.state(self.commit)

    def size(self, path: str) -> int | None:
        """Returns the bytes of a file."""
        if path.startswith("objects/"):
            commit, place = self._home(path)
            return self._api.files_at(commit).size(place)
        return self._file(path).size

    def list(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder."""
        try:
            files = self.state.files
        except NotThere:
            return ()
        return tuple(sorted(path for path in files if path.startswith(f"{folder}/")))

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on."""
        if path.startswith("objects/"):
            commit, place = self._home(path)
            yield from self._api.files_at(commit).read(place, start)
            return
        self._file(path)
        content = b"".join(self._api.files_at(self.state.commit).read(path))
        if path.startswith("versions/"):
            self._learn(path, content)
        yield content[start:]

    def know(self, sha256: str, path: str) -> None:
        """Notes that a file of the newest commit has this hash, so that it can be read by it."""
        self._homes[sha256] = (self.state.commit, path)

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Refuses: versions are published whole."""
        raise self._only_whole()

    def create(self, path: str, content: bytes) -> None:
        """Refuses: versions are published whole."""
        raise self._only_whole()

    def close(self) -> None:
        """Does nothing: the connections are shared and end with the process."""

    def publish(
        self,
        manifest: Manifest,
        content: bytes,
        sources: Callable[[str], Path],
        progress: Progress | None = None,
    ) -> None:
        """Publishes a version in one commit; the repository is made, private, if there is none.

        Args:
            manifest: The version.
            content: Its bytes.
            sources: Path of a file on this machine by its hash.
            progress: Told of bytes as they are uploaded.

        Raises:
            AlreadyThere: If a manifest of this version is there, whoever was quicker.
            RemoteError: If the repository holds something else.
        """
        place = f"versions/{manifest.name}/{manifest.version}.json"
        try:
            self._api.state(None)
        except NotThere:
            self._api.make_repository()
        additions: dict[str, Any] = {}
        for _ in range(_MOST_RACES):
            self.state = self._api.state(None)
            if place in self.state.files:
                raise AlreadyThere(f"{self.url}/{place}", "a free place", "a file", "It is kept.")
            older = self._newest_before(manifest)
            self._upload(manifest, sources, additions, progress)
            removed = {file.path for file in older.files} if older else set()
            removed &= set(self.state.files) - {file.path for file in manifest.files}
            operations = [
                *additions.values(),
                *(self._api.removal(path) for path in sorted(removed)),
                self._api.addition(place, content),
            ]
            try:
                title = f"Version {manifest.version}"
                commit = self._api.commit(title, operations, self.state.commit)
            except Overtaken:
                continue
            with suppress(FewmaskError):
                # For `load_dataset(…, revision="v3")`; nothing here depends on it.
                self._api.tag(f"v{manifest.version}", commit)
            return
        raise interrupted(self.url, "somebody else who writes there again and again")

    def _upload(
        self,
        manifest: Manifest,
        sources: Callable[[str], Path],
        additions: dict[str, Any],
        progress: Progress | None,
    ) -> None:
        """Uploads what the newest commit lacks, and notes it in `additions`."""
        there = self.state.files
        missing = [
            file
            for file in manifest.files
            if file.path not in additions
            and (file.path not in there or there[file.path].sha256 != file.sha256)
        ]
        for begin in range(0, len(missing), _BATCH):
            batch = missing[begin : begin + _BATCH]
            made = {
                file.path: self._api.addition(file.path, sources(file.sha256)) for file in batch
            }
            self._api.upload([*made.values()])
            additions.update(made)
            if progress is not None:
                progress(sum(file.size for file in batch))

    def _newest_before(self, manifest: Manifest) -> Manifest | None:
        """Returns the newest version that is there; refuses what cannot come after it."""
        files = self.state.files
        there = [path.removesuffix(".json").split("/") for path in files if _is_manifest(path)]
        names = {"/".join(parts[1:3]) for parts in there}
        strange = names - {manifest.name} or (set() if names else set(files) - _OTHERS)
        if strange:
            raise RemoteError(
                self.url,
                f"an empty repository, or one of {manifest.name}",
                f"{sorted(strange)[0]} in it",
                "A repository on the Hub holds one dataset: push to one of its own.",
            )
        if not there:
            return None
        newest = max(int(parts[3]) for parts in there)
        if newest > manifest.version:
            raise RemoteError(
                self.url,
                f"a version after {newest}, which is there",
                f"version {manifest.version}",
                "The Hub takes versions in their order: build a newer one.",
            )
        place = f"versions/{manifest.name}/{newest}.json"
        content = b"".join(self._api.files_at(self.state.commit).read(place))
        return Manifest.from_bytes(content, f"{self.url}/{place}")

    def _learn(self, path: str, content: bytes) -> None:
        """Notes where the files of a version lie: at the commit that brought its manifest."""
        manifest = Manifest.from_bytes(content, f"{self.url}/{path}")
        commit = self._api.commit_that_brought(path, self.state.commit)
        for file in manifest.files:
            self._homes[file.sha256] = (commit, file.path)

    def _home(self, path: str) -> tuple[str, str]:
        sha256 = path.rpartition("/")[2]
        if sha256 not in self._homes:
            raise not_there(f"{self.url}/{path}")
        return self._homes[sha256]

    def _file(self, path: str) -> HubFile:
        if path not in self.state.files:
            raise not_there(f"{self.url}/{path}")
        return self.state.files[path]

    def _only_whole(self) -> RemoteError:
        if self.commit:
            remedy = f"Leave out @{self.commit}"
            return RemoteError(self.url, "a repository to push to", "one commit of it", remedy)
        return RemoteError(self.url, "a whole version", "a single file", "Run: fewmask push")


def _is_manifest(path: str) -> bool:
    return re.fullmatch(r"versions/[^/]+/[^/]+/[1-9][0-9]*\.json", path) is not None
