"""What a set of masks is taken for, in a rule for the machine and sentences for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fewmask.data.classes import Classes, Color
from fewmask.data.masks.decisions import MAX_CLASSES, ClassSpec, classes_option, color_text
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.legend import Legend, is_background
from fewmask.data.masks.tally import FileTally, Share
from fewmask.errors import DataError, DecisionNeeded

WHERE = "masks"
"""What errors about the whole set name as their place."""


@dataclass(frozen=True)
class Understanding:
    """What a set of masks is taken for.

    Args:
        encoding: The rule that turns stored values into class ids.
        classes: Names, colours and ignore index of the classes.
        findings: Full sentences that say what is believed and why.
    """

    encoding: MaskEncoding
    classes: Classes
    findings: tuple[str, ...]


def conclude(
    tallies: Sequence[FileTally],
    encoding: MaskEncoding,
    names: Sequence[str],
    findings: Iterable[str],
    colors: Sequence[Color] = (),
) -> Understanding:
    """Adds to a reading of the masks what follows from it: shares, empty masks, unused classes.

    Args:
        tallies: The files.
        encoding: The rule they are read by; it covers every value of theirs.
        names: Names of the classes.
        findings: Why they are read so.
        colors: Colours of the classes; chosen where there are none or they are hard to tell.

    Raises:
        DataError: If all pixels that count belong to one class, or there are too many classes.
    """
    if len(names) > MAX_CLASSES:
        raise DataError(
            WHERE,
            f"at most {MAX_CLASSES} classes",
            f"{len(names)}",
            "Join some with --classes, as in other=3+4+5.",
        )
    pixels = _pixels_per_class(tallies, encoding, len(names))
    sums = pixels.sum(axis=0)
    present = np.flatnonzero(sums[:-1])
    if len(present) < 2:
        only = f"only {names[present[0]]!r}" if len(present) else "only ignored pixels"
        raise DataError(
            WHERE,
            "pixels of at least two classes",
            f"{only} in all {len(tallies)} files",
            "Check that these are the masks and that none are missing.",
        )
    sentences = list(findings)
    listed = ", ".join(
        f"{name} {percent(count, sums[:-1].sum())}"
        for name, count in zip(names, sums[:-1].tolist(), strict=True)
    )
    sentences.append(f"Of the pixels that count: {listed}.")
    if sums[-1]:
        files = np.count_nonzero(pixels[:, -1])
        sentences.append(
            f"Ignored are {percent(sums[-1], sums.sum())} of all pixels, "
            f"in {files} of {len(tallies)} masks."
        )
    unused = [repr(name) for name, count in zip(names, sums[:-1], strict=True) if not count]
    if unused:
        sentences.append(f"No mask holds {', '.join(unused)}.")
    empty = np.flatnonzero(pixels[:, 1:-1].sum(axis=1) == 0)
    if len(empty):
        first = tallies[empty[0]].name
        sentences.append(
            f"{len(empty)} of {len(tallies)} masks hold nothing but {names[0]}: "
            + (first if len(empty) == 1 else f"{first} is the first")
            + "."
        )
    transparent = [tally for tally in tallies if tally.has_alpha]
    if transparent:
        in_alpha = any(tally.in_alpha for tally in transparent)
        reading = "what is opaque is the object, because all of it is black"
        sentences.append(
            f"{len(transparent)} of {len(tallies)} masks have transparency, {transparent[0].name} "
            f"is the first: {reading if in_alpha else 'it is read as black'}."
        )
    chosen = tuple(colors) if len(set(colors)) == len(names) else ()
    if chosen and all(red == green == blue for red, green, blue in chosen):
        chosen = ()  # shades of grey cannot be told apart on a photograph
    ignore_index = IGNORED if any(target == IGNORED for _, target in encoding.table) else None
    return Understanding(encoding, Classes(tuple(names), chosen, ignore_index), tuple(sentences))


def pair_names(spec: ClassSpec, legend: Legend | None) -> tuple[str, str] | None:
    """Returns what to call background and foreground where there are just these two.

    Args:
        spec: The decided classes; their names go before those of the legend.
        legend: The names beside the data, if any.

    Returns:
        The two names, or None where the names are too many, or are two of which the first may
        not be the background, as in YOLO files.
    """
    names = spec.names or (legend.names if legend else ())
    if len(names) < 2:
        return "background", names[0] if names else "foreground"
    doubtful = not spec.names and legend is not None and legend.is_yolo
    if len(names) > 2 or (doubtful and not is_background(names[0])):
        return None
    return names[0], names[1]


def percent(part: float, whole: float) -> str:
    """Writes a share as a percentage with one decimal.

    Example:

    >>> percent(1, 3), percent(1, 9999)
    ('33.3 %', 'under 0.1 %')
    """
    share = 100 * part / whole if whole else 0.0
    return "under 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def list_values(shares: Mapping[int, Share], by_color: bool, most: int = 8) -> str:
    """Lists values with their shares of the pixels, the most frequent ones if they are many.

    Example:

    >>> list_values({0: Share(3, 1, "a", 3), 5: Share(1, 1, "a", 1)}, by_color=False)
    '0 (75.0 %) and 5 (25.0 %)'
    """
    whole = sum(share.pixels for share in shares.values())
    frequent = sorted(sorted(shares, key=lambda value: -shares[value].pixels)[:most])
    texts = [
        f"{color_text(value) if by_color else value} ({percent(shares[value].pixels, whole)})"
        for value in frequent
    ]
    if len(shares) > most:
        kind = "colours" if by_color else "values"
        return f"{len(shares)} {kind}, foremost {', '.join(texts)}"
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def proposed_option(
    values: Sequence[int], by_color: bool, ignored: Iterable[int] = frozenset()
) -> str:
    """Writes the options that make a class of every value, under names to replace.

    Args:
        values: Stored values or packed colours.
        by_color: Whether they are colours.
        ignored: Values that are not to count.

    Example:

    >>> proposed_option([0, 128], by_color=False)
    '--classes "background=0,class1=128"'
    """
    names = ["background", *[f"class{place}" for place in range(1, len(values))]]
    option = classes_option(names, [color_text(v) if by_color else str(v) for v in values])
    return " ".join([option, *(f"--ignore-index {value}" for value in ignored)])


def find_stranger(
    shares: Mapping[int, Share],
    strangers: Sequence[int],
    expected: str,
    remedy: str,
    by_color: bool,
) -> DecisionNeeded:
    """Makes the error for values that no class is known for.

    Args:
        shares: Where every value occurs.
        strangers: The values without a class; the one with the most pixels is shown.
        expected: The rule, a phrase.
        remedy: What to type.
        by_color: Whether the values are packed colours.
    """
    value = max(strangers, key=lambda stranger: shares[stranger].pixels)
    share = shares[value]
    found = f"{color_text(value) if by_color else value} in {share.first_pixels:,} pixels"
    if share.files > 1:
        found += f" (and in {share.files - 1} more files)"
    if len(strangers) > 1:
        found += f", beside {len(strangers) - 1} other such {'colours' if by_color else 'values'}"
    return DecisionNeeded(share.first, expected, found, remedy)


def _pixels_per_class(
    tallies: Sequence[FileTally], encoding: MaskEncoding, num_classes: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Returns pixel counts of shape `(files, K + 1)`, those that are ignored last."""
    table = dict(encoding.table)
    pixels = np.zeros((len(tallies), num_classes + 1), np.int64)
    for row, tally in zip(pixels, tallies, strict=True):
        if encoding.rule == "threshold":
            targets = [int(level >= encoding.threshold) for level in tally.levels]
        else:
            keys = tally.colors if encoding.rule == "colors" else tally.values
            targets = [table[key] for key in keys.tolist()]
        places = [-1 if target == IGNORED else target for target in targets]
        np.add.at(row, places, tally.counts)
    return pixels
