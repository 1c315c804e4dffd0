"""A dataset: rows of typed columns, with the pictures that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio, notebook
from fewmask.data.classes import Classes
from fewmask.data.loaders.processing import ProcessingFunction
from fewmask.data.loaders.reading import Masks
from fewmask.data.masks.encoding import MaskEncoding, without_alpha
from fewmask.data.packed import PackedFile, SampleFile
from fewmask.data.row import Row
from fewmask.data.sizes import check_sizes
from fewmask.data.table import Table
from fewmask.errors import ArgumentError, DataError


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Table):
    """Samples in memory as rows; pictures are read from their files when asked for.

    Nothing changes a dataset. What selects from it returns a new one, which shares the root,
    the classes and the way masks are read.

    Args:
        name: What to call it: the name of its folder, or `owner/name`.
        root: The folder that the paths of images and masks start from.
        columns: The columns; see `Column`.
        rows: One tuple of values a sample, in the order of the columns.
        classes: The classes of its masks; None without masks.
        encoding: How its mask files say which class a pixel is; None without masks.
        findings: What was believed about the files, in sentences.
        max_pixels: Larger pictures are refused.
        packed: The images and masks that lie inside larger files, by the path that rows name;
            all others are files below `root`.
        painted: How its owner's mask files said it before they were packed as class ids; None
            where they were not. `load_image` and `to_keras` hand out masks painted like this.

    Raises:
        ArgumentError: If two columns share a name, or a value is of another kind than its column.

    Example:

    >>> from pathlib import Path
    >>> from fewmask.data.schema import Column
    >>> part = Column("part", "category", ("train", "test"))
    >>> rows = [("a.jpg", "train"), ("b.jpg", "train"), ("c.jpg", "test")]
    >>> dataset = Dataset("three", Path("three"), [Column("image", "image"), part], rows)
    >>> dataset[-1].part, len(dataset.filter(lambda row: row.part == "train"))
    ('test', 2)
    """

    classes: Classes | None = None
    encoding: MaskEncoding | None = None
    findings: tuple[str, ...] = ()
    max_pixels: int = imageio.DEFAULT_MAX_PIXELS
    packed: Mapping[str, PackedFile] = field(default_factory=dict)
    painted: MaskEncoding | None = None

    # --- pictures ---------------------------------------------------------------------------

    @property
    def image_column(self) -> str:
        """Name of the first column of images.

        Raises:
            ArgumentError: If there is none.
        """
        name = self._first("image")
        if name is None:
            raise ArgumentError(
                self.name, "a column of images", "none", "Keep it when selecting columns."
            )
        return name

    @property
    def mask_column(self) -> str | None:
        """Name of the first column of masks, or None if there is none."""
        return self._first("mask")

    def _first(self, kind: str) -> str | None:
        return next((column.name for column in self.columns if column.kind == kind), None)

    def file(self, path: str) -> SampleFile:
        """Returns the file of an image or a mask that a row names.

        Args:
            path: What the row holds: `row.image`.

        Returns:
            A `Path`; for an installed dataset a `PackedFile`, which reads likewise.
        """
        packed = self.packed.get(path)
        return self.root / path if packed is None else packed

    def image_path(self, index: int) -> SampleFile:
        """Returns the file of a sample's image."""
        return self.file(str(self[index][self.image_column]))

    def mask_path(self, index: int) -> SampleFile:
        """Returns the file of a sample's mask.

        Raises:
            DataError: If the dataset has no masks.
        """
        if self.mask_column is None:
            raise DataError(self.name, "a dataset with masks", "none", "Load one that has masks.")
        return self.file(str(self[index][self.mask_column]))

    def sample_id(self, index: int) -> str:
        """Returns the path of a sample's image without its suffix, with `/`, from the root on."""
        path: str = self[index][self.image_column]
        folder, _, name = path.rpartition("/")
        stem = name.rpartition(".")[0] or name
        return f"{folder}/{stem}" if folder else stem

    def load_image(self, image: str, reader: Callable[[Any], Any] | None = None) -> Any:
        """Opens an image or a mask that a row names.

        Args:
            image: What the row holds: `row.image`, `row.mask`.
            reader: What opens the file instead, called with its full path; in an installed
                dataset, where it has none, with an open file.

        Returns:
            A PIL image, turned the way the camera was held, or what `reader` returns. A mask
            of an installed dataset has the values of its owner's file, 0 and 255 for example.
        """
        file = self.file(image)
        if self.painted and isinstance(file, PackedFile) and image in self._mask_names:
            file = replace(file, read_bytes=partial(_paint, self, image))
        if reader is None:
            return imageio.open_picture(file, self.max_pixels)
        return reader(file.open() if isinstance(file, PackedFile) else str(file))

    def read_image(
        self, index: int, channels: int | None = None, at_least: int | None = None
    ) -> NDArray[np.uint8 | np.uint16]:
        """Reads the pixels of a sample's image.

        Args:
            index: Its row.
            channels: 1 or 3 to get that many; None keeps what the file has.
            at_least: If smaller pixels are enough, the longest side that must remain.

        Returns:
            Shape `(H, W, C)`, uint8 or uint16.

        Raises:
            DataError: If the file is missing, broken or too large.
        """
        return imageio.read_image(self.image_path(index), channels, at_least, self.max_pixels)

    def read_mask(self, index: int) -> NDArray[np.uint8]:
        """Reads the class ids of a sample's mask.

        Args:
            index: Its row.

        Returns:
            Shape `(H, W)` as the image, uint8: class ids, and the ignore index if there is one.

        Raises:
            DataError: If the file is missing or broken, has another size than the image, or
                holds a value that means no class.
        """
        path = self.mask_path(index)
        mask = self._class_ids(path)
        size = imageio.read_size(self.image_path(index), self.max_pixels)
        check_sizes(self.image_path(index), size, path, (mask.shape[0], mask.shape[1]))
        return mask

    def load_mask(self, mask: str) -> NDArray[np.uint8]:
        """Reads the class ids of a mask that a row names.

        Args:
            mask: What the row holds: `row.mask`.

        Returns:
            Shape `(H, W)`, uint8, as `read_mask` returns them; the image's size is not compared.

        Raises:
            DataError: If the file is missing or broken, or holds a value that means no class.
        """
        return self._class_ids(self.file(mask))

    def load_mask_pixels(self, mask: str) -> NDArray[np.uint8 | np.uint16]:
        """Reads a mask that a row names as its owner stored it.

        Args:
            mask: What the row holds: `row.mask`.

        Returns:
            Shape `(H, W)`, or `(H, W, 3)` for colours: the values of the file, and for a mask
            that was packed as class ids those that its owner's file had for the classes.

        Raises:
            DataError: If the file is missing or broken.
        """
        file = self.file(mask)
        stored = imageio.read_mask_values(file, self.max_pixels)
        if self.painted is None:
            return without_alpha(stored).values
        return self.painted.encode(_PLAIN.decode(stored, file), file)

    @cached_property
    def _mask_names(self) -> frozenset[str]:
        name = self.mask_column
        return frozenset() if name is None else frozenset(self.values(name))

    def _class_ids(self, file: SampleFile) -> NDArray[np.uint8]:
        if self.encoding is None:
            raise DataError(
                self.name, "masks whose values are understood", "none", "Load it from its folder."
            )
        return self.encoding.decode(imageio.read_mask_values(file, self.max_pixels), file)

    # --- feeding a training of one's own ----------------------------------------------------

    def to_keras(
        self,
        x_column: str,
        y_column: str | None = None,
        batch_size: int = 32,
        processing_function: ProcessingFunction | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        masks: Masks = "pixels",
    ) -> Any:
        """Makes what Keras' `fit` takes: batches of this dataset, epoch after epoch.

        The same object is validation data, works in a loop (one epoch) and with `next` (without
        end), and has `steps_per_epoch()`. Files are read ahead in threads. The rows of a batch
        are a function of seed and epoch. If Keras is not loaded and nobody has chosen its
        backend, an installed one is taken: call this before `import keras`.

        Args:
            x_column: Column of the images to learn from.
            y_column: Column of what is to be learnt: masks, other images, numbers or categories
                (as ids, in the order of the column's categories). None hands images alone.
            batch_size: Samples in a batch, at most those of the dataset; the last batch of an
                epoch holds what remains.
            processing_function: Called for each sample with one tuple, returns one tuple:
                `(image, mask)`, both float32 of shape `(H, W, C)` with the stored pixel values,
                0-255 for files of 8 bits; `(image, None)` without a `y_column`. A number or a
                category's id comes as it is. Images of one batch must have one shape afterwards.
                It runs in one thread at a time, in the order of the samples.
            shuffle: Whether to draw an order for each epoch; without, rows keep theirs.
            seed: Equal seeds draw equal orders; None draws a seed, see `.seed`.
            masks: `"pixels"` hands masks as their owner stored them, of one channel where files
                are grey or have a palette: for scripts that divide 0/255 masks by 255. `"ids"`
                hands `(H, W, 1)` class ids, 255 where a pixel is not to count: for several
                classes, for masks in colours, and whenever the loss wants ids.

        Returns:
            A `keras.utils.PyDataset` of batches `(images, masks)`: float32 `(N, H, W, C)`,
            unless the function made something else; images alone without `y_column`.

        Raises:
            FewmaskError: If a column, an argument or the number of samples will not do, or Keras
                is not installed. Unreadable files, and functions that return something else,
                raise one that names the sample when its batch is made.
        """
        from fewmask.data.loaders.keras import KerasBatches

        return KerasBatches(
            self, x_column, y_column, batch_size, processing_function, shuffle, seed, masks
        )

    def to_pytorch(
        self,
        transform: Callable[[Any], Any] | None = None,
        transform_columns: Literal["images"] | None = None,
    ) -> Any:
        """Makes what torch's `DataLoader` takes, with or without workers.

        A sample has a value for every column, by name or in order: `sample.image`,
        `sample["image"]`, `image, mask = sample`. Categories are ids. So has a batch.

        Args:
            transform: Without one, images are tensors `(C, H, W)`, float32 in [0, 1], and masks
                tensors `(H, W)` of class ids, int64, 255 where a pixel is not to count. With one,
                it gets the row, where images and masks are still names for `load_image` and
                `load_mask`, and what it returns is the sample: for what changes both alike. It
                must be picklable if workers are started by `spawn`: a function, no lambda.
            transform_columns: `"images"` calls the transform with each image and each mask
                instead, as PIL images that `load_image` opens: for torchvision's. What is drawn at
                random is drawn anew for the mask.

        Returns:
            A `torch.utils.data.Dataset` with a length. Images of one batch must have one shape
            afterwards, as everywhere in torch.

        Raises:
            FewmaskError: If the arguments do not go together, the dataset is empty or torch is
                not installed. Unreadable files raise one when they are read.
        """
        from fewmask.data.loaders.torch import TorchSamples

        return TorchSamples(self, transform, transform_columns)

    # --- showing ----------------------------------------------------------------------------

    def _row(self, place: int) -> Row:
        names = tuple(column.name for column in self.columns)
        return Row(names, self.rows[place], partial(notebook.show_row, self, place))

    def __repr__(self) -> str:
        columns = ", ".join(map(repr, self.columns))
        classes = f", classes {', '.join(self.classes.names)}" if self.classes else ""
        return f"Dataset({self.name}, {len(self)} rows: {columns}{classes})"

    def _repr_html_(self) -> str:
        return notebook.show_dataset(self)


_PLAIN = MaskEncoding("values", tuple((value, value) for value in range(256)))
"""The rule of packed masks, which hold class ids."""


def _paint(dataset: Dataset, mask: str) -> bytes:
    """Makes the file of a packed mask as its owner might have stored it."""
    return imageio.encode_png(dataset.load_mask_pixels(mask))
