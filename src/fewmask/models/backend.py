"""The door to Keras for models and training.

Importing this file imports Keras. Everything else takes it from here
(`from fewmask.models.backend import keras`), so that the backend is always chosen first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from fewmask.data.loaders.frameworks import backend_notice as backend_notice
from fewmask.data.loaders.frameworks import keras_home as keras_home
from fewmask.data.loaders.frameworks import load_keras

DataFormat = Literal["channels_first", "channels_last"]

keras: Any = load_keras()

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "resource exhausted",
    "resource_exhausted",
)
"""What backends and the system say, each in an error of its own kind."""


@contextmanager
def keras_settings(data_format: str, dtype_policy: str | None = None) -> Iterator[None]:
    """Sets what Keras keeps for the whole process; puts it back when the block ends.

    `keras.applications` takes the layout of its arrays from nowhere else.

    Args:
        data_format: `"channels_first"` or `"channels_last"`.
        dtype_policy: Name of the policy of layers made in the block, `"float32"` say; left as
            it is when None.
    """
    format_before = keras.config.image_data_format()
    policy_before = keras.config.dtype_policy()
    keras.config.set_image_data_format(data_format)
    if dtype_policy is not None:
        keras.config.set_dtype_policy(dtype_policy)
    try:
        yield
    finally:
        keras.config.set_image_data_format(format_before)
        keras.config.set_dtype_policy(policy_before)


def fast_data_format() -> DataFormat:
    """Returns the layout that this backend trains faster in.

    On torch that is `channels_first`, whatever the order in memory: Keras' own layers turn
    every array of `channels_last` around and back. The other backends are made for it.
    """
    return "channels_first" if keras.config.backend() == "torch" else "channels_last"


def most_threads() -> int:
    """Returns over how many threads an operation may be spread, 1 where that is not ours to say."""
    if keras.config.backend() != "torch" or keras.ops.zeros(()).device.type != "cpu":
        return 1
    import torch

    return int(torch.get_num_threads())


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Spreads the operations of a block over so many threads, on torch.

    Args:
        count: How many; 0 leaves it as it is.
    """
    if count == 0 or keras.config.backend() != "torch":
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def says_out_of_memory(error: Exception) -> bool:
    """Tells whether an error of a backend, or of the system, means that memory is short.

    Example:

    >>> says_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    True
    >>> says_out_of_memory(OSError(12, "Cannot allocate memory"))
    True
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)
