"""What lies and grows about in a room: boxes, plants, books, vases."""

from __future__ import annotations

import numpy as np

from fewmask.data.demo.finishes import make
from fewmask.data.demo.shapes import box, circle, curve, lathe
from fewmask.data.demo.solids import Face, Points, Solid, place, sweep
from fewmask.data.demo.textures import Material, plain


def cartons(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a pile of boxes."""
    card = Material(plain((176, 134, 92), rng, 0.08), 0.5)
    solid: Solid = []
    level = 0.0
    size = rng.uniform(0.18, 0.26)
    for _ in range(int(rng.integers(1, 4))):
        tall = rng.uniform(0.14, 0.32)
        material = (card, card, one, two)[rng.integers(4)]
        pile = box((-size, -0.8 * size, 0), (size, 0.8 * size, tall), material)
        if material is card:
            tape = Material(plain((206, 172, 120), rng), 0.5, 0.4)
            pile += box(
                (-0.03, -0.8 * size - 0.002, 0.6 * tall),
                (0.03, 0.8 * size + 0.002, tall + 0.002),
                tape,
            )
        solid += place(pile, rng.uniform(-25, 25), (*rng.uniform(-0.03, 0.03, 2), level))
        level += tall
        size *= rng.uniform(0.65, 0.95)
    return solid


def plant(rng: np.random.Generator, one: Material, two: Material) -> Solid:
    """Makes a plant in a pot: long or broad leaves that bend down."""
    high, radius = rng.uniform(0.18, 0.32), rng.uniform(0.1, 0.17)
    pot = two if rng.random() < 0.4 else Material(plain((176, 102, 72), rng, 0.08), 0.3)
    solid = lathe(
        [
            (0.7 * radius, 0),
            (radius, high),
            (1.08 * radius, high),
            (1.08 * radius, high + 0.03),
            (0.8 * radius, high + 0.01),
        ],
        pot,
    )
    color = (int(rng.integers(40, 90)), int(rng.integers(90, 130)), int(rng.integers(40, 70)))
    leaf = Material(plain(color, rng, 0.15), 0.2, 0.3)
    length, broad = rng.uniform(0.35, 0.75), rng.uniform(0.015, 0.05)
    for _ in range(int(rng.integers(14, 26))):
        angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        way = np.array([np.cos(angle), np.sin(angle), 0.0])
        reach = length * rng.uniform(0.6, 1.0)
        start = np.array([0, 0, high])
        path = curve(
            start,
            start + reach * (0.25 * lean * way + (0, 0, 0.5)),
            start + reach * (lean * way + (0, 0, 0.95 - 0.7 * lean**2)),
            steps=3,
        )
        side = np.cross(way, (0.0, 0.0, 1.0))
        solid += _leaf(path, side, broad * rng.uniform(0.7, 1.3), leaf)
    return solid


def _leaf(path: Points, side: Points, broad: float, material: Material) -> Solid:
    """Two-sided strips, broad in the middle and pointed at the end."""
    share = np.sin(np.linspace(0.25, np.pi - 0.02, len(path)))[:, None] * broad
    left, right = path - share * side, path + share * side
    solid: Solid = []
    for index in range(len(path) - 1):
        points = np.array([left[index], right[index], right[index + 1], left[index + 1]])
        normal = np.cross(points[2] - points[0], points[3] - points[1])
        normal /= np.linalg.norm(normal)
        grain = path[index + 1] - path[index]
        grain /= np.linalg.norm(grain)
        solid.append(Face(points, normal, grain, (0.0, 1.0 / broad), (0.0, 0.0), material))
        solid.append(
            Face(
                points[::-1] - 0.001 * normal,
                -normal,
                grain,
                (0.0, 1.0 / broad),
                (0.0, 0.0),
                material,
            )
        )
    return solid


def small_thing(rng: np.random.Generator) -> Solid:
    """Something small that lies about: a vase, a cup, a few books, a desk lamp."""
    kind = rng.integers(4)
    material = make(("paint", "plastic", "metal", "cloth")[int(rng.integers(4))], rng)
    if kind == 0:
        r = rng.uniform(0.04, 0.08)
        return lathe(
            [(0.6 * r, 0), (r, r), (0.8 * r, 2 * r), (0.4 * r, 3 * r), (0.5 * r, 3.4 * r)], material
        )
    if kind == 1:
        return lathe([(0.035, 0), (0.04, 0.09)], material, 12)
    if kind == 2:
        solid: Solid = []
        for level in range(int(rng.integers(1, 5))):
            low = level * 0.03
            book = box((-0.1, -0.07, low), (0.1, 0.07, low + 0.028), make("paint", rng))
            solid += place(book, rng.uniform(-20, 20))
        return solid
    stand = sweep(
        curve((0, 0, 0.02), (0, 0.06, 0.25), (0, -0.05, 0.4)),
        circle(0.008, 6),
        material,
        (1, 0, 0),
        smooth=True,
    )
    return [
        *stand,
        *lathe([(0.07, 0), (0.07, 0.02)], material, 12),
        *place(lathe([(0.075, 0.34), (0.03, 0.42)], material, 12), 0, (0, -0.07, 0)),
    ]
