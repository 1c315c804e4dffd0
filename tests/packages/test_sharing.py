import random

import pytest

from fewmask.packages.sharing import (
    BYTES_A_GROUP,
    ROWS_A_GROUP,
    count_shards,
    group_rows,
    hash_id,
    shard_of,
    shard_path,
    shards_of_part,
)

MB = 2**20


@pytest.mark.parametrize(
    ("rows", "size", "before", "count"),
    [
        (1, 0, 0, 1),
        (32, 0, 0, 1),
        (33, 0, 0, 2),
        (2_000, 0, 0, 64),
        (10**6, 0, 0, 64),
        (10, 300 * MB, 0, 2),
        (10**6, 64 * 256 * MB + 1, 0, 128),
        # one row too many changes nothing while it is no more than twice or half
        (2_049, 0, 32, 32),
        (3_000, 0, 16, 64),
        (500, 0, 32, 32),
        (100, 0, 64, 4),
        (33, 0, 1, 1),
        (33, 0, 3, 2),
        (1, 0, 2, 2),
    ],
)
def test_how_many_shards(rows, size, before, count):
    assert count_shards(rows, size, before) == count


def test_rows_spread_evenly_and_stay_where_they_are():
    places = [shard_of(hash_id(f"images/{n}"), 64) for n in range(10_000)]
    sizes = [places.count(shard) for shard in range(64)]
    assert min(sizes) > 100
    assert max(sizes) < 220
    # Twice as many shards cut each in two; nothing moves anywhere else.
    halves = [shard_of(hash_id(f"images/{n}"), 128) for n in range(10_000)]
    assert [half // 2 for half in halves] == places


def test_a_shard_tells_by_its_name_how_many_there_are():
    paths = ["README.md", *(shard_path("train", n, 8) for n in range(8)), "data/test-0.parquet"]
    assert paths[4] == "data/train-00003-of-00008.parquet"
    assert shards_of_part("train", paths) == 8
    assert shards_of_part("test", paths) == 0


def test_groups_hold_every_row_once_and_end_in_time():
    rng = random.Random(0)
    sizes = [rng.choice([10, 10**6, 3 * 10**7]) for _ in range(1000)]
    groups = group_rows(sizes)
    assert [place for group in groups for place in group] == list(range(1000))
    for group in groups:
        assert len(group) <= ROWS_A_GROUP
        assert sum(sizes[place] for place in group[:-1]) < BYTES_A_GROUP
    assert group_rows([]) == []
