"""What torch's `DataLoader` takes: samples one by one, of tensors unless told otherwise."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio
from fewmask.data.loaders.frameworks import load_torch
from fewmask.data.loaders.memory import LoanedMemory
from fewmask.data.loaders.processing import describe
from fewmask.data.loaders.reading import (
    Source,
    check_masks_understood,
    check_not_empty,
    number_of,
)
from fewmask.data.loaders.sample import Sample, sample_of
from fewmask.data.loaders.threads import LastingThreads, count_threads
from fewmask.data.packed import SampleFile
from fewmask.data.schema import Column
from fewmask.data.sizes import check_sizes
from fewmask.errors import ArgumentError, DataError

torch: Any = load_torch("torch.utils.data._utils.collate")
collating = torch.utils.data._utils.collate


class Together:
    """Makes tensors for the samples of a batch as parts of one, so that joining costs nothing.

    Args:
        count: Number of samples.
        memory: Where they are made.
    """

    def __init__(self, count: int, memory: LoanedMemory) -> None:
        self._count = count
        self._memory = memory
        self._tensors: dict[str, Any] = {}
        self._lock = threading.Lock()

    def empty(self, column: str, place: int, shape: tuple[int, ...], dtype: Any) -> Any:
        """Returns a tensor to be filled.

        Args:
            column: What it is for.
            place: Which sample it is for, from 0.
            shape: Its shape; where it differs from that of the first, it is one of its own.
            dtype: Its NumPy type.
        """
        with self._lock:
            if column not in self._tensors:
                whole = self._memory.empty((self._count, *shape), dtype)
                self._tensors[column] = torch.from_numpy(whole)
            tensors = self._tensors[column]
        if tensors.shape[1:] == shape:
            return tensors[place]
        return torch.from_numpy(np.empty(shape, dtype))


class TorchSamples(torch.utils.data.Dataset):  # type: ignore[misc]
    """The samples of a dataset, for a `DataLoader` with or without workers.

    Args:
        dataset: See `Dataset.to_pytorch`, as for all that follow.
        transform: What is done to a row, or to each image and mask.
        transform_columns: `"images"`, or None.

    Raises:
        FewmaskError: If the dataset is empty, or the arguments do not go together.
    """

    def __init__(
        self,
        dataset: Source,
        transform: Callable[[Any], Any] | None = None,
        transform_columns: str | None = None,
    ) -> None:
        check_not_empty(dataset)
        if transform is not None and not callable(transform):
            raise ArgumentError(
                "transform",
                "a function, or None",
                describe(transform),
                "Pass the function itself, without calling it.",
            )
        if transform_columns not in (None, "images"):
            raise ArgumentError(
                "transform_columns",
                "'images' or None",
                repr(transform_columns),
                "Take 'images' to transform each image and mask, None to transform the whole row.",
            )
        if transform_columns is not None and transform is None:
            raise ArgumentError(
                "transform_columns",
                "a transform to go with it",
                "none",
                "Pass transform too, or neither.",
            )
        self.dataset = dataset
        self.transform = transform
        self.transform_columns = transform_columns
        self._memory = LoanedMemory()
        self._threads = LastingThreads()
        self._wants_rows = transform is not None and transform_columns is None
        self._has_images = any(column.kind == "image" for column in dataset.columns)
        if transform is None and any(column.kind == "mask" for column in dataset.columns):
            check_masks_understood(dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self._transformed(index, self._read(index, 0, Together(1, self._memory)))

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Returns several samples; a `DataLoader` asks so for the samples of a batch.

        Files are decoded in threads; transforms are called here, one after another.
        """
        together = Together(len(indices), self._memory)

        def read(place: int) -> Sample:
            return self._read(indices[place], place, together)

        places = range(len(indices))
        # A worker is one of several processes already.
        is_worker = torch.utils.data.get_worker_info() is not None
        if is_worker or self._wants_rows or min(count_threads(), len(indices)) < 2:
            return [self._transformed(indices[place], read(place)) for place in places]
        samples = self._threads.map(read, places)
        return [self._transformed(*pair) for pair in zip(indices, samples, strict=True)]

    def __repr__(self) -> str:
        return f"TorchSamples({self.dataset.name}: {len(self)} samples)"

    def _read(self, index: int, place: int, together: Together) -> Sample:
        """Reads one sample: its files unless the transform wants the row, and its values."""
        values: dict[str, Any] = {}
        sizes: dict[str, tuple[SampleFile, tuple[int, int]]] = {}
        for column, value in zip(self.dataset.columns, self.dataset[index], strict=True):
            if column.kind not in ("image", "mask"):
                number = number_of(column, value)
                is_array = isinstance(number, np.ndarray)
                values[column.name] = torch.from_numpy(number) if is_array else number
            elif self._wants_rows:
                values[column.name] = value
            else:
                values[column.name], size = self._open(column, value, place, together)
                sizes.setdefault(column.kind, (self.dataset.file(value), size))
        if len(sizes) == 2:
            check_sizes(*sizes["image"], *sizes["mask"])
        return sample_of(values, self.dataset.sample_id(index) if self._has_images else "")

    def _open(
        self, column: Column, path: str, place: int, together: Together
    ) -> tuple[Any, tuple[int, int]]:
        """Returns an image or a mask as it is handed over, and its height and width."""
        if self.transform_columns == "images":
            opened = self.dataset.load_image(path)
            return opened, (opened.height, opened.width)
        if column.kind == "mask":
            mask = self.dataset.load_mask(path)
            height, width = mask.shape
            tensor = together.empty(column.name, place, (height, width), np.int64)
            tensor.numpy()[:] = mask
            return tensor, (height, width)
        image = imageio.read_image(self.dataset.file(path), max_pixels=self.dataset.max_pixels)
        height, width, channels = image.shape
        tensor = together.empty(column.name, place, (channels, height, width), np.float32)
        scale_into(tensor.numpy(), image, self._memory)
        return tensor, (height, width)

    def _transformed(self, index: int, sample: Sample) -> Any:
        if self.transform is None:
            return sample
        try:
            if self._wants_rows:
                return self.transform(sample)
            names = [c.name for c in self.dataset.columns if c.kind in ("image", "mask")]
            return sample._replace(**{name: self.transform(sample[name]) for name in names})
        except Exception as error:
            row = self.dataset[index]
            error.add_note(f"This happened in transform, which was called for {row!r}.")
            raise


def scale_into(
    channels_first: NDArray[np.float32], image: NDArray[Any], memory: LoanedMemory
) -> None:
    """Scales a stored image to the range that torchvision gives a tensor.

    Args:
        channels_first: Where the result goes, shape `(C, H, W)`, values in [0, 1].
        image: Shape `(H, W, C)`, uint8 or uint16.
        memory: Where its channels are laid apart on the way.

    Example:

    >>> scaled = np.empty((1, 1, 2), np.float32)
    >>> scale_into(scaled, np.array([[[0], [255]]], np.uint8), LoanedMemory())
    >>> scaled.tolist()
    [[[0.0, 1.0]]]
    """
    # Channel by channel, so that no other array of floats is made on the way.
    apart = memory.empty(channels_first.shape, image.dtype)
    cv2.split(image, list(apart))
    for channel, values in zip(channels_first, apart, strict=True):
        np.divide(values, np.iinfo(image.dtype).max, out=channel, dtype=np.float32)


def collate(batch: Sequence[Sample], *, collate_fn_map: Any = None) -> Sample:
    """Makes a sample of batches, as torch does with named tuples.

    Args:
        batch: Samples of one dataset.
        collate_fn_map: What torch does with values of other types.

    Raises:
        DataError: If tensors of one column differ in shape.
    """
    collated = {}
    for name, values in zip(batch[0]._fields, zip(*batch, strict=True), strict=True):
        if all(isinstance(value, torch.Tensor) for value in values):
            for sample, value in zip(batch, values, strict=True):
                if value.shape != values[0].shape:
                    raise DataError(
                        f"{sample._id}, {name}",
                        f"shape {tuple(values[0].shape)}, as {batch[0]._id} has in the same batch",
                        f"{tuple(value.shape)}",
                        "Bring all samples to one shape in a transform, or use batch_size=1.",
                    )
        joined = _joined(values)
        collated[name] = (
            collating.collate(values, collate_fn_map=collate_fn_map) if joined is None else joined
        )
    return sample_of(collated)


def _joined(values: Sequence[Any]) -> Any:
    """Returns the one tensor that these are the parts of, in their order; None if there is none."""
    first = values[0]
    if not isinstance(first, torch.Tensor) or not first.is_contiguous():
        return None
    storage, size = first.untyped_storage(), first.numel()
    if storage.nbytes() != len(values) * size * first.element_size():
        return None
    for place, value in enumerate(values):
        is_part = value.is_contiguous() and value.storage_offset() == place * size
        if not is_part or value.untyped_storage().data_ptr() != storage.data_ptr():
            return None
    return first.as_strided((len(values), *first.shape), (size, *first.stride()))


collating.default_collate_fn_map[Sample] = collate


# OpenCV shares work among threads of its own, which a forked process lacks: there it would wait
# for them for ever. A process that is forked while it uses one thread goes on with that one.
_opencv_threads: list[int] = []


def _before_fork() -> None:
    _opencv_threads.append(cv2.getNumThreads())
    cv2.setNumThreads(1)


def _after_fork() -> None:
    cv2.setNumThreads(_opencv_threads.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork)
