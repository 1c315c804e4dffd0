"""The clock of a training that has a budget of time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fewmask.errors import ArgumentError

_UNITS = {"s": 1, "m": 60, "h": 3600}
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smh])\s*")
LONGEST = 30 * 24 * 3600
"""Seconds of a month; whoever asks for more has mistyped."""
AT_MOST = 2.0
"""Times as fast or slow as planned that a machine is believed to be, at most."""


def parse_budget(text: str | float) -> float:
    """Reads a span of time as people write it.

    Args:
        text: Spans with their units `s`, `m` or `h`; a bare number is refused, because nobody
            knows its unit. From Python also a number of seconds.

    Returns:
        Seconds.

    Raises:
        ArgumentError: If it is no span of time, or none that a training can use.

    Example:

    >>> [parse_budget(text) for text in ("90s", "10m", "1.5h", "1h 30m")]
    [90.0, 600.0, 5400.0, 5400.0]
    """
    seconds = _read(text) if isinstance(text, str) else text
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        instead = (
            f"{text.strip()}m" if isinstance(text, str) and text.strip().isdecimal() else "10m"
        )
        raise ArgumentError(
            "--budget",
            "a span of time with its unit, s, m or h",
            repr(text),
            f"Try --budget {instead}.",
        )
    if not 0 < seconds <= LONGEST:
        raise ArgumentError(
            "--budget", "more than nothing, up to 720h", repr(text), "Try --budget 10m."
        )
    return float(seconds)


def _read(text: str) -> float | None:
    """Adds up spans; None where there is anything else."""
    spans = list(_SPAN.finditer(text))
    if not spans or "".join(span.group() for span in spans) != text:
        return None
    return sum(float(span[1]) * _UNITS[span[2]] for span in spans)


@dataclass(frozen=True)
class Clock:
    """Counts down a budget, from before this process perhaps.

    Args:
        budget: Seconds that everything may take, from the start of the process to the report.
        reserve: Seconds of these that model files, scores and report will take at the end.
        before: Seconds that were spent before `began`, by a process that was killed say.
        began: Where `time.monotonic` stood when this process began.
        others: Seconds that are kept for networks still to be trained.
        step: Seconds that a step took when `reserve` was estimated; 0 where none was measured.
    """

    budget: float
    reserve: float = 0.0
    before: float = 0.0
    began: float = field(default_factory=time.monotonic)
    others: float = 0.0
    step: float = 0.0

    @property
    def spent(self) -> float:
        """Seconds spent so far."""
        return self.before + time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds left to train in; negative where the reserve is being used."""
        return self.budget - self.reserve - self.others - self.spent

    def left_at(self, step: float) -> float:
        """Seconds left to train in on a machine that is slower or faster than it was measured.

        The end will take as much longer as the steps do: it looks at images with the same network.

        Args:
            step: Seconds that a step takes now.

        Example:

        >>> clock = Clock(60.0, reserve=20.0, before=15.0, step=0.1)
        >>> round(clock.left_at(0.1)), round(clock.left_at(0.15))
        (25, 15)
        """
        if not self.step or self.left <= 0:
            return self.left
        slower = min(max(step / self.step, 1 / AT_MOST), AT_MOST)
        # Networks still to come give their part of it when they are trained.
        share = self.left / (self.left + self.others)
        # A model that has learnt something is worth more than an end on time.
        return max(self.left - (slower - 1) * self.reserve * share, self.left / 2)

    @property
    def to_end(self) -> float:
        """Seconds until the budget ends, model files, scores and report with it; 0 after that."""
        return max(0.0, self.budget - self.spent)

    def end(self, now: datetime) -> str:
        """Says when the budget ends.

        Args:
            now: What a clock on the wall shows.

        Returns:
            The time of day; with the date where it is another day.
        """
        end = now + timedelta(seconds=self.to_end)
        return f"{end:%H:%M:%S}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"

    def to_json(self) -> dict[str, Any]:
        """Returns what a later process needs to go on counting, as `run.json` keeps it."""
        return {
            "budget": self.budget,
            "reserve": round(self.reserve, 3),
            "spent": round(self.spent, 3),
            "step": round(self.step, 6),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any], began: float) -> Clock:
        """Goes on counting where another process stopped.

        Args:
            values: What `to_json` returned.
            began: Where `time.monotonic` stood when this process began.
        """
        step = values.get("step", 0.0)
        return cls(values["budget"], values["reserve"], values["spent"], began, step=step)
