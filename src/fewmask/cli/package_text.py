"""How the commands about datasets write classes, parts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewmask.data.wording import counted, some
from fewmask.packages.manifest import Manifest
from fewmask.packages.statistics import Statistics

if TYPE_CHECKING:
    from fewmask.packages.diff import Difference

LISTED = 20
"""Rows that are named one by one."""


def class_lines(manifest: Manifest) -> list[str]:
    """Writes a line for each class: its colour, its share of the pixels, in how many images.

    Args:
        manifest: The version of the dataset.
    """
    classes = manifest.classes
    if classes is None:
        return []
    statistics = Statistics.from_json(manifest.statistics, manifest.dataset)
    lines = []
    for number, (name, color) in enumerate(zip(classes.names, classes.colors, strict=True)):
        facts = ""
        if statistics is not None and number < len(statistics.class_shares):
            share, images = statistics.class_shares[number], statistics.class_images[number]
            facts = f": {share:.2%} of the pixels, in {images} of {statistics.images} images"
        # Black on a black terminal would not be seen; the background is no colour of a drawing.
        square = click.style("■", fg=color) if number else "□"
        lines.append(f"{square} {number} {name}{facts}")
    if statistics is not None and statistics.ignored_pixels:
        lines.append(f"  {classes.ignore_index} ignored: {statistics.ignored_pixels:,} pixels")
    return lines


def sizes_text(statistics: Statistics) -> str:
    """Writes the sizes of images: `640 × 640 pixels`, or from the smallest to the largest."""
    (low, width), (high, widest) = statistics.smallest, statistics.largest
    if statistics.smallest == statistics.largest:
        return f"{low} × {width} pixels (height × width)"
    return f"{low} × {width} to {high} × {widest} pixels (height × width)"


def parts_text(manifest: Manifest) -> str:
    """Writes how many images there are, and in which parts: `97 images: 77 train, 20 test`."""
    images = counted(manifest.rows, "image")
    if len(manifest.parts) < 2:
        return images
    return f"{images}: {', '.join(f'{count} {part}' for part, count in manifest.parts.items())}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Writes a table, its columns as wide as they must be.

    Example:

    >>> for line in table(("NAME", "IMAGES"), [("a/b", "7")]):
    ...     print(line)
    NAME  IMAGES
    a/b   7
    """
    lines = [tuple(titles), *map(tuple, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def change_lines(difference: Difference) -> list[str]:
    """Writes what changed from one version to another, a line for each row.

    Args:
        difference: What `compare` found.
    """
    lines = [*difference.classes, *difference.columns]
    for word, samples in (("new", difference.added), ("gone", difference.removed)):
        if samples:
            lines.append(f"{counted(len(samples), 'row')} {word}: {some(samples, LISTED)}")
    for change in difference.changed[:LISTED]:
        pixels = [
            f"{count:,} pixels {word}"
            for count, word in (
                (change.added, "added"),
                (change.removed, "removed"),
                (change.other, "of another class"),
            )
            if count
        ]
        details = f" ({', '.join(pixels)})" if pixels else ""
        lines.append(f"{change.sample}: {', '.join(change.what)} changed{details}")
    if len(difference.changed) > LISTED:
        lines.append(f"and {len(difference.changed) - LISTED} more rows changed")
    return lines or ["nothing: their rows are equal"]


def difference_to_json(difference: Difference, drawing: Path | None) -> dict[str, Any]:
    """Returns what changed as plain values.

    Args:
        difference: What `compare` found.
        drawing: The drawing of it, if there is one.
    """
    return {
        "classes": list(difference.classes),
        "columns": list(difference.columns),
        "added": list(difference.added),
        "removed": list(difference.removed),
        "changed": [
            {
                "sample": change.sample,
                "what": list(change.what),
                "pixels": {
                    "added": change.added,
                    "removed": change.removed,
                    "other": change.other,
                },
            }
            for change in difference.changed
        ],
        "drawing": None if drawing is None else str(drawing),
    }
