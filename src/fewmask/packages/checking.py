"""Reads every pixel of a dataset before it is packed: nobody should install what is broken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio
from fewmask.data.ahead import count_cores, work_ahead
from fewmask.data.counting import count_values
from fewmask.data.dataset import Dataset
from fewmask.data.imageio.label_png import encode_labels
from fewmask.data.packed import SampleFile, read_slice
from fewmask.errors import DataError
from fewmask.packages.progress import Progress
from fewmask.packages.statistics import Statistics, summarize


@dataclass(frozen=True)
class Checked:
    """A dataset whose pixels have all been read.

    Args:
        statistics: What was measured on the way.
        sizes: Bytes of the files of each row, as they will be packed.
        masks: File with the masks of all rows, as they will be packed.
        places: Where the mask of each row begins in it, and its bytes; empty without masks.
    """

    statistics: Statistics
    sizes: tuple[int, ...]
    masks: Path
    places: tuple[tuple[int, int], ...]

    def mask(self, index: int) -> bytes:
        """Returns the mask of a row: a PNG file of class ids."""
        return read_slice(str(self.masks), *self.places[index])


class _Row(NamedTuple):
    shape: tuple[int, ...]
    dtype: str
    size: int
    pixels: NDArray[np.int64] | None
    mask: bytes


def check_pixels(dataset: Dataset, masks: Path, progress: Progress | None = None) -> Checked:
    """Decodes all images and masks of a dataset, and writes the masks as class ids.

    Args:
        dataset: At least one image.
        masks: The file to be for the masks.
        progress: Called with the rows read, then the rows of all.

    Returns:
        What was found.

    Raises:
        DataError: If a file is broken, or a mask does not fit its image or the classes.
        OSError: If `masks` cannot be written.
    """
    with masks.open("wb") as file:
        return _check(dataset, masks, file, progress)


def _check(dataset: Dataset, masks: Path, file: BinaryIO, progress: Progress | None) -> Checked:
    shapes, dtypes, sizes, places = [], set(), [], list[tuple[int, int]]()
    num_classes = dataset.classes.num_classes if dataset.classes else 0
    class_pixels, class_images = np.zeros(256, np.int64), np.zeros(256, np.int64)
    threads = min(4, count_cores())
    rows = work_ahead(partial(_read_row, dataset), range(len(dataset)), threads, 2 * threads)
    for row in rows:
        shapes.append(row.shape)
        dtypes.add(row.dtype)
        sizes.append(row.size + len(row.mask))
        if row.pixels is not None:
            places.append((file.tell(), len(row.mask)))
            file.write(row.mask)
            class_pixels += row.pixels
            class_images += row.pixels > 0
        if progress is not None:
            progress(len(shapes), len(dataset))
    measured: dict[str, Any] = summarize(
        ((shape[0], shape[1]) for shape in shapes), (shape[2] for shape in shapes), dtypes
    )
    statistics = Statistics(
        **measured,
        class_pixels=tuple(class_pixels[:num_classes].tolist()),
        class_images=tuple(class_images[:num_classes].tolist()),
        ignored_pixels=int(class_pixels[num_classes:].sum()),
    )
    return Checked(statistics, tuple(sizes), masks, tuple(places))


def _read_row(dataset: Dataset, index: int) -> _Row:
    image = dataset.read_image(index)
    size = 0
    for column, value in zip(dataset.columns, dataset.rows[index], strict=True):
        if column.kind == "image":
            size += size_of(dataset.file(value))
            if column.name != dataset.image_column:
                imageio.read_image(dataset.file(value), max_pixels=dataset.max_pixels)
    pixels, mask = None, b""
    if dataset.classes is not None and dataset.mask_column is not None:
        class_ids = dataset.read_mask(index)
        pixels = count_values(class_ids)
        # No more colours than the mask needs: a class that is added later changes no old mask.
        present = np.flatnonzero(pixels[: dataset.classes.num_classes])
        mask = encode_labels(class_ids, dataset.classes.colors[: int(present.max(initial=0)) + 1])
    return _Row(image.shape, str(image.dtype), size, pixels, mask)


def size_of(file: SampleFile) -> int:
    """Returns the bytes of an image or a mask.

    Raises:
        DataError: If it is gone.
    """
    try:
        return file.stat().st_size if isinstance(file, Path) else len(file.read_bytes())
    except OSError as error:
        raise DataError(
            file, "an image that stays where it is", str(error.strerror or error), "Build again."
        ) from error
