"""Resampling along one side of an image, as a product with a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resampling_weights(
    centers: NDArray[np.float64], length: int, support: float
) -> NDArray[np.float32]:
    """Builds the matrix of an antialiased linear filter along one side.

    Row `i` weighs the source pixels by a tent around `centers[i]`: `max(0, 1 - |j + 0.5 -
    centers[i]| / support)`, scaled so that each row adds up to 1. With `support = max(1,
    shrinking factor)` this is the filter that Pillow calls BILINEAR.

    Args:
        centers: Positions in the source, shape `(n,)`, pixel `j` covers `j` to `j + 1`; within
            `[0.5, length - 0.5]` or less than `support` away from it.
        length: Number of source pixels.
        support: Half width of the tent in source pixels, at least 1.

    Returns:
        Weights of shape `(n, length)`.

    Example:

    >>> resampling_weights(np.array([0.5, 1.0]), length=2, support=1.0)
    array([[1. , 0. ],
           [0.5, 0.5]], dtype=float32)
    """
    distance = np.abs(np.arange(length) + 0.5 - centers[:, None])
    weights = np.maximum(0.0, 1.0 - distance / support)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def resample(
    array: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Resamples along height and width.

    Args:
        array: Shape `(H, W, C)`.
        rows: Weights of shape `(h, H)`.
        columns: Weights of shape `(w, W)`.

    Returns:
        Shape `(h, w, C)`.
    """
    height, width, channels = array.shape
    tall = rows @ array.reshape(height, -1)
    resampled: NDArray[np.float32] = np.matmul(columns, tall.reshape(-1, width, channels))
    return resampled
