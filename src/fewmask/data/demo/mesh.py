"""All faces of a scene side by side in arrays, as the renderer wants them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewmask.data.demo.solids import Points, Solid
from fewmask.data.demo.textures import Material


@dataclass(frozen=True)
class Mesh:
    """Faces as arrays; row i of every array belongs to face i.

    Args:
        corners: Corners of all faces one after another, shape `(C, 3)`.
        starts: Where the corners of each face begin, and C, shape `(F + 1,)`.
        centers: Shape `(F, 3)`.
        normals: Shape `(F, 3)`.
        grain: Direction of texture columns, shape `(F, 3)`.
        across: Direction of texture rows, shape `(F, 3)`.
        bends: Turn of the meant normal along both, shape `(F, 2)`.
        shifts: Where in the texture the centre is, in metres, shape `(F, 2)`.
        surfaces: Index into `materials`, shape `(F,)`.
        materials: Each kind of surface once.
        is_chair: Shape `(F,)`.
        casts: Whether the face keeps light from others, shape `(F,)`; the room does not.
    """

    corners: Points
    starts: NDArray[np.intp]
    centers: Points
    normals: Points
    grain: Points
    across: Points
    bends: Points
    shifts: Points
    surfaces: NDArray[np.intp]
    materials: list[Material]
    is_chair: NDArray[np.bool_]
    casts: NDArray[np.bool_]


def build_mesh(room: Solid, things: Solid, chairs: Solid) -> Mesh:
    """Gathers the faces of a scene.

    Args:
        room: Floor and walls: they receive shadows and cast none.
        things: Whatever else is in the room.
        chairs: What the mask will mark.

    Returns:
        The mesh, in this order.
    """
    faces = [*room, *things, *chairs]
    centers = np.array([face.points.mean(axis=0) for face in faces])
    normals = np.array([face.normal for face in faces])
    grain = np.array([face.grain for face in faces])
    materials = list({id(face.material): face.material for face in faces}.values())
    index = {id(material): place for place, material in enumerate(materials)}
    position = np.arange(len(faces))
    return Mesh(
        corners=np.concatenate([face.points for face in faces]),
        starts=np.cumsum([0, *(len(face.points) for face in faces)]),
        centers=centers,
        normals=normals,
        grain=grain,
        across=np.cross(normals, grain),
        bends=np.array([face.bend for face in faces]),
        shifts=np.array([face.shift for face in faces]),
        surfaces=np.array([index[id(face.material)] for face in faces]),
        materials=materials,
        is_chair=position >= len(room) + len(things),
        casts=position >= len(room),
    )
