"""Sizes of images and masks, which have to agree."""

from __future__ import annotations

from fewmask.data.packed import SampleFile
from fewmask.errors import DataError


def check_sizes(
    image: SampleFile, image_size: tuple[int, int], mask: SampleFile, mask_size: tuple[int, int]
) -> None:
    """Refuses a mask of another size than its image.

    Args:
        image: The image's file.
        image_size: Its `(height, width)`.
        mask: The mask's file.
        mask_size: Its `(height, width)`.

    Raises:
        DataError: If they differ.
    """
    if image_size != mask_size:
        (height, width), (mask_height, mask_width) = image_size, mask_size
        raise DataError(
            mask,
            f"the size of its image {image.name}, {height} × {width} pixels (height × width)",
            f"{mask_height} × {mask_width}",
            "Export the mask again at the image's full size, or remove both.",
        )
