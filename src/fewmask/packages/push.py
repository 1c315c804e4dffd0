"""Publishing a version of a dataset in a registry.

The files go first, then the manifest, which makes the version visible and is created only if
there is none, then the index. So a push that is cut or killed leaves nothing that anybody could
install, and two people who push at the same moment cannot undo each other's work.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from fewmask.errors import DataError, typed
from fewmask.packages.checks import plain_path
from fewmask.packages.index import (
    listed_versions,
    manifest_path,
    object_path,
    read_file,
    refresh_index,
)
from fewmask.packages.manifest import Manifest, PackagedFile
from fewmask.packages.names import DatasetName, parse_name
from fewmask.packages.progress import Progress
from fewmask.packages.registries import address_of
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    AlreadyThere,
    NotThere,
    Remote,
    RemoteError,
    TakesWholeVersions,
)
from fewmask.packages.store import Store, default_store

AT_ONCE = 8
"""Files sent at the same time."""


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Args:
        name: The version.
        url: The registry.
        sent: Bytes that were sent.
        shared: Bytes of files that were there already, from other versions.
        new: Whether the version is new there; if not, it was there with the same content.
        note: A sentence about what did not go as it should, or empty.
    """

    name: DatasetName
    url: str
    sent: int
    shared: int
    new: bool
    note: str = ""


def push(
    name: str,
    to: str,
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
    options: Mapping[str, Any] | None = None,
) -> Pushed:
    """Publishes a version of a dataset that is in the store.

    Args:
        name: `owner/name` for the newest version, or `owner/name@3`.
        to: Name of a registry in the user's list, or its address.
        store: Where the dataset is; the user's own store when left out.
        progress: Called with the bytes done so far, then all of them.
        patience: How long to wait for the registry, and how often to try.
        options: Further arguments for the library that speaks to the registry.

    Returns:
        What was done. Pushing the very same content again is no fault.

    Raises:
        DataError: If the dataset is not in the store or is damaged there, or the registry holds
            this version with other content.
        RemoteError: If the registry cannot be written to.
    """
    store = store or default_store()
    patience = patience or Patience()
    manifest = store.manifest(parse_name(name))
    content = store.manifest_bytes(manifest.dataset)
    with closing(open_remote(address_of(to), patience=patience, options=options)) as remote:
        if not remote.writable:
            remote.create(manifest_path(manifest.dataset), content)  # says why it cannot
        there = _published(remote, manifest.dataset, patience)
        _refuse_other(remote, manifest.dataset, there, content, patience)
        if there is None:
            _refuse_twin(remote, manifest.dataset, patience)
        pushing = _Push(remote, manifest, content, store, patience, progress)
        if isinstance(remote, TakesWholeVersions):
            return pushing.publish_whole(remote, there is None)
        return pushing.publish(there is None)


def _published(remote: Remote, name: DatasetName, patience: Patience) -> bytes | None:
    try:
        return read_file(remote, manifest_path(name), patience)
    except NotThere:
        return None


def _refuse_other(
    remote: Remote, name: DatasetName, there: bytes | None, content: bytes, patience: Patience
) -> None:
    if there is None or there == content:
        return
    listed = patience.keep_trying(lambda: listed_versions(remote, f"versions/{name.path}"))
    newest = max(each.version or 0 for each in listed)
    raise DataError(
        name,
        f"a version that {remote.url} does not hold yet",
        "one of this number with other content",
        "A published version never changes. Build yours as the next one: "
        f"{typed('fewmask', 'build', name.at(newest + 1), 'FOLDER', '--license', 'ID')}",
    )


def _refuse_twin(remote: Remote, name: DatasetName, patience: Patience) -> None:
    """Refuses a name that some file systems would mix with one that is there."""
    try:
        there = patience.keep_trying(lambda: listed_versions(remote))
    except NotThere:
        return  # the first push makes the folder
    for other in there:
        if other.path != name.path and plain_path(other.path) == plain_path(name.path):
            raise DataError(
                name.path,
                f"a name that differs by more than capitals from those in {remote.url}",
                other.path,
                "Build it under that name, or under another.",
            )


class _Push:
    """One push under way."""

    def __init__(
        self,
        remote: Remote,
        manifest: Manifest,
        content: bytes,
        store: Store,
        patience: Patience,
        progress: Progress | None,
    ) -> None:
        self._remote = remote
        self._manifest = manifest
        self._content = content
        self._store = store
        self._patience = patience
        self._progress = progress
        self._files = {file.sha256: file for file in manifest.files}
        self._total = sum(file.size for file in self._files.values())
        self._lock = threading.Lock()
        self._sent = 0
        self._shared = 0

    def publish(self, new: bool) -> Pushed:
        """Sends files, manifest and index."""
        name, remote = self._manifest.dataset, self._remote
        # Of a version that is there, files that are not are mended.
        self._in_parallel(self._send)
        if new:
            try:
                self._patience.keep_trying(
                    lambda: remote.create(manifest_path(name), self._content)
                )
            except AlreadyThere:
                new = False
            # Also after a success: where nobody keeps two pushes apart, the other may have won.
            there = _published(remote, name, self._patience)
            _refuse_other(remote, name, there, self._content, self._patience)
        note = ""
        try:
            sha256 = hashlib.sha256(self._content).hexdigest()
            refresh_index(remote, self._patience, {name: sha256})
        except RemoteError as error:
            note = f"The index could not be written; the next push does it. {error}"
        return self._pushed(new, note)

    def publish_whole(self, remote: TakesWholeVersions, new: bool) -> Pushed:
        """Hands over all at once."""
        if new:
            self._in_parallel(self._check)
            try:
                self._patience.keep_trying(lambda: self._hand_over(remote))
            except AlreadyThere:
                new = False
                there = _published(self._remote, self._manifest.dataset, self._patience)
                _refuse_other(
                    self._remote, self._manifest.dataset, there, self._content, self._patience
                )
        self._shared = self._total - self._sent
        return self._pushed(new, "")

    def _hand_over(self, remote: TakesWholeVersions) -> None:
        self._count_sent(-self._sent)  # what an earlier try sent
        remote.publish(self._manifest, self._content, self._store.object_path, self._count_sent)

    def _pushed(self, new: bool, note: str) -> Pushed:
        return Pushed(self._manifest.dataset, self._remote.url, self._sent, self._shared, new, note)

    def _in_parallel(self, action: Callable[[PackagedFile], None]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as workers:
            running = [workers.submit(action, file) for file in self._files.values()]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
            finally:
                workers.shutdown(cancel_futures=True)
        for job in done:
            job.result()

    def _send(self, file: PackagedFile) -> None:
        path = object_path(file.sha256)
        if self._patience.keep_trying(lambda: self._is_there(path, file.size)):
            self._count(file.size, 0)
            return
        self._check(file)
        counted = 0

        def count(bytes_sent: int) -> None:
            nonlocal counted
            counted += bytes_sent
            self._count_sent(bytes_sent)

        def write() -> None:
            nonlocal counted
            self._count_sent(-counted)  # what an earlier try sent
            counted = 0
            self._remote.write(path, self._store.object_path(file.sha256), count)

        self._patience.keep_trying(write)

    def _is_there(self, path: str, size: int) -> bool:
        try:
            return self._remote.size(path) == size
        except NotThere:
            return False

    def _check(self, file: PackagedFile) -> None:
        """Refuses a file that is damaged in the store: nobody else shall get it."""
        path = self._store.object_path(file.sha256)
        try:
            with path.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            found = str(error.strerror)
        if found != file.sha256:
            raise DataError(
                path,
                f"the bytes of {file.path} as they were built",
                "others" if len(found) == 64 else found,
                f"Run: {typed('fewmask', 'dataset', 'verify', self._manifest.dataset)}",
            )

    def _count_sent(self, size: int) -> None:
        self._count(0, size)

    def _count(self, shared: int, sent: int) -> None:
        with self._lock:
            self._shared += shared
            self._sent += sent
            if self._progress is not None:
                self._progress(min(self._shared + self._sent, self._total), self._total)
