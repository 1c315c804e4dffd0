"""A web server that can be told to behave oddly."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

STALL = object()
"""Told for a path: nothing is answered."""


class OddServer(ThreadingHTTPServer):
    """Hands out files, with oddities.

    Args:
        files: Bytes by path.

    `status` gives paths another answer: a number, a place to be redirected to, or `STALL`;
    `kinds` gives paths a content type; `cut_after` ends each answer after so many bytes;
    `knows_ranges` and `knows_head` tell what it understands; `says_length` whether it announces
    how long an answer is; `asked` counts requests by path.
    """

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = dict(files)
        self.status: dict[str, Any] = {}
        self.kinds: dict[str, str] = {}
        self.cut_after: int | None = None
        self.stall_after: int | None = None
        self.knows_ranges = True
        self.knows_head = True
        self.says_length = True
        self.wrong_range = False
        self.failures = Counter[str]()
        self.asked = Counter[str]()
        self.headers_seen: list[dict[str, str]] = []
        self.done = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.done.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that hang up."""


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: OddServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        if self.server.knows_head:
            self.answer()
        else:
            self.send_error(405)

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        server, path = self.server, unquote(self.path).lstrip("/")
        server.asked[path] += 1
        server.headers_seen.append(dict(self.headers))
        status = server.status.get(path)
        if server.failures[path] > 0:
            server.failures[path] -= 1
            status = 503
        if status is STALL:
            server.done.wait(30)
        elif isinstance(status, str):
            self.send_response(302)
            self.send_header("Location", status)
            self.end_headers()
        elif isinstance(status, tuple):
            self.send_error(*status)
        elif status is not None and status != 200:
            self.send_error(status)
        elif path not in server.files and status is None:
            self.send_error(404)
        else:
            self.send_file(path)

    def send_file(self, path: str) -> None:
        server = self.server
        content = server.files[path]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked and server.knows_ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", server.kinds.get(path, "application/octet-stream"))
        if start:
            said = start + 1 if server.wrong_range else start
            self.send_header("Content-Range", f"bytes {said}-{len(content) - 1}/{len(content)}")
        content = content[start:]
        if server.says_length:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if server.cut_after is not None and path.startswith("objects/"):
            content = content[: server.cut_after]
        if server.stall_after is not None and path.startswith("objects/"):
            self.wfile.write(content[: server.stall_after])
            server.done.wait(30)
            return
        self.wfile.write(content)
