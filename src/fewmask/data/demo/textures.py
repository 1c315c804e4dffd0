"""Surfaces of things: seamless squares of colour made from noise."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tile = NDArray[np.float32]
Rgb = tuple[int, int, int]

FINE = 128
"""Side in pixels of the tile of a small thing."""
MEDIUM = 256
"""Side in pixels of the tile of a wall."""
COARSE = 512
"""Side in pixels of the tile of a floor."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a surface is made of.

    Args:
        tile: Share of red, green and blue light it sends back, shape `(S, S, 3)` in [0, 1];
            repeats without a seam. Columns run along the grain.
        metres: Side of the tile on the surface.
        gloss: Strength of its highlight, 0 for plaster to 1 for polish.
        metal: Whether it mirrors its surroundings in its own colour.
        glow: Light it sends out by itself, as a lampshade or a window does.
    """

    tile: Tile
    metres: float
    gloss: float = 0.0
    metal: bool = False
    glow: float = 0.0


def linear(color: Rgb | NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns screen colours 0-255 into shares of light 0-1 (inverse sRGB).

    Example:

    >>> linear((0, 128, 255)).round(3).tolist()
    [0.0, 0.216..., 1.0]
    """
    screen = np.asarray(color, dtype=np.float32) / 255
    low, high = screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4
    return np.where(screen <= 0.04045, low, high).astype(np.float32)


def noise(rng: np.random.Generator, size: int, rows: int, columns: int) -> Tile:
    """Draws smooth seamless noise.

    Args:
        rng: Source of chance.
        size: Side of the tile.
        rows: Number of bumps from top to bottom.
        columns: Number of bumps from left to right.

    Returns:
        Shape `(size, size)`, mean about 0, spread about 0.7.
    """
    bumps = rng.standard_normal((rows, columns), dtype=np.float32)
    tall: Tile = np.matmul(_between(size, rows), bumps)
    noisy: Tile = np.matmul(tall, _between(size, columns).T)
    return noisy


@functools.cache
def _between(size: int, bumps: int) -> Tile:
    """Weighs bumps around a circle for each of `size` places (Catmull-Rom), `(size, bumps)`."""
    place = np.arange(size) * bumps / size
    first = np.floor(place).astype(int)
    share = place - first
    weights = np.zeros((size, bumps), np.float32)
    for step, weight in (
        (-1, -0.5 * share + share**2 - 0.5 * share**3),
        (0, 1 - 2.5 * share**2 + 1.5 * share**3),
        (1, 0.5 * share + 2 * share**2 - 1.5 * share**3),
        (2, -0.5 * share**2 + 0.5 * share**3),
    ):
        np.add.at(weights, (np.arange(size), (first + step) % bumps), weight.astype(np.float32))
    return weights


def tinted(color: Rgb, value: Tile, strength: float) -> Tile:
    """Lightens and darkens one colour; dark parts grow warmer, as in wood and in cloth.

    Args:
        color: Screen colour 0-255.
        value: Shape `(S, S)`, positive is lighter.
        strength: How much a value of 1 lightens, as the exponent of e.

    Returns:
        Shape `(S, S, 3)` in [0, 1].
    """
    levels = np.linspace(-4, 4, 256, dtype=np.float32)[:, None]
    per_channel = np.array([0.85, 1.0, 1.15], dtype=np.float32) * np.float32(strength)
    table: Tile = np.clip(linear(color) * np.exp(levels * per_channel), 0.004, 0.95)
    tile: Tile = table.take(np.clip(value * 32 + 128, 0, 255).astype(np.uint8), axis=0)
    return tile


def plain(color: Rgb, rng: np.random.Generator, strength: float = 0.05) -> Tile:
    """Paint, plastic or metal: one colour with faint stains."""
    value = 0.6 * noise(rng, FINE, 4, 4) + 0.4 * noise(rng, FINE, 32, 32)
    return tinted(color, value, strength)


def wood(color: Rgb, rng: np.random.Generator, size: int = FINE, figure: float = 0.22) -> Tile:
    """Wood: year rings drawn out along the grain, pores, slow changes of tone."""
    across = np.linspace(0, 2 * np.pi, size, endpoint=False, dtype=np.float32)[:, None]
    rings = np.sin(int(rng.integers(3, 8)) * across + 2.2 * noise(rng, size, 4, 2))
    pores = noise(rng, size, size // 2, 16)
    value = (
        0.45 * rings + 0.4 * noise(rng, size, 32, 2) + 0.35 * pores + 0.5 * noise(rng, size, 4, 2)
    )
    return tinted(color, value, figure)


def weave(color: Rgb, rng: np.random.Generator, threads: int = 32) -> Tile:
    """Cloth: threads over and under one another, uneven as yarn is."""
    step = np.arange(FINE) * threads // FINE
    over = ((step[:, None] + step[None]) % 2).astype(np.float32) - 0.5
    value = 0.7 * over + 0.5 * noise(rng, FINE, 32, 32) + 0.4 * noise(rng, FINE, 8, 8)
    return tinted(color, value, 0.16)


def leather(color: Rgb, rng: np.random.Generator) -> Tile:
    """Leather: fine creases between worn patches."""
    creases = -np.abs(noise(rng, FINE, 32, 32)) + 0.6 * noise(rng, FINE, 4, 4)
    return tinted(color, creases, 0.2)


def striped(ground: Tile, color: Rgb, rng: np.random.Generator, checks: bool = False) -> Tile:
    """Lays woven or printed stripes of a second colour over a tile, or checks of both ways."""
    size = len(ground)
    count = int(rng.choice([2, 4, 8]))
    phase = (np.arange(size) * count / size) % 1.0
    profile = ((phase < rng.uniform(0.25, 0.6)) * 0.8).astype(np.float32)
    profile = np.maximum(profile, ((phase > 0.75) & (phase < 0.82)) * np.float32(0.6))
    share = profile[:, None] * np.ones((1, size), dtype=np.float32)
    if checks:
        share = 0.5 * (profile[:, None] + profile[None])
    shading = ground / ground.mean(axis=(0, 1))
    over = np.clip(linear(color) * shading, 0, 0.95)
    return _blended(ground, over, share)


def dotted(ground: Tile, color: Rgb, rng: np.random.Generator) -> Tile:
    """Prints a repeated ornament of a second colour on a tile: dots, diamonds or leaves."""
    size = len(ground)
    count = int(rng.choice([4, 8]))
    cell = (np.arange(size) * count / size) % 1.0 - 0.5
    x, y = cell[None], cell[:, None]
    # Every second row is moved by half a step, as on printed cloth and wallpaper.
    odd = (np.arange(size) * count // size % 2)[:, None] * 0.5
    x = (x + odd + 0.5) % 1.0 - 0.5
    kind = rng.integers(3)
    if kind == 0:
        distance = np.hypot(x, y)
    elif kind == 1:
        distance = np.abs(x) * 0.6 + np.abs(y) * 0.5
    else:
        distance = np.hypot(x * (1.2 + np.sin(9 * y)), y * 0.8)
    share = np.clip((rng.uniform(0.15, 0.28) - distance) * size / count / 2 + 0.5, 0, 1)
    return _blended(ground, np.clip(linear(color), 0, 0.95), share.astype(np.float32))


def _blended(ground: Tile, over: Tile, share: Tile) -> Tile:
    tile: Tile = ground + (over - ground) * share[..., None]
    return tile


def planks(color: Rgb, rng: np.random.Generator, rows: int = 16, size: int = COARSE) -> Tile:
    """A board floor: every board of its own tone, dark joints."""
    tall = size // rows
    tile = wood(color, rng, size)
    column = np.arange(size)
    board = (column[None] + rng.integers(size, size=(rows, 1))) % size // (size // 2)
    tone = rng.normal(0, 0.14, size=(rows, 2)).astype(np.float32)
    shade: Tile = np.repeat(np.take_along_axis(tone, board, axis=1), tall, axis=0)
    joint = np.repeat(board != np.roll(board, 1, axis=1), tall, axis=0)
    joint |= (np.arange(size) % tall < 1)[:, None]
    shade = np.where(joint, np.float32(0.45), np.float32(1)) * np.exp(shade)
    boards: Tile = np.clip(tile * shade[..., None], 0, 0.95)
    return boards


def grid(
    color: Rgb,
    other: Rgb,
    joint: Rgb,
    rng: np.random.Generator,
    rows: int = 4,
    columns: int = 4,
    bond: bool = False,
    size: int = COARSE,
) -> Tile:
    """Tiles or bricks.

    Args:
        color: Of one half of them.
        other: Of the other half, chequered; of chance ones where `bond` is true.
        joint: Of the joints.
        rng: Source of chance.
        rows: Number from top to bottom of the tile.
        columns: Number from left to right.
        bond: Whether every second row is moved by half a brick.
        size: Side S of the tile.

    Returns:
        Shape `(S, S, 3)`.
    """
    row = np.arange(size, dtype=np.float32) * np.float32(rows / size)
    column = np.arange(size, dtype=np.float32)[None] * np.float32(columns / size)
    column = (column + np.float32(0.5 * bond) * (row.astype(int) % 2)[:, None]) % columns
    index = (row.astype(int)[:, None], column.astype(int))
    second = (np.arange(rows)[:, None] + np.arange(columns)) % 2 == 1
    if bond:
        second = rng.random((rows, columns)) < 0.3
    tone = rng.normal(0, 0.12 if bond else 0.05, size=(rows, columns))
    colors = np.where(second[..., None], linear(other), linear(color)) * np.exp(tone)[..., None]
    stain = np.exp(noise(rng, size, 8, 8) * 0.12 + noise(rng, size, 64, 64) * 0.08)
    gap = 0.03
    edge = np.minimum((row % 1)[:, None] / rows, (column % 1) / columns) * max(rows, columns) < gap
    value = colors.astype(np.float32)[index]
    value[edge] = linear(joint)
    tiles: Tile = np.clip(value * stain[..., None], 0.004, 0.95)
    return tiles


def rough(
    color: Rgb, rng: np.random.Generator, strength: float, bumps: int = 128, size: int = MEDIUM
) -> Tile:
    """Carpet, plaster or concrete: grains of one colour with cloudy stains."""
    value = noise(rng, size, bumps, bumps) + 0.7 * noise(rng, size, 8, 8)
    return tinted(color, value, strength)
