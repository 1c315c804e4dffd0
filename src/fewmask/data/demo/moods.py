"""The hour of day and the camera settings that a picture is taken with."""

from __future__ import annotations

import numpy as np

from fewmask.data.demo.light import Light, Panes
from fewmask.data.demo.photo import Film
from fewmask.data.demo.rooms import Room


def choose_light(rng: np.random.Generator, room: Room) -> Light:
    """Chooses sun through a window, a soft bright day, or lamps in the evening.

    Args:
        rng: Source of chance.
        room: Where it falls; its walls keep light from behind them out.

    Returns:
        The light.
    """
    azimuth, height = np.deg2rad(rng.uniform(0, 360)), np.deg2rad(rng.uniform(28, 65))
    sun = np.array(
        [np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)]
    )
    # Light must come from inside the room, not through the walls in sight.
    normal = np.array([np.sin(np.deg2rad(room.turn)), -np.cos(np.deg2rad(room.turn)), 0.0])
    if sun @ normal < 0.1:
        sun -= (sun @ normal - rng.uniform(0.1, 0.4)) * normal
    sun /= np.linalg.norm(sun)
    day = rng.random()
    panes = None
    if day < 0.35:
        spread, strength = rng.uniform(0.01, 0.05), rng.uniform(1.5, 3.0)
        sky = rng.uniform(0.45, 0.8)
        color = np.array([1.0, rng.uniform(0.86, 0.95), rng.uniform(0.68, 0.85)])
        if rng.random() < 0.75:
            size = (rng.uniform(0.7, 1.4), rng.uniform(0.7, 1.3))
            origin = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.4), rng.uniform(0, 0.5)])
            count = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
            panes = Panes(origin, size, count, rng.uniform(0.03, 0.07), rng.uniform(0.02, 0.08))
    elif day < 0.8:
        spread, strength = rng.uniform(0.12, 0.35), rng.uniform(0.6, 1.3)
        sky = rng.uniform(0.6, 1.0)
        color = np.array([1.0, rng.uniform(0.95, 1.02), rng.uniform(0.92, 1.08)])
    else:
        spread, strength = rng.uniform(0.06, 0.15), rng.uniform(1.0, 2.0)
        sky = rng.uniform(0.25, 0.5)
        color = np.array([1.0, rng.uniform(0.78, 0.88), rng.uniform(0.5, 0.68)])
    tint = np.array([rng.uniform(0.92, 1.0), 1.0, rng.uniform(0.98, 1.12)])
    ground = room.shell[0].material.tile.mean(axis=(0, 1)).astype(np.float64)
    bounce = 0.9 * ground * (sky + 0.35 * strength)
    return Light(sun, strength * color, spread, sky * tint, bounce, rng.uniform(2.0, 6.0), panes)


def choose_film(rng: np.random.Generator) -> Film:
    """Chooses how the picture is taken: mostly well, sometimes dark, pale, noisy or soft.

    Args:
        rng: Source of chance.

    Returns:
        The settings.
    """
    return Film(
        exposure=float(np.clip(rng.normal(0.48, 0.08), 0.3, 0.64)),
        warmth=float(np.exp(rng.normal(0.03, 0.12))),
        contrast=rng.uniform(0.9, 1.35),
        saturation=float(rng.choice([0.0, 0.75, 0.95, 1.05], p=[0.03, 0.22, 0.45, 0.3])),
        vignette=rng.uniform(0.0, 0.4),
        blur=float(rng.choice([0.45, 0.55, 0.7, 0.95], p=[0.4, 0.3, 0.2, 0.1])),
        grain=float(rng.choice([0.006, 0.012, 0.02, 0.035], p=[0.3, 0.35, 0.25, 0.1])),
        quality=int(rng.integers(86, 94)),
    )
