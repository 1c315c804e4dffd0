"""Understands what the values of a set of mask files mean.

Masks come as 0 and 1, 0 and 255, class ids, palettes, colours, with soft edges and with values
that are not to count. What allows one reading only is read so, and said; what allows more is
never guessed: the error names the decision to be taken and what to type for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.masks.colors import understand_colors
from fewmask.data.masks.decisions import (
    ClassSpec,
    MaskDecisions,
    color_text,
    parse_classes,
    unpack_color,
)
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.ids import understand_ids
from fewmask.data.masks.legend import Legend
from fewmask.data.masks.tally import FileTally, sum_shares, tally_files
from fewmask.data.masks.understanding import (
    WHERE,
    Understanding,
    conclude,
    find_stranger,
    pair_names,
)
from fewmask.data.packed import SampleFile
from fewmask.errors import ArgumentError, DataError, DecisionNeeded

_BLACK_AND_WHITE = frozenset({0, 0xFFFFFF})


def understand_masks(
    paths: Sequence[SampleFile],
    decisions: MaskDecisions = MaskDecisions(),  # noqa: B008 - frozen, so safe to share
    legend: Legend | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    progress: Callable[[int, int], None] | None = None,
) -> Understanding:
    """Finds out which value of a set of masks is which class.

    Every mask is read, so that one that does not fit is found now and named.

    Args:
        paths: The mask files.
        decisions: What their owner decided.
        legend: The class names and colours that lie beside them, if any.
        max_pixels: Largest height times width allowed.
        progress: Called with the number of masks read and of all masks.

    Returns:
        The rule that decodes them, their classes, and sentences that say what is believed.

    Raises:
        DecisionNeeded: If there is more than one reading; the message says what to type.
        DataError: If a file cannot be read or there is nothing to tell apart.
        ArgumentError: If the decisions contradict themselves or the masks.
    """
    spec = _check(decisions)
    if not paths:
        raise DataError(WHERE, "at least one mask", "none", "Name their folder with --masks.")
    tallies = tally_files(paths, max_pixels, progress)
    _check_transparency(tallies)
    if decisions.threshold is not None:
        return _by_threshold(tallies, spec, legend, decisions.threshold)
    if spec.stored:
        return _by_spec(tallies, spec, decisions.ignore_index)
    understand = understand_colors if _goes_by_color(tallies) else understand_ids
    return understand(tallies, spec, legend, decisions.ignore_index)


def _check(decisions: MaskDecisions) -> ClassSpec:
    """Takes the decisions apart and refuses those that contradict each other."""
    spec = parse_classes(decisions.classes)
    threshold, ignored = decisions.threshold, decisions.ignore_index
    if threshold is not None:
        if not 1 <= threshold <= 65535:
            raise ArgumentError(
                "--threshold", "a value from 1 to 65535", f"{threshold}", "Try --threshold 128."
            )
        if spec.stored or ignored is not None or len(spec.names) > 2:
            raise ArgumentError(
                "--threshold",
                "no other decision about values, because all of them become two classes",
                "--ignore-index" if ignored is not None else "--classes",
                'Use one or the other; names alone are fine: --classes "background,chair"',
            )
    if ignored is not None and not 0 <= ignored <= 65535:
        raise ArgumentError(
            "--ignore-index", "a value from 0 to 65535", f"{ignored}", "Try --ignore-index 255."
        )
    if ignored is not None and ignored in dict(spec.stored):
        raise ArgumentError(
            "--ignore-index",
            "a value that is no class",
            f"{ignored}, which --classes names",
            "Take it out of one of the two.",
        )
    return spec


def _check_transparency(tallies: Sequence[FileTally]) -> None:
    """Refuses what may be an object or not: the black of one mask beside that of the others."""
    drawn = [tally for tally in tallies if tally.in_alpha]
    seen = [tally for tally in tallies if not tally.in_alpha and len(tally.values) > 1]
    if drawn and seen:
        raise DecisionNeeded(
            drawn[0].name,
            f"objects that are not black, as in {seen[0].name}",
            "black on a transparent ground",
            "Fill the ground with black if there is no object, make the black white if it is the "
            "object.",
        )
    black = [tally for tally in tallies if not tally.has_alpha and tally.colors.tolist() == [0]]
    if drawn and black:
        raise DecisionNeeded(
            black[0].name,
            f"black shapes on a transparent ground, as in {drawn[0].name}",
            "black everywhere",
            "Make it transparent if nothing is there, white if all of it is the object.",
        )


def _goes_by_color(tallies: Sequence[FileTally]) -> bool:
    """Says whether the colours seen decide, not the values stored."""
    if any(tally.kind == "color" for tally in tallies):
        deep = [tally for tally in tallies if not len(tally.colors)]
        if deep:
            raise DecisionNeeded(
                deep[0].name,
                "a mask in colours as the others",
                "16-bit values",
                "Keep class ids and colours in folders of their own, and name one with --masks.",
            )
        return True
    with_palette = [tally for tally in tallies if tally.kind == "palette"]
    if not with_palette or not all(len(tally.colors) for tally in tallies):
        return False
    shown = {color for tally in tallies for color in tally.colors.tolist()}
    if shown <= _BLACK_AND_WHITE:
        # Whether black is index 0 or 1 is chance; that black is the darker one is not.
        return True
    by_index: dict[int, int] = {}
    for tally in with_palette:
        for value, color in zip(tally.values.tolist(), tally.colors.tolist(), strict=True):
            if by_index.setdefault(value, color) != color:
                return True
    return False


def _by_threshold(
    tallies: Sequence[FileTally], spec: ClassSpec, legend: Legend | None, threshold: int
) -> Understanding:
    for tally in tallies:
        if tally.kind == "color":
            raise DataError(
                tally.name,
                "grey values, as --threshold needs them",
                "colours",
                "Name each colour with --classes instead.",
            )
    low = min(int(tally.levels.min()) for tally in tallies)
    high = max(int(tally.levels.max()) for tally in tallies)
    if low < high and not low < threshold <= high:
        raise ArgumentError(
            f"--threshold {threshold}",
            "a value that some pixels reach and some do not",
            f"values from {low} to {high}",
            f"Try --threshold {(low + high + 1) // 2}.",
        )
    names = pair_names(spec, legend) or ("background", "foreground")
    findings = [f"Values from {threshold} up are {names[1]}, as --threshold says."]
    return conclude(tallies, MaskEncoding("threshold", (), threshold), names, findings)


def _by_spec(
    tallies: Sequence[FileTally], spec: ClassSpec, ignore_index: int | None
) -> Understanding:
    for tally in tallies:
        if tally.kind == "color" and not spec.by_color:
            raise DataError(
                tally.name,
                "stored values, as --classes names them",
                "colours",
                "Name each colour instead, as in --classes road=#6EC1E4",
            )
        if spec.by_color and not len(tally.colors):
            raise DataError(
                tally.name,
                "colours, as --classes names them",
                "16-bit values",
                "Name each value instead, as in --classes road=1",
            )
    if spec.by_color and ignore_index is not None:
        raise ArgumentError(
            "--ignore-index",
            "masks that hold class ids",
            "classes given by colour",
            "Declare the colour instead, as in: --classes ignore=#9B9B9B",
        )
    ignored = set(spec.ignored) if ignore_index is None else {ignore_index}
    table = dict(spec.stored) | dict.fromkeys(ignored, IGNORED)
    shares = sum_shares(tallies, spec.by_color)
    if strangers := [value for value in shares if value not in table]:
        raise _undeclared(tallies, spec, sorted(table), strangers)
    rule: Literal["colors", "values"] = "colors" if spec.by_color else "values"
    findings = ["The values of the masks are read as --classes says."]
    absent = [value for value in table if value not in shares]
    if absent:
        texts = [color_text(value) if spec.by_color else str(value) for value in absent]
        findings.append(f"Declared, but in no mask: {', '.join(texts)}.")
    first = {target: value for value, target in reversed(spec.stored)}
    colors = (
        [unpack_color(first[place]) for place in range(len(spec.names))] if spec.by_color else []
    )
    encoding = MaskEncoding(rule, tuple(sorted(table.items())))
    return conclude(tallies, encoding, spec.names, findings, colors)


def _undeclared(
    tallies: Sequence[FileTally], spec: ClassSpec, known: Sequence[int], strangers: Sequence[int]
) -> DecisionNeeded:
    shares = sum_shares(tallies, spec.by_color)
    value = max(strangers, key=lambda stranger: shares[stranger].pixels)
    if spec.by_color:
        text = color_text(value)
        remedy = (
            f"Add it to a class, as in {spec.names[0]}={color_text(spec.stored[0][0])}+{text}, "
        )
        remedy += f"make it one of its own, or leave it out with ignore={text}."
    else:
        remedy = f"Add it to a class, as in {spec.names[0]}={spec.stored[0][0]}+{value}, "
        remedy += f"or leave it out with --ignore-index {value}."
        if len(strangers) > 8:
            remedy += " If these are soft edges, use --threshold 128 instead of values."
    texts = [color_text(item) if spec.by_color else str(item) for item in known]
    expected = f"only the {'colours' if spec.by_color else 'values'} declared, {', '.join(texts)}"
    return find_stranger(shares, strangers, expected, remedy, spec.by_color)
