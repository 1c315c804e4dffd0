"""The one warp that turns, zooms, shears, shifts a sample while a patch is made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Warp:
    """One change of geometry about the middle of the frame; without arguments it changes nothing.

    The parts act in the order in which they stand here.

    Args:
        horizontal_flip: Whether left and right change places.
        vertical_flip: Whether top and bottom change places.
        shear: Angle in degrees, within -90 and 90, by which upright lines lean to the right.
        angle: Degrees the sample turns, counter-clockwise as one sees it.
        scale: Factor on lengths; above 1 the sample is seen from nearer.
        shift_down: Move downwards, as a share of the frame's side.
        shift_right: Move to the right, likewise.
    """

    horizontal_flip: bool = False
    vertical_flip: bool = False
    shear: float = 0.0
    angle: float = 0.0
    scale: float = 1.0
    shift_down: float = 0.0
    shift_right: float = 0.0

    def linear(self) -> NDArray[np.float64]:
        """Returns the part without shifts, shape `(2, 2)`, for columns `(x, y)`, y downwards."""
        across = -1.0 if self.horizontal_flip else 1.0
        down = -1.0 if self.vertical_flip else 1.0
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        lean = math.tan(math.radians(self.shear))
        # turn [[cos, sin], [-sin, cos]] @ shear [[1, -lean], [0, 1]] @ flip, multiplied out
        return self.scale * np.array(
            [[across * cos, down * (sin - cos * lean)], [-across * sin, down * (cos + sin * lean)]]
        )


@dataclass(frozen=True)
class Spot:
    """Where a patch lies on a sample, when it does not show all of it.

    Args:
        row: Row of the sample whose upper edge runs through the middle of the patch.
        column: Column whose left edge does.
        zoom: Patch pixels per sample pixel.
    """

    row: int
    column: int
    zoom: float = 1.0


def offset_in_frame(length: int, longest: int, size: int) -> int:
    """Returns the first frame pixel that holds the unchanged sample, along one side of it.

    This is the frame rule of `fewmask.scale`: the longest side fills the square, the other is
    centred, rounded to whole pixels in whole numbers.

    Example:

    >>> offset_in_frame(480, longest=640, size=256)
    32
    """
    return (size - max(1, (2 * length * size + longest) // (2 * longest))) // 2


def source_of_frame(warp: Warp, height: int, width: int, size: int) -> NDArray[np.float64]:
    """Says which point of the sample each pixel of the frame shows.

    Args:
        warp: The change of geometry.
        height: Height of the sample in pixels.
        width: Its width.
        size: Side of the frame.

    Returns:
        Shape `(2, 3)`, from indices `(x, y, 1)` of frame pixels to indices of sample pixels,
        fractions included.

    Example:

    Halving lays the first frame pixel on the corner that the first four sample pixels share.

    >>> source_of_frame(Warp(), height=8, width=8, size=4)
    array([[2. , 0. , 0.5],
           [0. , 2. , 0.5]])
    """
    longest = max(height, width)
    offset = np.array([offset_in_frame(side, longest, size) for side in (width, height)])
    middle = size / 2
    moved = size * np.array([0.5 + warp.shift_right, 0.5 + warp.shift_down])
    # Backwards: undo the shift, undo the rest about the middle, then leave the frame.
    back = np.empty((2, 3))
    back[:, :2] = np.linalg.inv(warp.linear()) * (longest / size)
    back[:, 2] = (middle - offset) * (longest / size) - back[:, :2] @ moved
    # Pixel i covers i to i + 1, so its index names the point i + 0.5 between the edges.
    back[:, 2] += back[:, :2].sum(axis=1) / 2 - 0.5
    return back


def source_of_patch(warp: Warp, spot: Spot, size: int) -> NDArray[np.float64]:
    """Says which point of the sample each pixel of a patch shows.

    Args:
        warp: The change of geometry, about the middle of the patch.
        spot: Where the patch lies.
        size: Side of the patch.

    Returns:
        As `source_of_frame` does.

    Example:

    >>> source_of_patch(Warp(), Spot(row=10, column=20), size=4)
    array([[ 1.,  0., 18.],
           [ 0.,  1.,  8.]])
    """
    moved = size * np.array([0.5 + warp.shift_right, 0.5 + warp.shift_down])
    back = np.empty((2, 3))
    back[:, :2] = np.linalg.inv(warp.linear()) / spot.zoom
    back[:, 2] = (spot.column, spot.row) - back[:, :2] @ moved
    back[:, 2] += back[:, :2].sum(axis=1) / 2 - 0.5
    return back


def part_seen(source: NDArray[np.float64], length: int, axis: int, size: int) -> tuple[int, int]:
    """Says which pixels of a sample a patch needs along one side, reflections included.

    Cutting them out changes nothing but the time that softening takes.

    Args:
        source: What `source_of_patch` returned.
        length: Pixels of that side of the sample.
        axis: 0 for its height, 1 for its width.
        size: Side of the patch.

    Returns:
        The first pixel, and the one after the last.
    """
    corners = np.array([[0, 0, 1], [0, size, 1], [size, 0, 1], [size, size, 1]])
    places = corners @ source[1 - axis]
    # Interpolation reaches for the next pixel, softening for as many as become one.
    reach = 3 + 2 * math.ceil(np.abs(source[:, :2]).max())
    low, high = math.floor(places.min()) - reach, math.ceil(places.max()) + reach
    # Pixel -3 is a reflection of pixel 2, so what lies outside is to be found inside.
    low, high = min(low, 2 * length - high), max(high, -low)
    # Halved, a part must fall into the same pairs of pixels as the whole, up to the odd one at the
    # end that its reflection completes.
    together = 2 ** count_halvings(shrinking_of(source))
    return max(low, 0) // together * together, min(high, length)


def shrinking_of(source: NDArray[np.float64]) -> float:
    """Returns how many sample pixels, along a side, become one of the patch.

    Args:
        source: What `source_of_frame` or `source_of_patch` returned.
    """
    return math.sqrt(abs(float(np.linalg.det(source[:, :2]))))


def count_halvings(shrinking: float) -> int:
    """Returns how often an image is halved before it is softened.

    Args:
        shrinking: Sample pixels per frame pixel.

    Example:

    >>> count_halvings(2), count_halvings(2.5), count_halvings(10)
    (0, 1, 3)
    """
    halvings = 0
    # Up to here a kernel of three pixels is wide enough; beyond, halving first is faster too.
    while shrinking > math.sqrt(5):
        shrinking /= 2
        halvings += 1
    return halvings


def halve(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Makes one pixel of each 2 × 2, the image's reflection completing an odd side.

    Args:
        image: Shape `(H, W, C)`, uint8.

    Returns:
        Shape `(⌈H / 2⌉, ⌈W / 2⌉, C)`, uint8.
    """
    height, width, channels = image.shape
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REFLECT)
    half = ((height + 1) // 2, (width + 1) // 2)
    halved = cv2.resize(image, half[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(halved, np.uint8).reshape(*half, channels)


def soften(image: NDArray[np.uint8], shrinking: float) -> tuple[NDArray[np.uint8], int]:
    """Takes the detail out of an image that only every n-th of its pixels could not show.

    Together with the linear interpolation that follows, this stands for the tent filter of half
    width n with which pictures are shrunk for prediction: at n = 2 it is that filter, elsewhere
    one of the same variance.

    Args:
        image: Shape `(H, W, C)`, uint8.
        shrinking: Sample pixels per frame pixel, n; nothing is done where it is 1 or less.

    Returns:
        Shape `(h, w, C)`, uint8, and how often it was halved on the way.
    """
    halvings = count_halvings(shrinking)
    variance = shrinking**2 / 6  # of a tent of half width n
    for _ in range(halvings):
        image = halve(image)
        # The mean of two pixels has variance 1 / 4; what remains counts in pixels twice as large.
        variance = (variance - 1 / 4) / 4
    missing = variance - 1 / 6  # which linear interpolation will bring
    if missing > 0.01:
        kernel = np.array([missing / 2, 1 - missing, missing / 2])
        softened = cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        image = np.asarray(softened, np.uint8).reshape(image.shape)
    return image, halvings


def warp_sample(
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    size: int,
    warp: Warp,
    spot: Spot | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Makes a patch of a sample, changed by one warp: of all of it laid into a frame, or of a part.

    Image and mask go through the same matrix, one interpolated linearly (and antialiased when
    it shrinks), the other by the nearest pixel, so no class id is made up. What lies outside
    the sample is its reflection (`dcba|abcd|dcba`), in the mask as in the image. Without a
    change the result is that of `fewmask.scale.into_frame` but for rounding and, where the
    shrinking factor is not whole, traces of `soften`.

    Args:
        image: Shape `(H, W, C)`, uint8, sides below 32768.
        mask: Shape `(H, W)`, uint8, class ids.
        size: Side of the patch in pixels.
        warp: The change of geometry.
        spot: Where the patch lies; left out, it is the frame that holds the whole sample.

    Returns:
        The image `(size, size, C)`, uint8, and the mask `(size, size)`, uint8.

    Example:

    >>> mask = np.array([[0, 1], [0, 1]], np.uint8)
    >>> warp_sample(mask[:, :, None], mask, 2, Warp(horizontal_flip=True))[1]
    array([[1, 0],
           [1, 0]], dtype=uint8)
    """
    height, width, channels = image.shape
    if spot is None:
        to_mask = source_of_frame(warp, height, width, size)
    else:
        to_mask = source_of_patch(warp, spot, size)
        (top, bottom), (left, right) = (
            part_seen(to_mask, side, axis, size) for axis, side in enumerate((height, width))
        )
        image, mask = image[top:bottom, left:right], mask[top:bottom, left:right]
        to_mask[:, 2] -= (left, top)
    softened, halvings = soften(image, shrinking_of(to_mask))
    to_image = to_mask / 2**halvings
    to_image[:, 2] += 0.5 / 2**halvings - 0.5  # the middle of the first pixel has moved
    # The matrices are given in the direction OpenCV works in; the other takes twice the time.
    warped_image = cv2.warpAffine(
        softened,
        to_image,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    warped_mask = cv2.warpAffine(
        mask,
        to_mask,
        (size, size),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    # OpenCV drops a channel axis of length one.
    return (
        np.asarray(warped_image, np.uint8).reshape(size, size, channels),
        np.asarray(warped_mask, np.uint8),
    )
