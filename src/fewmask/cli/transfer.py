"""Shows bytes on their way: how many, how fast, how long still."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fewmask.packages.progress import bytes_text

QUIET_SECONDS = 1.0
"""What is over sooner needs no line in a log file."""
LINE_SECONDS = 10.0
"""Time between two lines in a log file."""


class Transfer:
    """Shows how far a transfer has come; a context manager, and a progress function when called.

    In a terminal a bar moves. In a log file there is a line every ten seconds.

    Args:
        what: The work, a phrase: `"fetching rohan/chairs"`.
    """

    def __init__(self, what: str) -> None:
        # The standard output is for results.
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        self._what = what
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None, visible=False)
        self._began = time.monotonic()
        self._start, self._done = 0, 0
        self._total: int | None = None
        self._next_line = self._began + QUIET_SECONDS

    def __enter__(self) -> Transfer:
        if self._console.is_interactive:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_interactive:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Shows that so many bytes of so many are there."""
        if total != self._total or done < self._done:
            # What an earlier attempt or transfer brought says nothing of the speed of this one.
            self._start, self._began = done, time.monotonic()
        self._done, self._total = done, total
        self._bar.update(self._task, completed=done, total=total, visible=True)
        now = time.monotonic()
        if not self._console.is_interactive and now >= self._next_line:
            self._next_line = now + LINE_SECONDS
            self.say(self._line(done, total, now))

    def say(self, sentence: str) -> None:
        """Shows a sentence above the bar."""
        # As Text, because a file name in brackets is a name, not a colour.
        self._console.print(Text(sentence))

    def _line(self, done: int, total: int, now: float) -> str:
        rate = (done - self._start) / max(now - self._began, 1e-9)
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
        what = self._what[:1].upper() + self._what[1:]
        return f"{what}: {bytes_text(done)} of {bytes_text(total)}, {bytes_text(int(rate))}/s{left}"
