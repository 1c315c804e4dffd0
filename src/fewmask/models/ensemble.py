"""Several networks as one, which says the mean of what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.unet import image_input


def mean_of_networks(
    build_one: Callable[[], Any], networks: int, channels: int, data_format: str
) -> Any:
    """Puts networks side by side.

    Args:
        build_one: Builds one of them, of one input and one output.
        networks: How many, at least two.
        channels: Number of image channels C.
        data_format: Their layout, `"channels_first"` or `"channels_last"`.

    Returns:
        A `keras.Model` that gives the mean of their logits. Its weights are theirs, one network
        after the other.

    Example:

    >>> from fewmask.models.unet import unet
    >>> mean_of_networks(lambda: unet(1, 8), 2, 3, "channels_last").output.shape
    (None, None, None, 1)
    """
    image = image_input(channels, data_format)
    logits = []
    for number in range(1, networks + 1):
        # Keras tells layers apart by their names, and torch variables by their paths.
        name = f"network_{number}"
        with keras.name_scope(name):
            network = build_one()
        network.name = name
        logits.append(network(image))
    mean = keras.layers.Average(dtype="float32", name="logits")
    return keras.Model(image, mean(logits), name="ensemble")
