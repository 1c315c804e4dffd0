"""What `quality.py` shows: what each tool reached, and how much more or less we did."""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from quality_cells import BLOCKS, MINUTES, OURS, OURS_SCRATCH, TOOLS
from score_file import Score

from fewmask.evaluation.bootstrap import difference_interval

SCRIPT = "quality.py"
BySeed = dict[int, np.ndarray]
"""The Dice of each test image, shape `(N,)`, by the seed of the training."""


class Place(NamedTuple):
    """Where in the tables: a dataset, a tool, minutes."""

    dataset: str
    tool: str
    minutes: float


def tables(scores: Sequence[Score], datasets: Sequence[str]) -> str:
    """Makes all tables, for each machine its own: first the one that measured last.

    Args:
        scores: All that was measured.
        datasets: The datasets, in the order of the tables.
    """
    latest = {score["machine"]: score["date"] for score in sorted(scores, key=itemgetter("date"))}
    sections = []
    for machine in sorted(latest, key=lambda name: latest[name], reverse=True):
        of_machine = [score for score in scores if score["machine"] == machine]
        sections += [f"### {machine}", *tables_of_machine(of_machine, datasets)]
    return "\n\n".join(sections or ["Not measured yet."]) + "\n"


def tables_of_machine(scores: Sequence[Score], datasets: Sequence[str]) -> list[str]:
    """Makes the tables of one machine, with their titles.

    In the first, what is not measured stays empty. In the others a line without any number is
    left out.
    """
    dice = dice_of(scores)
    sections = ["#### Mean Dice", means(dice, datasets)]
    for ours in (OURS, OURS_SCRATCH):
        title = TOOLS[ours].title
        sections += [
            f"#### {title}, minus the others in the same minutes",
            gains(dice, datasets, ours, [(minutes, minutes) for minutes in MINUTES]),
            f"#### {title}, minus the others in more minutes",
            gains(dice, datasets, ours, list(pairwise(MINUTES))),
        ]
    return [*sections, "#### Seconds taken", seconds_taken(scores), sources(scores)]


def dice_of(scores: Sequence[Score]) -> dict[Place, BySeed]:
    """Reads the Dice of every test image."""
    dice: dict[Place, BySeed] = {}
    for score in scores:
        place = Place(score["dataset"], score["tool"], float(score["minutes"]))
        values = np.array(score["dice_of_images"].split(), np.float64)
        dice.setdefault(place, {})[int(score["seed"])] = values
    return dice


def means(dice: dict[Place, BySeed], datasets: Sequence[str]) -> str:
    """Makes the table of the mean Dice, a line for each dataset and minutes that a block has."""
    head = ["dataset", "minutes", *(tool.title for tool in TOOLS.values())]
    to_measure = {(cell.dataset, cell.minutes) for block in BLOCKS.values() for cell in block}
    lines = []
    for dataset in datasets:
        for minutes in MINUTES:
            if (dataset, minutes) not in to_measure:
                continue
            cells = [show_mean(dice.get(Place(dataset, tool, minutes), {})) for tool in TOOLS]
            lines.append([dataset, f"{minutes:g}", *cells])
    return table(head, lines)


def show_mean(dice: BySeed) -> str:
    """Writes the mean over the seeds, and says so where there is one alone."""
    if not dice:
        return ""
    mean = statistics.mean(float(np.nanmean(values)) for values in dice.values())
    return f"{mean:.3f}" + (" (1 seed)" if len(dice) == 1 else "")


def gains(
    dice: dict[Place, BySeed],
    datasets: Sequence[str],
    ours: str,
    minutes: Sequence[tuple[float, float]],
) -> str:
    """Makes the table of our mean Dice minus that of each tool that we compare with.

    Args:
        dice: All that was measured.
        datasets: The datasets, in the order of the lines.
        ours: In which of our ways.
        minutes: For each line of a dataset, our minutes and those of the others.
    """
    peers = [peer for peer, tool in TOOLS.items() if ours in tool.compared]
    head = ["dataset", "minutes", "theirs", *(f"− {TOOLS[peer].title}" for peer in peers)]
    lines = []
    for dataset in datasets:
        for mine, theirs in minutes:
            first = dice.get(Place(dataset, ours, mine), {})
            cells = [show_gain(first, dice.get(Place(dataset, peer, theirs), {})) for peer in peers]
            lines.append([dataset, f"{mine:g}", f"{theirs:g}", *cells])
    measured = [line for line in lines if any(line[3:])]
    return table(head, measured) if measured else "Not measured yet."


def show_gain(first: BySeed, second: BySeed) -> str:
    """Writes how much higher the first is, each image's Dice averaged over the seeds of both."""
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return ""
    mine, theirs = (np.mean([dice[seed] for seed in seeds], axis=0) for dice in (first, second))
    low, high = difference_interval(mine, theirs)
    return f"{np.nanmean(mine - theirs):+.3f} ({low:+.3f} to {high:+.3f})"


def seconds_taken(scores: Sequence[Score]) -> str:
    """Makes the table of what the minutes were in truth: least to most over all cells."""
    lines = []
    for tool, about in TOOLS.items():
        cells = []
        for minutes in MINUTES:
            seconds = [
                float(score["seconds"])
                for score in scores
                if score["tool"] == tool and float(score["minutes"]) == minutes
            ]
            cells.append(f"{min(seconds):.0f} to {max(seconds):.0f}" if seconds else "")
        if any(cells):
            lines.append([about.title, *cells])
    head = ["tool", *(f"of {60 * minutes:g}" for minutes in MINUTES)]
    return table(head, lines) if lines else "Not measured yet."


def sources(scores: Sequence[Score]) -> str:
    """Makes the folded list of what scores are of: tools, days, versions and commits."""
    found = {(each["tool"], each["date"], each["packages"], each["commit"]) for each in scores}
    lines = [
        f"    - {TOOLS[tool].title}: {date}, {packages}; commit {commit}"
        for tool, date, packages, commit in sorted(found)
    ]
    return "\n".join(['??? note "When, and of what"', "", *lines])


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Writes a table, what is behind the first column on the right."""
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
