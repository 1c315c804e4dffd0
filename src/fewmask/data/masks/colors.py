"""What the colours of masks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fewmask.data.masks.decisions import (
    ClassSpec,
    classes_option,
    color_text,
    pack_color,
    unpack_color,
)
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.masks.legend import Legend, is_background, refuse_twins
from fewmask.data.masks.tally import FileTally, Share, sum_shares
from fewmask.data.masks.understanding import (
    WHERE,
    Understanding,
    conclude,
    find_stranger,
    list_values,
    pair_names,
    proposed_option,
)
from fewmask.errors import ArgumentError, DataError, DecisionNeeded

MOST_COLORS = 24
"""More colours than this come from JPEG or from soft edges, not from a person with a palette."""

_BLACK, _WHITE = 0, 0xFFFFFF


def understand_colors(
    tallies: Sequence[FileTally],
    spec: ClassSpec,
    legend: Legend | None,
    ignore_index: int | None,
) -> Understanding:
    """Finds out which class each colour is.

    Args:
        tallies: The files.
        spec: The decided classes; names without colours, if any.
        legend: The names and colours beside the data, if any.
        ignore_index: Must be None: a colour that does not count is declared with `--classes`.

    Returns:
        The rule, the classes and why.

    Raises:
        DecisionNeeded: If only the owner of the masks can say which colour is what.
        DataError: If there is nothing to tell apart.
        ArgumentError: If an ignore index is given.
    """
    if ignore_index is not None:
        raise ArgumentError(
            "--ignore-index",
            "masks that hold class ids",
            "masks that hold colours",
            "Declare the colour instead, as in: --classes ignore=#9B9B9B",
        )
    shares = sum_shares(tallies, by_color=True)
    kinds = [tally.kind for tally in tallies]
    findings = []
    if "palette" in kinds and len(set(kinds)) > 1:
        findings.append(
            f"{kinds.count('palette')} of {len(kinds)} masks have a palette, the others colours or "
            "grey values: all are read by the colours they show."
        )
    elif set(kinds) == {"palette"}:
        findings.append(
            "Every mask has a palette; they are read by the colours they show, because these "
            "palettes differ or hold black and white only."
        )
    if len(shares) < 2:
        raise DataError(
            WHERE,
            "at least two colours to tell apart",
            f"only {color_text(next(iter(shares)))} in all {len(tallies)} files",
            "Check that these are the masks and that none are missing.",
        )
    if legend and legend.colors and not spec.names:
        return _by_legend(tallies, shares, legend, findings)
    pair = pair_names(spec, legend)
    if pair and len(shares) == 2 and _BLACK in shares:
        other = max(shares)
        findings.append(
            f"Masks hold black and {'white' if other == _WHITE else color_text(other)} and no "
            f"other colour: read as {pair[0]} and {pair[1]}."
        )
        if 2 * shares[_BLACK].pixels < shares[other].pixels + shares[_BLACK].pixels:
            swapped = classes_option(pair, [color_text(other), color_text(_BLACK)])
            findings.append(
                f"Most pixels are {pair[1]}; if it is the background, say so: {swapped}."
            )
        encoding = MaskEncoding("colors", ((_BLACK, 0), (other, 1)))
        colors = () if other == _WHITE else (unpack_color(_BLACK), unpack_color(other))
        return conclude(tallies, encoding, pair, findings, colors)
    raise _which_colors(shares, spec.names or (legend.names if legend else ()))


def _which_colors(shares: Mapping[int, Share], names: Sequence[str]) -> DecisionNeeded:
    if len(shares) > MOST_COLORS:
        return DecisionNeeded(
            WHERE,
            "one exact colour a class",
            list_values(shares, by_color=True),
            "JPEG and soft edges mix colours that no class has: export the masks as PNG without "
            "antialiasing.",
        )
    ordered = _background_first(shares)
    if names:
        # The names are known, so the line to type has them; only their order is to be checked.
        fitting = [*names, *(f"class{place}" for place in range(len(names), len(ordered)))]
        option = classes_option(fitting[: len(ordered)], [color_text(color) for color in ordered])
    else:
        option = proposed_option(ordered, by_color=True)
    return DecisionNeeded(
        WHERE,
        "a name for each colour",
        list_values(shares, by_color=True, most=MOST_COLORS),
        f"Name them, background first: {option} "
        "A colour that is not to count is written ignore=#RRGGBB.",
    )


def _by_legend(
    tallies: Sequence[FileTally],
    shares: Mapping[int, Share],
    legend: Legend,
    findings: list[str],
) -> Understanding:
    packed = [pack_color(color) for color in legend.colors or ()]
    pairs = list(zip(packed, legend.names, strict=True))
    seen = [(color_text(color), name) for color, name in pairs if color in shares]
    refuse_twins(legend.path, seen)
    named = dict(pairs)
    strangers = [color for color in shares if color not in named]
    if strangers == [_BLACK] and not any(is_background(name) for name in legend.names):
        findings.append(
            f"Black stands in {shares[_BLACK].files} of {len(tallies)} masks but not in "
            f"{legend.path.name}: read as background."
        )
        named = {_BLACK: "background", **named}
    elif strangers:
        raise _legend_differs(shares, strangers, legend, named)
    else:
        findings.append(f"All colours of the masks stand in {legend.path.name}.")
    background = [color for color, name in named.items() if is_background(name)]
    ordered = [*background, *(color for color in named if color not in background)]
    names = [named[color] for color in ordered]
    table = tuple((color, place) for place, color in enumerate(ordered))
    colors = [unpack_color(color) for color in ordered]
    return conclude(tallies, MaskEncoding("colors", table), names, findings, colors)


def _legend_differs(
    shares: Mapping[int, Share],
    strangers: Sequence[int],
    legend: Legend,
    named: Mapping[int, str],
) -> DecisionNeeded:
    listed = ", ".join(f"{name} {color_text(color)}" for color, name in named.items())
    if len(shares) > MOST_COLORS:
        return find_stranger(
            shares,
            strangers,
            f"only the colours of {legend.path.name} ({listed})",
            "JPEG and soft edges mix colours that no class has: export the masks as PNG without "
            "antialiasing.",
            by_color=True,
        )
    ordered = _background_first(shares)
    names = [named.get(color, f"class{place}") for place, color in enumerate(ordered)]
    unused = [name for color, name in named.items() if color not in shares]
    missing = f" Not among them yet: {', '.join(unused)}." if unused else ""
    return DecisionNeeded(
        WHERE,
        f"only the colours of {legend.path.name} ({listed})",
        list_values(shares, by_color=True, most=MOST_COLORS),
        "Put the right name before each colour, background first: "
        f"{classes_option(names, [color_text(color) for color in ordered])}{missing} "
        "A colour that is not to count is written ignore=#RRGGBB.",
    )


def _background_first(shares: Mapping[int, Share]) -> list[int]:
    """Orders colours for a proposal: black if there is any, else by their shares."""
    return sorted(shares, key=lambda color: (color != _BLACK, -shares[color].pixels))
