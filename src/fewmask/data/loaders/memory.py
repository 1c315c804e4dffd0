"""Memory for large arrays that is used again once nobody holds them."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MOST_BLOCKS = 8
"""How many arrays' memory is kept for later: four batches of images and masks."""
SMALLEST, LARGEST = 1024**2, 64 * 1024**2
"""Bytes of those that are kept: smaller ones cost little, larger ones too much."""


class LoanedMemory:
    """Makes arrays in the memory of arrays that are gone.

    The system hands out memory page by page, filled with zeros, when it is first written to. For
    a batch of floats that can take as long as decoding half of its images.

    Example:

    >>> memory = LoanedMemory()
    >>> first = memory.empty((8, 256, 256, 3), np.float32)
    >>> place = first.ctypes.data
    >>> del first
    >>> memory.empty((8, 256, 256, 3), np.float32).ctypes.data == place
    True
    """

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=MOST_BLOCKS)

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Returns an array of any content.

        It may be kept, viewed and handed on; its memory is taken back when the last array or
        tensor that lies in it is gone.

        Args:
            shape: Its shape.
            dtype: Its type.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        lent = np.asarray(_Loan(self._find(size), self._free))
        return lent.view(dtype).reshape(shape)

    def _find(self, size: int) -> NDArray[np.uint8]:
        for _ in range(len(self._free)):
            try:
                block = self._free.popleft()
            except IndexError:  # another thread was faster
                break
            if block.nbytes == size:
                return block
            self._free.append(block)
        return np.empty(size, np.uint8)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has memory of its own.
        return LoanedMemory, ()


class _Loan:
    """What arrays in borrowed memory hold on to; gives it back when it is forgotten."""

    def __init__(self, block: NDArray[np.uint8], free: deque[NDArray[np.uint8]]) -> None:
        self.__array_interface__ = block.__array_interface__
        self._block = block
        self._free = free
        # Asked here, because when Python ends names of the module are gone before arrays are.
        self._worth_keeping = SMALLEST <= block.nbytes <= LARGEST

    def __del__(self) -> None:
        if self._worth_keeping:
            self._free.append(self._block)
