"""Copies of images and masks in one file, decoded once, which training reads as it likes."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from fewmask.data.ahead import count_cores, work_ahead
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
        scale: Pixels of a copy per image pixel, where it is the same for all of them.
    """

    def __init__(
        self,
        path: Path,
        places: tuple[Place, ...],
        channels: int,
        sample_ids: tuple[str, ...],
        longest: int,
        findings: tuple[str, ...] = (),
        scale: float = 1.0,
    ) -> None:
        self.path = path
        self.channels = channels
        self.longest = longest
        self.findings = findings
        self.scale = scale
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


def write_copies(
    path: Path,
    copy: Callable[[int], tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    count: int,
    limit_bytes: int,
    too_many: RunError,
    progress: Callable[[int, int], None] | None,
) -> tuple[Place, ...]:
    """Writes the file that `Copies` reads; removes it again where it cannot be made whole.

    Args:
        path: The file; its folder is made if it is missing.
        copy: Makes image and mask of the sample at an index; is called by several threads.
        count: Number of samples.
        limit_bytes: Most bytes of the file.
        too_many: What is raised when there are more.
        progress: Is told `(done, total)` samples.

    Returns:
        Where the samples lie in the file.

    Raises:
        RunError: `too_many`, if they take more bytes.
        DataError: What `copy` raises where a sample cannot be read.
        FewmaskError: If the file cannot be written.
    """
    threads = min(4, count_cores())
    places: list[Place] = []
    offset = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written as a file, not through the map: there, a full disk would kill the process.
        with path.open("wb") as file:
            for image, mask in work_ahead(copy, range(count), threads, ahead=threads):
                offset_after = offset + image.nbytes + mask.nbytes
                if offset_after > limit_bytes:
                    raise too_many
                file.write(image.tobytes())
                file.write(mask.tobytes())
                places.append(Place(offset, *mask.shape))
                offset = offset_after
                if progress is not None:
                    progress(len(places), count)
    except BaseException as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise
    return tuple(places)


def copy_sample(
    dataset: Dataset,
    index: int,
    size_of: Callable[[int, int], tuple[int, int]],
    channels: int,
    value_range: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Makes the copy of one sample.

    Args:
        dataset: Samples with masks.
        index: Which one.
        size_of: Says height and width of the copy of an image of so many pixels.
        channels: Number of image channels C.
        value_range: Stored pixel values that become 0 and 255.

    Returns:
        The image `(h, w, C)` and the mask `(h, w)`, both uint8.

    Raises:
        DataError: If the image or the mask cannot be read, or the image has other channels.
    """
    mask = dataset.read_mask(index)
    height, width = size_of(*mask.shape)
    # Other numbers of channels than grey and colour are kept by reading images as they are.
    wanted = channels if channels in (1, 3) else None
    stored = dataset.read_image(index, channels=wanted, at_least=max(height, width))
    if stored.shape[2] != channels:
        raise DataError(
            dataset.sample_id(index),
            f"an image of {channels} channels",
            f"{stored.shape[2]}",
            "Train on images of one kind.",
        )
    image = to_8_bit(stored, value_range)
    return (
        image if image.shape[:2] == (height, width) else resize(image, height, width, smooth=True),
        mask if mask.shape == (height, width) else resize(mask, height, width, smooth=False),
    )


def ids_of(dataset: Dataset) -> tuple[str, ...]:
    """Returns the sample ids of a dataset, in its order."""
    return tuple(dataset.sample_id(index) for index in range(len(dataset)))


def in_words(count: int) -> str:
    """Returns a number of bytes as people read it.

    Example:

    >>> in_words(4 * 1024**3), in_words(1_500_000)
    ('4.3 GB', '1.5 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
