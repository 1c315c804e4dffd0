"""Counts what a conversion cannot keep."""

from __future__ import annotations

from collections import Counter


class Losses:
    """What a conversion cannot keep, for one sentence at its end.

    Example:

    >>> losses = Losses()
    >>> losses.add("attribute", 2)
    >>> losses.add("pixel", 1200, "under another shape")
    >>> losses.sentence()
    'Not kept: 2 attributes; 1,200 pixels under another shape.'
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, noun: str, number: int = 1, rest: str = "") -> None:
        """Counts some more.

        Args:
            noun: What is lost, in the singular.
            number: How many.
            rest: What the sentence says after the noun.
        """
        self._counts[noun, rest] += number

    def listed(self) -> str:
        """Returns what was lost with its counts, or nothing if nothing was."""
        return "; ".join(
            f"{number:,} {noun}{_ending(noun) if number > 1 else ''} {rest}".strip()
            for (noun, rest), number in self._counts.items()
            if number
        )

    def sentence(self) -> str | None:
        """Returns the same as a sentence, or None if nothing was lost."""
        return f"Not kept: {self.listed()}." if self.listed() else None


def _ending(noun: str) -> str:
    return "es" if noun.endswith("x") else "s"
