"""How long to wait for a registry, and how often to ask again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fewmask.packages.remotes.remote import Interrupted

T = TypeVar("T")

_LONGEST_PAUSE = 8.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for a registry, and how often to ask again.

    Args:
        timeout: Seconds without a single byte after which a connection counts as lost.
        tries: How often something is tried before it is given up.
        pause: Seconds before the second try; each further pause is twice as long.

    Example:

    >>> Patience(tries=4).pauses()
    (0.5, 1.0, 2.0)
    """

    timeout: float = 10.0
    tries: int = 4
    pause: float = 0.5

    def pauses(self) -> tuple[float, ...]:
        """Returns the seconds to wait after each failed try but the last."""
        return tuple(min(self.pause * 2**n, _LONGEST_PAUSE) for n in range(self.tries - 1))

    def keep_trying(self, action: Callable[[], T]) -> T:
        """Does something that may be interrupted, again if it was.

        Args:
            action: What to do; doing it twice must be as good as once.

        Returns:
            What it returns.

        Raises:
            Interrupted: If every try was; the error says how many there were.
        """
        for pause in self.pauses():
            try:
                return action()
            except Interrupted:
                time.sleep(pause)
        try:
            return action()
        except Interrupted as error:
            raise self.given_up(error) from error

    def given_up(self, error: Interrupted) -> Interrupted:
        """Says of the last of several failures that there were several."""
        if self.tries == 1:
            return error
        found = f"{error.found}, {self.tries} times in a row"
        return Interrupted(error.where, error.expected, found, error.remedy)
