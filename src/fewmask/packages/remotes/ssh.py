"""A registry in a folder of a machine that is reached by SSH."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec.asyn

from fewmask.errors import ArgumentError, MissingPackage
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    AlreadyThere,
    Progress,
    RemoteError,
    interrupted,
    no_right,
    not_there,
)

_PIECE = 2**20
"""Bytes asked for at once; many requests are then under way, which hides a slow line."""

_PASSING = frozenset(
    {
        "ConnectionError",
        "ConnectionLost",
        "DisconnectError",
        "SFTPConnectionLost",
        "SFTPNoConnection",
        "TimeoutError",
    }
)
_FORBIDDEN = frozenset({"PermissionDenied", "PermissionError", "SFTPPermissionDenied"})
_UNKNOWN_HOST = frozenset({"HostKeyNotVerifiable"})
"""Names of errors, because what raises them need not be installed."""


class SshRemote:
    """A registry in a folder of another machine.

    User, keys and known machines are those of the command `ssh`: `~/.ssh/config`, an agent,
    `~/.ssh/known_hosts`. A machine that is not known there is refused.

    Args:
        url: `ssh://user@host:port/folder`; `ssh://host/~/folder` lies in the home folder.
        patience: How long to wait.
        options: Further arguments of `asyncssh.connect`, such as `client_keys`.
    """

    writable = True
    listable = True
    keeps_index = True

    def __init__(
        self, url: str, patience: Patience, options: Mapping[str, Any] | None = None
    ) -> None:
        parts = urlsplit(url)
        if not parts.hostname or parts.password or parts.path.strip("/") in ("", "~"):
            raise ArgumentError(
                f"ssh://{parts.hostname or ''}{parts.path}",
                "a machine and a folder on it, without a password",
                "no such",
                "Try for example: ssh://user@example.org/srv/registry",
            )
        self.url = url.rstrip("/")
        root = unquote(parts.path).rstrip("/")
        self._root = root.removeprefix("/~/")
        self._patience = patience
        self._options = {
            "host": parts.hostname,
            **({"port": parts.port} if parts.port else {}),
            **({"username": unquote(parts.username)} if parts.username else {}),
            # Left out, sshfs would trust any machine; this asks ~/.ssh/known_hosts.
            "known_hosts": (),
            "connect_timeout": patience.timeout,
            "login_timeout": patience.timeout,
            "keepalive_interval": patience.timeout / 2,
            "keepalive_count_max": 1,
            **(options or {}),
        }
        self._sshfs = _import_sshfs()
        self._system: Any = None

    def size(self, path: str) -> int:
        """Returns the bytes of a file."""
        with self._asking(path) as (system, place):
            facts = system.info(place)
        if facts["type"] != "file":
            raise not_there(f"{self.url}/{path}")
        return int(facts["size"])

    def list(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder."""
        with self._asking(folder) as (system, place):
            found = system.find(place)
        return tuple(sorted(posixpath.relpath(path, self._root) for path in found))

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on."""
        with self._asking(path) as (system, place), system.open(place, "rb") as file:
            file.seek(start)
            while block := file.read(_PIECE):
                yield block

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Uploads a file beside, then moves it into place."""
        with self._asking(path) as (system, place), _beside(system, place) as beside:
            with source.open("rb") as file, system.open(beside, "wb") as copy:
                while block := file.read(_PIECE):
                    copy.write(block)
                    if progress is not None:
                        progress(len(block))
            system.mv(beside, place)

    def create(self, path: str, content: bytes) -> None:
        """Uploads a small file beside, then moves it into place if nothing is there."""
        where = f"{self.url}/{path}"
        with self._asking(path) as (system, place), _beside(system, place) as beside:
            system.pipe_file(beside, content)
            try:
                fsspec.asyn.sync(system.loop, _rename, system.client, beside, place)
            except Exception as error:
                # The protocol has no word for "exists": the answer is only "failure".
                if "SFTPError" in _names(error) and system.exists(place):
                    raise AlreadyThere(
                        where, "a free place", "a file", "It is kept; nothing was written."
                    ) from error
                raise

    def close(self) -> None:
        """Lets go of the connection, which ends with its last user."""
        self._system = None

    @contextmanager
    def _asking(self, path: str) -> Iterator[tuple[Any, str]]:
        where = f"{self.url}/{path}"
        try:
            if self._system is None:
                self._system = self._connect()
            yield self._system, posixpath.join(self._root, path)
        except RemoteError:
            raise
        except FileNotFoundError as error:
            raise not_there(where) from error
        except Exception as error:  # asyncssh and sshfs raise errors of several families
            raise self._put_into_words(where, error) from error

    def _connect(self) -> Any:
        system = self._sshfs.SSHFileSystem(skip_instance_cache=True, **self._options)
        system.loop.set_exception_handler(_hear)
        return system

    def _put_into_words(self, where: str, error: Exception) -> RemoteError:
        names, line = _names(error), _first_line(error)
        host = self._options["host"]
        if names & _UNKNOWN_HOST:
            self._system = None
            return RemoteError(
                where,
                "a machine whose key is in ~/.ssh/known_hosts",
                "an unknown one",
                f"Make its acquaintance first: ssh {host}",
            )
        if names & _FORBIDDEN:
            return no_right(where, line, f"Try whether you get in, and may write: ssh {host}")
        if names & _PASSING:
            self._system = None  # the next try needs a new connection
            return interrupted(where, f"a broken connection ({line})")
        if isinstance(error, OSError) and "SFTPError" not in names:
            self._system = None
            return interrupted(where, f"a machine that cannot be reached ({line})")
        return RemoteError(
            where, "an answer that can be used", line, "Check the folder, its rights and its disk."
        )


def _import_sshfs() -> Any:
    # By its own name: fsspec knows another library that speaks SSH, without what is needed here.
    try:
        import sshfs  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingPackage(
            "sshfs", "registries at ssh://", 'pip install "fewmask[ssh]"'
        ) from error
    return sshfs


def _hear(loop: Any, context: dict[str, Any]) -> None:
    """Keeps quiet about the other requests that were under way when a connection was cut.

    The first of them has been answered by an error; a screen of traces for the rest helps nobody.
    """
    error = context.get("exception")
    if error is None or not _names(error) & _PASSING:
        loop.default_exception_handler(context)


@contextmanager
def _beside(system: Any, place: str) -> Iterator[str]:
    """Lends a name in the folder of `place`, and removes what is left of it."""
    folder, name = posixpath.split(place)
    beside = f"{folder}/.{name}-{uuid.uuid4().hex[:8]}"
    system.makedirs(folder, exist_ok=True)
    try:
        yield beside
    finally:
        with suppress(Exception):  # it is gone where all went well, and so may the machine be
            system.rm_file(beside)


async def _rename(client: Any, source: str, destination: str) -> None:
    # The plain rename of the protocol; the one that sshfs uses replaces what is there.
    async with client.start_sftp_client() as channel:
        await channel.rename(source, destination)


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
