"""What was measured of a dataset when it was built: stored, so that `info` need not read images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fewmask.errors import DataError

_SIZES_KEPT = 20

Size = tuple[int, int]


@dataclass(frozen=True)
class Statistics:
    """What was measured.

    Args:
        images: Number of images.
        sizes: `(height, width, number of images)`, most frequent first, at most twenty.
        smallest: Height and width of the image with the fewest pixels.
        largest: Likewise with the most.
        channels: `(channels, number of images)`, most frequent first.
        dtypes: `uint8` or `uint16`, or both.
        class_pixels: Number of mask pixels of each class; empty without masks.
        class_images: Number of masks that hold each class.
        ignored_pixels: Number of mask pixels that count for nothing.
    """

    images: int
    sizes: tuple[tuple[int, int, int], ...]
    smallest: Size
    largest: Size
    channels: tuple[tuple[int, int], ...]
    dtypes: tuple[str, ...]
    class_pixels: tuple[int, ...] = ()
    class_images: tuple[int, ...] = ()
    ignored_pixels: int = 0

    @property
    def class_shares(self) -> tuple[float, ...]:
        """Share of each class in the mask pixels that count, in [0, 1]."""
        total = max(1, sum(self.class_pixels))
        return tuple(pixels / total for pixels in self.class_pixels)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into equal statistics."""
        return {
            key: _plain(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], where: object) -> Statistics | None:
        """Rebuilds statistics from what `to_json` returned.

        Args:
            values: The JSON object; empty for packages that nobody has measured.
            where: The package, for the error.

        Raises:
            DataError: If it holds anything else.
        """
        if not values:
            return None
        try:
            found = cls(**{key: _frozen(value) for key, value in values.items()})
            _check(found)
        except (TypeError, ValueError) as error:
            raise DataError(
                where,
                f"statistics with the fields {', '.join(cls.__dataclass_fields__)}",
                f"others ({error})",
                "Do not use this package; tell whoever publishes it.",
            ) from error
        return found


def summarize(
    sizes: Iterable[Size], channels: Iterable[int], dtypes: Iterable[str]
) -> dict[str, Any]:
    """Counts what was measured of images.

    Args:
        sizes: Height and width of each, at least one.
        channels: Channels of each.
        dtypes: Type of the values of each.

    Returns:
        The arguments of `Statistics` that concern images.
    """
    counted, counted_channels = Counter(sizes), Counter(channels)
    by_pixels = sorted(counted, key=lambda size: (size[0] * size[1], size))
    frequent = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return {
        "images": sum(counted.values()),
        "sizes": tuple((*size, count) for size, count in frequent[:_SIZES_KEPT]),
        "smallest": by_pixels[0],
        "largest": by_pixels[-1],
        "channels": tuple(sorted(counted_channels.items(), key=lambda item: (-item[1], item[0]))),
        "dtypes": tuple(sorted(set(dtypes))),
    }


def _check(statistics: Statistics) -> None:
    numbers = [
        statistics.images,
        statistics.ignored_pixels,
        *statistics.class_pixels,
        *statistics.class_images,
        *(number for size in statistics.sizes for number in size),
        *(number for pair in statistics.channels for number in pair),
        *statistics.smallest,
        *statistics.largest,
    ]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number that is no whole one from 0 up")
    if not all(dtype in ("uint8", "uint16") for dtype in statistics.dtypes):
        raise ValueError("a type of values that is neither uint8 nor uint16")
    ends = {len(statistics.smallest), len(statistics.largest)}
    if any(len(size) != 3 for size in statistics.sizes) or ends != {2}:
        raise ValueError("sizes that are not height, width and count")
    if len(statistics.class_pixels) != len(statistics.class_images):
        raise ValueError("classes counted in pixels but not in images")


def _plain(values: tuple[Any, ...]) -> list[Any]:
    return [_plain(value) if isinstance(value, tuple) else value for value in values]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
