"""The dataset demo/chairs as files: images, masks, split, legend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.demo.photo import develop
from fewmask.data.demo.scene import build_scene
from fewmask.data.demo.shade import shade
from fewmask.data.imageio import encode_jpeg, write_png
from fewmask.files import whole_file, write_text

DEMO_NAME = "demo/chairs"
"""What the dataset is called wherever a dataset can be named."""

TEST_SHARE = (20, 97)
"""Of 97 pictures 20 are for the test, as many as the story that this project comes from."""


def draw_chairs(
    folder: str | Path, count: int = 97, progress: Callable[[int, int], None] | None = None
) -> None:
    """Draws the dataset demo/chairs into a folder.

    Chairs of many kinds stand in rooms among other furniture, seen from all sides in changing
    light. Every picture comes from its number alone: it is the same on every call, and the
    first 20 of 97 pictures are the 20 that are drawn when 20 are asked for.

    Written are `images/chair_000.jpg` and so on, `masks/chair_000.png` with 0 for the
    background and 255 for a chair, `split.csv` with the columns part, image, mask, and
    `classes.json` with the names of the classes.

    Args:
        folder: Where to; made if it is missing.
        count: Number of pictures, at least 1.
        progress: Called with the number of pictures done and of all.

    Raises:
        FewmaskError: If the folder cannot be written to.
    """
    folder = Path(folder)
    # Written first, so that a folder without rights is refused before the drawing begins.
    write_text(folder / "classes.json", json.dumps({"names": ["background", "chair"]}) + "\n")
    rows = ["part,image,mask"]
    for index in range(count):
        name = f"chair_{index:03d}"
        image, mask, quality = draw_chair(index)
        with whole_file(folder / "images" / f"{name}.jpg") as beside:
            beside.write_bytes(encode_jpeg(image, quality))
        write_png(folder / "masks" / f"{name}.png", mask)
        rows.append(f"{part_of(index)},images/{name}.jpg,masks/{name}.png")
        if progress is not None:
            progress(index + 1, count)
    # Written last: a folder with a split is a whole dataset.
    write_text(folder / "split.csv", "\n".join(rows) + "\n")


def part_of(index: int) -> str:
    """Says whether a picture is for training or for the test.

    Test pictures lie evenly among the others, four or five numbers apart, so that each kind of
    chair is in both parts.

    Args:
        index: Number of the picture.

    Returns:
        `"train"` or `"test"`.

    Example:

    >>> [part_of(index) for index in range(97)].count("test")
    20
    """
    test, total = TEST_SHARE
    return "test" if (index + 1) * test // total > index * test // total else "train"


def draw_chair(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
    """Draws one picture.

    Args:
        index: Its number, which everything in it depends on.

    Returns:
        The image, shape `(H, W, 3)`; its mask, shape `(H, W)`, 0 for the background and 255
        where at least half of a pixel is chair; and the JPEG quality to keep the image with.
    """
    rng = np.random.default_rng(index)
    scene = build_scene(index, rng)
    camera = scene.camera
    seen, nearness = camera.look(scene.mesh)
    light = shade(scene.mesh, camera, scene.light, seen, nearness)
    height, width = light.shape[:2]
    covered = scene.mesh.is_chair[seen].reshape(height, 2, width, 2).sum(axis=(1, 3))
    mask = np.where(covered >= 2, 255, 0).astype(np.uint8)
    return develop(light, scene.film, rng), mask, scene.film.quality
