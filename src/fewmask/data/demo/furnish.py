"""Where furniture stands around a chair."""

from __future__ import annotations

import numpy as np

from fewmask.data.demo.finishes import make
from fewmask.data.demo.furniture import AROUND, AT_THE_WALL, IN_FRONT
from fewmask.data.demo.rooms import Room
from fewmask.data.demo.solids import Points, Solid, extent, place, turned
from fewmask.data.demo.textures import Material


def furnish(
    rng: np.random.Generator,
    room: Room,
    radius: float,
    eye: Points,
    frame: Material,
    cover: Material,
) -> Solid:
    """Stands furniture along the wall, beside the chair and, at times, before it.

    Args:
        rng: Source of chance.
        room: Where it stands.
        radius: Metres around the origin to keep free for the chair.
        eye: Where the camera stands, shape `(3,)`.
        frame: A material of the chair, which other things may share.
        cover: Another.

    Returns:
        All of it, in scene directions.
    """

    def materials() -> tuple[Material, Material]:
        # Other things are often of the very material of the chair, so colour tells little.
        first, second = rng.random(2)
        names = ("wood", "paint", "metal", "wood")
        one = frame if first < 0.45 else make(names[rng.integers(4)], rng)
        if second < 0.5:
            return one, cover if second < 0.35 else frame
        return one, make(names[rng.integers(4)], rng)

    solid: Solid = []
    x = -2.0
    while x < 2.0:
        if rng.random() < 0.4:
            x += rng.uniform(0.5, 1.2)
            continue
        thing = AT_THE_WALL[rng.integers(len(AT_THE_WALL))](rng, *materials())
        low, high = extent(thing)
        wide, deep = (high - low)[:2]
        center = np.array([x + wide / 2, room.back - high[1] - 0.02, 0.0])
        gap = np.hypot(max(abs(center[0]) - wide / 2, 0), max(center[1] - deep / 2, 0))
        inside = abs(room.side) > np.sign(room.side) * center[0] + wide / 2
        if gap > radius - 0.05 and inside:
            solid += place(thing, room.turn, turned(center, room.turn))
        x += wide + rng.uniform(0.05, 0.7)
    for _ in range(int(rng.integers(0, 2))):
        thing = AROUND[rng.integers(len(AROUND))](rng, *materials())
        solid += _beside(rng, room, thing, radius, rng.uniform(-15, 195))
    if rng.random() < 0.18:
        thing = IN_FRONT[rng.integers(len(IN_FRONT))](rng, *materials())
        solid += _before(rng, thing, radius, eye)
    return solid


def _beside(
    rng: np.random.Generator, room: Room, thing: Solid, radius: float, angle: float
) -> Solid:
    """Stands a thing at an angle from the chair, unless a wall is in its way."""
    low, high = extent(thing)
    size = float(np.hypot(*(high - low)[:2])) / 2
    distance = radius + size + rng.uniform(-0.05, 0.5)
    spot = distance * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle)), 0.0])
    local = turned(spot, -room.turn)
    free = local[1] + size < room.back and abs(room.side) - np.sign(room.side) * local[0] > size
    return place(thing, rng.uniform(0, 360), spot) if free else []


def _before(rng: np.random.Generator, thing: Solid, radius: float, eye: Points) -> Solid:
    """Stands a thing so that it hides a side of the chair and leaves most of it in sight."""
    low, high = extent(thing)
    size = (high - low)[:2] / 2
    ahead = min(radius + float(size.max()) + 0.1, 0.62 * float(-eye[1]))
    if ahead < radius + size.max():
        return []
    hand = rng.choice([-1.0, 1.0])
    across = hand * (rng.uniform(0.16, 0.34) + float(size[0]))
    return place(thing, rng.uniform(-25, 25), (across, -ahead, 0))
