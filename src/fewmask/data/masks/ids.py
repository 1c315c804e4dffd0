"""What grey values and palette indices of masks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fewmask.data.classes import Color
from fewmask.data.masks.decisions import ClassSpec, classes_option, pack_color, unpack_color
from fewmask.data.masks.encoding import IGNORED, MaskEncoding
from fewmask.data.masks.legend import VOID_NAMES, Legend, is_background, refuse_twins
from fewmask.data.masks.tally import BRIGHT, DARK, NO_COLOR, FileTally, Share, sum_shares
from fewmask.data.masks.understanding import (
    WHERE,
    Understanding,
    conclude,
    find_stranger,
    list_values,
    pair_names,
    percent,
    proposed_option,
)
from fewmask.errors import DataError, DecisionNeeded

MOST_CLASSES = 64
"""Contiguous ids up to this many are taken for classes without being asked."""

_VOID = pack_color((224, 224, 192))
_SOFT_AT_MOST = 0.05
_SOFT_AT_EDGES = 0.9
_MIDDLE = 128


def understand_ids(
    tallies: Sequence[FileTally],
    spec: ClassSpec,
    legend: Legend | None,
    ignore_index: int | None,
) -> Understanding:
    """Finds out which class each stored value is.

    Args:
        tallies: The files, none of them in colour.
        spec: The decided classes; names without values, if any.
        legend: The names beside the data, if any.
        ignore_index: The value declared not to count, if any.

    Returns:
        The rule, the classes and why.

    Raises:
        DecisionNeeded: If the values allow more than one reading.
        DataError: If there is nothing to tell apart.
    """
    everywhere = sum_shares(tallies, by_color=False)
    ignored, findings = _find_ignored(tallies, everywhere, ignore_index)
    shares = {value: share for value, share in everywhere.items() if value not in ignored}
    values = list(shares)
    if len(values) < 2:
        raise DataError(
            WHERE,
            "at least two values to tell apart",
            f"only {values[0]} in all {len(tallies)} files" if values else "only ignored pixels",
            "Check that these are the masks and that none are missing.",
        )
    pair = pair_names(spec, legend)
    if pair and not ignored and (soft := _soft_edges(tallies, values)):
        return conclude(tallies, MaskEncoding("threshold", (), _MIDDLE), pair, [soft])
    names: tuple[str, ...]
    if pair and len(values) == 2 and values[0] == 0 and not _is_second_name(values[1], legend):
        names, table = pair, {0: 0, values[1]: 1}
        both = sum(1 for tally in tallies if {0, values[1]} <= set(tally.values.tolist()))
        findings.append(
            f"Masks hold 0 and {values[1]}, both of them in {both} of {len(tallies)} files: "
            f"read as {names[0]} and {names[1]}."
        )
        if 2 * shares[0].pixels < shares[values[1]].pixels + shares[0].pixels:
            swapped = classes_option(names, [str(values[1]), "0"])
            findings.append(
                f"Most pixels are {names[1]}; if {values[1]} is the background, say so: {swapped}."
            )
    elif spec.names:
        names, table = _in_order(shares, spec.names, "--classes")
        findings.append(f"Class ids are named in the order of --classes, from 0: {_list(names)}.")
    elif legend and legend.ids:
        names, table = _by_given_ids(shares, legend, legend.ids)
        findings.append(f"{legend.path.name} gives each value its class: {_list(names)}.")
    elif legend:
        names, table = _by_legend(shares, legend)
        why = "0 is the background, then" if len(names) > len(legend.names) else "from 0 on"
        findings.append(
            f"Masks hold {_list(values)} and {legend.path.name} lists {len(legend.names)} names: "
            f"read as class ids, {why} the names in their order."
        )
    else:
        names, table = _without_names(tallies, shares, ignored)
        findings.append(f"Masks hold {_list(values)} and nothing else: read as class ids.")
    colors = _palette_colors(tallies, table, len(names))
    table |= dict.fromkeys(ignored, IGNORED)
    encoding = MaskEncoding("values", tuple(sorted(table.items())))
    return conclude(tallies, encoding, names, findings, colors)


def _find_ignored(
    tallies: Sequence[FileTally], shares: Mapping[int, Share], ignore_index: int | None
) -> tuple[set[int], list[str]]:
    if ignore_index is not None:
        told = "as declared" if ignore_index in shares else "as declared, but occurs in no mask"
        return {ignore_index}, [f"The value {ignore_index} is ignored, {told}."]
    shown = {
        color
        for tally in tallies
        for value, color in zip(tally.values.tolist(), tally.colors.tolist(), strict=False)
        if value == 255
    }
    if len(shares) > 2 and shown == {_VOID} and all(tally.kind == "palette" for tally in tallies):
        return {255}, [
            "The value 255 is ignored: its palette colour is the one that PASCAL VOC gives to "
            "outlines and doubtful pixels."
        ]
    return set(), []


def _soft_edges(tallies: Sequence[FileTally], values: Sequence[int]) -> str | None:
    """Returns a sentence if the values between black and white are smeared edges, else None."""
    ends = values[0] <= DARK and BRIGHT <= values[-1] <= 255
    halves = any(0 < v < _MIDDLE for v in values) and any(_MIDDLE <= v < 255 for v in values)
    if len(values) < 5 or not (ends and halves) or any(tally.kind != "gray" for tally in tallies):
        return None
    # A file with no white at all has not been looked at for edges.
    between = sum(
        int(tally.counts[(tally.values > DARK) & (tally.values < BRIGHT)].sum())
        for tally in tallies
    )
    at_edges = sum(tally.at_edges for tally in tallies)
    pixels = sum(tally.pixels for tally in tallies)
    if between > _SOFT_AT_MOST * pixels or at_edges < _SOFT_AT_EDGES * between:
        return None
    files = sum(1 for tally in tallies if set(tally.values.tolist()) - {0, 255})
    return (
        f"Masks hold 0 and 255 with soft edges in {files} of {len(tallies)} files "
        f"({percent(between, pixels)} of the pixels lie between, "
        f"{percent(at_edges, between) if between else 'none'} of these at edges): "
        f"read as foreground from {_MIDDLE} up."
    )


def _is_second_name(value: int, legend: Legend | None) -> bool:
    """Says whether a value is the id of the second of two names beside a background."""
    return bool(legend and value == len(legend.names) == 2 and not is_background(legend.names[0]))


def _in_order(
    shares: Mapping[int, Share], names: Sequence[str], source: str
) -> tuple[tuple[str, ...], dict[int, int]]:
    """Gives ids their names in order; one id more than names makes 0 the background."""
    highest = max(shares)
    if highest == len(names) and not is_background(names[0]):
        names = ("background", *names)
    if highest >= len(names):
        strangers = [value for value in shares if value >= len(names)]
        value = max(strangers, key=lambda stranger: shares[stranger].pixels)
        raise find_stranger(
            shares,
            strangers,
            f"class ids 0 to {len(names) - 1}, the {len(names)} names of {source}",
            f"Declare it with --ignore-index {value}, or give every value its name: "
            f"{proposed_option(list(shares), False)}",
            by_color=False,
        )
    return tuple(names), {place: place for place in range(len(names))}


def _by_given_ids(
    shares: Mapping[int, Share], legend: Legend, ids: Sequence[int]
) -> tuple[tuple[str, ...], dict[int, int]]:
    for number in ids:
        if not 0 <= number <= 65535:
            raise DataError(
                legend.path,
                "ids that a mask can store, from 0 to 65535",
                f"{number}",
                "Correct it, or take its class out of the list.",
            )
    void = {
        number
        for number, name in zip(ids, legend.names, strict=True)
        if number == IGNORED and name.strip().lower() in VOID_NAMES
    }
    pairs = [
        (number, name) for number, name in zip(ids, legend.names, strict=True) if number not in void
    ]
    refuse_twins(legend.path, pairs)
    if strangers := [value for value in shares if value not in ids]:
        raise find_stranger(
            shares,
            strangers,
            f"only the values that {legend.path.name} names, {_list(sorted(ids))}",
            f"Declare it with --ignore-index {strangers[0]}, or give every value its name: "
            f"{proposed_option(list(shares), False)}",
            by_color=False,
        )
    table = {number: place for place, (number, _) in enumerate(pairs)}
    return tuple(name for _, name in pairs), table | dict.fromkeys(void, IGNORED)


def _by_legend(
    shares: Mapping[int, Share], legend: Legend
) -> tuple[tuple[str, ...], dict[int, int]]:
    names, highest = legend.names, max(shares)
    complete = len(shares) == len(names) and not legend.is_yolo
    if highest < len(names) and not is_background(names[0]) and not complete:
        clean = [name.replace(",", " ") for name in names]
        raise DecisionNeeded(
            WHERE,
            f"ids that show whether 0 is the background or '{names[0]}', the first of the "
            f"{len(names)} names in {legend.path.name}",
            f"{_list(list(shares))}, which fits both",
            f'Say which: --classes "{",".join(["background", *clean])}" '
            f'or --classes "{",".join(clean)}"',
        )
    return _in_order(shares, names, legend.path.name)


def _without_names(
    tallies: Sequence[FileTally], shares: Mapping[int, Share], ignored: set[int]
) -> tuple[tuple[str, ...], dict[int, int]]:
    values = list(shares)
    if _are_objects(tallies, values):
        raise DecisionNeeded(
            WHERE,
            "class ids",
            f"{len(values)} values from {values[0]} to {values[-1]}, as in instance masks, where "
            "each object of a picture has its own number",
            "If they are objects, make them one class with --threshold 1; if they are classes, "
            "name them with --classes.",
        )
    if len(values) > MOST_CLASSES:
        raise DecisionNeeded(
            WHERE,
            "class ids",
            f"{len(values)} values from {values[0]} to {values[-1]}, as in photographs",
            "If these are masks with soft edges, cut them with --threshold 128; if the files are "
            "not the masks, name the folder with --masks.",
        )
    if values == list(range(len(values))):
        names = ("background", *(f"class{value}" for value in values[1:]))
        return names, {value: value for value in values}
    others = [value for value in values if value != IGNORED]
    if others == list(range(len(others))) and len(others) > 1:
        raise find_stranger(
            shares,
            [IGNORED],
            f"class ids 0 to {len(others) - 1}",
            f"Declare it with --ignore-index 255, or map it with {proposed_option(values, False)}",
            by_color=False,
        )
    remedy = f"If each value is a class, name them: {proposed_option(values, False, ignored)}"
    if IGNORED in values:
        remedy += " If 255 marks pixels that do not count, add --ignore-index 255."
    if values[-1] > 100 and len(values) < 10:
        remedy += " If these are shades of one object, cut them with --threshold 128."
    raise DecisionNeeded(
        WHERE, "class ids 0, 1, 2, … without gaps, or 0 and 255", list_values(shares, False), remedy
    )


def _are_objects(tallies: Sequence[FileTally], values: Sequence[int]) -> bool:
    """Says whether values look like numbers of objects, counted anew in every file."""
    if len(values) > MOST_CLASSES and not all(len(tally.colors) for tally in tallies):
        return True  # nobody needs 16 bits for classes
    highest = {len(tally.values) - 1 for tally in tallies}
    counted = all(tally.values.tolist() == list(range(len(tally.values))) for tally in tallies)
    return counted and len(highest) >= 3 and max(highest) >= 4


def _palette_colors(
    tallies: Sequence[FileTally], table: Mapping[int, int], num_classes: int
) -> tuple[Color, ...]:
    """Returns the palette's colours of the classes, or nothing if some class has none."""
    shown = {
        table[value]: color
        for tally in tallies
        if tally.kind == "palette"
        for value, color in zip(tally.values.tolist(), tally.colors.tolist(), strict=True)
        if value in table
    }
    if set(shown) != set(range(num_classes)) or NO_COLOR in shown.values():
        return ()
    return tuple(unpack_color(shown[place]) for place in range(num_classes))


def _list(items: Sequence[object]) -> str:
    texts = [str(item) for item in items]
    if len(texts) > 12:
        texts = [*texts[:6], "…", *texts[-2:]]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
