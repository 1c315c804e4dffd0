"""Small pictures of a sample: the photograph, and layers to lay over it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes, Color
from fewmask.data.imageio import encode_jpeg, encode_png, resize
from fewmask.data.pixels import as_color

LONGEST_SIDE = 480
"""Size of a picture in the report: about 60 kB a sample, details of an outline still visible."""

FALSE_POSITIVE: Color = (240, 150, 0)
FALSE_NEGATIVE: Color = (70, 165, 240)
MISTAKEN: Color = (225, 100, 190)
"""Orange, sky blue and pink keep apart for all kinds of colour vision (Okabe & Ito, 2008)."""

_IGNORED: Color = (128, 128, 128)
_INSIDE, _BORDER, _ERROR = 105, 255, 225  # opacities, 0-255
_NOTHING = (0, 0, 0, 0)
_MOST_OUTLINED = 126
"""Classes in a picture that leave room for colours of their outlines in a palette of 256."""


class Layer(NamedTuple):
    """What is laid over a photograph, with a palette: it is packed quickly so.

    Args:
        values: Shape `(H, W)`, uint8.
        colors: Red, green, blue and opacity of each value.
    """

    values: NDArray[np.uint8]
    colors: list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Pictures:
    """The pictures of one sample, as `data:` addresses.

    Args:
        height: Height of all of them in pixels.
        width: Their width.
        image: The photograph, JPEG.
        truth: The mask as a transparent layer to lay over it, PNG; likewise what follows.
        prediction: The label map.
        errors: Wrong pixels: by class id those of one class, by -1 those of all.
    """

    height: int
    width: int
    image: str
    truth: str
    prediction: str
    errors: dict[int, str]


def draw_pictures(
    image: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    classes: Classes,
) -> Pictures:
    """Makes small pictures of a sample.

    Args:
        image: Shape `(H, W, C)`, any number of channels.
        truth: Class ids of shape `(H, W)`.
        prediction: Class ids of shape `(H, W)`.
        classes: Names, colours and ignore index.

    Returns:
        The image and its layers, none with a side above 480 pixels.
    """
    height, width = truth.shape
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    height, width = max(1, round(height * shrink)), max(1, round(width * shrink))
    photo = resize(as_color(image), height, width, smooth=True)
    truth = resize(truth, height, width, smooth=False)
    prediction = resize(prediction, height, width, smooth=False)
    return Pictures(
        height,
        width,
        _address("jpeg", encode_jpeg(photo, quality=80)),
        _address("png", encode_png(*paint_classes(truth, classes))),
        _address("png", encode_png(*paint_classes(prediction, classes))),
        {
            class_id: _address("png", encode_png(*layer))
            for class_id, layer in paint_errors(truth, prediction, classes).items()
        },
    )


def paint_classes(labels: NDArray[np.uint8], classes: Classes) -> Layer:
    """Paints a label map as a layer through which the photograph stays visible.

    Args:
        labels: Class ids of shape `(H, W)`.
        classes: Their colours.

    Returns:
        Nothing over the background, a tint with a full outline over other classes, grey over
        ignored pixels.
    """
    there = [k for k in np.unique(labels).tolist() if 0 < k < classes.num_classes]
    value_of = np.zeros(256, np.uint8)
    value_of[there] = np.arange(1, len(there) + 1)
    values = value_of[labels]
    colors = [_NOTHING, *((*classes.colors[k], _INSIDE) for k in there)]
    if len(there) <= _MOST_OUTLINED:
        values[_border(labels) & (values > 0)] += np.uint8(len(there))
        colors += [(*classes.colors[k], _BORDER) for k in there]
    if classes.ignore_index is not None:
        values[labels == classes.ignore_index] = len(colors)
        colors.append((*_IGNORED, _ERROR))
    return Layer(values, colors)


def paint_errors(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: Classes
) -> dict[int, Layer]:
    """Paints wrong pixels as layers.

    Args:
        truth: Class ids of shape `(H, W)`.
        prediction: Class ids of shape `(H, W)`.
        classes: Which ids there are; ignored pixels are never wrong.

    Returns:
        Layers by number. Under -1 all errors: found where there is nothing, missed,
        and one foreground class mistaken for another. Where there is more than one foreground
        class, under its class id what was wrongly taken for it and what was missed of it.
    """
    counted = np.ones(truth.shape, bool)
    if classes.ignore_index is not None:
        counted = truth != classes.ignore_index
    wrong = counted & (truth != prediction)
    layers = {
        -1: _paint(
            (wrong & (truth == 0), FALSE_POSITIVE),
            (wrong & (prediction == 0), FALSE_NEGATIVE),
            (wrong & (truth > 0) & (prediction > 0), MISTAKEN),
        )
    }
    for class_id in range(1, classes.num_classes if classes.num_classes > 2 else 1):
        taken, missed = wrong & (prediction == class_id), wrong & (truth == class_id)
        if taken.any() or missed.any():
            layers[class_id] = _paint((taken, FALSE_POSITIVE), (missed, FALSE_NEGATIVE))
    return layers


def _paint(*areas: tuple[NDArray[np.bool_], Color]) -> Layer:
    values = np.zeros(areas[0][0].shape, np.uint8)
    for value, (area, _) in enumerate(areas, 1):
        values[area] = value
    return Layer(values, [_NOTHING, *((*color, _ERROR) for _, color in areas)])


def _border(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Marks pixels within two of a pixel of another class."""
    padded = np.pad(labels, 2, mode="edge")
    height, width = labels.shape
    border = np.zeros(labels.shape, bool)
    for row, column in ((0, 2), (4, 2), (2, 0), (2, 4), (1, 1), (1, 3), (3, 1), (3, 3)):
        border |= padded[row : row + height, column : column + width] != labels
    return border


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def error_legend(classes: Classes) -> Sequence[tuple[str, Color]]:
    """Lists what the colours of errors mean, in words."""
    legend = [("found, but not there", FALSE_POSITIVE), ("there, but missed", FALSE_NEGATIVE)]
    if classes.num_classes > 2:
        legend.append(("taken for another class", MISTAKEN))
    return legend
