"""The kinds of chairs that the demo shows, with the materials that suit each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fewmask.data.demo.chairs_metal import bar_chair, cantilever_chair, school_chair, shell_chair
from fewmask.data.demo.chairs_soft import lounge_chair, office_chair, upholstered_chair
from fewmask.data.demo.chairs_wood import folding_chair, joined_chair, spindle_chair
from fewmask.data.demo.solids import Solid
from fewmask.data.demo.textures import Material

Builder = Callable[[np.random.Generator, Material, Material], Solid]


@dataclass(frozen=True)
class Kind:
    """A kind of chair.

    Args:
        build: Makes one from a source of chance, the material of its frame and of its seat.
        frames: Names of materials (see `finishes`) that its frame may have.
        covers: Names of materials that its seat may have; `"frame"` is the frame's own.
    """

    build: Builder
    frames: tuple[str, ...]
    covers: tuple[str, ...]


KINDS = (
    Kind(joined_chair, ("wood", "wood", "paint"), ("frame", "frame", "cloth", "leather", "cane")),
    Kind(spindle_chair, ("wood", "wood", "paint"), ("frame", "frame", "wood")),
    Kind(upholstered_chair, ("wood", "metal"), ("cloth", "leather", "pattern")),
    Kind(shell_chair, ("wood", "metal", "paint"), ("plastic", "plastic", "wood")),
    Kind(office_chair, ("plastic", "metal"), ("cloth", "leather", "plastic")),
    Kind(lounge_chair, ("wood", "metal"), ("cloth", "leather", "pattern")),
    Kind(joined_chair, ("paint", "wood"), ("frame", "pattern", "cane")),
    Kind(folding_chair, ("wood", "paint", "metal"), ("frame", "wood", "paint")),
    Kind(lounge_chair, ("wood",), ("cloth", "leather", "pattern")),
    Kind(cantilever_chair, ("metal", "metal", "paint"), ("leather", "cane", "cloth")),
    Kind(school_chair, ("metal", "paint"), ("wood", "plastic")),
    Kind(upholstered_chair, ("wood", "paint"), ("cloth", "leather", "cloth")),
    Kind(shell_chair, ("wood", "metal"), ("plastic", "paint", "wood")),
    Kind(bar_chair, ("metal", "wood", "paint"), ("wood", "leather", "paint")),
)
"""Taken in turn by `kind_of`. Kinds that are common in rooms stand here twice."""


def kind_of(index: int) -> Kind:
    """Returns the kind of chair that a picture shows.

    Each round through the kinds begins three further on, so that the pictures of the test,
    which are every fifth or so, meet every kind.

    Args:
        index: Number of the picture.

    Returns:
        One of `KINDS`.
    """
    return KINDS[(index + 3 * (index // len(KINDS))) % len(KINDS)]
