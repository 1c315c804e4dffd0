"""Lets a trained network look at whole images, before it is a model in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.inference.blocks import Model
from fewmask.models.native import order_for_torch
from fewmask.models.straight import straighten
from fewmask.scale import Frame, ScaleRule, into_frame, into_pixels, out_of_frame, out_of_pixels
from fewmask.scale.pixels import pixels_placement

Look: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Squares `(N, size, size, C)` in 0-255 → logits `(N, size, size, 1 or K)`."""

AT_ONCE = 8
"""Squares that the network is given together: a large image is cut into hundreds."""


def look_by(core: Any, channels_first: bool) -> Look:
    """Lets a network look at squares in `channels_last`.

    Args:
        core: The network, a `keras.Model`; its weights are laid out for speed.
        channels_first: Whether that is how it takes them.
    """
    order_for_torch(core.variables)
    network = straighten(core)

    def look(squares: NDArray[np.float32]) -> NDArray[np.float32]:
        given = squares.transpose(0, 3, 1, 2) if channels_first else squares
        lots = range(0, len(given), AT_ONCE)
        made = [np.asarray(network.predict_on_batch(given[lot : lot + AT_ONCE])) for lot in lots]
        logits: NDArray[np.float32] = np.concatenate(made)
        return logits.transpose(0, 2, 3, 1) if channels_first else logits

    return look


def model_by(look: Look, bundle: Bundle) -> Model:
    """Makes a model of looks: what its files will predict of an image, but for rounding.

    Args:
        look: How the network looks at squares.
        bundle: By which rule it sees images, and whether it looks at their mirror images too.

    Returns:
        Image `(H, W, C)` uint8 → label map `(H, W)` uint8 and probability map `(H, W, K)` float32.
    """

    def model(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        squares = _enter(image, bundle.scale)
        logits = look(squares)
        if bundle.mirrored:
            logits = (logits + look(squares[:, :, ::-1])[:, :, ::-1]) / np.float32(2)
        height, width, _ = image.shape
        maps = _leave(_probabilities(logits), height, width, bundle.scale)
        return maps.argmax(axis=2).astype(np.uint8), maps

    return model


def _enter(pixels: NDArray[np.uint8], rule: ScaleRule) -> NDArray[np.float32]:
    if isinstance(rule, Frame):
        return into_frame(pixels, rule.size)[None]
    tiles = into_pixels(pixels, rule)
    return tiles.reshape(-1, *tiles.shape[2:])


def _probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    maps: NDArray[np.float32] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    maps /= maps.sum(axis=-1, keepdims=True)
    return maps


def _leave(
    maps: NDArray[np.float32], height: int, width: int, rule: ScaleRule
) -> NDArray[np.float32]:
    if isinstance(rule, Frame):
        return out_of_frame(maps[0], height, width)
    rows, columns = (pixels_placement(side, rule)[1] for side in (height, width))
    return out_of_pixels(maps.reshape(rows, columns, *maps.shape[1:]), height, width, rule)
