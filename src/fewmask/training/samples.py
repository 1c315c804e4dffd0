"""Pictures of six fixed samples, drawn each time the model gets better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.imageio import encode_jpeg
from fewmask.data.pixels import as_color
from fewmask.files import whole_file
from fewmask.inference.outputs import Prediction

COUNT = 6
EDGE = 2
"""Pixels of white around each view."""


class SamplePictures:
    """Draws the fixed samples as a sheet: a column each, image over truth over prediction.

    Args:
        folder: Where the sheets go, `epoch-0012.jpg` and so on.
        samples: Images `(size, size, C)` and masks `(size, size)` in their squares, uint8.
        classes: The classes, for the colours.
        predict: Gives the label map `(size, size)` of the sample at a place.
    """

    def __init__(
        self,
        folder: Path,
        samples: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
        classes: Classes,
        predict: Callable[[int], NDArray[np.uint8]],
    ) -> None:
        self.folder = folder
        self.samples = samples[:COUNT]
        self.classes = classes
        self.predict = predict

    def draw(self, epoch: int) -> None:
        """Writes the sheet of an epoch.

        Args:
            epoch: Number of the epoch, from 1.
        """
        columns = []
        for place, (image, mask) in enumerate(self.samples):
            truth = np.where(mask < self.classes.num_classes, mask, 0).astype(np.uint8)
            picture = as_color(image)
            overlays = [
                Prediction(picture, label_map, self.classes).overlay()
                for label_map in (truth, self.predict(place))
            ]
            columns.append(np.concatenate([framed(view) for view in (picture, *overlays)], axis=0))
        if columns:
            # PNG would take a tenth of a short epoch.
            sheet = encode_jpeg(np.concatenate(columns, axis=1), quality=90)
            with whole_file(self.folder / f"epoch-{epoch:04d}.jpg") as beside:
                beside.write_bytes(sheet)


def framed(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Puts a white edge around a view, so that dark pictures do not run into each other.

    Args:
        view: Shape `(H, W, 3)`.

    Returns:
        Shape `(H + 2 EDGE, W + 2 EDGE, 3)`.
    """
    return np.pad(view, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), constant_values=255)
