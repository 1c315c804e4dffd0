"""What all writers do: copy the images, make their masks, take these apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fewmask.data.formats.outlines import Piece, find_pieces
from fewmask.data.formats.source import Mask, Source, SourceImage, plain_names
from fewmask.data.imageio import IMAGE_SUFFIXES, usual_suffix
from fewmask.data.masks.encoding import IGNORED

Progress = Callable[[int, int], None]
_FOLDERS = {"train": "train", "validation": "val", "test": "test"}


@dataclass(frozen=True, eq=False)
class Copy:
    """An image that was copied to where it is going, and its mask.

    Args:
        image: Where it comes from.
        name: Name of the copy without its suffix; no other copy has it.
        path: Path of the copy from the new folder on, with `/`.
        mask: Class ids of shape `(H, W)`, uint8.
    """

    image: SourceImage
    name: str
    path: str
    mask: Mask

    @property
    def file_name(self) -> str:
        """Name of the copy with its suffix."""
        return self.path.rpartition("/")[2]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.mask.shape[0], self.mask.shape[1]


def copy_images(
    source: Source, out: Path, folder: str, progress: Progress | None, suffix: str = ""
) -> Iterator[Copy]:
    """Copies the images of a source one after the other, byte by byte, and makes their masks.

    Args:
        source: What is being converted.
        out: The new folder.
        folder: Folder in it for the images; `{part}` stands for the part of each, with a `/`.
        progress: Called with the number of images done, then of all.
        suffix: What to add to the names of the files before their own suffix.

    Yields:
        The copies, in the order of the source.

    Raises:
        DataError: If an image cannot be read, or its mask does not fit it.
    """
    names = plain_names(source.images)
    for done, (image, name) in enumerate(zip(source.images, names, strict=True), start=1):
        mask = source.read_mask(image)
        inner = folder.format(part=f"{folder_of(image.part)}/" if image.part else "").strip("/")
        content, own = image.file.read_bytes(), image.file.suffix
        if own.lower() not in IMAGE_SUFFIXES:  # in Parquet files images need no names
            own = usual_suffix(content)
        path = "/".join(filter(None, (inner, f"{name}{suffix}{own}")))
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        yield Copy(image, name, path, mask)
        if progress is not None:
            progress(done, len(source.images))


def folder_of(part: str) -> str:
    """Returns what other tools call the folder of a part: `val` for `validation`."""
    return _FOLDERS.get(part, part)


def pieces_of_classes(mask: Mask, num_classes: int) -> Iterator[Piece]:
    """Takes a mask apart into pieces of one class that hang together, without the background.

    Args:
        mask: Class ids of shape `(H, W)`, uint8.
        num_classes: Number of classes K, the background included.

    Yields:
        The pieces, class by class.
    """
    for class_id in np.unique(mask).tolist():
        if 0 < class_id < num_classes:
            yield from find_pieces(mask, class_id)


def count_ignored(source: Source, mask: Mask) -> None:
    """Counts the pixels that do not count as lost, for a format that cannot say so."""
    source.losses.add("pixel", int(np.count_nonzero(mask == IGNORED)), "marked as not to count")


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file in UTF-8, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_lines(path: Path, lines: list[str]) -> None:
    """Writes a text file in UTF-8, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
