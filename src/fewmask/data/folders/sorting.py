"""The order of files: by path, numbers by their value."""

from __future__ import annotations

import re
import unicodedata


def natural_key(path: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Makes the key by which paths are sorted, the same on every system.

    Args:
        path: A path with `/`.

    Returns:
        What to sort by: folder by folder, numbers by value, then letters by their code.

    Example:

    >>> sorted(["10.png", "9.png", "a/1.png"], key=natural_key)
    ['9.png', '10.png', 'a/1.png']
    """
    pieces = re.findall(r"[0-9]+|[^0-9]", unicodedata.normalize("NFC", path))
    key = tuple((1, int(p), "") if p.isdecimal() else (0 if p == "/" else 2, 0, p) for p in pieces)
    return key, path
