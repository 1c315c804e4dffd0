"""Copies of a dataset's images and masks, decoded once, at the scale that training reads."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from fewmask.data.ahead import work_ahead
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import resize
from fewmask.data.pixels import to_8_bit
from fewmask.errors import DataError, RunError
from fewmask.files import cannot_write

LIMIT_BYTES = 4 * 1024**3
"""What copies may take on the disk unless told otherwise: 4,096 colour images of 512 × 512."""

FILE_NAME = "copies.uint8"


@dataclass(frozen=True)
class Place:
    """Where one sample lies in the file: the pixels of its image, then those of its mask."""

    offset: int
    height: int
    width: int


class Copies:
    """Images and masks as uint8 arrays in one memory-mapped file.

    The pages that training reads stay in memory as long as there is room, and the system may
    take them back without writing them anywhere. Arrays are views of the file, read only, and
    may be read by several threads at once. Use it as a context manager, or call `close`.

    Args:
        path: The file; it is deleted by `close`.
        places: Where the samples lie in it.
        channels: Number of image channels C.
        sample_ids: What the samples are called in messages.
        longest: Most pixels that a side has.
        findings: What the reader of a report should know, a sentence each.
    """

    def __init__(
        self,
        path: Path,
        places: tuple[Place, ...],
        channels: int,
        sample_ids: tuple[str, ...],
        longest: int,
        findings: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.channels = channels
        self.longest = longest
        self.findings = findings
        self._places = places
        self._sample_ids = sample_ids
        self._bytes: NDArray[np.uint8] | None = np.memmap(path, np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self._places)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Returns the image of a sample, shape `(h, w, C)`, uint8, read only."""
        place = self._places[index]
        shape = (place.height, place.width, self.channels)
        return self._read(place.offset, shape)

    def mask(self, index: int) -> NDArray[np.uint8]:
        """Returns the class ids of a sample, shape `(h, w)`, uint8, read only."""
        place = self._places[index]
        shape = (place.height, place.width)
        return self._read(place.offset + math.prod(shape) * self.channels, shape)

    def sample_id(self, index: int) -> str:
        """Returns what a sample is called in messages."""
        return self._sample_ids[index]

    def close(self) -> None:
        """Deletes the file; a second call does nothing."""
        self._bytes = None
        # Windows refuses while someone still holds an array; the next training replaces the file.
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Copies:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, start: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        if self._bytes is None:
            raise ValueError(f"Expected copies in use, got copies that were closed: {self.path}.")
        # A plain array: subclasses of memmap make every small operation after it slower.
        return np.asarray(self._bytes[start : start + math.prod(shape)]).reshape(shape)


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
    copy = partial(copy_sample, dataset, longest=side, channels=channels, value_range=value_range)
    path = folder / FILE_NAME
    threads = min(4, os.cpu_count() or 1)
    places: list[Place] = []
    offset = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written as a file, not through the map: there, a full disk would kill the process.
        with path.open("wb") as file:
            for image, mask in work_ahead(copy, range(len(dataset)), threads, ahead=threads):
                offset_after = offset + image.nbytes + mask.nbytes
                if offset_after > limit_bytes:
                    raise RunError(
                        path,
                        f"at most {in_words(limit_bytes)} of copies",
                        f"{len(dataset):,} images that take more even at {side} pixels",
                        "Train with a smaller --size or on fewer images.",
                    )
                file.write(image.tobytes())
                file.write(mask.tobytes())
                places.append(Place(offset, *mask.shape))
                offset = offset_after
                if progress is not None:
                    progress(len(places), len(dataset))
    except BaseException as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise
    ids = tuple(dataset.sample_id(index) for index in range(len(dataset)))
    findings: tuple[str, ...] = ()
    if side < longest:
        findings = (
            f"Copies of {len(dataset):,} images at {longest} pixels could take more than "
            f"{in_words(limit_bytes)}; training reads them at {side} pixels, which blurs "
            "what augmentation enlarges.",
        )
    return Copies(path, tuple(places), channels, ids, side, findings)


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


def copy_sample(
    dataset: Dataset, index: int, longest: int, channels: int, value_range: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Makes the copy of one sample.

    Args:
        dataset: Samples with masks.
        index: Which one.
        longest: Most pixels that a side may have.
        channels: Number of image channels C.
        value_range: Stored pixel values that become 0 and 255.

    Returns:
        The image `(h, w, C)` and the mask `(h, w)`, both uint8.

    Raises:
        DataError: If the image or the mask cannot be read, or the image has other channels.
    """
    mask = dataset.read_mask(index)
    # Other numbers of channels than grey and colour are kept by reading images as they are.
    wanted = channels if channels in (1, 3) else None
    stored = dataset.read_image(index, channels=wanted, at_least=longest)
    if stored.shape[2] != channels:
        raise DataError(
            dataset.sample_id(index),
            f"an image of {channels} channels",
            f"{stored.shape[2]}",
            "Train on images of one kind.",
        )
    image = to_8_bit(stored, value_range)
    height, width = shrunk_size(mask.shape[0], mask.shape[1], longest)
    return (
        image if image.shape[:2] == (height, width) else resize(image, height, width, smooth=True),
        mask if mask.shape == (height, width) else resize(mask, height, width, smooth=False),
    )


def shrunk_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Returns height and width of the copy of a picture, at most `longest`, at least 1.

    Example:

    >>> shrunk_size(3024, 4032, longest=512)
    (384, 512)
    """
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def in_words(count: int) -> str:
    """Returns a number of bytes as people read it.

    Example:

    >>> in_words(4 * 1024**3), in_words(1_500_000)
    ('4.3 GB', '1.5 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
