"""Chairs of bent tube with seats of plywood, plastic or leather."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fewmask.data.demo.shapes import circle, curve, cushion, rectangle, rod
from fewmask.data.demo.solids import Points, Solid, sweep
from fewmask.data.demo.textures import Material


def _sheet(path: Points, width: float, thick: float, cover: Material, ends: float = 0.85) -> Solid:
    """A thin bent sheet along a path in the plane x = 0, drawn in a little at its ends."""
    share = np.ones(len(path))
    share[0] = share[-1] = ends
    return sweep(path, rectangle(width, thick, 0.45 * thick), cover, (0, -1, 0.3), tuple(share))


def cantilever_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a chair without back legs: one tube runs under, up the front and into the back.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of the tube.
        cover: Leather, cane or plywood.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.21, 0.24), rng.uniform(0.21, 0.24), rng.uniform(0.43, 0.47)
    top, rake = rng.uniform(0.8, 0.9), rng.uniform(0.06, 0.14)
    radius = rng.uniform(0.013, 0.017)
    bend = 0.05
    solid: Solid = []
    for side in (-1, 1):
        x = side * wide
        path = [
            (x, deep + 0.04, radius),
            (x, -deep + bend, radius),
            (x, -deep + 0.3 * bend, 0.3 * bend + radius),
            (x, -deep, bend + radius),
            (x, -deep, seat - bend),
            (x, -deep + 0.3 * bend, seat - 0.3 * bend),
            (x, -deep + bend, seat),
            (x, deep - bend, seat - 0.01),
            (x, deep - 0.3 * bend, seat + 0.3 * bend),
            (x, deep + 0.01, seat + bend),
            (x, deep + rake, top),
        ]
        solid += sweep(path, circle(radius, 8), frame, (1, 0, 0), smooth=True)
    solid += rod((-wide, deep + 0.04, radius), (wide, deep + 0.04, radius), radius, frame)
    solid += cushion(
        (-wide + 0.01, -deep + 0.02, seat - 0.01),
        (wide - 0.01, deep - 0.04, seat + 0.025),
        cover,
        0.015,
    )
    low = rng.uniform(seat + 0.12, seat + 0.2)
    edge = wide + 0.008
    for lower, upper in pairwise(np.linspace(low, top - 0.01, 4)):
        z = (lower + upper) / 2
        y = deep + 0.01 + (rake - 0.01) * (z - seat) / (top - seat)
        sling = curve((-edge, y, z), (0, y + 0.02, z), (edge, y, z), steps=3)
        solid += sweep(sling, rectangle(0.016, upper - lower), cover)
    if rng.random() < 0.4:
        for side in (-1, 1):
            x, z = side * wide, seat + 0.2
            arm = curve(
                (x, deep + 0.04, z),
                (x * 1.12, 0.0, z + 0.01),
                (x * 1.1, -deep + 0.08, z - 0.03),
                (x, -deep, seat - 0.08),
            )
            solid += sweep(arm, circle(radius, 8), frame, (0, 0.1, 1), smooth=True)
    return solid


def shell_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a moulded shell on four legs, of tube or of turned wood.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of the legs.
        cover: Plastic or plywood.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.21, 0.25), rng.uniform(0.2, 0.23), rng.uniform(0.43, 0.46)
    top, rake = rng.uniform(0.78, 0.9), rng.uniform(0.08, 0.16)
    path = curve(
        (0, -deep - 0.03, seat - 0.025),
        (0, -deep + 0.06, seat),
        (0, deep - 0.08, seat - 0.02),
        (0, deep, seat + 0.06),
        (0, deep + 0.4 * rake, (seat + top) / 2),
        (0, deep + rake, top),
    )
    # A shallow trough: its sides are turned up along the seat and forwards along the back.
    x = np.linspace(-1, 1, 7)
    lift = rng.uniform(0.03, 0.08) * np.abs(x) ** 3
    inner = np.stack([wide * x, lift + 0.006], axis=1)
    outer = np.stack([wide * x, lift - 0.006], axis=1)
    way = np.linspace(-1, 1, len(path))
    ends = 1 - rng.uniform(0.1, 0.25) * np.abs(way) ** 5 - 0.08 * np.exp(-((way / 0.25) ** 2))
    section = np.concatenate([inner, outer[::-1]])
    solid = sweep(path, section, cover, (0, -1, 0.3), tuple(ends), smooth=True, hollow=True)
    spread = rng.uniform(0.02, 0.08)
    thick = rng.uniform(0.012, 0.02)
    heads = []
    for right, back in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        head = np.array([right * (wide - 0.09), back * (deep - 0.1), seat - 0.06])
        foot = np.array([right * (wide - 0.07 + spread), back * (deep - 0.06 + spread), 0.0])
        heads.append(head)
        solid += rod(head, foot, thick * 1.2, frame, 0.75)
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 0)):
        solid += rod(heads[start], heads[end], 0.01, frame)
    return solid


def school_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a stacking chair: tube frame, a board to sit on and a bent board to lean on.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of the tube.
        cover: Plywood or plastic.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.18, 0.22), rng.uniform(0.18, 0.21), rng.uniform(0.42, 0.47)
    top, rake, radius = rng.uniform(0.78, 0.88), rng.uniform(0.06, 0.13), rng.uniform(0.013, 0.017)
    solid: Solid = []
    for side in (-1, 1):
        x = side * wide
        solid += rod((x, -deep, seat - 0.015), (x * 1.08, -deep - 0.03, 0), radius, frame)
        solid += rod((x, deep - 0.05, seat - 0.015), (x * 1.08, deep + 0.07, 0), radius, frame)
        back = curve(
            (x, -deep, seat - 0.015),
            (x, deep - 0.03, seat - 0.015),
            (x, deep + 0.02, seat + 0.06),
            (x, deep + rake, top - 0.02),
            steps=3,
        )
        solid += sweep(back, circle(radius, 8), frame, (1, 0, 0), smooth=True)
    for y in (-deep + 0.02, deep - 0.05):
        solid += rod((-wide, y, seat - 0.02), (wide, y, seat - 0.02), radius * 0.8, frame)
    path = curve(
        (0, -deep - 0.045, seat - 0.02),
        (0, -deep + 0.04, seat),
        (0, deep - 0.06, seat - 0.008),
        (0, deep + 0.01, seat + 0.015),
    )
    solid += _sheet(path, 2 * wide + 0.03, 0.016, cover, 0.92)
    tall = rng.uniform(0.12, 0.26)
    z = top - tall / 2
    y = deep + rake * (z - seat) / (top - seat) - 0.005
    lean = rake * tall / (top - seat)
    bent = curve((-wide - 0.02, y - 0.01, z), (0, y + 0.035, z), (wide + 0.02, y - 0.01, z))
    solid += sweep(bent, rectangle(0.014, tall, 0.006), cover, (0, lean, tall))
    return solid


def bar_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a high chair with a low back and a ring for the feet.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of legs and rings.
        cover: Material of seat and back.

    Returns:
        The chair.
    """
    wide, seat = rng.uniform(0.17, 0.2), rng.uniform(0.6, 0.76)
    top = seat + rng.uniform(0.2, 0.34)
    splay, thick = rng.uniform(0.03, 0.07), rng.uniform(0.015, 0.021)
    solid = cushion((-wide, -wide, seat - 0.045), (wide, wide, seat), cover, 0.02)
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    heads = [np.array([x * (wide - 0.03), y * (wide - 0.03), seat - 0.04]) for x, y in corners]
    feet = [np.array([x * (wide + splay), y * (wide + splay), 0.0]) for x, y in corners]
    for head, foot in zip(heads, feet, strict=True):
        solid += rod(head, foot, thick, frame, 0.9)
    share = 1 - rng.uniform(0.25, 0.4)
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 0)):
        first, last = (heads[i] * (1 - share) + feet[i] * share for i in (start, end))
        solid += rod(first, last, thick * 0.8, frame)
    rake = rng.uniform(0.02, 0.07)
    for x in (-wide + 0.03, wide - 0.03):
        solid += rod((x, wide - 0.02, seat - 0.03), (x, wide + rake, top - 0.03), thick, frame)
    tall = rng.uniform(0.08, 0.18)
    z = top - tall / 2
    bent = curve((-wide, wide + rake - 0.03, z), (0, wide + rake, z), (wide, wide + rake - 0.03, z))
    solid += sweep(bent, rectangle(0.022, tall, 0.009), cover)
    return solid
