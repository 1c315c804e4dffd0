"""Copies for learning from patches: every image scaled by one factor, however large it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fewmask.data import imageio
from fewmask.data.copies import (
    FILE_NAME,
    LIMIT_BYTES,
    Copies,
    copy_sample,
    ids_of,
    in_words,
    write_copies,
)
from fewmask.data.dataset import Dataset
from fewmask.errors import RunError


def make_patch_copies(
    dataset: Dataset,
    folder: Path,
    scale: float,
    channels: int,
    value_range: tuple[int, int],
    limit_bytes: int = LIMIT_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Copies:
    """Decodes every image and mask of a dataset once, at up to twice the scale of training.

    Nothing is enlarged. What patches are cut from has as many pixels as there are, so the limit
    only decides whether augmentation finds more detail than training sees; beyond that, the disk
    sets it.

    Args:
        dataset: Samples with masks.
        folder: Where the file goes; its own folder must be there.
        scale: Pixels that the network sees per image pixel.
        channels: Number of image channels C.
        value_range: Stored pixel values that become 0 and 255.
        limit_bytes: Bytes up to which copies are made larger than training sees.
        progress: Is told `(done, total)` samples.

    Returns:
        The copies, in the dataset's order; their `scale` is the same for all.

    Raises:
        DataError: If an image or a mask cannot be read, or an image has other channels.
        RunError: If the disk has no room for them.
        FewmaskError: If the folder cannot be written to.
    """
    sizes = [
        imageio.read_size(dataset.image_path(index), dataset.max_pixels)
        for index in range(len(dataset))
    ]
    area = sum(height * width for height, width in sizes)

    def bytes_at(factor: float) -> int:
        return round(area * (channels + 1) * factor**2)

    finest, kept = min(1.0, 2 * scale), min(1.0, scale)
    if bytes_at(finest) <= limit_bytes:
        kept = finest
    path = folder / FILE_NAME
    free = shutil.disk_usage(folder.parent).free
    too_many = RunError(
        path,
        f"room for {in_words(bytes_at(kept))} of copies on the disk",
        f"{in_words(free)}",
        "Free some room, or train with a smaller --scale or on fewer images.",
    )
    if bytes_at(kept) > free:
        raise too_many
    copy = partial(
        copy_sample,
        dataset,
        size_of=partial(scaled_size, scale=kept),
        channels=channels,
        value_range=value_range,
    )
    places = write_copies(path, copy, len(dataset), free, too_many, progress)
    findings = []
    if kept < finest:
        findings.append(
            f"Copies at twice the scale of training would take {in_words(bytes_at(finest))}; "
            "training reads them at its own scale, which blurs what augmentation enlarges."
        )
    if bytes_at(kept) > limit_bytes:
        findings.append(
            f"Copies of the images take {in_words(bytes_at(kept))} of the disk while it trains."
        )
    longest = max(max(place.height, place.width) for place in places)
    return Copies(path, places, channels, ids_of(dataset), longest, tuple(findings), kept)


def scaled_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Returns height and width of the copy of an image, each at least 1.

    Example:

    >>> scaled_size(3024, 4032, scale=0.25)
    (756, 1008)
    """
    return max(1, round(height * scale)), max(1, round(width * scale))
