"""What a prediction holds, shows, measures, saves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.counting import count_values
from fewmask.data.imageio import encode_jpeg, encode_png, resize, write_png
from fewmask.errors import ArgumentError
from fewmask.files import check_suffix, whole_file
from fewmask.inference.overlay import OPACITY, paint_overlay

_LONGEST_SHOWN = 1024
"""Notebooks hold their pictures in the file: a photograph at full size would make it megabytes."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model sees in one image.

    Args:
        image: The image as the model took it, shape `(H, W, C)`, uint8.
        label_map: The decided class id of every pixel, shape `(H, W)`, uint8: the most probable
            class of those that cover enough of the image, see `LeastAreas`.
        classes: Names and colours of the class ids.
        probabilities: Probability of each class in each pixel, shape `(H, W, K)`, float32 in
            [0, 1]; None if they were not asked for.
        source: File that the image was read from, or None if it was an array.

    Example:

    >>> image, label_map = np.zeros((2, 4, 3), np.uint8), np.zeros((2, 4), np.uint8)
    >>> label_map[0, 0] = 1
    >>> prediction = Prediction(image, label_map, Classes(("background", "chair")))
    >>> prediction.area_shares()
    {'background': 0.875, 'chair': 0.125}
    """

    image: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    classes: Classes
    probabilities: NDArray[np.float32] | None = None
    source: Path | None = None

    def area_shares(self) -> dict[str, float]:
        """Measures how much of the image each class covers.

        Returns:
            Share of the pixels by class name, in the order of the class ids; they add up to 1.
        """
        counts = count_values(self.label_map)[: self.classes.num_classes]
        shares = counts / self.label_map.size
        return dict(zip(self.classes.names, shares.tolist(), strict=True))

    def overlay(self, opacity: float = OPACITY) -> NDArray[np.uint8]:
        """Paints the classes over the image: a tint, and a line around each object.

        Args:
            opacity: Share of the class colour in a tinted pixel, in [0, 1]; 0 leaves the lines.

        Returns:
            Shape `(H, W, 3)`, uint8.

        Raises:
            ArgumentError: If the opacity is out of its range.
        """
        if not 0 <= opacity <= 1:
            raise ArgumentError("opacity", "a number from 0 to 1", str(opacity), "Try 0.4.")
        return paint_overlay(self.image, self.label_map, self.classes.colors, opacity)

    def save(self, path: str | Path) -> None:
        """Writes the label map as a PNG whose values are class ids, shown in the class colours.

        Args:
            path: The file to be, ending in `.png`; an old file is replaced.

        Raises:
            ArgumentError: If the name ends otherwise.
            FewmaskError: If it cannot be written.
        """
        check_suffix(path, (".png",), "Other formats change class ids or lose their colours.")
        write_png(path, self.label_map, palette=self.classes.colors)

    def save_overlay(self, path: str | Path, opacity: float = OPACITY) -> None:
        """Writes the overlay.

        Args:
            path: The file to be, ending in `.jpg`, `.jpeg` or `.png`; an old file is replaced.
            opacity: Share of the class colour in a tinted pixel, in [0, 1].

        Raises:
            ArgumentError: If the name ends otherwise, or the opacity is out of its range.
            FewmaskError: If it cannot be written.
        """
        suffixes = (".jpg", ".jpeg", ".png")
        check_suffix(path, suffixes, "A .jpg is smallest, a .png keeps every pixel.")
        painted = self.overlay(opacity)
        is_png = Path(path).suffix.lower() == ".png"
        content = encode_png(painted) if is_png else encode_jpeg(painted, quality=90)
        with whole_file(path) as beside:
            beside.write_bytes(content)

    @staticmethod
    def probability_suffix(classes: Classes) -> str:
        """Returns how the file of `save_probability` ends: `.png` for two classes, else `.npz`."""
        return ".png" if classes.num_classes == 2 else ".npz"

    def save_probability(self, path: str | Path) -> None:
        """Writes the probability map.

        A `.png` is for two classes: 16-bit grey, the probability of class 1, where 65535 means 1.
        A `.npz` is for any number: `numpy.load(path)` finds `probabilities`, `(H, W, K)` float16
        (steps of at most 0.0005), and `classes`, their K names.

        Args:
            path: The file to be, ending in `.png` or `.npz`; an old file is replaced.

        Raises:
            ArgumentError: If there are no probabilities, the name ends otherwise, or more than
                two classes are to go into a `.png`.
            FewmaskError: If it cannot be written.
        """
        if self.probabilities is None:
            raise ArgumentError(
                "probabilities",
                "the probability of each class",
                "a prediction made without",
                "Predict with probabilities=True.",
            )
        number = self.classes.num_classes
        suffixes = (".png", ".npz") if number == 2 else (".npz",)
        check_suffix(path, suffixes, f"It holds the probabilities of {number} classes.")
        if Path(path).suffix.lower() == ".png":
            write_png(path, np.rint(self.probabilities[..., 1] * 65535).astype(np.uint16))
            return
        with whole_file(path) as beside, beside.open("wb") as file:
            np.savez_compressed(
                file,
                probabilities=self.probabilities.astype(np.float16),
                classes=np.array(self.classes.names),
            )

    def _repr_png_(self) -> bytes:
        """Shows the overlay in notebooks."""
        height, width = self.label_map.shape
        shrink = min(1.0, _LONGEST_SHOWN / max(height, width))
        if shrink == 1:
            return encode_png(self.overlay())
        height, width = max(1, round(height * shrink)), max(1, round(width * shrink))
        image = resize(self.image, height, width, smooth=True)
        label_map = resize(self.label_map, height, width, smooth=False)
        return encode_png(paint_overlay(image, label_map, self.classes.colors))
