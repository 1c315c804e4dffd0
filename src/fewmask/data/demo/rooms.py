"""The room around: floor, walls, and what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewmask.data.demo.finishes import WALLS, floor, make, pick, shining, tone, wall
from fewmask.data.demo.shapes import box, rectangle
from fewmask.data.demo.solids import Face, Points, Solid, place, sweep
from fewmask.data.demo.textures import Material, plain, rough

FAR = 9.0
"""Metres to where floor and walls end, outside every picture."""


@dataclass(frozen=True)
class Room:
    """A corner of a room, in its own directions: the back wall looks along -y.

    Args:
        turn: Angle in degrees by which the room is turned in the scene.
        back: Distance of the back wall from the origin.
        side: Signed distance of the side wall, positive to the right.
        shell: Floor, walls, ceiling, in scene directions; they cast no shadow.
        fittings: Baseboards, pictures, windows, doors, rugs, in scene directions.
    """

    turn: float
    back: float
    side: float
    shell: Solid
    fittings: Solid


def _panel(center: Points, across: Points, up: Points, material: Material) -> Face:
    points = np.array(
        [center - across - up, center + across - up, center + across + up, center - across + up]
    )
    normal = np.cross(across, up)
    grain = across / np.linalg.norm(across)
    return Face(points, normal / np.linalg.norm(normal), grain, (0.0, 0.0), (0.0, 0.0), material)


def build_room(
    rng: np.random.Generator, turn: float, back: float, side: float, shared: Material
) -> Room:
    """Builds the room.

    Args:
        rng: Source of chance.
        turn: Angle in degrees by which it is turned.
        back: Distance of the back wall.
        side: Signed distance of the side wall.
        shared: A material of the chair, whose colour floor or wall may take.

    Returns:
        The room.
    """
    like_floor = tone(shared) if rng.random() < 0.15 else None
    like_wall = tone(shared) if rng.random() < 0.12 else None
    ground, paper = floor(rng, like_floor), wall(rng, like_wall)
    second = paper if rng.random() < 0.6 else wall(rng)
    x, y, z = np.eye(3) * FAR
    sign = 1.0 if side > 0 else -1.0
    high = rng.uniform(2.4, 3.0)
    # Boards and tiles run along the room or across it.
    first, other = (x, y) if rng.random() < 0.5 else (y, -x)
    shell = [
        _panel(np.zeros(3), first, other, ground),
        _panel(np.array([0.0, back, high / 2]), x, z * (high / 2 / FAR), paper),
        _panel(np.array([side, 0.0, high / 2]), -sign * y, z * (high / 2 / FAR), second),
        _panel(np.array([0.0, 0.0, high]), x, -y, Material(rough((232, 230, 226), rng, 0.02), 2.0)),
    ]
    fittings = [*_baseboards(rng, back, side), *_on_the_wall(rng, back, side, shared)]
    if rng.random() < 0.2:
        fittings += _rug(rng, shared)
    return Room(turn, back, side, place(shell, turn), place(fittings, turn))


def _baseboards(rng: np.random.Generator, back: float, side: float) -> Solid:
    if rng.random() < 0.2:
        return []
    material = (
        make("wood", rng)
        if rng.random() < 0.3
        else Material(plain(pick(WALLS[:3], rng), rng), 0.5, 0.3)
    )
    high = rng.uniform(0.05, 0.13)
    solid = box((-FAR, back - 0.015, 0), (FAR, back, high), material)
    edges = sorted((side, side - np.sign(side) * 0.015))
    return solid + box((edges[0], -FAR, 0), (edges[1], back - 0.015, high), material)


def _on_the_wall(rng: np.random.Generator, back: float, side: float, shared: Material) -> Solid:
    """Hangs one or two things side by side."""
    solid: Solid = []
    x = rng.uniform(-1.6, -0.4)
    makers = (_picture, _picture, _window, _door, _curtain, _radiator)
    for _ in range(int(rng.integers(0, 3))):
        wide = rng.uniform(0.25, 0.5)
        if abs(side) > abs(x + wide) + wide or x * side < 0:
            solid += place(
                makers[rng.integers(len(makers))](rng, wide, shared), 0, (x + wide, back, 0)
            )
        x += 2 * wide + rng.uniform(0.1, 0.7)
    return solid


def _framed(low: float, high: float, wide: float, edge: float, frame: Material) -> Solid:
    solid = box((-wide, -0.03, low), (wide, 0, low + edge), frame)
    solid += box((-wide, -0.03, high - edge), (wide, 0, high), frame)
    for x in (-wide, wide - edge):
        solid += box((x, -0.03, low), (x + edge, 0, high), frame)
    return solid


def _picture(rng: np.random.Generator, wide: float, shared: Material) -> Solid:
    low = rng.uniform(0.9, 1.3)
    high = low + wide * rng.uniform(1.0, 2.2)
    frame = shared if rng.random() < 0.4 else make("wood", rng)
    inner = make("pattern" if rng.random() < 0.5 else "cloth", rng)
    view = Material(inner.tile, 2 * wide, 0.3)
    return _framed(low, high, wide, 0.025, frame) + box((-wide, -0.012, low), (wide, 0, high), view)


def _window(rng: np.random.Generator, wide: float, shared: Material) -> Solid:
    wide = 1.3 * wide
    low, high = rng.uniform(0.6, 0.95), rng.uniform(1.9, 2.2)
    frame = Material(plain((232, 230, 224), rng), 0.5, 0.4)
    glass = shining((208, 222, 236), rng.uniform(0.8, 1.6))
    solid = _framed(low, high, wide, 0.05, frame)
    solid += box((-wide, -0.005, low), (wide, 0, high), glass)
    solid += box((-0.02, -0.025, low), (0.02, 0, high), frame)
    if rng.random() < 0.6:
        level = low + 0.65 * (high - low)
        solid += box((-wide, -0.025, level), (wide, 0, level + 0.03), frame)
    return solid + box((-wide - 0.05, -0.12, low - 0.03), (wide + 0.05, 0, low), frame)


def _door(rng: np.random.Generator, wide: float, shared: Material) -> Solid:
    leaf = make("wood", rng) if rng.random() < 0.5 else make("paint", rng)
    solid = box((-0.42, -0.02, 0), (0.42, 0, 2.0), leaf)
    solid += place(_framed(0, 2.06, 0.48, 0.06, leaf))
    for low, high in ((0.15, 0.85), (1.0, 1.85)):
        for x in (-0.34, 0.04):
            solid += box((x, -0.03, low), (x + 0.3, -0.02, high), leaf)
    return solid + box((0.3, -0.08, 1.0), (0.4, -0.03, 1.02), make("metal", rng))


def _curtain(rng: np.random.Generator, wide: float, shared: Material) -> Solid:
    cloth = make("pattern" if rng.random() < 0.4 else "cloth", rng)
    if rng.random() < 0.4:
        cloth = shared
    folds = np.linspace(-wide, wide, 33)
    depth = -0.07 + 0.035 * np.sin(np.arange(33) * 1.35) + rng.normal(0, 0.006, 33)
    low, high = rng.uniform(0.01, 0.05), rng.uniform(2.1, 2.4)
    path = np.stack([folds, depth, np.full(33, (low + high) / 2)], axis=1)
    return sweep(path, rectangle(0.008, high - low), cloth)


def _radiator(rng: np.random.Generator, wide: float, shared: Material) -> Solid:
    white = Material(plain((230, 228, 222), rng), 0.5, 0.4)
    solid: Solid = []
    for x in np.arange(-wide, wide, 0.07):
        solid += box((x, -0.12, 0.12), (x + 0.045, -0.03, 0.68), white)
    return solid + box((-wide, -0.09, 0.2), (wide, -0.06, 0.24), white)


def _rug(rng: np.random.Generator, shared: Material) -> Solid:
    cloth = make("pattern", rng)
    tile = shared.tile if rng.random() < 0.3 else cloth.tile
    pile = Material(tile, rng.uniform(0.4, 1.0))
    wide, deep = rng.uniform(0.5, 1.1), rng.uniform(0.4, 0.8)
    x, y = rng.uniform(-0.4, 0.4, 2)
    return box((x - wide, y - deep, -0.01), (x + wide, y + deep, 0.004), pile)
