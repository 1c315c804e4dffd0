"""What things are made of: colours and textures that furniture is sold in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewmask.data.demo.textures import (
    COARSE,
    MEDIUM,
    Material,
    Rgb,
    Tile,
    dotted,
    grid,
    leather,
    linear,
    plain,
    planks,
    rough,
    striped,
    weave,
    wood,
)

WOODS: tuple[Rgb, ...] = (
    (214, 178, 128),
    (196, 154, 102),
    (168, 118, 70),
    (142, 92, 54),
    (112, 68, 40),
    (84, 54, 36),
    (60, 42, 32),
    (226, 200, 160),
    (150, 110, 80),
    (128, 62, 38),
)
"""From maple to wenge."""
PAINTS: tuple[Rgb, ...] = (
    (236, 234, 226),
    (230, 228, 222),
    (38, 38, 40),
    (30, 30, 32),
    (178, 44, 38),
    (198, 152, 40),
    (52, 96, 128),
    (66, 104, 74),
    (140, 168, 160),
    (202, 110, 60),
    (110, 120, 126),
    (92, 50, 60),
)
CLOTHS: tuple[Rgb, ...] = (
    (176, 168, 152),
    (120, 118, 116),
    (70, 72, 78),
    (60, 84, 116),
    (92, 112, 86),
    (150, 76, 58),
    (186, 140, 60),
    (206, 196, 178),
    (108, 60, 72),
    (54, 98, 104),
    (160, 130, 104),
    (196, 160, 150),
)
LEATHERS: tuple[Rgb, ...] = (
    (44, 36, 34),
    (92, 56, 36),
    (136, 84, 50),
    (30, 30, 32),
    (170, 120, 80),
    (200, 190, 172),
    (120, 40, 36),
)
WALLS: tuple[Rgb, ...] = (
    (228, 224, 214),
    (214, 208, 196),
    (196, 200, 202),
    (176, 188, 180),
    (204, 190, 166),
    (160, 172, 186),
    (206, 182, 172),
    (132, 146, 138),
    (120, 130, 146),
    (224, 212, 178),
    (150, 120, 104),
)


def pick(colors: Sequence[Rgb], rng: np.random.Generator) -> Rgb:
    """Takes one of the colours and changes it a little."""
    red, green, blue = colors[int(rng.integers(len(colors)))]
    light = rng.uniform(0.85, 1.12)
    change = rng.uniform(-8, 8, 3)
    values = np.clip(np.array([red, green, blue]) * light + change, 12, 244).astype(int)
    return int(values[0]), int(values[1]), int(values[2])


def make(name: str, rng: np.random.Generator) -> Material:
    """Makes a material for furniture.

    Args:
        name: `"wood"`, `"paint"`, `"metal"`, `"plastic"`, `"cloth"`, `"pattern"`, `"leather"`
            or `"cane"`.
        rng: Source of chance, for its colour and texture.

    Returns:
        The material.
    """
    if name == "wood":
        figure = rng.uniform(0.12, 0.28)
        return Material(wood(pick(WOODS, rng), rng, figure=figure), 0.4, rng.uniform(0.05, 0.5))
    if name == "paint":
        return Material(plain(pick(PAINTS, rng), rng), 0.4, rng.uniform(0.1, 0.6))
    if name == "metal":
        if rng.random() < 0.6:
            return Material(plain((205, 206, 208), rng, 0.03), 0.5, 0.9, metal=True)
        return Material(plain(pick(((34, 34, 36), (90, 92, 96)), rng), rng), 0.5, 0.6)
    if name == "plastic":
        return Material(plain(pick(PAINTS, rng), rng, 0.03), 0.5, rng.uniform(0.3, 0.7))
    if name == "leather":
        return Material(leather(pick(LEATHERS, rng), rng), 0.25, rng.uniform(0.2, 0.5))
    if name == "cane":
        tile = weave(pick(((206, 172, 116), (180, 140, 90), (224, 204, 160)), rng), rng, 16)
        return Material(tile, 0.2, 0.1)
    cloth = weave(pick(CLOTHS, rng), rng)
    if name == "pattern":
        return Material(_printed(cloth, CLOTHS, rng), rng.uniform(0.2, 0.4), 0.0)
    return Material(cloth, 0.14, 0.0)


def _printed(ground: Tile, colors: Sequence[Rgb], rng: np.random.Generator) -> Tile:
    kind = rng.integers(3)
    color = pick(colors, rng)
    return dotted(ground, color, rng) if kind == 0 else striped(ground, color, rng, kind == 1)


def floor(rng: np.random.Generator, like: Rgb | None = None) -> Material:
    """Makes a floor: boards, tiles, bricks, carpet or concrete.

    Args:
        rng: Source of chance.
        like: A colour that the floor shares with the furniture, or None.
    """
    color = pick(WOODS, rng) if like is None else like
    kind = rng.choice(6, p=[0.4, 0.05, 0.1, 0.06, 0.25, 0.14])
    if kind == 0:
        rows = int(rng.choice([8, 16]))
        return Material(planks(color, rng, rows), rng.uniform(1.2, 1.8), rng.uniform(0.1, 0.7))
    if kind == 1:
        tile = grid(color, pick(WOODS, rng), (60, 44, 34), rng, 8, 8)
        return Material(tile, rng.uniform(1.0, 2.0), rng.uniform(0.1, 0.5))
    if kind == 2:
        first = pick(WALLS, rng)
        other = first if rng.random() < 0.6 else pick(PAINTS, rng)
        joint = (150, 146, 138)
        return Material(
            grid(first, other, joint, rng), rng.uniform(1.2, 2.0), rng.uniform(0.3, 0.8)
        )
    if kind == 3:
        tile = grid((150, 96, 74), (126, 84, 70), (140, 132, 120), rng, 16, 8, bond=True)
        return Material(tile, 1.7, 0.05)
    if kind == 4:
        return Material(
            rough(pick(CLOTHS, rng) if like is None else like, rng, 0.16, 256, COARSE), 1.2
        )
    return Material(rough((150, 148, 142), rng, 0.07, 64, COARSE), 2.5, 0.15)


def wall(rng: np.random.Generator, like: Rgb | None = None) -> Material:
    """Makes a wall: paint, wallpaper, bricks, boards or tiles.

    Args:
        rng: Source of chance.
        like: A colour that the wall shares with the furniture, or None.
    """
    color = pick(WALLS, rng) if like is None else like
    kind = rng.choice(6, p=[0.54, 0.12, 0.07, 0.1, 0.1, 0.07])
    if kind == 0:
        return Material(rough(color, rng, 0.035), 1.5)
    if kind == 1:
        paper = striped(rough(color, rng, 0.03), pick(WALLS, rng), rng)
        return Material(np.ascontiguousarray(paper.transpose(1, 0, 2)), rng.uniform(0.5, 1.4))
    if kind == 2:
        return Material(
            dotted(rough(color, rng, 0.03), pick(WALLS + CLOTHS, rng), rng), rng.uniform(0.5, 1.2)
        )
    if kind == 3:
        brick = pick(((150, 84, 62), (196, 190, 180), (120, 72, 58), (170, 120, 92)), rng)
        other = pick((brick, (110, 66, 54)), rng)
        return Material(grid(brick, other, (176, 168, 156), rng, 16, 4, True, MEDIUM), 1.2)
    if kind == 4:
        boards = planks(pick(WOODS + WALLS, rng), rng, 8, MEDIUM)
        return Material(np.ascontiguousarray(boards.transpose(1, 0, 2)), rng.uniform(0.9, 1.4), 0.1)
    return Material(grid(color, color, (150, 148, 142), rng, 8, 8, size=MEDIUM), 1.2, 0.6)


def tone(material: Material) -> Rgb:
    """Returns the mean colour of a material as screen colours 0-255."""
    mean = material.tile.mean(axis=(0, 1))
    red, green, blue = (int(value) for value in np.clip(mean ** (1 / 2.2) * 255, 14, 240))
    return red, green, blue


def shining(color: Rgb, strength: float) -> Material:
    """Makes a surface that gives light, as a lampshade or a window."""
    tile = np.ones((16, 16, 3), np.float32) * linear(color)
    return Material(tile, 1.0, glow=strength)


def books(rng: np.random.Generator) -> list[Material]:
    """Makes the spines of books: a few plain colours."""
    return [Material(plain(pick(PAINTS + CLOTHS, rng), rng), 0.3, 0.1) for _ in range(4)]
