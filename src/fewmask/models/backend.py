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
