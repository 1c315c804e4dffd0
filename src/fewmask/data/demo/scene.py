"""A whole scene: chairs in a room among other things, light, camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewmask.data.demo.camera import Camera, aim
from fewmask.data.demo.chairs import Kind, kind_of
from fewmask.data.demo.finishes import make
from fewmask.data.demo.furnish import furnish
from fewmask.data.demo.light import Light
from fewmask.data.demo.mesh import Mesh, build_mesh
from fewmask.data.demo.moods import choose_film, choose_light
from fewmask.data.demo.photo import Film
from fewmask.data.demo.rooms import build_room
from fewmask.data.demo.solids import Solid, extent, place, turned
from fewmask.data.demo.textures import Material

SIZES = (
    (352, 352),
    (352, 352),
    (352, 352),
    (320, 320),
    (320, 320),
    (384, 384),
    (400, 320),
    (320, 432),
)
"""Heights and widths of pictures; not all alike, because photographs are not."""


@dataclass(frozen=True)
class Scene:
    """What is to be drawn.

    Args:
        mesh: All surfaces.
        camera: Who looks, at twice the height and width of the picture.
        light: What shines.
        film: How the picture is taken.
    """

    mesh: Mesh
    camera: Camera
    light: Light
    film: Film


def build_scene(index: int, rng: np.random.Generator) -> Scene:
    """Sets up the scene of one picture.

    Args:
        index: Number of the picture; decides the kind of chair.
        rng: Source of chance for everything else.

    Returns:
        The scene.
    """
    kind = kind_of(index)
    frame = make(kind.frames[rng.integers(len(kind.frames))], rng)
    cover_name = kind.covers[rng.integers(len(kind.covers))]
    cover = frame if cover_name == "frame" else make(cover_name, rng)
    chairs, radius = _chairs(rng, kind, frame, cover)
    box = extent(chairs)

    height, width = SIZES[rng.integers(len(SIZES))]
    eye = np.array(
        [0.0, -rng.uniform(1.7, 3.4), rng.choice([0.5, 1.0, 1.4, 1.6, 1.9]) + rng.normal(0, 0.12)]
    )
    target = box.mean(axis=0)
    corners = np.concatenate([face.points for face in chairs])
    drift = (float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.6, 0.6)))
    camera = aim(
        eye,
        target,
        corners,
        rng.uniform(0.72, 0.92),
        rng.normal(0, 1.5),
        drift,
        2 * height,
        2 * width,
    )

    turn = rng.uniform(-38, 38)
    back = radius + rng.choice([0.12, 0.5, 1.2]) + rng.uniform(0, 0.4)
    local_eye = turned(eye, -turn)
    hand = rng.choice([-1.0, 1.0])
    side = hand * (max(radius, float(hand * local_eye[0])) + rng.uniform(0.4, 1.6))
    room = build_room(rng, turn, back, side, cover if rng.random() < 0.6 else frame)
    things = room.fittings + furnish(rng, room, radius, eye, frame, cover)
    mesh = build_mesh(room.shell, things, chairs)
    return Scene(mesh, camera, choose_light(rng, room), choose_film(rng))


def _chairs(
    rng: np.random.Generator, kind: Kind, frame: Material, cover: Material
) -> tuple[Solid, float]:
    """Stands one chair, now and then two, around the origin."""
    # The front is seen more often than the back.
    turn = rng.normal(0, 42)
    chair = kind.build(rng, frame, cover)
    if rng.random() > 0.05:
        return place(chair, turn), 0.45
    apart = rng.uniform(0.33, 0.42)
    left = place(chair, turn, (-apart, rng.uniform(-0.2, 0.2), 0))
    right = place(chair, turn + rng.normal(0, 25) - 20, (apart, rng.uniform(-0.2, 0.2), 0))
    return left + right, 0.8
