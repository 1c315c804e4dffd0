"""A registry behind a web server that hands out files; read only."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from fewmask.errors import ArgumentError
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    BLOCK,
    NoRight,
    NotThere,
    Progress,
    RemoteError,
    interrupted,
)

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MISSING = frozenset({404, 410})
_FORBIDDEN = frozenset({401, 403, 407})
_NO_HEAD = frozenset({405, 501})
"""What servers say that only know GET."""


class HttpRemote:
    """A registry behind a web server.

    Any server will do that hands out the files of a folder. Without listings the newest version
    is found through the index and by asking for the version after it.

    Args:
        url: Address of the registry.
        patience: How long to wait.
        headers: Sent to this server, and not to others that it points to.
    """

    writable = False
    listable = False
    keeps_index = True

    def __init__(
        self, url: str, patience: Patience, headers: Mapping[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.username or parts.password or not parts.hostname or parts.query or parts.fragment:
            raise ArgumentError(
                f"{parts.scheme}://{parts.hostname or ''}{parts.path}",
                "the plain address of a folder on a web server",
                "a log-in, a question or no server in it",
                "Try for example: https://example.org/registry",
            )
        self.url = url.rstrip("/")
        self._patience = patience
        self._headers = dict(headers or {})
        self._opener = _opener(encrypted=url.startswith("https:"))

    def size(self, path: str) -> int | None:
        """Asks for the bytes of a file without fetching it."""
        try:
            with self._ask(path, "HEAD") as answer:
                length = answer.headers.get("Content-Length", "")
        except _NoHead:
            with self._ask(path, "GET") as answer:
                length = answer.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() else None

    def list(self, folder: str) -> tuple[str, ...]:
        """Refuses: web servers do not say what they hold."""
        raise RemoteError(
            f"{self.url}/{folder}", "a place that lists its files", "a web server", "Name the file."
        )

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yields the bytes of a file from `start` on.

        A server that knows no ranges sends the file from its beginning; the bytes before `start`
        are then passed over.
        """
        with suppress(_PastTheEnd):
            yield from self._read(path, start)

    def _read(self, path: str, start: int) -> Iterator[bytes]:
        where = self._address(path)
        with self._ask(path, "GET", start) as answer:
            skip = start
            if answer.status == 206:
                _check_range(where, answer.headers, start)
                skip = 0
            expected = answer.headers.get("Content-Length", "")
            arrived = 0
            while block := answer.read1(BLOCK):
                arrived += len(block)
                yield block[skip:]
                skip = max(0, skip - len(block))
            if expected.isdecimal() and arrived < int(expected):
                raise interrupted(where, f"a connection cut after {arrived:,} bytes")

    def write(self, path: str, source: Path, progress: Progress | None = None) -> None:
        """Refuses."""
        raise self._read_only()

    def create(self, path: str, content: bytes) -> None:
        """Refuses."""
        raise self._read_only()

    def close(self) -> None:
        """Does nothing: each file has its own connection."""

    def _read_only(self) -> RemoteError:
        return RemoteError(
            self.url,
            "a registry that can be written to",
            "a web server, which only hands files out",
            "Push to the folder, bucket or SSH host whose files it serves.",
        )

    def _address(self, path: str) -> str:
        return f"{self.url}/{quote(path)}"

    @contextmanager
    def _ask(self, path: str, method: str, start: int = 0) -> Iterator[Any]:
        where = self._address(path)
        request = Request(where, method=method, headers={"User-Agent": "fewmask"})
        for name, value in self._headers.items():
            request.add_unredirected_header(name, value)
        if start:
            request.add_header("Range", f"bytes={start}-")
        try:
            with self._opener.open(request, timeout=self._patience.timeout) as answer:
                _refuse_pages(where, path, answer.headers)
                yield answer
        except HTTPError as error:
            with error:
                raise _refusal(where, method, error) from error
        except TimeoutError as error:
            raise interrupted(where, f"none within {self._patience.timeout:g} s") from error
        except URLError as error:
            raise _unreachable(where, error.reason, self._patience) from error
        except (OSError, HTTPException) as error:
            raise interrupted(where, f"a broken connection ({_phrase(error)})") from error


class _NoHead(RemoteError):
    """The server only answers to GET."""


class _PastTheEnd(RemoteError):
    """The file has no more bytes than there are already."""


class _Redirects(HTTPRedirectHandler):
    """Follows the server elsewhere, but not from an encrypted connection to an open one."""

    max_redirections = 5

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encrypts = False

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Makes the request to the place that the server named."""
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise RemoteError(
                req.full_url,
                "an encrypted connection",
                f"a server that points to {newurl}",
                "Use the address of a server that stays with https.",
            )
        if req.type == "http" and urlsplit(newurl).scheme == "https":
            with self._lock:  # several threads share the opener
                if not self._encrypts:
                    self.parent.add_handler(_encryption())
                    self._encrypts = True
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None:
            made.method = req.get_method()
        return made


def _encryption() -> HTTPSHandler:
    # One for all connections: reading the certificates of the system takes 50 ms.
    return HTTPSHandler(context=ssl.create_default_context())


def _opener(encrypted: bool) -> OpenerDirector:
    # Put together by hand, because the usual one also follows servers to ftp and to files.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        *([_encryption()] if encrypted else []),
        HTTPDefaultErrorHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _refuse_pages(where: str, path: str, headers: HTTPMessage) -> None:
    """Refuses the page that some servers send with "all is well" where a file is missing."""
    if headers.get_content_type() == "text/html" and not path.endswith((".html", ".htm")):
        raise RemoteError(
            where,
            "a file of a registry",
            "a web page",
            "Open the address in a browser: it may want a log-in, or not be that of the registry.",
        )


def _check_range(where: str, headers: HTTPMessage, start: int) -> None:
    if not headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise interrupted(where, "another piece of the file than was asked for")


def _refusal(where: str, method: str, error: HTTPError) -> RemoteError:
    code = error.code
    if code in _MISSING:
        return NotThere(
            where,
            "a file",
            f"nothing there ({code})",
            "Check the address and the name for a slip.",
        )
    if code in _FORBIDDEN:
        return NoRight(
            where,
            "a file that anybody may fetch",
            f"a server that refuses it ({code} {error.reason})",
            "Check the address, and ask its owner: some servers say so of what is not there.",
        )
    if code in _TRY_AGAIN:
        return interrupted(where, f"the server's answer {code} {error.reason}")
    if code == 416:
        return _PastTheEnd(where, "more bytes", "none", "Compare the sizes.")
    if method == "HEAD" and code in _NO_HEAD:
        return _NoHead(where, "an answer to HEAD", str(code), "Ask with GET.")
    if 300 <= code < 400:
        return RemoteError(
            where,
            "a file",
            "a server that points in a circle, or to what is no web server",
            "Open the address in a browser, and ask its owner.",
        )
    return RemoteError(
        where, "a file", f"the server's answer {code} {error.reason}", "Check the address."
    )


def _unreachable(where: str, reason: object, patience: Patience) -> RemoteError:
    if isinstance(reason, TimeoutError):
        return interrupted(where, f"none within {patience.timeout:g} s")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RemoteError(
            where,
            "a certificate that can be trusted",
            f"one that cannot ({reason.verify_message})",
            "Check the address and this machine's clock, and ask the server's owner.",
        )
    return interrupted(where, f"a server that cannot be reached ({_phrase(reason)})")


def _phrase(reason: object) -> str:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return text[:1].lower() + text[1:]
