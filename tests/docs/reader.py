"""A reader who does what a page says, block by block, and compares what the page shows."""

from __future__ import annotations

import ast
import contextlib
import doctest
import glob
import io
import json
import os
import runpy
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from fewmask.cli import main

from .blocks import TYPED, Block
from .printed import strange_lines

ROOT = Path(__file__).parents[2]
SHOWN = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load, "csv": str, "xml": str}
"""Languages of files that a page shows, and what must be able to read them."""


class Reader:
    """Reads one page in the working directory.

    Args:
        not_run: Beginnings of commands and Python blocks that are passed over, with reasons.
        serves: Beginnings of commands that go on until the reader is closed.
        depends: Beginnings of lines that are not compared.
    """

    def __init__(
        self,
        not_run: Mapping[str, str] | None = None,
        serves: tuple[str, ...] = (),
        depends: tuple[str, ...] = (),
    ) -> None:
        self._not_run = not_run or {}
        self._serves = serves
        self._depends = depends
        self._servers: list[subprocess.Popen[bytes]] = []
        self._passed_over: set[str] = set()
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._printed = ""

    def read(self, block: Block) -> None:
        """Runs a block, or compares it with what the blocks before it printed.

        Raises:
            AssertionError: If it does not run, shows what nobody printed, or is neither.
        """
        if block.language == TYPED:
            for command in typed_commands(block.code):
                if command.startswith(self._serves or ("\n",)):
                    self._servers.append(_serve(command))
                elif not self._is_passed_over(command):
                    self._printed += _listen(lambda command=command: _type(command))
        elif block.language == "python":
            if not self._is_passed_over(block.code):
                self._printed += _listen(lambda: _execute(block.code, self._names))
        elif block.language == "pycon":
            self._run_session(block)
        elif block.language == "text":
            # Where nothing was printed there is nothing to compare: a tree of files, a table.
            if self._printed.strip():
                self.compare(block, self._printed)
            self._printed = ""
        else:
            known = ", ".join((TYPED, "python", "pycon", "text", *SHOWN))
            assert block.language in SHOWN, (
                f"```{block.language} is neither run nor known; take one of {known}"
            )
            SHOWN[block.language](block.code)

    def close(self) -> None:
        """Ends what serves."""
        for server in self._servers:
            server.kill()
            server.wait()

    def unused_reasons(self) -> list[str]:
        """Returns what was to be passed over and never met: the page has changed."""
        return [start for start in self._not_run if start not in self._passed_over]

    def _is_passed_over(self, code: str) -> bool:
        met = {start for start in self._not_run if code.startswith(start)}
        self._passed_over |= met
        return bool(met)

    def _run_session(self, block: Block) -> None:
        # One namespace a page: a session goes on where the last one ended.
        test = doctest.DocTestParser().get_doctest(
            block.code, self._names, "session", None, block.line
        )
        test.globs = self._names
        complaints: list[str] = []
        options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
        runner = doctest.DocTestRunner(verbose=False, optionflags=options)
        result = runner.run(test, out=complaints.append, clear_globs=False)
        assert result.attempted > 0, "a session without >>>"
        assert result.failed == 0, "".join(complaints)

    def compare(self, block: Block, printed: str) -> None:
        """Compares what a block shows with what was printed since the block before it.

        Raises:
            AssertionError: If it shows a line that was not printed.
        """
        strange = strange_lines(block.code, printed, os.getcwd(), self._depends)
        assert not strange, (
            f"shown, but not printed: {strange}\nwhat was printed:\n{printed}\n"
            "Paste what is printed now, or add to DEPENDS in tests/docs/stage.py."
        )


def typed_commands(code: str) -> Iterator[str]:
    """Yields the commands of a block, each on one line unless its quotes hold several.

    Example:

    >>> list(typed_commands("fewmask train photos/\\\\\\n --epochs 3\\n# a remark\\nls\\n"))
    ['fewmask train photos/  --epochs 3', 'ls']
    """
    command = ""
    for line in code.replace("\\\n", " ").splitlines():
        command += line
        if _has_open_quote(command):
            command += "\n"
            continue
        if _split(command):
            yield command.strip()
        command = ""


def _has_open_quote(command: str) -> bool:
    try:
        _split(command)
    except ValueError:
        return True
    return False


def _split(command: str) -> list[str]:
    return shlex.split(command, comments=True)


def _listen(work: Callable[[], None]) -> str:
    """Returns what something prints, on both of its streams."""
    heard = io.StringIO()
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a page runs into is its fault
        trace = "" if isinstance(error, SystemExit) else traceback.format_exc()
        raise AssertionError(f"it ended with {error!r}:\n{heard.getvalue()}{trace}") from None
    return heard.getvalue()


def _type(command: str) -> None:
    """Types one command; those of fewmask and Python run in this process, which is faster."""
    words, file = _split(command), ""
    if words[-2:-1] == [">"]:
        words, file = words[:-2], words[-1]
    words = [match for word in words for match in sorted(glob.glob(word)) or [word]]
    if not any(sign in words for sign in ("|", "||", "&&", ";", "<", "&")):
        if words[0] == "fewmask":
            return _into(file, lambda: _fewmask(words[1:]))
        if words[:2] == ["python", "-c"]:
            return _into(file, lambda: _execute(words[2], {"__name__": "__main__"}))
        if words[0] == "python" and words[1:2] != ["-m"]:
            return _into(file, lambda: _script(words[1], words[1:]))
    done = subprocess.run(command, shell=True, env=_environment(), capture_output=True, text=True)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{command} ended with {done.returncode}"
    return None


def _environment() -> dict[str, str]:
    """Returns an environment in which `python` is the Python that runs the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path}


def _serve(command: str) -> subprocess.Popen[bytes]:
    """Starts a command that goes on; returns when a port that it names is open."""
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(_split(command), env=_environment(), stdout=quiet, stderr=quiet)
    ports = [int(word) for word in _split(command) if word.isdigit()]
    for _ in range(100):
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    server.wait()
    raise AssertionError(f"{command} did not begin to serve")


def _into(file: str, work: Callable[[], None]) -> None:
    """Does work whose output goes into a file, if one is named."""
    if not file:
        work()
        return
    with open(file, "w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
        work()


def _fewmask(words: list[str]) -> None:
    try:
        main(words)
    except SystemExit as ended:
        if ended.code not in (0, None):
            raise


def _script(path: str, arguments: list[str]) -> None:
    """Runs a file of Python that lies here, or in a clone as pages name it."""
    file = path if Path(path).exists() else str(ROOT / path)
    before, sys.argv = sys.argv, arguments
    try:
        runpy.run_path(file, run_name="__main__")
    finally:
        sys.argv = before


def _execute(code: str, names: dict[str, Any]) -> None:
    exec(compile(ast.parse(code), "<page>", "exec"), names)
