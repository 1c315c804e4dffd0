"""A registry in a bucket, of Amazon S3 and what speaks like it or of Google Cloud Storage."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec

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

_PIECE = 4 * 2**20
"""Bytes asked for at once: a cut loses no more, and few requests are paid for."""
_PART = 8 * 2**20
"""Bytes of a part of a large upload, a few of which are held in memory at a time."""
_PACKAGES = {"s3": ("s3fs", "s3"), "gs": ("gcsfs", "gcs")}

_PASSING = frozenset(
    {
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectTimeoutError",
        "ConnectionError",
        "EndpointConnectionError",
        "HTTPClientError",
        "HttpError",
        "TimeoutError",
    }
)
_NO_CREDENTIALS = frozenset(
    {"DefaultCredentialsError", "NoCredentialsError", "PartialCredentialsError", "RefreshError"}
)
"""Names of errors, because those who raise them need not be installed."""
_PASSING_CODES = (errno.EBUSY, getattr(errno, "EREMOTEIO", errno.EIO), errno.EIO)
_CONFLICTS = frozenset({"PreconditionFailed", "412"})


class ObjectStoreRemote:
    """A registry in a bucket.

    Who asks is found out as the command-line tools of Amazon and Google do it.

    Args:
        url: `s3://bucket/folder` or `gs://bucket/folder`.
        patience: How long to wait.
        options: Further arguments of `s3fs.S3FileSystem` or `gcsfs.GCSFileSystem`, such as
            `endpoint_url`.
    """

    writable = True
    listable = True
    keeps_index = True

    def __init__(
        self, url: str, patience: Patience, options: Mapping[str, Any] | None = None
    ) -> None:
        parts = urlsplit(url)
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise ArgumentError(
                url.partition("?")[0], "a bucket and a folder in it", "no such", f"Try: {_EXAMPLE}"
            )
        self.url = url.rstrip("/")
        self._root = f"{parts.netloc}{parts.path}".rstrip("/")
        self._patience = patience
        self._system = _open_system(parts.scheme, patience, dict(options or {}))
        self._limits = {"max_concurrency": 2} if parts.scheme == "s3" else {}

    def size(self, path: str) -> int:
        """Returns the bytes of a file."""
        with self._asking(path):
            facts = self._system.info(f"{self._root}/{path}")
        if facts["type"] != "file":
            raise not_there(f"{self.url}/{path}")
        return int(facts["size"])

    def list(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder."""
        with self._asking(folder):
            found = self._system.find(f"{self._root}/{folder}")
        return tuple(sorted(path[len(self._root) + 1 :] for path in found))

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on."""
        size = self.size(path)
        for begin in range(start, size, _PIECE):
            with self._asking(path):
                piece = self._system.cat_file(
                    f"{self._root}/{path}", start=begin, end=min(begin + _PIECE, size)
                )
            yield piece

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Uploads a file; buckets show nothing of it until it is whole."""
        with self._asking(path, writing=True):
            self._system.put_file(
                str(source),
                f"{self._root}/{path}",
                callback=_reporting(progress),
                chunksize=_PART,
                **self._limits,
            )

    def create(self, path: str, content: bytes) -> None:
        """Uploads a small file on the condition that nothing is there."""
        with self._asking(path, writing=True):
            self._system.pipe_file(f"{self._root}/{path}", content, mode="create")

    def close(self) -> None:
        """Does nothing: the connections are shared and end with the process."""

    @contextmanager
    def _asking(self, path: str, writing: bool = False) -> Iterator[None]:
        where = f"{self.url}/{path}"
        try:
            yield
        except FileNotFoundError as error:
            if writing:
                raise RemoteError(
                    self.url,
                    "a bucket that exists",
                    "none of this name",
                    "Make the bucket first, or check the name for a slip.",
                ) from error
            raise not_there(where) from error
        except FileExistsError as error:
            raise _already_there(where) from error
        except PermissionError as error:
            raise self._no_right(where, _first_line(error)) from error
        except Exception as error:  # the libraries of clouds raise errors of many families
            raise self._put_into_words(where, error) from error

    def _put_into_words(self, where: str, error: Exception) -> RemoteError:
        names = {kind.__name__ for kind in type(error).__mro__}
        response = getattr(error.__cause__, "response", None) or {}
        code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
        if names & _NO_CREDENTIALS:
            return self._no_right(where, "nobody logged in on this machine")
        if code in _CONFLICTS:
            return _already_there(where)
        if code == "ConditionalRequestConflict":
            return interrupted(where, "somebody else who writes there at this moment")
        if names & _PASSING:
            return interrupted(where, f"a broken connection ({_first_line(error)})")
        if isinstance(error, OSError) and error.errno in _PASSING_CODES:
            return interrupted(where, f"the answer '{_first_line(error)}'")
        return RemoteError(
            where,
            "an answer that can be used",
            _first_line(error),
            "Check the address and the rights.",
        )

    def _no_right(self, where: str, found: str) -> RemoteError:
        if self.url.startswith("gs:"):
            remedy = "Log in with: gcloud auth application-default login"
        else:
            remedy = "Log in with: aws configure. A public bucket is read by its https address."
        return no_right(where, found, remedy)


_EXAMPLE = "s3://bucket/registry"


def _open_system(kind: str, patience: Patience, options: dict[str, Any]) -> Any:
    package, extra = _PACKAGES[kind]
    if kind == "s3":
        options["config_kwargs"] = {
            "connect_timeout": patience.timeout,
            "read_timeout": patience.timeout,
            # Trying again is the caller's part, who knows what it is worth.
            "retries": {"max_attempts": 0},
            **options.get("config_kwargs", {}),
        }
    else:
        options.setdefault("requests_timeout", patience.timeout)
    try:
        # Listings are not kept: somebody else may push at any moment.
        system = fsspec.filesystem(kind, use_listings_cache=False, **options)
    except ImportError as error:
        raise MissingPackage(
            package, f"registries at {kind}://", f'pip install "fewmask[{extra}]"'
        ) from error
    system.retries = 1
    return system


def _reporting(progress: Progress | None) -> Any:
    class Report(fsspec.Callback):  # type: ignore[misc]
        """Hears of steps from one library, and of sums from the other."""

        value: int

        def relative_update(self, inc: int = 1) -> None:
            self.absolute_update(self.value + inc)

        def absolute_update(self, value: int) -> None:
            if progress is not None:
                progress(value - self.value)
            self.value = value

    return Report()


def _already_there(where: str) -> AlreadyThere:
    return AlreadyThere(where, "a free place", "a file", "It is kept; nothing was written.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
