"""From light to picture: exposure, lens, sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Film:
    """How a picture was taken.

    Args:
        exposure: Mean brightness aimed at, share of white on the screen in (0, 1).
        warmth: Red gain over blue gain, 1 is neutral.
        contrast: Steepness in the middle tones, 1 is neutral.
        saturation: 0 for grey, 1 for the colours as they are.
        vignette: Share of light lost in the corners.
        blur: Standard deviation of the lens in pixels.
        grain: Standard deviation of the sensor's noise, share of white.
        quality: JPEG quality, 1 to 95.
    """

    exposure: float
    warmth: float
    contrast: float
    saturation: float
    vignette: float
    blur: float
    grain: float
    quality: int


def develop(light: NDArray[np.float32], film: Film, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turns light into an 8-bit picture.

    Args:
        light: Linear red, green and blue, shape `(H, W, 3)`, at least 0.
        film: How the picture was taken.
        rng: Source of chance, for the noise.

    Returns:
        Shape `(H, W, 3)`, sRGB.
    """
    height, width = light.shape[:2]
    gain = np.sqrt(np.float32(film.warmth))
    balanced = light * np.array([gain, 1, 1 / gain], np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    balanced *= (1 - np.float32(film.vignette / 2) * (x**2 + y**2))[..., None]
    grey = balanced @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    # The median of the logarithm is what cameras meter: lamps and windows do not sway it.
    metered = float(np.exp(np.median(np.log(grey + 1e-4))))
    balanced *= np.float32(film.exposure**2.2 / metered)
    grey *= np.float32(film.exposure**2.2 / metered)
    colored = grey[..., None] + np.float32(film.saturation) * (balanced - grey[..., None])
    # Highlights bend instead of breaking off.
    bent = np.maximum(colored, 0)
    bent = bent * (1 + bent / np.float32(6)) / (1 + bent) * np.float32(1.35)
    screen = np.clip(bent, 0, 1) ** np.float32(1 / 2.2)
    screen = cv2.GaussianBlur(screen, (0, 0), film.blur)
    screen = screen + np.float32(film.contrast - 1) * (screen - 0.5) * 4 * screen * (1 - screen)
    noise = rng.standard_normal(screen.shape, dtype=np.float32)
    screen += np.float32(film.grain) * noise * (0.4 + 0.6 * screen.mean(axis=2, keepdims=True))
    picture: NDArray[np.uint8] = np.rint(np.clip(screen, 0, 1) * 255).astype(np.uint8)
    return picture
