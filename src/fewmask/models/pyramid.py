"""The pyramid decoder: features brought to the same few channels and added on the way up.

A U-Net's decoder joins what it has with all channels of the encoder and convolves them together,
which costs more than a thin encoder itself. Here a 1 × 1 convolution first makes a few channels
of each feature, as in a feature pyramid network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.unet import Blocks

FINEST_WIDTH = 32
"""Most channels at stride 2, where each costs four times what it costs a level below."""


def decode_pyramid(blocks: Blocks, features: Sequence[Any], width: int, convs: int) -> Any:
    """Doubles the coarsest feature until it has the size of the finest, adding each on the way.

    The finest itself is thin; it is joined as it is.

    Args:
        blocks: Parts in the layout of the features.
        features: At least two, the finest first, each twice the size of the next.
        width: Channels of every level but the finest, which has at most `FINEST_WIDTH`.
        convs: Convolutions a level.

    Returns:
        Features of the size of `features[0]`.

    Reference: Lin et al. (2017), arXiv:1612.03144, but for where the 3 × 3 convolutions are.
    """
    finest, *coarser, coarsest = features
    x = blocks.project(coarsest, width)
    for feature in reversed(coarser):
        x = keras.layers.Add()([blocks.enlarge(x), blocks.project(feature, width)])
        for _ in range(convs):
            x = blocks.convolve(x, width)
    x = keras.layers.Concatenate(axis=blocks.channel_axis)([blocks.enlarge(x), finest])
    for _ in range(convs):
        x = blocks.convolve(x, min(width, FINEST_WIDTH))
    return x
