"""A file of scores as CSV: one line a measured cell."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from fewmask.files import write_text

Score = dict[str, str]
"""One line of the file: the names of the columns and their texts."""


def read_scores(path: Path) -> list[Score]:
    """Reads the file; no scores where there is none yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def add_score(path: Path, score: Score, key: Sequence[str]) -> None:
    """Adds a line, or puts it in the place of the one of the same cell.

    Args:
        path: The file, which is written whole or not at all.
        score: The line, with the columns of all others.
        key: The columns that tell one cell from the others.
    """
    others = [each for each in read_scores(path) if not is_same_cell(each, score, key)]
    text = io.StringIO()
    table = csv.DictWriter(text, list(score), lineterminator="\n")
    table.writeheader()
    table.writerows([*others, score])
    write_text(path, text.getvalue())


def is_same_cell(first: Score, second: Score, key: Sequence[str]) -> bool:
    """Says whether two lines are of one cell."""
    return all(first[name] == second[name] for name in key)
