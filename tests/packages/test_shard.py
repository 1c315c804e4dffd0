import hashlib
import json
import mmap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewmask.data.schema import Column
from fewmask.errors import FewmaskError
from fewmask.packages.pages import find_values
from fewmask.packages.parquet import Leaf, packed_files, read_columns, read_shape
from fewmask.packages.shard import MADE_BY, write_shard
from fewmask.packages.thrift import binary, i16, i32, i64, listing, read_struct, struct

COLUMNS = [
    Column("image", "image"),
    Column("mask", "mask"),
    Column("age", "integer"),
    Column("weight", "float"),
    Column("kind", "category", ("a", "b")),
    Column("note", "string"),
    Column("ages", "integer array"),
    Column("weights", "float array"),
    Column("kinds", "category array", ("a", "b")),
    Column("notes", "string array"),
]
NOTES = {"b": "second ghế", "a": "first"}


def row(number):
    return [
        (f"images/ghế {number}.png", bytes([number]) * number * 50),
        (f"masks/{number}.png", bytes([number, 0])),
        number - 3,
        number / 7,
        number % 2,
        "ß" * number,
        list(range(number % 4)),
        [0.5] * (number % 3),
        [number % 2] * (number % 2),
        ["x", ""] * (number % 3),
    ]


def as_pyarrow_sees(rows):
    files = ("image", "mask")
    return [
        {
            column.name: {"path": value[0], "bytes": value[1]} if column.name in files else value
            for column, value in zip(COLUMNS, values, strict=True)
        }
        for values in rows
    ]


def test_pyarrow_reads_what_was_written(tmp_path):
    groups = [[row(number) for number in range(200)], [row(250)]]
    shard = write_shard(tmp_path / "deep/a.parquet", COLUMNS, groups, NOTES)
    content = shard.path.read_bytes()
    assert (shard.rows, shard.size) == (201, len(content))
    assert shard.sha256 == hashlib.sha256(content).hexdigest()
    with pq.ParquetFile(shard.path) as file:
        assert file.read().to_pylist() == as_pyarrow_sees([*groups[0], *groups[1]])
        assert file.metadata.num_row_groups == 2
        assert file.metadata.created_by == MADE_BY
        assert file.schema_arrow.metadata == {b"a": b"first", b"b": "second ghế".encode()}
        assert all(field.nullable for field in file.schema_arrow)
    assert [path.name for path in shard.path.parent.iterdir()] == ["a.parquet"]


def test_a_shard_may_be_empty(tmp_path):
    shard = write_shard(tmp_path / "a.parquet", COLUMNS, [], NOTES)
    assert shard.rows == 0
    assert pq.read_table(shard.path).num_rows == 0


def test_the_bytes_never_change(tmp_path):
    # Versions share shards by their bytes: whoever changes this sends every dataset anew.
    shard = write_shard(tmp_path / "a.parquet", COLUMNS, [[row(n) for n in range(40)]], NOTES)
    expected = "4b861fd9e0cad81638c7ca60b5f21e09a2f1e3d53747cad1eba13c7c4abee98a"
    assert shard.sha256 == expected


numbers = st.integers(-(2**63), 2**63 - 1)
any_rows = st.lists(
    st.tuples(
        st.tuples(st.text(max_size=9), st.binary(max_size=99)),
        st.tuples(st.text(max_size=9), st.binary(max_size=99)),
        numbers,
        st.floats(allow_nan=False),
        st.integers(0, 1),
        st.text(max_size=9),
        st.lists(numbers, max_size=5),
        st.lists(st.floats(allow_nan=False), max_size=5),
        st.lists(st.integers(0, 1), max_size=200),
        st.lists(st.text(max_size=3), max_size=5),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_rows)
def test_any_values_come_back(tmp_path, rows):
    shard = write_shard(tmp_path / "a.parquet", COLUMNS, [rows], {"a": ""})
    assert pq.read_table(shard.path).to_pylist() == as_pyarrow_sees(rows)
    leaf = Leaf("image", "file", ("bytes", "path"))
    files = packed_files(shard.path, leaf, [str(n) for n in range(len(rows))], "here")
    assert [file.read_bytes() for file in files] == [values[0][1] for values in rows]


def test_columns_are_read_alone_and_described(tmp_path):
    notes = {"huggingface": json.dumps({"info": {"features": {"kind": {"names": ["a", "b"]}}}})}
    rows = [row(number) for number in range(3)]
    path = write_shard(tmp_path / "a.parquet", COLUMNS, [rows], notes).path
    shape = read_shape(path)
    assert (shape.rows, shape.notes) == (3, notes)
    assert {leaf.name: leaf.kind for leaf in shape.leaves} == {
        "image": "file", "mask": "file", "age": "integer", "weight": "float", "kind": "integer",
        "note": "string", "ages": "integer array", "weights": "float array",
        "kinds": "integer array", "notes": "string array",
    }  # fmt: skip
    assert shape.leaves[0].fields == ("bytes", "path")
    assert shape.leaves[4].labels == ("a", "b")
    assert read_columns(path, ["image.path", "age"]) == {
        "image.path": [values[0][0] for values in rows],
        "age": [-3, -2, -1],
    }


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "none", "use_dictionary": False},
        {"compression": "none", "use_dictionary": False, "data_page_version": "2.0"},
        {"compression": "snappy", "use_dictionary": False},
        {"compression": "zstd"},
        {"compression": "none", "use_dictionary": True},
        {"compression": "none", "use_dictionary": False, "data_page_size": 500},
    ],
)
@pytest.mark.parametrize("as_struct", [True, False])
def test_images_that_others_packed_are_read_whatever_their_encoding(tmp_path, how, as_struct):
    contents = [bytes([number]) * (number % 7 * 100) for number in range(250)]
    values = [{"bytes": c, "path": "x"} for c in contents] if as_struct else contents
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": values}), path, row_group_size=100, **how)
    (leaf,) = read_shape(path).leaves
    files = packed_files(path, leaf, [str(number) for number in range(250)], "here")
    assert [file.read_bytes() for file in files] == contents
    plain = how == {"compression": "none", "use_dictionary": False} or "data_page_size" in how
    functions = {file.read_bytes.func.__name__ for file in files}
    assert functions == ({"read_slice"} if plain else {"read_cell"})


def test_a_missing_image_is_one_sentence(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"image": [{"bytes": b"x", "path": ""}, {"bytes": None, "path": ""}]}), path
    )
    (leaf,) = read_shape(path).leaves
    files = packed_files(path, leaf, ["0", "1"], "here")
    assert files[0].read_bytes() == b"x"
    with pytest.raises(FewmaskError, match=r"row 1 of group 0: expected the bytes of an image in"):
        files[1].read_bytes()


@pytest.fixture
def shard(tmp_path):
    rows = [row(number) for number in range(60)]
    return write_shard(tmp_path / "a.parquet", COLUMNS, [rows], NOTES).path


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_shard_is_one_sentence(shard, share):
    content = shard.read_bytes()
    shard.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FewmaskError, match=r"a\.parquet: expected a whole Parquet file, found a"):
        read_shape(shard)


def test_what_is_no_parquet_is_one_sentence(shard):
    for content in (b"<html>", b"PAR1" + bytes(50) + b"PAR1", b"\xff" * 300):
        shard.write_bytes(content)
        with pytest.raises(FewmaskError, match="expected a whole Parquet file"):
            read_shape(shard)
    with pytest.raises(FewmaskError, match="expected a Parquet file, found no such file"):
        read_shape(shard.with_name("b.parquet"))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_tampered_byte_never_breaks_the_search_for_values(shard, place, flip):
    content = bytearray(shard.read_bytes())
    content[place % len(content)] ^= flip
    with mmap.mmap(-1, len(content)) as file:
        file[:] = bytes(content)
        found = find_values(file, 4, len(content), 60, 2)
    assert found is None or all(0 <= start <= start + size <= len(content) for start, size in found)


@pytest.mark.parametrize("values", [0, -1])
def test_a_page_that_leads_back_to_itself_ends_the_search(values):
    page = struct({1: i32(values), 2: i32(0), 3: i32(3), 4: i32(3)})
    # The size of what follows the head, minus the length of that head.
    heads = (
        struct({1: i32(0), 2: i32(size), 3: i32(size), 5: page}).content for size in range(-99, 0)
    )
    head = next(head for size, head in zip(range(-99, 0), heads, strict=True) if len(head) == -size)
    with mmap.mmap(-1, len(head) + 64) as file:
        file[: len(head)] = head
        assert find_values(file, 0, len(file), 1, 0) is None


def test_the_notation_of_the_footer():
    fields = {
        1: i32(-5),
        2: i64(2**40),
        4: i16(-1),
        5: binary("ghế"),
        6: listing([i32(1), i32(-1)]),
        7: listing([binary("x")] * 20),
        9: struct({1: struct({})}),
        11: listing([]),
    }
    assert read_struct(struct(fields).content) == (
        {1: -5, 2: 2**40, 4: -1, 5: "ghế".encode(), 6: [1, -1], 7: [b"x"] * 20, 9: {1: {}}, 11: []},
        len(struct(fields).content),
    )
    with pytest.raises(IndexError):
        read_struct(struct(fields).content[:-3])
    with pytest.raises(ValueError, match="13 is no type"):
        read_struct(b"\x1d\x00")
