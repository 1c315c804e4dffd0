"""Copies for learning from whole images: each at most twice as large as the model sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

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


def make_copies(
    dataset: Dataset,
    folder: Path,
    longest: int,
    channels: int,
    value_range: tuple[int, int],
    limit_bytes: int = LIMIT_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Copies:
    """Decodes every image and mask of a dataset once.

    Images are shrunk by the antialiased filter that prediction uses too, masks to the same
    size by the nearest pixel; nothing is enlarged. If the file could grow beyond `limit_bytes`,
    the copies are made smaller, down to half of `longest`, and a finding says so.

    Args:
        dataset: Samples with masks.
        folder: Where the file goes; one that a killed training left there is replaced.
        longest: Most pixels that a side of a copy has: twice the training size, so that
            augmentation can zoom in without blur.
        channels: Number of image channels C.
        value_range: Stored pixel values that become 0 and 255.
        limit_bytes: Most bytes on the disk.
        progress: Is told `(done, total)` samples.

    Returns:
        The copies, in the dataset's order.

    Raises:
        DataError: If an image or a mask cannot be read, or an image has other channels.
        RunError: If the copies do not fit into `limit_bytes` at half of `longest` either.
        FewmaskError: If the disk is full or the folder cannot be written to.
    """
    side = affordable_side(len(dataset), longest, channels, limit_bytes)
    copy = partial(
        copy_sample,
        dataset,
        size_of=partial(shrunk_size, longest=side),
        channels=channels,
        value_range=value_range,
    )
    path = folder / FILE_NAME
    too_many = RunError(
        path,
        f"at most {in_words(limit_bytes)} of copies",
        f"{len(dataset):,} images that take more even at {side} pixels",
        "Train with a smaller --size or on fewer images.",
    )
    places = write_copies(path, copy, len(dataset), limit_bytes, too_many, progress)
    findings: tuple[str, ...] = ()
    if side < longest:
        findings = (
            f"Copies of {len(dataset):,} images at {longest} pixels could take more than "
            f"{in_words(limit_bytes)}; training reads them at {side} pixels, which blurs "
            "what augmentation enlarges.",
        )
    return Copies(path, places, channels, ids_of(dataset), side, findings)


def affordable_side(count: int, longest: int, channels: int, limit_bytes: int) -> int:
    """Says how large copies may be.

    Args:
        count: Number of samples.
        longest: The side that is wished for.
        channels: Number of image channels.
        limit_bytes: Most bytes for all copies together.

    Returns:
        The largest side at which squares fit into the limit, at most `longest`, but no less
        than half of it: below the training size, training would see less than prediction.

    Example:

    >>> affordable_side(100, longest=512, channels=3, limit_bytes=100 * 4 * 400**2)
    400
    """
    fits = math.isqrt(limit_bytes // (max(count, 1) * (channels + 1)))
    return max(min(longest, fits), (longest + 1) // 2)


def shrunk_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Returns height and width of the copy of a picture, at most `longest`, at least 1.

    Example:

    >>> shrunk_size(3024, 4032, longest=512)
    (384, 512)
    """
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
