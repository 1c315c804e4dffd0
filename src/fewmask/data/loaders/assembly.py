"""Puts samples together into a batch, in any order, by several threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.data.loaders.memory import LoanedMemory
from fewmask.errors import ArgumentError, DataError

Batch: TypeAlias = tuple[NDArray[Any], NDArray[Any]] | NDArray[Any]
"""Images, and what is to be learnt of them; images alone where there is nothing to learn."""


class Stack:
    """One array of what several samples hold.

    Args:
        column: What they are called in messages.
        sample_ids: The samples, in their order.
        are_stored: Whether values come as they are stored: images and masks become float32.
        memory: Where the array is made.

    Example:

    >>> ages = Stack("age", ["a", "b"])
    >>> ages.put(1, 2.5), ages.put(0, 1)
    (None, None)
    >>> ages.finish()
    array([1. , 2.5], dtype=float32)
    """

    def __init__(
        self,
        column: str,
        sample_ids: Sequence[str],
        are_stored: bool = False,
        memory: LoanedMemory | None = None,
    ) -> None:
        self.column = column
        self.sample_ids = sample_ids
        self.are_stored = are_stored
        self._memory = memory or LoanedMemory()
        self._array: NDArray[Any] | None = None
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    def put(self, place: int, value: Any) -> None:
        """Copies what one sample holds.

        Args:
            place: Its place among the samples.
            value: An array or a number.
        """
        value = np.asarray(value)
        with self._lock:
            self._shapes[place] = value.shape
            to_floats = self.are_stored and value.ndim == 3
            dtype = np.dtype(np.float32) if to_floats else _no_doubles(value.dtype)
            if self._array is None:
                self._array = self._memory.empty((len(self.sample_ids), *value.shape), dtype)
            if value.shape != self._array.shape[1:]:
                return
            if not to_floats:
                wider = _no_doubles(np.result_type(self._array.dtype, dtype))
                self._array = self._array.astype(wider, copy=False)
                self._array[place] = value
        # Without the lock, for this takes long; nothing replaces an array of stored images.
        if to_floats:
            self._array[place] = value

    def finish(self) -> NDArray[Any]:
        """Returns the array, when every sample has been put into it.

        Returns:
            Shape `(N, *shape)`, of a type that holds every value, but never float64.

        Raises:
            DataError: If shapes differ.
        """
        for place, sample_id in enumerate(self.sample_ids):
            if self._shapes[place] != self._shapes[0]:
                raise DataError(
                    f"{sample_id}, {self.column}",
                    f"shape {self._shapes[0]}, as {self.sample_ids[0]} has in the same batch",
                    f"{self._shapes[place]}",
                    "Bring all samples to one shape in processing_function, or use batch_size=1.",
                )
        assert self._array is not None  # noqa: S101 - there is at least one sample
        return self._array


def _no_doubles(dtype: np.dtype[Any]) -> np.dtype[Any]:
    # As Keras does with arrays: doubles would only cost memory, and some devices have none.
    return np.dtype(np.float32) if dtype == np.float64 else dtype


class Assembly:
    """A batch in the making.

    Args:
        rows: The rows of the dataset that its samples are of.
        sample_ids: What the samples are called in messages.
        columns: The columns that they are read from, None where nothing is to be learnt.
        are_stored: See `Stack`.
        memory: See `Stack`.
    """

    def __init__(
        self,
        rows: Sequence[int],
        sample_ids: Sequence[str],
        columns: tuple[str, str | None],
        are_stored: bool,
        memory: LoanedMemory | None = None,
    ) -> None:
        self.rows = rows
        self.sample_ids = sample_ids
        self._images = Stack(columns[0], sample_ids, are_stored, memory)
        self._learnt = Stack(columns[1] or "second value", sample_ids, are_stored, memory)
        self._has_second: dict[int, bool] = {}

    def put(self, place: int, sample: tuple[Any, Any]) -> None:
        """Puts in one sample.

        Args:
            place: Its place in the batch.
            sample: An image, and what is to be learnt or None.
        """
        x, y = sample
        self._images.put(place, x)
        self._has_second[place] = y is not None
        if y is not None:
            self._learnt.put(place, y)

    def finish(self) -> Batch:
        """Returns the batch, when every sample has been put in.

        Raises:
            FewmaskError: If samples do not suit each other.
        """
        images, has_second = self._images.finish(), self._has_second
        for place, sample_id in enumerate(self.sample_ids):
            if has_second[place] != has_second[0]:
                words = {True: "an array", False: "None"}
                raise ArgumentError(
                    f"processing_function, called for the sample {sample_id!r}",
                    f"{words[has_second[0]]} second in its tuple, as for {self.sample_ids[0]!r} "
                    "in the same batch",
                    words[has_second[place]],
                    "Return a second value for every sample, or None for every sample.",
                )
        return (images, self._learnt.finish()) if has_second[0] else images
