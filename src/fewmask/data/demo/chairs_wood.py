"""Chairs that joiners make: legs, rails, slats, spindles, arms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fewmask.data.demo.shapes import bar, box, circle, curve, cushion, plate, rectangle, rod
from fewmask.data.demo.solids import Points, Solid, sweep
from fewmask.data.demo.textures import Material

# All chairs stand on the origin and look towards -y.


def _seat_outline(width: float, depth: float, narrowing: float) -> Points:
    """A rounded seat that is narrower behind, shape `(12, 2)`."""
    outline = rectangle(width, depth, 0.05)
    outline[:, 0] *= 1 - narrowing * (outline[:, 1] / depth + 0.5)
    return outline


def _post(x: float, y: float, seat: float, top: float, rake: float) -> Points:
    """Path of a back leg that bends backwards above the seat."""
    return curve(
        (x, y + 0.04, 0.0),
        (x, y, seat),
        (0.96 * x, y + 0.4 * rake, (seat + top) / 2),
        (0.94 * x, y + rake, top),
        steps=3,
    )


def _back_at(y: float, seat: float, top: float, rake: float, z: float) -> float:
    """How far behind the back of a chair is at a height."""
    return float(y + rake * ((z - seat) / (top - seat)) ** 1.3)


def _arms(
    rng: np.random.Generator, wide: float, front: float, back: float, seat: float, frame: Material
) -> Solid:
    """Two armrests on their posts."""
    height = seat + rng.uniform(0.19, 0.25)
    solid: Solid = []
    for side in (-1, 1):
        x = side * wide
        path = curve(
            (x * 0.98, back, height + 0.03),
            (x * 1.06, (front + back) / 2, height + 0.01),
            (x * 1.04, front - 0.03, height),
        )
        solid += sweep(path, rectangle(0.05, 0.026), frame)
        solid += bar(
            (x, front + 0.01, seat - 0.05), (x * 1.03, front + 0.02, height), 0.032, 0.036, frame
        )
    return solid


def joined_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a dining chair of square timber: a ladder or a row of upright slats for a back.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of legs and back.
        cover: Material of the seat.

    Returns:
        The chair.
    """
    wide, deep = rng.uniform(0.19, 0.22), rng.uniform(0.18, 0.21)
    seat, top = rng.uniform(0.43, 0.47), rng.uniform(0.84, 1.08)
    rake, leg = rng.uniform(0.04, 0.13), rng.uniform(0.036, 0.048)
    solid: Solid = []
    for side in (-1, 1):
        x = side * wide
        solid += sweep(_post(x, deep, seat, top, rake), rectangle(leg, leg), frame, (0, -1, 0))
        solid += bar((x, -deep, seat - 0.01), (x, -deep, 0), leg, leg, frame, rng.uniform(0.6, 1.0))
        solid += box((x - 0.011, -deep, seat - 0.085), (x + 0.011, deep, seat - 0.02), frame)
    solid += box((-wide, -deep - 0.01, seat - 0.085), (wide, -deep + 0.012, seat - 0.02), frame)
    solid += box((-wide, deep - 0.012, seat - 0.085), (wide, deep + 0.01, seat - 0.02), frame)
    if rng.random() < 0.6:
        low = rng.uniform(0.12, 0.22)
        for side in (-1, 1):
            x = side * wide
            solid += box((x - 0.009, -deep, low), (x + 0.009, deep + 0.02, low + 0.03), frame)
        middle = rng.uniform(-0.8, 0.6) * deep
        solid += box((-wide, middle - 0.01, low), (wide, middle + 0.01, low + 0.03), frame)
    if rng.random() < 0.5:
        solid += cushion(
            (-wide - 0.02, -deep - 0.025, seat - 0.02),
            (wide + 0.02, deep - 0.02, seat + 0.035),
            cover,
        )
    else:
        solid += plate(
            _seat_outline(2 * wide + 0.05, 2 * deep + 0.04, 0.03), seat - 0.02, seat + 0.005, cover
        )

    def rail(z: float, tall: float, bow: float) -> Solid:
        y = _back_at(deep, seat, top, rake, z)
        path = curve((-wide, y, z), (0, y + bow, z), (wide, y, z), steps=3)
        return sweep(path, rectangle(0.018, tall), frame)

    bow = rng.uniform(0.0, 0.05)
    crest = rng.uniform(0.05, 0.1)
    solid += rail(top - crest / 2, crest, bow)
    if rng.random() < 0.5:
        tall = rng.uniform(0.035, 0.06)
        for z in np.linspace(seat + 0.14, top - crest - 0.1, int(rng.integers(2, 5))):
            solid += rail(z, tall, bow)
    else:
        low = seat + rng.uniform(0.06, 0.14)
        solid += rail(low, 0.035, bow)
        count, thin = int(rng.integers(3, 8)), rng.uniform(0.016, 0.03)
        y0, y1 = (_back_at(deep, seat, top, rake, z) for z in (low, top - crest / 2))
        for x in np.linspace(-wide, wide, count + 2)[1:-1]:
            curl = bow * (1 - (x / wide) ** 2)
            solid += bar((x, y0 + curl, low), (x, y1 + curl, top - crest / 2), thin, 0.012, frame)
    if rng.random() < 0.3:
        solid += _arms(rng, wide, -deep + 0.02, deep + 0.03, seat, frame)
    return solid


def spindle_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a Windsor chair: splayed turned legs, a saddle seat, spindles under a bow or a crest.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of legs, spindles and bow.
        cover: Material of the seat.

    Returns:
        The chair.
    """
    wide, deep, seat = rng.uniform(0.2, 0.23), rng.uniform(0.19, 0.22), rng.uniform(0.43, 0.46)
    top, rake, splay = rng.uniform(0.86, 1.08), rng.uniform(0.1, 0.18), rng.uniform(0.05, 0.1)
    solid = plate(_seat_outline(2 * wide, 2 * deep, 0.2), seat - 0.035, seat, cover)
    feet = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        head = np.array([x * (wide - 0.06), y * (deep - 0.06), seat - 0.03])
        foot = np.array([x * (wide - 0.06 + splay), y * (deep - 0.06 + splay), 0.0])
        feet.append((head, foot))
        solid += sweep(
            [head, 0.55 * head + 0.45 * foot, foot],
            circle(0.019, 8),
            frame,
            (0, 1, 0),
            (0.75, 1.1, 0.65),
            smooth=True,
        )
    joints = [0.45 * head + 0.55 * foot for head, foot in feet]
    left, right = (joints[0] + joints[3]) / 2, (joints[1] + joints[2]) / 2
    for start, end in ((joints[0], joints[3]), (joints[1], joints[2]), (left, right)):
        solid += rod(start, end, 0.011, frame)
    count = int(rng.integers(5, 10))
    foot_wide = 0.82 * wide
    if rng.random() < 0.5:
        # One bent bow from seat to seat; the spindles end in it.
        angle = np.linspace(0, np.pi, 13)
        lift = np.sin(angle) ** 0.75
        bow = np.stack(
            [
                foot_wide * 1.05 * np.cos(angle),
                deep - 0.03 + rake * lift,
                seat + (top - seat) * lift,
            ],
            axis=1,
        )
        solid += sweep(bow, circle(0.014, 8), frame, (0, 1, 0.2), smooth=True)
        for x in np.linspace(-1, 1, count + 2)[1:-1] * 0.8:
            rise = (1 - (x / 1.05) ** 2) ** 0.375
            top_end = (foot_wide * x * 1.05, deep - 0.03 + rake * rise, seat + (top - seat) * rise)
            solid += rod(
                (foot_wide * x * 0.85, deep - 0.035, seat - 0.01), top_end, 0.0085, frame, 0.8
            )
    else:
        crest = rng.uniform(0.06, 0.11)
        path = curve(
            (-1.12 * wide, deep + rake - 0.05, top - crest / 2),
            (0, deep + rake + 0.02, top - crest / 2),
            (1.12 * wide, deep + rake - 0.05, top - crest / 2),
            steps=3,
        )
        solid += sweep(path, rectangle(0.022, crest), frame)
        for index, x in enumerate(np.linspace(-1, 1, count)):
            outer = index in (0, count - 1)
            top_end = (1.02 * wide * x, deep + rake + 0.015 - 0.05 * x**2, top - crest / 2)
            low_end = (foot_wide * x, deep - 0.03, seat - 0.01)
            solid += rod(low_end, top_end, 0.016 if outer else 0.0095, frame, 0.8)
    return solid


def folding_chair(rng: np.random.Generator, frame: Material, cover: Material) -> Solid:
    """Makes a folding chair: two crossing frames, slats or boards for seat and back.

    Args:
        rng: Source of chance, for the measures.
        frame: Material of the frames.
        cover: Material of seat and back.

    Returns:
        The chair.
    """
    wide, seat, top = rng.uniform(0.19, 0.22), rng.uniform(0.43, 0.46), rng.uniform(0.78, 0.9)
    reach = rng.uniform(0.2, 0.25)
    thick = rng.uniform(0.022, 0.03)
    solid: Solid = []
    for side in (-1, 1):
        x = side * wide
        front, high = np.array([x, -reach, 0.0]), np.array([x, 0.95 * reach, top])
        solid += sweep([front, high], rectangle(thick, 1.5 * thick), frame, (0, -1, 0))
        inner = x - side * 1.3 * thick
        solid += sweep(
            [(inner, reach, 0.0), (inner, -0.75 * reach, seat)],
            rectangle(thick, 1.5 * thick),
            frame,
            (0, -1, 0),
        )
    for z in (0.17, 0.13):
        for y in (-reach + 1.95 * reach * z / top, reach - 1.75 * reach * z / seat):
            solid += rod((-wide, y, z), (wide, y, z), 0.009, frame)
    slats = int(rng.integers(5, 8)) if rng.random() < 0.6 else 1
    edges = np.linspace(-0.95 * reach, 0.7 * reach, slats + 1)
    gap = 0.012 if slats > 1 else 0.0
    for near, far in pairwise(edges):
        solid += box(
            (-wide - 0.005, near, seat - 0.008), (wide + 0.005, far - gap, seat + 0.01), cover
        )
    rails = int(rng.integers(1, 4))
    share = {1: 0.16, 2: 0.07, 3: 0.045}[rails]
    for z in np.linspace(top - share / 2 - 0.01, seat + 0.22, rails) if rails > 1 else [top - 0.1]:
        y = -reach + 1.95 * reach * z / top - 0.015
        path = curve((-wide, y, z), (0, y + 0.03, z), (wide, y, z), steps=3)
        solid += sweep(path, rectangle(0.014, share), cover)
    return solid
