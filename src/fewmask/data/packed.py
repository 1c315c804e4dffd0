"""Files that lie inside larger ones, read as if they stood on their own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from fewmask.errors import DataError


@dataclass(frozen=True, slots=True)
class PackedFile:
    """An image or a mask that lies inside a larger file, such as a shard of a dataset.

    It answers what is asked of a `Path` to an image file here: its name, and its bytes. Several
    threads may read one at once.

    Args:
        path: What it is called, with `/`, as the rows of the dataset name it.
        package: What it lies in, for messages: `rohan/chairs@3`.
        read_bytes: Returns the bytes of the file. A function that can be pickled, such as a
            `partial` of `read_slice`, makes the file one that can be.

    Example:

    >>> file = PackedFile("images/a.png", "rohan/chairs@3", lambda: b"PNG")
    >>> print(file, file.name, file.open().read())
    rohan/chairs@3:images/a.png a.png b'PNG'
    """

    path: str
    package: str
    read_bytes: Callable[[], bytes]

    def __str__(self) -> str:
        return f"{self.package}:{self.path}"

    def open(self, mode: str = "rb") -> io.BytesIO:
        """Opens it for reading its bytes; there is no other mode."""
        if mode != "rb":
            raise ValueError(f"Expected the mode 'rb', got {mode!r}: {self} cannot be changed.")
        file = io.BytesIO(self.read_bytes())
        # Libraries that choose a decoder by the suffix look for it here.
        file.name = self.name
        return file

    @property
    def name(self) -> str:
        """Name of the file without its folders."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.path).stem

    @property
    def suffix(self) -> str:
        """The suffix with its dot."""
        return PurePosixPath(self.path).suffix

    @property
    def parent(self) -> PurePosixPath:
        """The folders of the path."""
        return PurePosixPath(self.path).parent


SampleFile: TypeAlias = Path | PackedFile
"""An image or a mask, wherever it lies."""


def sha256_of(path: SampleFile) -> str:
    """Returns the SHA-256 of a file as 64 hexadecimal digits.

    Args:
        path: The file.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise DataError(path, "a file that can be read", found, "Check the path.") from error


def read_slice(path: str, start: int, size: int) -> bytes:
    """Reads some bytes out of the middle of a file.

    Args:
        path: The file.
        start: Where they begin.
        size: How many there are.

    Raises:
        DataError: If the file is gone, or shorter than that.
    """
    try:
        # Without a buffer: one seek and one read, as fast as reading a file of its own.
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            content = file.read(size)
    except FileNotFoundError as error:
        raise DataError(
            path,
            "a file of an installed dataset",
            "none: it was uninstalled meanwhile",
            "Install the dataset again.",
        ) from error
    if len(content) < size:
        raise DataError(
            path,
            f"at least {start + size:,} bytes",
            f"{start + len(content):,}: it was cut off",
            "Find what is damaged with: fewmask dataset verify",
        )
    return content
