"""Chairs with padding: for the dining table, the fireside, the desk."""

from __future__ import annotations

import numpy as np

from fewmask.data.demo.shapes import bar, circle, curve, cushion, lathe, rectangle, rod
from fewmask.data.demo.solids import Points, Solid, sweep
from fewmask.data.demo.textures import Material


def _pad(path: Points, width: float, thick: float, cover: Material) -> Solid:
    """A padded back along a path from the seat up; its ends and edges are rounded."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    rim = np.array([0.0, 0.15, 0.5, 1.0]) * 0.9 * thick
    inside = np.linspace(rim[-1], length[-1] - rim[-1], 6)[1:-1]
    stops = np.concatenate([rim, inside, length[-1] - rim[::-1]])
    path = np.stack([np.interp(stops, length, path[:, axis]) for axis in range(3)], axis=1)
    rounded = np.array([0.82, 0.92, 0.98, 1.0])
    share = np.concatenate([rounded, np.ones(4), rounded[::-1]])
    section = rectangle(width, thick, 0.45 * thick)
    return sweep(path, section, cover, (0, -1, 0.01), tuple(share), smooth=True)


def upholstered_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a dining chair covered in cloth or leather on four tapered legs.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of the legs.
        cover: Cloth or leather.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.21, 0.25), rng.uniform(0.2, 0.24), rng.uniform(0.45, 0.49)
    top, rake, leg = rng.uniform(0.86, 1.06), rng.uniform(0.06, 0.14), rng.uniform(0.03, 0.045)
    solid = cushion(
        (-wide, -deep - 0.02, seat - rng.uniform(0.09, 0.14)), (wide, deep, seat), cover
    )
    for x in (-1, 1):
        for y in (-1, 1):
            head = np.array([x * (wide - 0.03), y * (deep - 0.03), seat - 0.08])
            foot = np.array([x * (wide - 0.02), y * (deep - 0.03) + max(y, 0) * 0.05, 0.0])
            solid += bar(head, foot, leg, leg, frame, rng.uniform(0.55, 0.65))
    path = curve(
        (0, deep - 0.03, seat - 0.06),
        (0, deep + 0.3 * rake, (seat + top) / 2),
        (0, deep + rake, top),
    )
    solid += _pad(path, 2 * wide * rng.uniform(0.92, 1.0), rng.uniform(0.05, 0.08), cover)
    if rng.random() < 0.3:
        for side in (-1, 1):
            out, z = side * (wide + 0.01), seat + 0.2
            arm = curve(
                (out, deep + 0.02, z + 0.03),
                (out, 0, z),
                (out, -deep + 0.04, z - 0.01),
                (out, -deep + 0.02, seat - 0.1),
            )
            solid += sweep(arm, rectangle(0.035, 0.03), frame, (0, 0.05, 1))
    return solid


def lounge_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes an armchair of thick cushions between padded or wooden arms.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of legs and wooden arms.
        cover: Cloth or leather.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.26, 0.32), rng.uniform(0.28, 0.34), rng.uniform(0.38, 0.44)
    top, rake, leg = rng.uniform(0.75, 0.98), rng.uniform(0.12, 0.22), rng.uniform(0.1, 0.2)
    thick = rng.uniform(0.12, 0.16)
    solid = cushion((-wide, -deep, seat - thick), (wide, deep, seat), cover, 0.045)
    path = curve(
        (0, deep - 0.06, seat - thick),
        (0, deep + 0.3 * rake, (seat + top) / 2),
        (0, deep + rake, top),
    )
    solid += _pad(path, 2 * wide, rng.uniform(0.11, 0.16), cover)
    arm, height = rng.uniform(0.07, 0.12), seat + rng.uniform(0.14, 0.2)
    if rng.random() < 0.6:
        for side in (-1, 1):
            edges = sorted((side * wide, side * (wide + arm)))
            solid += cushion(
                (edges[0], -deep, leg), (edges[1], deep + 0.05, height), cover, 0.04, 0
            )
        solid += cushion((-wide, -deep + 0.02, leg), (wide, deep, seat - thick + 0.03), cover, 0.02)
        stand = wide + arm - 0.05
        for x in (-stand, stand):
            for y in (-deep + 0.06, deep - 0.02):
                solid += rod((x, y, leg + 0.02), (x * 1.03, y * 1.05, 0), 0.024, frame, 0.6)
    else:
        for side in (-1, 1):
            x = side * (wide + 0.03)
            front, back = (x, -deep + 0.05, height), (x, deep + 0.08, height - 0.05)
            solid += sweep(
                curve((x, -deep - 0.02, height - 0.01), front, back), rectangle(0.06, 0.028), frame
            )
            solid += sweep(
                [front, (x, -deep - 0.02, 0)], rectangle(0.034, 0.045), frame, (0, -1, 0), (1, 0.7)
            )
            solid += sweep(
                [back, (x, deep + 0.14, 0)], rectangle(0.034, 0.045), frame, (0, -1, 0), (1, 0.7)
            )
            low = seat - thick - 0.02
            solid += sweep(
                [(x, -deep - 0.01, low), (x, deep + 0.1, low)], rectangle(0.028, 0.05), frame
            )
        for y in (-deep, deep):
            low = seat - thick - 0.02
            solid += sweep(
                [(-wide - 0.03, y, low), (wide + 0.03, y, low)], rectangle(0.025, 0.05), frame
            )
    return solid


def office_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a desk chair: five spokes on castors, a gas column, padded seat and back.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of base and arms.
        cover: Cloth, leather or plastic.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.22, 0.26), rng.uniform(0.21, 0.25), rng.uniform(0.44, 0.54)
    top, spin = seat + rng.uniform(0.42, 0.68), rng.uniform(0, 72)
    solid: Solid = []
    for angle in np.deg2rad(spin + np.arange(5) * 72):
        way = np.array([np.cos(angle), np.sin(angle), 0.0])
        tip = 0.29 * way + (0, 0, 0.075)
        spoke = np.stack([np.array([0.0, 0.0, 0.13]), tip])
        solid += sweep(spoke, rectangle(0.045, 0.035), frame, scale=(1.1, 0.6))
        axle = 0.022 * np.array([-way[1], way[0], 0.0])
        wheel = 0.285 * way + (0, 0, 0.032)
        solid += rod(wheel - axle, wheel + axle, 0.032, frame)
        solid += rod(wheel, tip, 0.011, frame)
    solid += lathe(
        [(0.05, 0.07), (0.045, 0.16), (0.028, 0.17), (0.026, seat - 0.1), (0.07, seat - 0.08)],
        frame,
        10,
    )
    solid += cushion((-wide, -deep, seat - 0.07), (wide, deep, seat + 0.01), cover, 0.035)
    low = seat + rng.uniform(0.05, 0.16)
    rake = rng.uniform(0.05, 0.12)
    path = curve(
        (0, deep + 0.03, low),
        (0, deep - 0.01, low + 0.25 * (top - low)),
        (0, deep + 0.02, (low + top) / 2),
        (0, deep + rake, top),
    )
    solid += _pad(path, 2 * wide * rng.uniform(0.8, 1.0), rng.uniform(0.045, 0.07), cover)
    stay = curve(
        (0, 0, seat - 0.09), (0, deep + 0.06, seat - 0.06), (0, deep + 0.05, (low + top) / 2)
    )
    solid += sweep(stay, rectangle(0.08, 0.018), frame, (0, -0.6, 1))
    if rng.random() < 0.65:
        height = seat + rng.uniform(0.17, 0.23)
        for side in (-1, 1):
            x = side * (wide + 0.03)
            loop = curve(
                (x * 0.6, 0.02, seat - 0.07), (x, 0.02, seat - 0.03), (x * 1.04, 0.03, height)
            )
            solid += sweep(loop, circle(0.016, 8), frame, (0, 1, 0), smooth=True)
            solid += cushion(
                (x - 0.035, -0.13, height), (x + 0.035, 0.13, height + 0.03), frame, 0.012
            )
    return solid
