"""What is to be converted: images, their classes, and how each mask comes to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.folders.names import plain
from fewmask.data.formats.losses import Losses
from fewmask.data.imageio import DEFAULT_MAX_PIXELS, read_size
from fewmask.data.packed import SampleFile
from fewmask.data.wording import some
from fewmask.errors import DataError

Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SourceImage:
    """An image and its mask.

    Args:
        file: The image.
        name: Its path in the source without the suffix, with `/`.
        draw: Makes the class ids, shape `(H, W)`, uint8, when called with height and width.
        part: `train`, `validation` or `test`, or None.
        group: What it must not be separated from, or None.
    """

    file: SampleFile
    name: str
    draw: Callable[[int, int], Mask]
    part: str | None = None
    group: str | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """Images with masks, wherever they come from.

    Args:
        name: What to call them.
        classes: The classes of the masks.
        images: The images.
        findings: What was believed about the files, in sentences.
        losses: What cannot be kept; drawing the masks adds to it.
        max_pixels: Larger pictures are refused.
    """

    name: str
    classes: Classes
    images: Sequence[SourceImage]
    findings: tuple[str, ...] = ()
    losses: Losses = field(default_factory=Losses)
    max_pixels: int = DEFAULT_MAX_PIXELS

    @property
    def has_parts(self) -> bool:
        """Whether the images come in parts."""
        return any(image.part for image in self.images)

    def read_mask(self, image: SourceImage) -> Mask:
        """Makes the mask of an image.

        Returns:
            Class ids of shape `(H, W)` as the image, uint8; 255 where a pixel does not count.

        Raises:
            DataError: If the image cannot be read, or what was drawn does not fit it.
        """
        return image.draw(*read_size(image.file, self.max_pixels))


def source_of_dataset(dataset: Dataset) -> Source:
    """Makes a source of a dataset with masks.

    Args:
        dataset: From a folder, or installed.

    Raises:
        DataError: If it has no masks.
    """
    if dataset.classes is None or dataset.mask_column is None:
        raise DataError(dataset.name, "a dataset with masks", "none", "Choose one that has masks.")
    columns = {dataset.image_column, dataset.mask_column, "part", "group"}
    losses = Losses()
    others = [column.name for column in dataset.columns if column.name not in columns]
    losses.add("column", len(others), f"({some(others)})")
    parts = dataset.values("part") if dataset.has_column("part") else [None] * len(dataset)
    groups = dataset.values("group") if dataset.has_column("group") else [None] * len(dataset)
    images = [
        SourceImage(
            dataset.file(dataset[index][dataset.image_column]),
            dataset.sample_id(index),
            partial(_read, dataset, index),
            parts[index],
            groups[index],
        )
        for index in range(len(dataset))
    ]
    return Source(
        dataset.name, dataset.classes, images, dataset.findings, losses, dataset.max_pixels
    )


def with_whole_parts(images: Iterable[SourceImage]) -> tuple[list[SourceImage], list[str]]:
    """Leaves the parts out where only some of the images are in one.

    Args:
        images: The images.

    Returns:
        The images, and a sentence if parts were left out.
    """
    images = list(images)
    outside = [image.name for image in images if image.part is None]
    if len(outside) in (0, len(images)):
        return images, []
    sentence = (
        f"Parts are left out: {len(outside)} of {len(images)} images are in none: {some(outside)}."
    )
    return [replace(image, part=None) for image in images], [sentence]


def plain_names(images: Sequence[SourceImage]) -> list[str]:
    """Gives each image a name without folders that no other one has, whatever the system.

    Args:
        images: The images.

    Returns:
        The names of the files, with those of their folders before them where they would be
        equal.

    Example:

    >>> from pathlib import Path
    >>> def image(name):
    ...     return SourceImage(Path("x"), name, np.zeros)
    >>> plain_names([image("a/1"), image("a/2")]), plain_names([image("a/1"), image("b/1")])
    (['1', '2'], ['a_1', 'b_1'])
    """
    names = [image.name.rpartition("/")[2] for image in images]
    if _differ(names):
        return names
    names = [image.name.replace("/", "_") for image in images]
    if _differ(names):
        return names
    digits = len(str(len(names)))
    return [f"{number:0{digits}}_{name}" for number, name in enumerate(names, start=1)]


def _differ(names: Sequence[str]) -> bool:
    return len({plain(name) for name in names}) == len(names)


def _read(dataset: Dataset, index: int, height: int, width: int) -> Mask:
    return dataset.read_mask(index)
