"""Shows long work in the terminal: sentences, a line an epoch, a bar for what goes on now."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from fewmask.training.events import EpochDone, Event, Said, StepDone, Working, epoch_line

QUIET_SECONDS = 1.0
"""Work that is over sooner needs no line in a log file."""


def make_console(stderr: bool) -> Console:
    """Makes a console that shows text as it is: no wrapping, no colours for numbers, no emoji.

    Args:
        stderr: Whether to write to the standard error, because JSON has the standard output.
    """
    return Console(highlight=False, soft_wrap=True, emoji=False, stderr=stderr)


class Watch:
    """Listens to a training and shows it; a context manager, and a `Listener` when called.

    In a terminal something moves below the lines for as long as there is work, known or not.
    In a log file there are only lines, one for each long piece of work among them, so that it
    reads well there too.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or make_console(stderr=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[share]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, visible=False, share="", note="")
        self._what = ""
        self._began = time.monotonic()
        self._logged = False

    def __enter__(self) -> Watch:
        if self.console.is_interactive:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Rich ends a bar that never began with an empty line, which no log file needs.
        if self.console.is_interactive:
            self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case Said(text):
                self._line(text)
            case EpochDone():
                self._line(epoch_line(event))
            case Working(what, done, total):
                self._bar(what, done, total)
            case StepDone():
                what = f"epoch {event.epoch}/{event.epochs}"
                note = f"loss {event.loss:.3f}  {event.images_per_second:.1f} images/s"
                self._bar(what, event.step, event.steps, note, log=False)

    def wait(self, what: str) -> None:
        """Shows that something goes on of which nobody knows how long it will take.

        Args:
            what: The work, a phrase: `"starting Keras"`.
        """
        self._what = ""
        self._begin(what, None)

    def progress(self, what: str) -> Callable[[int, int], None]:
        """Returns a callable that shows how far a piece of work has come.

        Args:
            what: The work, a phrase: `"reading the images"`.
        """
        return lambda done, total: self(Working(what, done, total))

    def _line(self, text: str) -> None:
        # As Text, because a file name in brackets is a name, not a colour.
        self.console.print(Text(text))
        self.wait("working")

    def _begin(self, what: str, total: int | None) -> None:
        # A new task, because Rich lets none go back to an unknown total.
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=total, share="", note="")

    def _bar(self, what: str, done: int, total: int, note: str = "", log: bool = True) -> None:
        if what != self._what:
            self._begin(what, total)
            self._what, self._began, self._logged = what, time.monotonic(), not log
        self._progress.update(
            self._task,
            completed=done,
            total=total,
            share=f"{done / total:.0%}",  # a share, as an image may be several pieces of work
            note=note,
        )
        lasting = time.monotonic() - self._began >= QUIET_SECONDS
        if lasting and not self._logged and not self.console.is_interactive:
            self._logged = True
            self.console.print(Text(what[:1].upper() + what[1:]))
        if done == total:
            self.wait(what)
