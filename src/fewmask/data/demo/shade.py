"""The colour of every pixel: surface, light, highlight."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data.demo.camera import Camera
from fewmask.data.demo.light import (
    Light,
    ShadowMap,
    Values,
    sky_directions,
    sun_directions,
    through_panes,
)
from fewmask.data.demo.mesh import Mesh

SUN_MAP = 448
SKY_MAP = 192
"""Sides of shadow maps in pixels: sharp enough for spindles, coarse as light from all around."""
LEVELS = 4
"""Sizes of a texture, each half of the one before, for surfaces far away."""


@dataclass(frozen=True)
class Spots:
    """Where the picture is sampled: each array has a row for each of n spots.

    Args:
        faces: Number of the face, shape `(n,)`.
        places: Position in the room, shape `(n, 3)`.
        views: Unit vector from the eye, shape `(n, 3)`.
        flat: Normal of the face, shape `(n, 3)`.
        normals: Normal of the meant, bent surface, shape `(n, 3)`.
        texture: Position on the surface in metres, shape `(n, 2)`.
        footprint: Metres of surface that a picture pixel covers, shape `(n,)`.
    """

    faces: NDArray[np.int32]
    places: Values
    views: Values
    flat: Values
    normals: Values
    texture: Values
    footprint: Values


def shade(
    mesh: Mesh, camera: Camera, light: Light, seen: NDArray[np.int32], nearness: Values
) -> Values:
    """Computes the light that reaches the camera.

    Subpixels of a picture pixel that see one face share one sample.

    Args:
        mesh: The scene.
        camera: Who looks.
        light: What shines.
        seen: Number of the face at each subpixel, shape `(2 H, 2 W)`.
        nearness: One over its depth, shape `(2 H, 2 W)`.

    Returns:
        Linear red, green and blue, shape `(H, W, 3)`, at least 0.
    """
    height, width = seen.shape[0] // 2, seen.shape[1] // 2
    square = np.arange(seen.size, dtype=np.int32).reshape(height, 2, width, 2)
    index = square.transpose(1, 3, 0, 2).reshape(4, -1)
    chosen, samples, mixed = _samples(seen.ravel()[index])
    spots = _spots(mesh, camera, index.ravel()[chosen], seen, nearness)
    sun, sky = _incoming(mesh, light, spots, (height, width))
    colors = _reflected(mesh, light, spots, sun, sky)
    picture = colors[: height * width]
    # Averaged as the eye sees them: a bright lamp would else eat into every edge.
    picture[mixed] = np.sqrt(colors[samples]).mean(axis=0) ** 2
    return picture.reshape(height, width, 3)


def _samples(
    faces: NDArray[np.int32],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Chooses the subpixels to compute.

    Args:
        faces: Face that each of four subpixels sees, shape `(4, n)`.

    Returns:
        Places in `faces.ravel()` to compute, the first n being the first subpixels, shape
        `(m,)`; which of these each subpixel takes, `(4, k)`, for the k pixels of more than one
        face; and these pixels, `(k,)`.
    """
    count = faces.shape[1]
    mixed = np.flatnonzero((faces[1:] != faces[0]).any(axis=0))
    chosen = [np.arange(count)]
    samples = np.empty((4, len(mixed)), np.intp)
    samples[0] = mixed
    inner = faces[:, mixed]
    for subpixel in range(1, 4):
        fresh = np.ones(len(mixed), bool)
        for earlier in range(subpixel):
            same = fresh & (inner[subpixel] == inner[earlier])
            samples[subpixel, same] = samples[earlier, same]
            fresh &= ~same
        start = sum(len(part) for part in chosen)
        samples[subpixel, fresh] = start + np.arange(np.count_nonzero(fresh))
        chosen.append(subpixel * count + mixed[fresh])
    return np.concatenate(chosen), samples, mixed


def _dot(first: Values, second: Values) -> Values:
    product: Values = np.einsum("ij,ij->i", first, second)
    return product


def _unit(vectors: Values) -> Values:
    unit: Values = vectors * np.reciprocal(np.sqrt(_dot(vectors, vectors)))[:, None]
    return unit


def _spots(
    mesh: Mesh, camera: Camera, index: NDArray[np.int32], seen: NDArray[np.int32], nearness: Values
) -> Spots:
    faces = seen.ravel()[index]
    rays = camera.rays(index)
    depth = np.reciprocal(nearness.ravel()[index])
    places = rays * depth[:, None] + camera.eye.astype(np.float32)
    parts = (mesh.normals, mesh.grain, mesh.across, mesh.centers, mesh.bends, mesh.shifts)
    rows = np.concatenate(parts, axis=1).astype(np.float32)[faces]
    flat, grain, across = rows[:, 0:3], rows[:, 3:6], rows[:, 6:9]
    local = places - rows[:, 9:12]
    u, v = _dot(local, grain), _dot(local, across)
    normals = flat + (rows[:, 12] * u)[:, None] * grain + (rows[:, 13] * v)[:, None] * across
    normals = _unit(normals)
    views = _unit(rays)
    slant = np.sqrt(np.maximum(-_dot(views, flat), np.float32(0.02)))
    # Two subpixels to a picture pixel.
    footprint = np.divide(depth * np.float32(2 / camera.focal), slant)
    texture = np.stack([u + rows[:, 14], v + rows[:, 15]], axis=1)
    return Spots(faces, places, views, flat, normals, texture, footprint)


def _reflected(mesh: Mesh, light: Light, spots: Spots, sun: Values, sky: Values) -> Values:
    """Adds up what a surface scatters, mirrors and sends out by itself, shape `(n, 3)`."""
    color = _surface(mesh, spots)
    kinds = mesh.surfaces[spots.faces]
    traits = np.array([(m.gloss, m.metal, m.glow) for m in mesh.materials], np.float32)[kinds]
    gloss, metal, glow = traits[:, 0], traits[:, 1].astype(bool), traits[:, 2]
    to_sun, sun_color = light.sun.astype(np.float32), light.sun_color.astype(np.float32)
    sky_color, bounce = light.sky_color.astype(np.float32), light.bounce_color.astype(np.float32)

    cosine = np.maximum(spots.normals @ to_sun, 0)
    downward = (np.float32(0.65) - np.float32(0.5) * spots.normals[:, 2])[:, None]
    around = sky[:, None] * (sky_color + downward * bounce)
    scattered: Values = color * ((sun * cosine)[:, None] * sun_color + around)

    facing = np.maximum(-_dot(spots.views, spots.normals), 0)
    mirror = spots.views + 2 * facing[:, None] * spots.normals
    glint = np.zeros_like(gloss)
    lit = np.flatnonzero(sun * gloss * (mirror @ to_sun) > 0.005)
    glint[lit] = sun[lit] * gloss[lit] * (mirror[lit] @ to_sun) ** (10 + 60 * gloss[lit])
    fresnel = np.float32(0.04) + np.float32(0.5) * (1 - facing) ** 4
    # A shiny thing mirrors a bright room: light above, darker furniture level with it.
    veil = gloss * fresnel * (0.4 + 0.6 * np.clip(0.5 + mirror[:, 2], 0, 1)) * sky
    # Polished metal shows a bright ceiling, a dark band of furniture, a lit floor.
    bands = 0.25 + 1.1 * np.clip(mirror[:, 2] * 2, 0, 1) + 0.5 * np.clip(-mirror[:, 2], 0, 1)
    veil = np.where(metal, (0.35 + 0.65 * sky) * bands * 0.75, veil)
    shine = glint[:, None] * sun_color + veil[:, None] * sky_color
    shine[metal] *= color[metal]
    scattered[metal] *= np.float32(0.35)
    scattered += shine
    color *= glow[:, None]
    scattered += color
    return scattered


def _surface(mesh: Mesh, spots: Spots) -> Values:
    """Reads the textures between their four nearest points, coarser ones far away."""
    surfaces = np.flatnonzero(np.bincount(mesh.surfaces[spots.faces]))
    renumbered = np.searchsorted(surfaces, mesh.surfaces).astype(np.int32)
    kinds = renumbered[spots.faces]
    pages: list[Values] = []
    for surface in surfaces:
        tile = mesh.materials[surface].tile
        pages.append(tile)
        for _ in range(LEVELS - 1):
            half = max(len(tile) // 2, 1)
            tile = cv2.resize(tile, (half, half), interpolation=cv2.INTER_AREA)
            pages.append(tile)
    sides = np.array([len(page) for page in pages], np.int32)
    starts = np.cumsum([0, *(sides[:-1] ** 2)]).astype(np.int32)
    texels = np.concatenate([page.reshape(-1, 3) for page in pages])
    metres = np.array([mesh.materials[surface].metres for surface in surfaces], np.float32)[kinds]
    blur = spots.footprint * sides[kinds * LEVELS] / metres
    level = np.clip(np.rint(np.log2(np.maximum(blur, 1))), 0, LEVELS - 1).astype(np.int32)
    page = kinds * LEVELS + level
    side, start = sides[page], starts[page]
    position = spots.texture.T * (side / metres).astype(np.float32) - np.float32(0.5)
    whole = np.floor(position)
    right, below = position - whole
    # Sides are powers of two, so "and" wraps around.
    last = side - 1
    column, row = whole.astype(np.int32)
    columns = (column & last, (column + 1) & last)
    color = np.zeros((len(kinds), 3), np.float32)
    for down, share_down in ((0, 1 - below), (1, below)):
        first = start + ((row + down) & last) * side
        for place, share in zip(columns, (1 - right, right), strict=True):
            color += texels.take(first + place, axis=0) * (share * share_down)[:, None]
    return color


def _incoming(
    mesh: Mesh, light: Light, spots: Spots, shape: tuple[int, int]
) -> tuple[Values, Values]:
    """Measures the share of the sun and of the sky that reaches each spot, shapes `(n,)`."""
    lifted = spots.places + np.float32(0.006) * spots.flat
    sun = np.zeros(len(lifted), np.float32)
    turned_to = np.flatnonzero(spots.flat @ light.sun.astype(np.float32) > 0)
    directions = sun_directions(light)
    for direction in directions:
        sun[turned_to] += ShadowMap(mesh, direction, SUN_MAP).lit(lifted[turned_to])
    sun /= len(directions)
    sky, total = np.zeros_like(sun), np.zeros_like(sun)
    for direction in sky_directions():
        # Light from all around also creeps along a surface, so no direction counts nothing.
        weight = np.maximum(spots.flat @ direction.astype(np.float32), np.float32(0.05))
        total += weight
        sky += weight * ShadowMap(mesh, direction, SKY_MAP).lit(lifted)
    sky /= total
    pixels = shape[0] * shape[1]
    both = np.stack([sun[:pixels], sky[:pixels]], axis=1)
    both = _smoothed(both.reshape(*shape, 2), spots.faces[:pixels].reshape(shape), light.spread)
    sun[:pixels], sky[:pixels] = both.reshape(-1, 2).T
    if light.panes is not None:
        sun *= through_panes(light.panes, light, spots.places)
    # The strongest light comes from one side, so it fades across the room.
    fade = spots.places @ light.sun.astype(np.float32) / np.float32(light.reach)
    sun *= np.clip(1 + np.float32(0.5) * fade, 0.3, 1.6)
    sky = np.float32(0.12) + np.float32(0.88) * sky ** np.float32(1.3) * (
        0.62 + 0.38 * spots.normals[:, 2]
    )
    sky *= np.clip(1 + np.float32(0.3) * fade, 0.5, 1.4)
    return sun, sky * _corners(mesh, spots.places)


def _smoothed(values: Values, faces: NDArray[np.int32], spread: float) -> Values:
    """Blends the steps of soft shadows within each face, shape `(H, W, 2)`.

    A few directions stand for a whole window, so its half-shadow has as many steps.
    """
    for step in (1, 2, 4) if spread > 0.05 else (1, 2):
        for axis in (0, 1):
            total, count = values.copy(), np.ones(faces.shape, np.float32)
            for shift in (-step, step):
                # Rows that come round from the other edge belong to the same large faces at
                # worst, a pixel or two wide.
                same = np.roll(faces, shift, axis=axis) == faces
                total += np.roll(values, shift, axis=axis) * same[..., None]
                count += same
            values = total / count[..., None]
    return values


def _corners(mesh: Mesh, places: Values) -> Values:
    """Darkens the corners of the room, where each wall hides half of the light of the other."""
    share = np.ones(len(places), np.float32)
    for wall in np.flatnonzero(~mesh.casts):
        normal = mesh.normals[wall].astype(np.float32)
        distance = places @ normal - np.float32(mesh.centers[wall] @ mesh.normals[wall])
        # On the wall itself the distance is 0 and nothing is hidden.
        share *= 1 - np.float32(0.3) * np.exp(-np.maximum(distance, 0) * 4) * (distance > 0.01)
    return share
