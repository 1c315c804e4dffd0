"""How far bytes on their way have come."""

from __future__ import annotations

import threading
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the work done so far, bytes say, then all of it."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class BytesSoFar:
    """Adds up what several threads report.

    Args:
        total: All bytes.
        progress: Told of the sum; never of less than nothing or of more than all.
    """

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done = 0
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()

    def __call__(self, more: int) -> None:
        """Adds bytes; fewer, as a negative number, when some had to go."""
        with self._lock:
            self.done += more
            if self._progress is not None:
                self._progress(max(0, min(self.done, self._total)), self._total)


def bytes_text(number: int) -> str:
    """Writes a number of bytes for people, in steps of a thousand.

    Example:

    >>> bytes_text(999), bytes_text(12_345), bytes_text(3_000_000_000)
    ('999 bytes', '12.3 kB', '3.0 GB')
    """
    value, unit = float(number), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{number} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
