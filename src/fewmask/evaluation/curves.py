"""Drawings of how a training went, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 210
"""A curve in SVG units. One is about one pixel on a phone, so that its text keeps its size."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 14, 30


@dataclass(frozen=True)
class Line:
    """One line of a curve.

    Args:
        label: What it shows.
        values: One number an epoch, NaN where it was not measured.
        style: CSS class: `"first"` or `"second"`.
    """

    label: str
    values: Sequence[float]
    style: str = "first"


def learning_curves(epochs: Sequence[Mapping[str, float]]) -> str:
    """Draws how a training went: loss, validation Dice, learning rate.

    Args:
        epochs: One row an epoch as in `epochs.csv`; columns that are missing or NaN throughout
            are left out.

    Returns:
        HTML figures, none where nothing was measured.
    """
    number = _column_of(epochs, "epoch")
    loss = [
        Line("training", _column_of(epochs, "loss"), "second"),
        Line("validation", _column_of(epochs, "validation_loss")),
    ]
    dice = [Line("validation", _column_of(epochs, "validation_dice"))]
    rate = [Line("learning rate", _column_of(epochs, "learning_rate"), "second")]
    kept = zip(number, _column_of(epochs, "kept"), strict=True)
    last_kept = max((epoch for epoch, was_kept in kept if was_kept == 1), default=None)
    curves = (
        draw_curve("Loss", number, loss),
        draw_curve("Validation Dice", number, dice, top=1.0, mark=last_kept),
        draw_curve("Learning rate", number, rate),
    )
    return "".join(curves)


def draw_curve(
    title: str,
    epochs: Sequence[float],
    lines: Sequence[Line],
    top: float | None = None,
    mark: float | None = None,
) -> str:
    """Draws lines over epochs.

    Args:
        title: Stands above it.
        epochs: Epoch numbers, ascending.
        lines: What to draw; lines without any number are left out.
        top: Upper end of the scale, the highest value when left out; the lower end is 0, or
            the lowest value where that is negative.
        mark: Epoch whose network was kept: its point of the first line is marked.

    Returns:
        An HTML figure, or an empty text where no line has a number.
    """
    lines = [line for line in lines if any(math.isfinite(value) for value in line.values)]
    if not lines:
        return ""
    finite = [value for line in lines for value in line.values if math.isfinite(value)]
    ticks = nice_ticks(min(0.0, *finite), max(finite) if top is None else top)
    low, high = ticks[0], ticks[-1]
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def x(epoch: float) -> float:
        return _LEFT + (epoch - first) / (last - first) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(tick):.1f}" '
        f'y2="{y(tick):.1f}"/><text class="tick end" x="{_LEFT - 7}" y="{y(tick) + 4:.1f}">'
        f"{_tick_text(tick)}</text>"
        for tick in ticks
    ]
    parts += [
        f'<text class="tick middle" x="{x(tick):.1f}" y="{HEIGHT - _BOTTOM + 17}">{tick:g}</text>'
        for tick in whole_ticks(first, epochs[-1])
    ]
    for line in lines:
        points = [(x(at), y(value)) for at, value in zip(epochs, line.values, strict=True)]
        parts += [f'<path class="line {line.style}" d="{path}"/>' for path in _paths(points)]
    names = [f'<span class="key {line.style}">{escape(line.label)}</span>' for line in lines]
    caption = f"<b>{escape(title)}</b>{''.join(names) if len(names) > 1 else ''}"
    value = math.nan if mark is None else lines[0].values[list(epochs).index(mark)]
    if mark is not None and math.isfinite(value):
        parts.append(f'<circle class="kept" cx="{x(mark):.1f}" cy="{y(value):.1f}" r="4.5"/>')
        caption += f'<span class="of-kept">{value:.3f} in epoch {mark:g}, kept</span>'
    return (
        f'<figure class="curve"><figcaption>{caption}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}, by epoch">'
        f"{''.join(parts)}</svg></figure>"
    )


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Chooses round numbers for a scale.

    Args:
        low: Lowest number to show.
        high: Highest number to show.
        count: About how many steps there shall be.

    Returns:
        Ascending numbers, the first at most `low`, the last at least `high`.

    Example:

    >>> nice_ticks(0, 0.87)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    wished = (high - low) / count or 1.0
    unit = 10.0 ** math.floor(math.log10(wished))
    # The small slack keeps 0.2500000001 from being rounded up to the next step.
    step = next(s * unit for s in (1, 2, 2.5, 5, 10) if s * unit >= wished * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, max(last, first + 1) + 1)]


def whole_ticks(first: float, last: float) -> list[float]:
    """Chooses round whole numbers between two epochs, the first epoch among them.

    Example:

    >>> whole_ticks(1, 40)
    [1.0, 10.0, 20.0, 30.0, 40.0]
    """
    step = max(1, math.ceil(nice_ticks(0, max(last - first, 1), 5)[1]))
    inner = range(math.ceil(first / step) * step, math.floor(last) + 1, step)
    return [float(first), *(float(tick) for tick in inner if tick - first >= step / 2)]


def _tick_text(value: float) -> str:
    """Writes a number of a scale; small ones with a power of ten: 7.5e-4."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:.3g}"
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):g}e{int(power)}"


def _paths(points: Sequence[tuple[float, float]]) -> list[str]:
    """Joins the points of each stretch without a gap; one alone becomes a dot-long line."""
    paths: list[str] = []
    joined = False
    for x, y in points:
        if not math.isfinite(y):
            joined = False
        elif joined:
            paths[-1] += f"L{x:.1f} {y:.1f}"
        else:
            paths.append(f"M{x:.1f} {y:.1f}l.01 0")
            joined = True
    return paths


def _column_of(epochs: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [row.get(name, math.nan) for row in epochs]
