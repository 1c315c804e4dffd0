"""What else stands in a room and is no chair: tables, shelves, beds, lamps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fewmask.data.demo.clutter import cartons, plant, small_thing
from fewmask.data.demo.finishes import books, make, shining
from fewmask.data.demo.shapes import bar, box, circle, cushion, lathe, plate, rod
from fewmask.data.demo.solids import Solid, place
from fewmask.data.demo.textures import Material

# Each stands on the origin with its back towards +y, `one` and `two` are the materials it may
# share with the chair.


def table(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a table on four legs, with something lying on it."""
    wide, deep, high = rng.uniform(0.35, 0.6), rng.uniform(0.28, 0.4), rng.uniform(0.7, 0.76)
    leg, round_legs = rng.uniform(0.03, 0.055), rng.random() < 0.4
    solid = box((-wide, -deep, high - 0.028), (wide, deep, high), two)
    for x in (-wide + 0.05, wide - 0.05):
        for y in (-deep + 0.05, deep - 0.05):
            if round_legs:
                solid += rod((x, y, high - 0.03), (x * 1.03, y * 1.03, 0), leg / 1.8, one, 0.6)
            else:
                solid += bar((x, y, high - 0.03), (x, y, 0), leg, leg, one, rng.uniform(0.7, 1))
    for y in (-deep + 0.05, deep - 0.05):
        solid += box(
            (-wide + 0.05, y - 0.01, high - 0.1), (wide - 0.05, y + 0.01, high - 0.028), one
        )
    spots = rng.uniform(-0.7, 0.7, (3, 2)) * (wide, deep)
    for x, y in spots[: rng.integers(0, 4)]:
        solid += place(small_thing(rng), rng.uniform(0, 360), (x, y, high))
    return solid


def side_table(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a small round table on three legs or a foot."""
    radius, high = rng.uniform(0.2, 0.32), rng.uniform(0.42, 0.62)
    solid = plate(circle(radius, 24), high - 0.022, high, two)
    if rng.random() < 0.6:
        for angle in np.arange(3) * 2.0944 + rng.uniform(0, 2):
            way = np.array([np.cos(angle), np.sin(angle), 0.0])
            solid += rod(
                0.55 * radius * way + (0, 0, high - 0.02), 0.95 * radius * way, 0.016, one, 0.7
            )
    else:
        solid += lathe(
            [(0.7 * radius, 0), (0.65 * radius, 0.02), (0.025, 0.04), (0.025, high - 0.02)], one
        )
    x, y = rng.uniform(-0.4, 0.4, 2) * radius
    solid += place(small_thing(rng), 0, (x, y, high))
    return solid


def stool(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a footstool or a pouffe."""
    wide, high = rng.uniform(0.2, 0.28), rng.uniform(0.3, 0.42)
    if rng.random() < 0.5:
        profile = [
            (0.8 * wide, 0),
            (wide, 0.1),
            (wide, high - 0.08),
            (0.85 * wide, high),
            (0.3 * wide, high + 0.01),
        ]
        return lathe(profile, two, 18)
    solid = cushion((-wide, -wide, high - 0.1), (wide, wide, high), two, 0.03)
    for x in (-wide + 0.04, wide - 0.04):
        for y in (-wide + 0.04, wide - 0.04):
            solid += bar((x, y, high - 0.09), (x, y, 0), 0.035, 0.035, one, 0.7)
    return solid


def shelf(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes an open shelf with books and boxes."""
    wide, deep = rng.uniform(0.35, 0.6), rng.uniform(0.12, 0.16)
    rows = int(rng.integers(3, 6))
    step = rng.uniform(0.28, 0.36)
    high = rows * step
    solid: Solid = []
    for x in (-wide, wide - 0.02):
        solid += box((x, -deep, 0), (x + 0.02, deep, high + 0.02), one)
    solid += box((-wide, deep - 0.01, 0), (wide, deep, high), two)
    for row in range(rows + 1):
        solid += box((-wide, -deep, row * step), (wide, deep, row * step + 0.02), one)
    spines = [*books(rng), two]
    for row in range(rows):
        if rng.random() < 0.2:
            continue
        x, end = -wide + 0.03, rng.uniform(-0.2, 0.9) * wide
        while x < end:
            thick, tall = rng.uniform(0.02, 0.06), rng.uniform(0.5, 0.8) * step
            low = row * step + 0.02
            solid += box(
                (x, -deep + 0.02, low),
                (x + thick, deep - 0.03, low + tall),
                spines[rng.integers(5)],
            )
            x += thick + 0.002
    return solid


def cupboard(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a chest of drawers or a sideboard on short legs."""
    wide, deep, high = rng.uniform(0.35, 0.7), 0.2, rng.uniform(0.6, 1.0)
    foot = rng.uniform(0.08, 0.16)
    solid = box((-wide, -deep, foot), (wide, deep, high), one)
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    knob = make("metal", rng)
    for row in range(rows):
        for column in range(columns):
            x0 = -wide + 0.025 + column * (2 * wide - 0.03) / columns
            x1 = x0 + (2 * wide - 0.03) / columns - 0.02
            z0 = foot + 0.02 + row * (high - foot - 0.03) / rows
            z1 = z0 + (high - foot - 0.03) / rows - 0.018
            solid += box((x0, -deep - 0.014, z0), (x1, -deep, z1), two)
            middle, level = (x0 + x1) / 2, (z0 + z1) / 2
            solid += box(
                (middle - 0.04, -deep - 0.035, level),
                (middle + 0.04, -deep - 0.014, level + 0.012),
                knob,
            )
    for x in (-wide + 0.05, wide - 0.05):
        for y in (-deep + 0.05, deep - 0.05):
            solid += bar((x, y, foot), (x, y, 0), 0.035, 0.035, one, 0.7)
    for x in rng.uniform(-0.8, 0.8, rng.integers(0, 3)) * wide:
        solid += place(small_thing(rng), rng.uniform(0, 360), (x, 0, high))
    return solid


def bed(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes the foot of a bed with a blanket."""
    wide, deep, high = rng.uniform(0.45, 0.75), 0.75, rng.uniform(0.4, 0.5)
    solid = box((-wide - 0.03, -deep, 0.12), (wide + 0.03, deep, 0.24), one)
    solid += box((-wide - 0.03, -deep - 0.03, 0), (wide + 0.03, -deep, high + 0.1), one)
    solid += cushion((-wide, -deep, 0.2), (wide, deep, high), make("cloth", rng), 0.05)
    solid += cushion((-wide - 0.01, -0.3, 0.26), (wide + 0.01, 0.25, high + 0.025), two, 0.04)
    return solid


def floor_lamp(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a lamp on a tall pole or on three legs."""
    high, radius = rng.uniform(1.2, 1.6), rng.uniform(0.13, 0.2)
    if rng.random() < 0.5:
        solid = lathe([(0.14, 0), (0.14, 0.02), (0.012, 0.03), (0.012, high)], one, 12)
    else:
        solid = []
        for angle in np.arange(3) * 2.0944 + rng.uniform(0, 2):
            solid += rod((0, 0, high), (0.26 * np.cos(angle), 0.26 * np.sin(angle), 0), 0.012, one)
    shade = shining((250, 226, 180), rng.uniform(0.3, 0.9)) if rng.random() < 0.6 else two
    return solid + lathe([(radius, high - 0.05), (0.7 * radius, high + 0.22)], shade, 18)


def rack(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a towel or clothes rack: bars as thin as those of a chair's back, and a cloth."""
    wide, high = rng.uniform(0.25, 0.45), rng.uniform(0.8, 1.4)
    solid: Solid = []
    for x in (-wide, wide):
        solid += rod((x, 0, 0), (x, 0, high), 0.014, one)
        solid += box((x - 0.015, -0.2, 0), (x + 0.015, 0.2, 0.03), one)
    for z in np.linspace(0.25, high, int(rng.integers(3, 6))):
        solid += rod((-wide, 0, z), (wide, 0, z), 0.01, one)
    if rng.random() < 0.7:
        x = rng.uniform(-0.5, 0.1) * wide
        solid += box(
            (x, -0.02, high - rng.uniform(0.3, 0.6)), (x + 0.7 * wide, 0.02, high + 0.012), two
        )
    return solid


Maker = Callable[[np.random.Generator, Material, Material], Solid]

AT_THE_WALL: tuple[Maker, ...] = (
    shelf,
    shelf,
    cupboard,
    cupboard,
    table,
    floor_lamp,
    plant,
    rack,
    bed,
    cartons,
)
"""Stood along the walls."""
AROUND: tuple[Maker, ...] = (side_table, side_table, table, stool, cartons, plant, floor_lamp, rack)
"""Stood beside the chair."""
IN_FRONT: tuple[Maker, ...] = (side_table, cartons, plant, table, stool)
"""Stood between the chair and the camera, hiding a part."""
