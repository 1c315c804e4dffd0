"""Reads samples for a loader: an image, and with it the mask or value to be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.packed import SampleFile
from fewmask.data.row import Row
from fewmask.data.schema import Column
from fewmask.data.sizes import check_sizes
from fewmask.errors import ArgumentError, DataError

Masks = Literal["pixels", "ids"]
"""What a mask is read as: its stored pixel values, or the class ids that they mean."""

Stored: TypeAlias = Any
"""An image or mask `(H, W, C)`, uint8 or uint16; or a number, a category's id, an array of them."""


class Source(Protocol):
    """What is needed of a dataset to read its samples."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Sequence[Column]: ...  # noqa: D102
    @property
    def encoding(self) -> MaskEncoding | None: ...  # noqa: D102
    @property
    def max_pixels(self) -> int: ...  # noqa: D102
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Row: ...
    def column(self, name: str) -> Column: ...  # noqa: D102
    def file(self, path: str) -> SampleFile: ...  # noqa: D102
    def load_image(self, image: str) -> Any: ...  # noqa: D102
    def load_mask(self, mask: str) -> NDArray[np.uint8]: ...  # noqa: D102
    def load_mask_pixels(self, mask: str) -> NDArray[Any]: ...  # noqa: D102
    def sample_id(self, index: int) -> str: ...  # noqa: D102


class SampleReader:
    """Reads one sample after another; several threads may do so at once.

    Args:
        dataset: Where the samples stand, at least one.
        x_column: The column of images to learn from.
        y_column: The column of what is to be learnt: masks, other images, numbers or
            categories; None for none.
        masks: What masks are read as.

    Raises:
        ArgumentError: If there is no sample, no such column, or one of another kind.
    """

    def __init__(
        self, dataset: Source, x_column: str, y_column: str | None, masks: Masks = "pixels"
    ) -> None:
        check_not_empty(dataset)
        self.dataset = dataset
        self.x_column = _image_column(dataset, x_column)
        self.y_column = None if y_column is None else _learnable_column(dataset, y_column)
        self.masks = masks
        if masks not in get_args(Masks):
            raise ArgumentError(
                "masks",
                "'pixels' or 'ids'",
                repr(masks),
                "Take 'pixels' for the stored values, 'ids' for the classes that they mean.",
            )
        if masks == "ids" and self.y_column is not None and self.y_column.kind == "mask":
            check_masks_understood(dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def column_names(self) -> tuple[str, str | None]:
        """The columns that a sample is read from, None where nothing is to be learnt."""
        return self.x_column.name, None if self.y_column is None else self.y_column.name

    def sample_id(self, index: int) -> str:
        """Returns what a sample is called in messages."""
        return self.dataset.sample_id(index)

    def read(self, index: int) -> tuple[Stored, Stored | None]:
        """Reads one sample.

        Args:
            index: Its row.

        Returns:
            The image `(H, W, C)`, uint8 or uint16, and what is to be learnt: a mask or another
            image likewise, a number, the id of a category, or an array of them; None without a
            column for it.

        Raises:
            DataError: If a file cannot be read, or the mask has another size than the image.
        """
        row = self.dataset[index]
        image_file = self.dataset.file(row[self.x_column.name])
        image = imageio.read_image(image_file, max_pixels=self.dataset.max_pixels)
        column = self.y_column
        if column is None:
            return image, None
        value = row[column.name]
        if column.name == self.x_column.name:
            return image, image
        if column.kind == "image":
            file = self.dataset.file(value)
            return image, imageio.read_image(file, max_pixels=self.dataset.max_pixels)
        if column.kind != "mask":
            return image, number_of(column, value)
        mask = self._read_mask(value)
        check_sizes(image_file, image.shape[:2], self.dataset.file(value), mask.shape[:2])
        return image, mask

    def _read_mask(self, path: str) -> Stored:
        if self.masks == "ids":
            return self.dataset.load_mask(path)[..., None]
        values = self.dataset.load_mask_pixels(path)
        return values if values.ndim == 3 else values[..., None]


def number_of(column: Column, value: Any) -> Any:
    """Returns a value as a network takes it: a category as its place among the categories.

    Args:
        column: The column that holds the value.
        value: One value; of an array column a tuple.

    Returns:
        An int or a float; of an array column an array `(n,)`, int64 or float32; strings stay.

    Example:

    >>> number_of(Column("part", "category", ("train", "test")), "test")
    1
    >>> number_of(Column("seen", "category array", ("chair", "table")), ("table", "chair"))
    array([1, 0])
    """
    if column.kind.startswith("category"):
        places = {name: place for place, name in enumerate(column.categories)}
        value = [places[name] for name in value] if column.is_array else places[value]
    if column.is_array and column.kind != "string array":
        return np.asarray(value, np.float32 if column.kind == "float array" else np.int64)
    return value


def check_not_empty(dataset: Source) -> None:
    """Refuses a dataset without samples.

    Raises:
        DataError: If it has none.
    """
    if len(dataset) == 0:
        raise DataError(
            dataset.name,
            "at least one sample to load",
            "none in this fold",
            "Leave more for it: smaller sizes for create_folds, or another filter.",
        )


def check_masks_understood(dataset: Source) -> None:
    """Refuses a dataset whose masks nobody can turn into class ids.

    Raises:
        DataError: If it does not say which value is which class.
    """
    if dataset.encoding is None:
        raise DataError(
            dataset.name, "masks whose values are understood", "none", "Load it from its folder."
        )


def _image_column(dataset: Source, name: str) -> Column:
    column = dataset.column(name)
    if column.kind != "image":
        raise _wrong_kind(dataset, "x_column", column, "a column of images", ("image",))
    return column


def _learnable_column(dataset: Source, name: str) -> Column:
    column = dataset.column(name)
    if column.kind.startswith("string"):
        kinds = ("mask", "image", "integer", "float", "category")
        expected = "a column of masks, images, numbers or categories"
        raise _wrong_kind(dataset, "y_column", column, expected, kinds)
    return column


def _wrong_kind(
    dataset: Source, argument: str, column: Column, expected: str, kinds: tuple[str, ...]
) -> ArgumentError:
    names = [each.name for each in dataset.columns if each.kind.removesuffix(" array") in kinds]
    return ArgumentError(
        f"{argument} '{column.name}'",
        expected,
        f"one of kind {column.kind}",
        f"In {dataset.name} there are: {', '.join(names)}."
        if names
        else f"{dataset.name} has none; keep it when selecting columns.",
    )
