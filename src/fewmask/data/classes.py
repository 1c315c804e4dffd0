"""The classes of a dataset: names, colours, and the value that marks pixels to leave out."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from typing import Any

Color = tuple[int, int, int]


def distinct_colors(count: int) -> tuple[Color, ...]:
    """Chooses colours that differ to the eye, black first for the background.

    Args:
        count: Number of colours, at least 1.

    Returns:
        `count` different colours, each `(red, green, blue)` in 0-255.

    Example:

    >>> distinct_colors(2)
    ((0, 0, 0), (242, 73, 24))
    """
    # Steps of the golden angle keep any number of hues apart without knowing the number before.
    colors = [(0, 0, 0)]
    for step in range(count - 1):
        hue = (0.0375 + step * 0.618034) % 1.0
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.9 - 0.12 * (step // 6 % 3), 0.95)
        colors.append((round(red * 255), round(green * 255), round(blue * 255)))
    return tuple(colors)


@dataclass(frozen=True)
class Classes:
    """The kinds of thing a label map tells apart.

    Args:
        names: One name a class; the place in the tuple is the class id, 0 is the background.
        colors: One `(red, green, blue)` in 0-255 a class; chosen when left out.
        ignore_index: Value of mask pixels that count neither in the loss nor in scores, or
            None where every pixel counts. Never one of the class ids.

    Example:

    >>> Classes(("background", "chair")).num_classes
    2
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...] = field(default=())
    ignore_index: int | None = None

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            raise ValueError(f"Expected at least two class names, got {self.names}.")
        if not self.colors:
            object.__setattr__(self, "colors", distinct_colors(len(self.names)))
        if len(self.colors) != len(self.names):
            raise ValueError(
                f"Expected {len(self.names)} colours, one a class, got {len(self.colors)}."
            )
        if self.ignore_index is not None and 0 <= self.ignore_index < len(self.names):
            raise ValueError(
                f"Expected an ignore index that is no class id, got {self.ignore_index}."
            )

    @property
    def num_classes(self) -> int:
        """Number of classes K, the background included."""
        return len(self.names)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into equal classes."""
        return {
            "names": list(self.names),
            "colors": [list(color) for color in self.colors],
            "ignore_index": self.ignore_index,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Classes:
        """Rebuilds classes from what `to_json` returned."""
        colors = tuple((int(red), int(green), int(blue)) for red, green, blue in values["colors"])
        return cls(tuple(values["names"]), colors, values["ignore_index"])
