"""Killed at any moment, a push or an install leaves nothing broken, and the next one succeeds."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fewmask.packages.push import push
from fewmask.packages.store import Store

from .made import add_version

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no fork"),
    pytest.mark.slow,
]
KILLS = 53


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that were killed."""


@pytest.fixture
def built(tmp_path: Path) -> Store:
    """A store with a version of eight files."""
    store = Store(tmp_path / "mine")
    chance = random.Random(0)
    files = {f"data/train-{n}.parquet": chance.randbytes(20_000 * n) for n in range(8)}
    add_version(store, "rohan/chairs", files)
    return store


@pytest.fixture
def served(built: Store, tmp_path: Path) -> Iterator[str]:
    """A web server that hands out a registry with it."""
    push("rohan/chairs", str(tmp_path / "registry"), store=built)
    answer = functools.partial(Quiet, directory=str(tmp_path / "registry"))
    with Server(("127.0.0.1", 0), answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def kills(what: str, root: Path, place: str) -> int:
    """Lets the program kill; returns how many were killed before they had ended."""
    program = str(Path(__file__).with_name("killer.py"))
    ended = subprocess.run(
        [sys.executable, program, what, str(root), place, str(KILLS)],
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def test_pushes_that_are_killed(built: Store, tmp_path: Path) -> None:
    assert kills("push", built.root, str(tmp_path / "registry")) == KILLS


def test_installs_that_are_killed(served: str, tmp_path: Path) -> None:
    assert kills("install", tmp_path / "yours", served) == KILLS
