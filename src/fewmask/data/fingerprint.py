"""Measures a dataset in one pass over its files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio
from fewmask.data.counting import count_values
from fewmask.data.dataset import Dataset
from fewmask.data.least_areas import LeastAreas
from fewmask.data.packed import sha256_of
from fewmask.data.thickness import measure_thickness
from fewmask.errors import DataError

_LONGEST_MEASURED = 256
"""Colours need no more pixels than this; JPEGs of cameras open eight times as fast."""
_CUT_OFF = 0.001
"""Share of 16-bit pixel values cut off at both ends: dead and hot pixels of a camera."""


@dataclass(frozen=True)
class Fingerprint:
    """What was measured of a dataset.

    Args:
        num_images: Number of images.
        sizes: `(height, width, number of images)`, most frequent first.
        channels: `(channels, number of images)`, most frequent first.
        dtype: `uint8` or `uint16`, of every image.
        value_range: Stored values that a model is to see as 0 and 255: `(0, 255)` for 8 bits;
            for 16 bits the values that a thousandth of all pixels lie below and above.
        mean: Mean of each channel, in 0-255 by that range.
        standard_deviation: Likewise.
        class_pixels: Number of mask pixels of each class; empty without masks.
        class_images: Number of masks that hold each class.
        ignored_pixels: Number of mask pixels that count for nothing.
        class_ids: The class ids in each mask, in the order of the rows.
        thickness: How thick the things of each class in each mask are, see `measure_thickness`.
        least_shares: The least share of a mask that each class has where there is any of it; 0
            where there never is.
        sha256: Of the sample ids and the bytes of the files; the order of rows and the folder
            they lie in do not matter.
    """

    num_images: int
    sizes: tuple[tuple[int, int, int], ...]
    channels: tuple[tuple[int, int], ...]
    dtype: str
    value_range: tuple[int, int]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]
    class_pixels: tuple[int, ...]
    class_images: tuple[int, ...]
    ignored_pixels: int
    class_ids: tuple[tuple[int, ...], ...]
    sha256: str
    thickness: tuple[tuple[float, ...], ...] = ()
    least_shares: tuple[float, ...] = ()

    @property
    def class_shares(self) -> tuple[float, ...]:
        """Share of each class in the mask pixels that count, in [0, 1]."""
        total = max(1, sum(self.class_pixels))
        return tuple(pixels / total for pixels in self.class_pixels)

    @property
    def num_channels(self) -> int:
        """Channels that every image can be given: 3 where some are grey and some in colour."""
        return max(channels for channels, _ in self.channels)

    def least_areas(self, *, at_own_scale: bool) -> LeastAreas | None:
        """Returns what each class must cover of an image; None where any area will do.

        Args:
            at_own_scale: Whether a model sees images at their own scale: things are as many pixels
                in a larger image then, and a smaller share of it.
        """
        largest = max(height * width for height, width, _ in self.sizes)
        return LeastAreas.of_masks(
            self.least_shares,
            self.class_images,
            self.num_images,
            of_pixels=largest if at_own_scale else None,
            never_empty=all(any(ids) for ids in self.class_ids),
        )

    def to_json(self) -> str:
        """Returns the measurements as a JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Fingerprint:
        """Rebuilds a fingerprint from what `to_json` returned."""
        return cls(**{key: _frozen(value) for key, value in json.loads(text).items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def take_fingerprint(
    dataset: Dataset, progress: Callable[[int, int], None] | None = None
) -> Fingerprint:
    """Measures sizes, colours, values and classes of a dataset.

    Args:
        dataset: At least one image; masks are measured if there are any.
        progress: Called with the number of images measured, then the number of all.

    Returns:
        The measurements.

    Raises:
        DataError: If a file cannot be read, or images differ in bits or number of channels so
            that no model can take all of them.
    """
    if len(dataset) == 0:
        raise DataError(dataset.name, "at least one image", "none", "Choose more rows.")
    sizes: Counter[tuple[int, int]] = Counter()
    first_with: dict[tuple[str, int], str] = {}
    channels: Counter[int] = Counter()
    histogram: NDArray[np.int64] = np.zeros((1, 1), np.int64)
    class_pixels = np.zeros(256, np.int64)
    class_ids: list[tuple[int, ...]] = []
    thickness: list[tuple[float, ...]] = []
    least_shares = np.ones(256)
    digests: list[str] = []
    num_classes = dataset.classes.num_classes if dataset.classes else 0

    for index in range(len(dataset)):
        path = dataset.image_path(index)
        sizes[imageio.read_size(path, dataset.max_pixels)] += 1
        image = dataset.read_image(index, at_least=_LONGEST_MEASURED)
        channels[image.shape[2]] += 1
        first_with.setdefault((str(image.dtype), image.shape[2]), str(path))
        _check_alike(dataset.name, first_with)
        # Grey counts for each of three colours, as it will when it is turned into RGB.
        histogram = histogram + _histogram(image)
        digest = [dataset.sample_id(index), sha256_of(path)]
        if dataset.mask_column is not None:
            mask = dataset.read_mask(index)
            pixels = count_values(mask)
            of_classes = measure_thickness(mask, num_classes)
            thickness.append(tuple(round(value, 2) for value in of_classes))
            class_pixels += pixels
            there = pixels > 0
            least_shares[there] = np.minimum(least_shares, pixels / mask.size)[there]
            class_ids.append(tuple(int(value) for value in pixels.nonzero()[0]))
            digest.append(sha256_of(dataset.mask_path(index)))
        digests.append("\0".join(digest))
        if progress is not None:
            progress(index + 1, len(dataset))

    value_range = _value_range(histogram)
    mean, deviation = _moments(histogram, value_range)
    return Fingerprint(
        num_images=len(dataset),
        sizes=tuple((height, width, count) for (height, width), count in _by_count(sizes)),
        channels=tuple(_by_count(channels)),
        dtype=next(iter(first_with))[0],
        value_range=value_range,
        mean=mean,
        standard_deviation=deviation,
        class_pixels=tuple(class_pixels[:num_classes].tolist()),
        class_images=tuple(
            sum(class_id in ids for ids in class_ids) for class_id in range(num_classes)
        ),
        ignored_pixels=int(class_pixels[num_classes:].sum()),
        class_ids=tuple(tuple(value for value in ids if value < num_classes) for ids in class_ids),
        sha256=hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest(),
        thickness=tuple(thickness),
        least_shares=tuple(np.where(class_pixels > 0, least_shares, 0.0)[:num_classes].tolist()),
    )


def _by_count(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _check_alike(name: str, first_with: dict[tuple[str, int], str]) -> None:
    kinds = list(first_with.items())
    (first_dtype, first_channels), first = kinds[0]
    (dtype, channels), other = kinds[-1]
    if dtype != first_dtype:
        raise DataError(
            name,
            "images of one bit depth",
            f"{first_dtype} in {first} and {dtype} in {other}",
            "Save all of them with 8 or all with 16 bits.",
        )
    if channels != first_channels and not {channels, first_channels} <= {1, 3}:
        raise DataError(
            name,
            "images of one number of channels",
            f"{first_channels} in {first} and {channels} in {other}",
            "Save all of them with the same channels.",
        )


def _histogram(image: NDArray[np.uint8 | np.uint16]) -> NDArray[np.int64]:
    """Counts each value of each channel: shape `(C, 256)` or `(C, 65536)`."""
    values = 256 if image.dtype == np.uint8 else 65536
    flat = image.reshape(-1, image.shape[2])
    return np.stack([np.bincount(channel, minlength=values) for channel in flat.T]).astype(np.int64)


def _value_range(histogram: NDArray[np.int64]) -> tuple[int, int]:
    if histogram.shape[1] == 256:
        return 0, 255
    below = np.cumsum(histogram.sum(axis=0)) / histogram.sum()
    low, high = np.searchsorted(below, (_CUT_OFF, 1 - _CUT_OFF)).tolist()
    # An even picture has no range; one step keeps the division by it possible.
    return low, max(high, low + 1)


def _moments(
    histogram: NDArray[np.int64], value_range: tuple[int, int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    low, high = value_range
    values = np.clip((np.arange(histogram.shape[1]) - low) * (255.0 / (high - low)), 0.0, 255.0)
    weights = histogram / histogram.sum(axis=1, keepdims=True)
    mean = weights @ values
    deviation = np.sqrt(np.maximum(0.0, weights @ values**2 - mean**2))
    return tuple(mean.tolist()), tuple(deviation.tolist())
