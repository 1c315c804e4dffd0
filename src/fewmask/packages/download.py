"""Fetching files of a registry: in pieces if need be, never trusted before they are checked."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from fewmask.errors import DataError
from fewmask.files import cannot_write
from fewmask.packages.index import object_path
from fewmask.packages.manifest import PackagedFile
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import BLOCK, Interrupted, NotThere, Remote

AT_ONCE = 8
"""Files fetched at the same time; see the measurements in docs/reference/registry.md."""

Report = Callable[[int], None]
"""Told how many bytes more are there; fewer, as a negative number, when some had to go."""


class Stopped(Exception):
    """Another file could not be fetched, so this one is of no use."""


def fetch_all(
    remote: Remote,
    files: Iterable[PackagedFile],
    partial_path: Callable[[str], Path],
    patience: Patience,
    report: Report,
) -> None:
    """Fetches several files, some at the same time; each is whole and checked afterwards.

    Args:
        remote: The registry.
        files: What to fetch.
        partial_path: Where a file of a hash grows; what is there already is not fetched again.
        patience: How often to try.
        report: Told of bytes as they arrive.

    Raises:
        DataError: If a file is not what the manifest says.
        RemoteError: If it cannot be fetched. What has arrived is kept.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as workers:
        running = [
            workers.submit(
                fetch, remote, file, partial_path(file.sha256), patience, report, stop.is_set
            )
            for file in files
        ]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()  # after the first failure, after Ctrl-C, or when all is done anyway
            workers.shutdown(cancel_futures=True)
    failures = [job.exception() for job in running if not job.cancelled()]
    for failure in failures:
        if failure is not None and not isinstance(failure, Stopped):
            raise failure


def fetch(
    remote: Remote,
    file: PackagedFile,
    partial: Path,
    patience: Patience,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Fetches one file, from where an earlier attempt was cut off.

    Args:
        remote: The registry.
        file: What to fetch.
        partial: Where it grows.
        patience: How often to try without a byte arriving.
        report: Told of bytes as they arrive.
        stopped: Asked whether to end.

    Raises:
        DataError: If it is not what the manifest says; then nothing of it is kept.
        RemoteError: If it cannot be fetched; then what has arrived is kept.
        FewmaskError: If it cannot be written, for example to a full disk.
    """
    growing = _Growing(remote, file, partial, report, stopped)
    try:
        resumed = growing.begin()
        growing.go_on(patience)
        wrong = growing.what_is_wrong()
        if wrong is not None and resumed:
            # What was left by the earlier attempt may be at fault.
            growing.empty()
            growing.go_on(patience)
            wrong = growing.what_is_wrong()
        if wrong is not None:
            growing.empty()
            raise wrong
    except NotThere as error:
        raise NotThere(
            error.where,
            f"{file.path} of the dataset",
            error.found,
            "Nothing was installed. Tell the owner of the registry, who can push it again.",
        ) from error
    except OSError as error:  # those of the registry have become others
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise cannot_write(partial, error) from error


class _Growing:
    """A file on its way, with the hash of what is there."""

    def __init__(
        self,
        remote: Remote,
        file: PackagedFile,
        partial: Path,
        report: Report,
        stopped: Callable[[], bool],
    ) -> None:
        self._remote = remote
        self._file = file
        self._partial = partial
        self._report = report
        self._stopped = stopped
        self._path = object_path(file.sha256)
        self._digest = hashlib.sha256()
        self._have = 0
        self._beginning = b""

    def begin(self) -> bool:
        """Takes up what is there, and says whether that is anything."""
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if self._partial.stat().st_size > self._file.size:
                self._partial.unlink()
        if self._file.size == 0:
            self._partial.touch()  # it is whole without a byte arriving
        with suppress(FileNotFoundError), self._partial.open("rb") as content:
            while block := content.read(BLOCK):
                self._count(block)
        return self._have > 0

    def go_on(self, patience: Patience) -> None:
        """Fetches what is missing; a try that brings a byte is no failed one."""
        pauses = patience.pauses()
        failures = 0
        while self._have < self._file.size:
            before = self._have
            if self._stopped():
                raise Stopped
            try:
                self._append()
                return
            except Interrupted as error:
                failures = 1 if self._have > before else failures + 1
                if failures > len(pauses):
                    raise patience.given_up(error) from error
                time.sleep(pauses[failures - 1])

    def what_is_wrong(self) -> DataError | None:
        """Compares what is there with what the manifest says."""
        found, expected = "", f"{self._file.size:,} bytes of {self._file.path}"
        if self._beginning.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
            found = "a web page"
        elif self._have < self._file.size:
            found = f"only {self._have:,}"
        elif self._have > self._file.size:
            found = "more"
        elif self._digest.hexdigest() != self._file.sha256:
            expected = f"the {expected} with their SHA-256"
            found = "others: damaged or changed"
        if not found:
            return None
        return DataError(
            f"{self._remote.url}/{self._path}",
            expected,
            found,
            "Nothing was installed. Tell the owner of the registry, who can delete this file and "
            "push again.",
        )

    def empty(self) -> None:
        """Throws away what is there."""
        self._partial.unlink(missing_ok=True)
        self._report(-self._have)
        self._digest, self._have, self._beginning = hashlib.sha256(), 0, b""

    def _append(self) -> None:
        with self._partial.open("ab", buffering=0) as partial:
            for block in self._remote.read(self._path, self._have):
                view = memoryview(block)
                while view:  # a single write may take only a part, as on a disk that is full
                    view = view[partial.write(view) :]
                self._count(block)
                if self._stopped():
                    raise Stopped
                if self._have > self._file.size:
                    return

    def _count(self, block: bytes) -> None:
        self._beginning = self._beginning or block[:100]
        self._digest.update(block)
        self._have += len(block)
        self._report(len(block))
