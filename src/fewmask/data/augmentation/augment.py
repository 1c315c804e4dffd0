"""Augmentation: other pictures of the same things, drawn by chance from the ones there are."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.data.augmentation.color import ColorChange, change_colors
from fewmask.data.augmentation.warp import Spot, Warp, warp_sample
from fewmask.errors import ArgumentError


@dataclass(frozen=True)
class Augmentation:
    """How much samples are changed in training, how often.

    Each change has a *strength*, the most it may do, and a *probability*, the share of samples
    that it is done to. Amounts are uniform between minus and plus the strength; factors run
    from 1 / strength to strength, uniform in their logarithm. The defaults are meant for
    photographs of whole things, which stand upright.

    Args:
        horizontal_flip: Probability that left and right change places.
        vertical_flip: Probability that top and bottom change places.
        quarter_turn: Probability of a turn by 90, 180 or 270 degrees.
        rotation: Largest angle in degrees.
        rotation_probability: Its probability.
        scale: Largest factor on lengths.
        scale_probability: Its probability.
        shear: Largest lean in degrees, below 90.
        shear_probability: Its probability.
        shift: Largest move along each side, as a share of the frame's side.
        shift_probability: Its probability.
        brightness: Most that is added, as a share of the range 0-255.
        contrast: Largest factor on the distance from middle grey.
        saturation: Largest factor on the distance from grey, for three channels.
        hue: Largest turn of colours around grey in degrees, for three channels.
        color_probability: Probability of the four changes above, together.
        gamma: Largest exponent on values taken as 0 to 1.
        gamma_probability: Its probability.
        blur: Largest standard deviation of a Gaussian blur, in frame pixels.
        blur_probability: Its probability.
        low_resolution: Largest factor by which resolution is lost.
        low_resolution_probability: Its probability.
        noise: Largest standard deviation of Gaussian noise, in pixel values 0-255.
        noise_probability: Its probability.

    Raises:
        ArgumentError: If a value is out of its range.

    Example:

    >>> Augmentation(vertical_flip=0.5).horizontal_flip
    0.5
    >>> Augmentation(scale=0.7)
    Traceback (most recent call last):
        ...
    fewmask.errors.ArgumentError: augmentation scale: expected a factor of 1 or more, found 0.7.
    Factors run from 1 / scale to scale; 1 switches the change off.
    """

    horizontal_flip: float = 0.5
    vertical_flip: float = 0.0
    quarter_turn: float = 0.0
    rotation: float = 8.0
    rotation_probability: float = 0.5
    scale: float = 1.2
    scale_probability: float = 0.5
    shear: float = 0.0
    shear_probability: float = 0.0
    shift: float = 0.1
    shift_probability: float = 0.5
    brightness: float = 0.15
    contrast: float = 1.3
    saturation: float = 1.4
    hue: float = 10.0
    color_probability: float = 0.5
    gamma: float = 1.5
    gamma_probability: float = 0.3
    blur: float = 1.5
    blur_probability: float = 0.1
    low_resolution: float = 2.0
    low_resolution_probability: float = 0.1
    noise: float = 12.0
    noise_probability: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            check_range(field.name, getattr(self, field.name))

    @classmethod
    def none(cls) -> Augmentation:
        """Returns the augmentation that only lays samples into their frame."""
        return cls(**{name: 0.0 for name in _field_names() if name in PROBABILITIES})

    def to_json(self) -> dict[str, float]:
        """Returns plain numbers by name, which `from_json` turns back into an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Augmentation:
        """Rebuilds an augmentation from numbers by name, those left out being the defaults.

        Args:
            values: What `to_json` returned, or a part of it.

        Raises:
            ArgumentError: If a name is not one of ours or a value is out of its range.
        """
        strangers = sorted(set(values) - set(_field_names()))
        if strangers:
            raise ArgumentError(
                "augmentation",
                "names of its numbers",
                ", ".join(strangers),
                f"The names are {', '.join(_field_names())}.",
            )
        return cls(**values)

    def draw(self, rng: np.random.Generator) -> tuple[Warp, ColorChange]:
        """Draws what one sample goes through.

        As many numbers are drawn whatever the strengths, so switching one change off leaves
        the others as they were.

        Args:
            rng: Where chance comes from.

        Returns:
            The change of geometry, then that of pixel values.
        """

        def happens(probability: float) -> bool:
            return rng.random() < probability

        def amount(most: float, probability: float) -> float:
            place = 2 * rng.random() - 1
            return most * place if happens(probability) else 0.0

        def factor(most: float, probability: float) -> float:
            return float(math.exp(amount(math.log(most), probability)))

        horizontal_flip = happens(self.horizontal_flip)
        vertical_flip = happens(self.vertical_flip)
        quarters = 1 + int(3 * rng.random())
        turn = 90.0 * quarters if happens(self.quarter_turn) else 0.0
        warp = Warp(
            horizontal_flip=horizontal_flip,
            vertical_flip=vertical_flip,
            shear=amount(self.shear, self.shear_probability),
            angle=turn + amount(self.rotation, self.rotation_probability),
            scale=factor(self.scale, self.scale_probability),
            shift_down=amount(self.shift, self.shift_probability),
            shift_right=amount(self.shift, self.shift_probability),
        )
        all_four = float(happens(self.color_probability))
        change = ColorChange(
            brightness=amount(self.brightness, all_four),
            contrast=factor(self.contrast, all_four),
            saturation=factor(self.saturation, all_four),
            hue=amount(self.hue, all_four),
            gamma=factor(self.gamma, self.gamma_probability),
            blur=abs(amount(self.blur, self.blur_probability)),
            low_resolution=math.exp(
                abs(amount(math.log(self.low_resolution), self.low_resolution_probability))
            ),
            noise=abs(amount(self.noise, self.noise_probability)),
        )
        return warp, change


PROBABILITIES = frozenset(
    name
    for name in (field.name for field in fields(Augmentation))
    if name.endswith(("_flip", "_turn", "_probability"))
)
FACTORS = frozenset({"scale", "contrast", "saturation", "gamma", "low_resolution"})
"""Names of the numbers that are probabilities, of those that are factors; the rest are amounts."""


def _field_names() -> list[str]:
    return [field.name for field in fields(Augmentation)]


def check_range(name: str, value: object) -> None:
    """Makes sure that one number of an augmentation is within its range.

    Args:
        name: Which number.
        value: What it shall be.

    Raises:
        ArgumentError: If it is not.
    """
    where = f"augmentation {name}"
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if name in PROBABILITIES:
        if not 0 <= number <= 1:
            raise ArgumentError(
                where,
                "a probability from 0 to 1",
                repr(value),
                "0 switches the change off, 1 does it to every sample.",
            )
    elif name in FACTORS:
        if not 1 <= number < math.inf:
            raise ArgumentError(
                where,
                "a factor of 1 or more",
                repr(value),
                f"Factors run from 1 / {name} to {name}; 1 switches the change off.",
            )
    elif not 0 <= number < (90 if name == "shear" else math.inf):
        raise ArgumentError(
            where,
            "an angle from 0 to below 90" if name == "shear" else "a number of 0 or more",
            repr(value),
            "It goes both ways; 0 switches the change off.",
        )


def augment(
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    size: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
    spot: Spot | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Makes one training patch of a sample, changed by chance.

    Geometry changes image and mask alike in a single warp; light, colour, sharpness and noise
    change the image alone. Equal arguments, with `rng` in an equal state, give equal bytes.

    Args:
        image: Shape `(H, W, C)`, uint8.
        mask: Shape `(H, W)`, uint8, class ids or the ignore index.
        size: Side of the patch in pixels.
        augmentation: How much to change, how often.
        rng: Where chance comes from.
        spot: Where the patch lies; left out, it is the frame that holds the whole sample.

    Returns:
        The image `(size, size, C)`, uint8, and the mask `(size, size)`, uint8, which holds no
        value that is not in `mask`.

    Example:

    >>> image, mask = np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8)
    >>> rng = np.random.default_rng(0)
    >>> [array.shape for array in augment(image, mask, 32, Augmentation(), rng)]
    [(32, 32, 3), (32, 32)]
    """
    warp, change = augmentation.draw(rng)
    image, mask = warp_sample(image, mask, size, warp, spot)
    return change_colors(image, change, rng), mask
