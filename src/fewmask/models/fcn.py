"""The FCN: a classifier's way down, a score at each place, and a way up of one layer a step.

The first network that was trained from pixels to pixels, and still the smallest one that is
any good: what is where is said at a thirty-second of the resolution, and `skip layers` add what
finer features say before the map is enlarged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import check_argument
from fewmask.models.backend import keras
from fewmask.models.encoders import ENCODERS, encode
from fewmask.models.unet import Blocks, image_input

STRIDES = (32, 16, 8)
"""Pixels between two places of the finest map that is scored; those of the paper."""


def fcn(
    backbone: str = "mobilenet_v2",
    stride: int = 8,
    classes: int = 2,
    *,
    dropout: float = 0.0,
    channels: int = 3,
    frozen_statistics: bool = True,
    weights_file: Path | None = None,
    data_format: str = "channels_last",
) -> Any:
    """Builds FCN-32s, FCN-16s or FCN-8s on an encoder.

    Every map is enlarged by a transposed convolution that begins as bilinear interpolation and
    is learned further. What the skip layers add begins as zero: training starts from the coarse
    map. All strides are trained at once, as the paper's last version is.

    Args:
        backbone: One of `models.encoders.ENCODERS`.
        stride: 32 uses the coarsest features alone, 16 those of stride 16 as well, 8 those of
            stride 8 too.
        classes: Number of classes K; two share one logit.
        dropout: Share of channels left out of the coarsest features in training.
        channels: Number of image channels, 1 or 3.
        frozen_statistics: Whether the encoder's batch normalisations keep what they learned on
            ImageNet; without pretrained weights there is nothing to keep.
        weights_file: Pretrained weights of the encoder, from `models.pretrained.find_weights`;
            random ones when None.
        data_format: `"channels_first"` or `"channels_last"`.

    Returns:
        A `keras.Model`: raw pixels 0-255 in, height and width multiples of 32; logits out,
        `(N, H, W, 1 or K)`. Its layer `encoder` is the encoder.

    Raises:
        ArgumentError: If there is no such backbone or stride, or there are fewer than 2 classes.

    Example:

    >>> fcn("mobilenet_v2", 8, classes=21).output.shape
    (None, None, None, 21)

    Reference: Long, Shelhamer & Darrell (2015), arXiv:1411.4038.
    """
    check_argument("backbone", backbone in ENCODERS, f"one of {', '.join(ENCODERS)}", backbone)
    check_argument("stride", stride in STRIDES, f"one of {', '.join(map(str, STRIDES))}", stride)
    check_argument("classes", classes >= 2, "at least 2 classes", classes)
    out_channels = 1 if classes == 2 else classes
    blocks = Blocks("none", data_format)
    image = image_input(channels, data_format)
    features = encode(backbone, image, blocks, frozen_statistics, weights_file)

    def score(x: Any, at: int, start: str) -> Any:
        return keras.layers.Conv2D(
            out_channels, 1, kernel_initializer=start, data_format=data_format, name=f"score_{at}"
        )(x)

    x = score(blocks.drop_channels(features[-1], dropout), 32, "glorot_uniform")
    for level, at in ((-2, 16), (-3, 8)):
        if stride <= at:
            x = _enlarge(x, out_channels, 2, data_format, name=f"enlarged_{at}")
            x = keras.layers.Add()([x, score(features[level], at, "zeros")])
    logits = _enlarge(x, out_channels, stride, data_format, dtype="float32", name="logits")
    return keras.Model(image, logits, name=f"fcn{stride}_on_{backbone}")


def _enlarge(x: Any, filters: int, times: int, data_format: str, **arguments: Any) -> Any:
    """Enlarges a map of `filters` channels, which at first do not mix."""
    enlarge = keras.layers.Conv2DTranspose(
        filters,
        2 * times,
        strides=times,
        padding="same",
        use_bias=False,
        data_format=data_format,
        **arguments,
    )
    y = enlarge(x)
    enlarge.kernel.assign(bilinear_kernel(times)[:, :, None, None] * np.eye(filters))
    return y


def bilinear_kernel(times: int) -> NDArray[np.float32]:
    """Builds the kernel with which a transposed convolution interpolates bilinearly.

    Args:
        times: How many times the map is enlarged, an even number.

    Returns:
        Shape `(2 times, 2 times)`, for a stride of `times`. Whichever pixels share an enlarged
        one, their weights sum to 1.

    Example:

    >>> bilinear_kernel(2)[1]
    array([0.1875, 0.5625, 0.5625, 0.1875], dtype=float32)
    """
    middle = times - 0.5
    line = 1 - np.abs(np.arange(2 * times) - middle) / times
    return np.outer(line, line).astype(np.float32)
