"""Drawings of scores: bars to compare them, one dot an image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from fewmask.data.wording import counted
from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.results import show_score


@dataclass(frozen=True)
class Bar:
    """One line of a bar chart of scores.

    Args:
        label: What was scored.
        score: In [0, 1], or NaN.
        interval: Its 95 % interval.
        is_model: Whether it is the model, drawn in colour, or something to compare with.
    """

    label: str
    score: float
    interval: Interval
    is_model: bool


def score_bars(bars: Sequence[Bar]) -> str:
    """Draws scores as bars of one scale from 0 to 1, with their intervals as whiskers.

    Args:
        bars: From top to bottom.

    Returns:
        An HTML list; lengths are shares of its width.
    """
    return f'<ul class="bars">{"".join(map(_score_bar, bars))}</ul>'


def _score_bar(bar: Bar) -> str:
    score = 0.0 if math.isnan(bar.score) else bar.score
    low, high = bar.interval
    whisker = (
        f'<span class="whisker" style="left:{low:.2%};width:{high - low:.2%}"></span>'
        if high > low  # NaN is not
        else ""
    )
    span = bar.interval.words()
    return (
        f'<li class="bar{" model" if bar.is_model else ""}">'
        f'<span class="bar-label">{escape(bar.label)}</span>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{score:.2%}"></span>'
        f"{whisker}</span>"
        f'<span class="bar-score">{show_score(bar.score)}<small>{span}</small></span></li>'
    )


@dataclass(frozen=True)
class Dot:
    """One image in a strip plot.

    Args:
        sample: Its id.
        score: In [0, 1]; NaN is not drawn.
        link: Where a click leads within the page, or an empty text.
    """

    sample: str
    score: float
    link: str = ""


def strip_plot(label: str, dots: Sequence[Dot], interval: Interval | None = None) -> str:
    """Draws one dot an image along a line from 0 to 1.

    Positions are shares of the width, so that dots stay round and text readable on any screen.

    Args:
        label: What the scores are of.
        dots: The images.
        interval: 95 % interval of their mean, drawn as a band.

    Returns:
        An HTML block with an SVG.
    """
    scored = sorted((dot for dot in dots if not math.isnan(dot.score)), key=lambda dot: dot.score)
    columns = Counter(_column(dot.score) for dot in scored)
    gap = min(9.0, 64 / max(columns.values(), default=1))
    height = round(18 + gap * max(columns.values(), default=1))
    seen: Counter[int] = Counter()
    shapes = []
    if interval is not None and not math.isnan(interval.low):
        width = interval.high - interval.low
        shapes.append(
            f'<rect class="band" x="{interval.low:.2%}" y="0" width="{width:.2%}" '
            f'height="{height}" rx="2"/>'
        )
    shapes.append(f'<line class="base" x1="0" x2="100%" y1="{height / 2}" y2="{height / 2}"/>')
    for dot in scored:
        column = _column(dot.score)
        # Dots of one column are stacked around the line: 0, +1, -1, +2, ...
        step = (seen[column] + 1) // 2 * (-1 if seen[column] % 2 else 1)
        seen[column] += 1
        shapes.append(_dot(dot, height / 2 + step * gap))
    average = math.fsum(dot.score for dot in scored) / len(scored) if scored else math.nan
    if scored:
        shapes.append(
            f'<line class="mean" x1="{average:.2%}" x2="{average:.2%}" y1="0" y2="{height}"/>'
        )
    number = counted(len(scored), "image")
    return (
        f'<div class="strip"><p class="strip-label"><b>{escape(label)}</b> '
        f"<span>mean {show_score(average)}, {number}</span></p>"
        f'<svg class="dots" width="100%" height="{height}" role="group" '
        f'aria-label="Dice of each image: {escape(label)}">{"".join(shapes)}</svg></div>'
    )


def _column(score: float) -> int:
    return round(score * 80)


def _dot(dot: Dot, y: float) -> str:
    title = f"<title>{escape(dot.sample)}: {show_score(dot.score)}</title>"
    circle = f'<circle cx="{dot.score:.2%}" cy="{y:.1f}" r="4.5">{title}</circle>'
    if not dot.link:
        return circle
    # The pictures further down are reached by keyboard; here they would be 60 stops on the way.
    return f'<a href="{escape(dot.link)}" tabindex="-1">{circle}</a>'
