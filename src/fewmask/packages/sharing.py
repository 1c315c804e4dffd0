"""Which row goes to which shard, so that versions of a dataset share most of their shards.

A row goes where the hash of its id says, whatever else there is in the dataset: a row that is
added, removed or changed changes one shard, and all others stay as they are byte for byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

ROWS_A_SHARD = 32
"""Fewest rows that a shard is for; where there are fewer, files are not worth dividing."""
MOST_BY_ROWS = 64
"""Shards into which rows alone divide a part: one changed row costs a 64th of it."""
LARGEST_SHARD = 256 * 2**20
"""Bytes above which shards are divided further, so that no download takes for ever."""
ROWS_A_GROUP = 100
BYTES_A_GROUP = 16 * 2**20
"""Rows are written in groups that end with the first of these two; one is held in memory."""

_NUMBERED = re.compile(r"data/(train|validation|test)-(\d{5})-of-(\d{5})\.parquet")


def hash_id(sample_id: str) -> int:
    """Returns the number that decides where a row goes: 64 bits of the id's SHA-256.

    Example:

    >>> f"{hash_id('images/chair_000'):016x}"
    '1fb54641417d8d83'
    """
    return int.from_bytes(hashlib.sha256(sample_id.encode("utf-8")).digest()[:8], "big")


def count_shards(rows: int, size: int, before: int = 0) -> int:
    """Says how many shards a part of a dataset is divided into, always a power of two.

    The number of the version before is kept while it is no more than twice or half of what
    would be chosen anew. Otherwise the one image too many that doubles the number would change
    every shard.

    Args:
        rows: Number of rows.
        size: Bytes of their images and masks.
        before: Number of shards in the version before; 0 if there is none.

    Example:

    >>> count_shards(97, 2**21), count_shards(10_000, 2**30), count_shards(300, 2**20, before=8)
    (4, 64, 8)
    """
    count = 1
    while (rows > count * ROWS_A_SHARD and count < MOST_BY_ROWS) or size > count * LARGEST_SHARD:
        count *= 2
    is_power = before > 0 and before & (before - 1) == 0
    return before if is_power and count <= 2 * before <= 4 * count else count


def shard_of(number: int, count: int) -> int:
    """Returns the shard of a row: the highest bits of its number.

    Args:
        number: From `hash_id`.
        count: Number of shards.
    """
    return number * count >> 64


def shard_path(part: str, number: int, count: int) -> str:
    """Returns the place of a shard in a package.

    Example:

    >>> shard_path("train", 3, 16)
    'data/train-00003-of-00016.parquet'
    """
    return f"data/{part}-{number:05d}-of-{count:05d}.parquet"


def shards_of_part(part: str, paths: Sequence[str]) -> int:
    """Returns how many shards a part of a package has, 0 if it has none.

    Args:
        part: Its name.
        paths: Paths of the package's files.
    """
    found = [match for match in map(_NUMBERED.fullmatch, paths) if match]
    return max((int(match[3]) for match in found if match[1] == part), default=0)


def group_rows(sizes: Sequence[int]) -> list[range]:
    """Divides the rows of a shard into the groups that are written at once.

    Args:
        sizes: Bytes of each row.

    Returns:
        The places of the rows of each group.

    Example:

    >>> group_rows([10 * 2**20, 10 * 2**20, 1])
    [range(0, 2), range(2, 3)]
    """
    groups, start, size = [], 0, 0
    for place, more in enumerate(sizes):
        size += more
        if size >= BYTES_A_GROUP or place + 1 - start == ROWS_A_GROUP:
            groups.append(range(start, place + 1))
            start, size = place + 1, 0
    if start < len(sizes):
        groups.append(range(start, len(sizes)))
    return groups
