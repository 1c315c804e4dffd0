"""The tables of a report, as HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np

from fewmask.data.classes import Classes
from fewmask.evaluation.results import Evaluation, show_score
from fewmask.evaluation.scores import Counts


def class_table(evaluation: Evaluation) -> str:
    """Lists every class with its scores, foreground first.

    Args:
        evaluation: The scores.

    Returns:
        An HTML table: in how many masks a class is; Dice and IoU mean and pooled; precision and
        recall pooled.
    """
    mean, pooled, classes = evaluation.mean, evaluation.pooled, evaluation.classes
    order = [*range(1, classes.num_classes), 0]
    rows = []
    for k in order:
        held_by = sum(row.true_pixels[k] > 0 for row in evaluation.images)
        scores = (mean.dice, pooled.dice, mean.iou, pooled.iou, pooled.precision, pooled.recall)
        cells = "".join(f"<td>{show_score(score[k])}</td>" for score in scores)
        rows.append(
            f'<tr class="{"quiet" if k == 0 else ""}"><th scope="row">{class_name(classes, k)}</th>'
            f"<td>{held_by}</td>{cells}</tr>"
        )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Scores of each class"><table>'
        '<thead><tr><th rowspan="2" scope="col">class</th>'
        '<th rowspan="2" scope="col">images</th>'
        '<th colspan="2" scope="colgroup">Dice</th><th colspan="2" scope="colgroup">IoU</th>'
        '<th rowspan="2" scope="col">precision</th><th rowspan="2" scope="col">recall</th></tr>'
        '<tr><th scope="col">mean</th><th scope="col">pooled</th>'
        '<th scope="col">mean</th><th scope="col">pooled</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def class_name(classes: Classes, class_id: int) -> str:
    """Writes the name of a class behind a patch of its colour, as HTML."""
    return f"{swatch(classes.colors[class_id])}{escape(classes.names[class_id])}"


def swatch(color: Iterable[int]) -> str:
    """Draws a patch of one colour, as HTML."""
    return f'<span class="swatch" style="background:rgb({",".join(map(str, color))})"></span>'


def confusion_table(confusion: Counts, classes: Classes) -> str:
    """Draws a confusion matrix as a heat table.

    Args:
        confusion: Pixel counts of shape `(K, K)`, row = true class.
        classes: Their names.

    Returns:
        An HTML table; each cell is the share of its row, its title the pixel count.
    """
    totals = np.maximum(confusion.sum(axis=1), 1)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes.names)
    rows = []
    for k, name in enumerate(classes.names):
        cells = [
            _heat_cell(int(count), count / totals[k], right=k == column)
            for column, count in enumerate(confusion[k])
        ]
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">'
        '<table class="heat"><thead>'
        f'<tr><td></td><th scope="colgroup" colspan="{len(classes.names)}">predicted as</th></tr>'
        f'<tr><th scope="col">true class</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _heat_cell(count: int, share: float, right: bool) -> str:
    percent = "0" if not count else "&lt;0.1" if share < 0.0005 else f"{share:.1%}".rstrip("%")
    kind = "right" if right else "wrong"
    # A mistake in 4 of 100 pixels matters: the root makes it as visible as 20 would be.
    depth = share if right else math.sqrt(share)
    strong = " strong" if depth > 0.55 else ""
    return (
        f'<td class="{kind}{strong}" style="--depth:{depth:.3f}" title="{count:,} pixels">'
        f"{percent}</td>"
    )


def image_table(evaluation: Evaluation, links: Mapping[str, str]) -> str:
    """Lists every image with its score, the worst first.

    Args:
        evaluation: The scores.
        links: Where the pictures of a sample are within the page, by sample id.

    Returns:
        An HTML table.
    """
    classes = evaluation.classes
    shown = range(1, classes.num_classes) if classes.num_classes > 2 else ()
    head = "".join(f'<th scope="col">{escape(classes.names[k])}</th>' for k in shown)
    rows = []
    for row in evaluation.worst_first:
        name = escape(row.sample)
        if row.sample in links:
            name = f'<a href="{links[row.sample]}">{name}</a>'
        cells = "".join(f"<td>{show_score(row.scores.dice[k])}</td>" for k in shown)
        rows.append(
            f'<tr><th scope="row">{name}</th><td>{show_score(row.mean_dice)}</td>{cells}</tr>'
        )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Scores of each image"><table>'
        f'<thead><tr><th scope="col">image</th><th scope="col">mean Dice</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def facts_table(facts: Mapping[str, Any], label: str) -> str:
    """Lists names and values.

    Args:
        facts: Values by name; a mapping inside is spread out, its names joined by a point.
        label: What the table is of, for people who hear it read.

    Returns:
        An HTML table.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in _spread(facts)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f'<table class="facts"><tbody>{rows}</tbody></table></div>'
    )


def _spread(facts: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _spread(value, f"{before}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{before}{name}", ", ".join(map(str, value))
        else:
            yield f"{before}{name}", "–" if value is None else str(value)
