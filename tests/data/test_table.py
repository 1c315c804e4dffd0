import numpy as np
import pytest

from fewmask.data.schema import Column
from fewmask.data.table import Table
from fewmask.errors import ArgumentError

COLUMNS = [
    Column("image", "image"),
    Column("mask", "mask"),
    Column("part", "category", ("train", "test")),
    Column("age", "integer"),
]


def rows(count):
    return [
        (f"images/ghế {n}.png", f"masks/ghế {n}.png", "test" if n % 5 == 0 else "train", 50 - n)
        for n in range(count)
    ]


def chairs(count=10):
    return Table("chairs", ".", COLUMNS, rows(count))


def test_a_row_is_read_by_attribute_key_and_order():
    row = chairs()[1]
    assert row.image == row["image"] == row[0] == row[np.int64(0)] == "images/ghế 1.png"
    assert row[:1] == ("images/ghế 1.png",)
    image, mask, part, age = row
    assert (mask, part, age) == ("masks/ghế 1.png", "train", 49)
    assert row._asdict() == {"image": image, "mask": mask, "part": part, "age": age}
    assert repr(row) == (
        "Row(image='images/ghế 1.png', mask='masks/ghế 1.png', part='train', age=49)"
    )
    assert row == chairs()[1]
    assert row != chairs()[2]
    assert hash(row) == hash(chairs()[1])
    assert "part" in dir(row)
    assert row._repr_html_() is None, "a notebook shows the text"


def test_a_row_says_which_columns_it_has_and_does_not_change():
    row = chairs()[0]
    with pytest.raises(AttributeError, match="no column 'masks'; it has image, mask, part, age"):
        _ = row.masks
    with pytest.raises(KeyError, match="no column 'masks'; it has image, mask, part, age"):
        row["masks"]
    with pytest.raises(AttributeError, match="A row cannot be changed"):
        row.age = 3


@pytest.mark.parametrize("index", [10, 11, -11, 1000])
def test_there_is_no_row_beyond_the_last(index):
    with pytest.raises(IndexError, match=f"chairs has 10 rows, there is no row {index}."):
        chairs()[index]


def test_rows_are_counted_from_both_ends_and_sliced():
    table = chairs()
    assert table[-1] == table[9] == table[np.int64(9)]
    assert list(table[2:4]) == [table[2], table[3]]
    assert list(table[::-5]) == [table[9], table[4]]
    assert len(table[20:]) == 0
    assert len(list(table)) == len(table) == 10


def test_filter_sort_and_select():
    table = chairs()
    assert table.filter(lambda row: row.part == "test").values("age") == [50, 45]
    assert table.sort("age").values("age") == list(range(41, 51))
    assert table.sort(lambda row: row.age % 2).values("age")[:3] == [50, 48, 46]
    assert table.sort("age", reverse=True).values("age")[0] == 50
    assert table.select(["age", "image"])[0]._asdict() == {"age": 50, "image": "images/ghế 0.png"}
    assert table.select("age").columns == (COLUMNS[3],)
    assert table.values("age") == list(range(50, 40, -1)), "nothing changed"


def test_a_column_that_is_not_there_is_refused():
    sentence = (
        "column 'ages': expected a column of chairs, found no such column. "
        "There are: image, mask, part, age."
    )
    for use in (
        lambda: chairs().select(["ages"]),
        lambda: chairs().sort("ages"),
        lambda: chairs().split(group_by="ages"),
        lambda: chairs().k_folds(2, stratify_by="ages"),
    ):
        with pytest.raises(ArgumentError) as caught:
            use()
        assert str(caught.value) == sentence


def test_rows_must_fit_the_columns():
    with pytest.raises(ArgumentError) as caught:
        Table("chairs", ".", COLUMNS, [("a.png",)])
    assert str(caught.value) == (
        "chairs, row 0: expected 4 values, one a column, found 1. "
        "Give every row a value for each column."
    )
    with pytest.raises(ArgumentError, match=r"chairs, row 1, column 'part': expected .* 'val'"):
        Table("chairs", ".", COLUMNS, [*rows(1), ("a.png", "b.png", "val", 1)])


def test_folds_are_of_the_sizes_asked_for():
    table = chairs(97)
    validation, train = table.create_folds((20,), shuffle=True, seed=0)
    assert (len(validation), len(train)) == (20, 77)
    assert sorted([*validation.values("age"), *train.values("age")]) == sorted(table.values("age"))
    again = table.create_folds((20,), shuffle=True, seed=0)[0]
    assert validation.values("age") == again.values("age")
    other = table.create_folds((20,), shuffle=True, seed=1)[0]
    assert validation.values("age") != other.values("age")
    assert [len(fold) for fold in table.create_folds((97,))] == [97, 0]
    assert list(table.create_folds([3, 4])[1]) == list(table[3:7]), "in order without shuffle"


def test_folds_larger_than_the_table_are_refused():
    with pytest.raises(ArgumentError) as caught:
        chairs(97).create_folds((120,))
    assert str(caught.value) == (
        "sizes: expected sizes from 0 on that add up to at most 97, the number of images, "
        "found 120. Ask for smaller folds."
    )


def test_groups_are_kept_together_everywhere():
    columns = [Column("image", "image"), Column("group", "string")]
    values = [(f"{n}.png", f"patient {n % 7}") for n in range(50)]
    table = Table("patients", ".", columns, values)
    divisions = [
        table.create_folds((20, 10), shuffle=True, seed=3),
        table.split(0.6, 0.2, 0.2, seed=3),
        [held_out for _, held_out in table.k_folds(5, seed=3)],
    ]
    for parts in divisions:
        homes = [set(part.values("group")) for part in parts]
        assert sum(map(len, homes)) == 7
        assert sum(map(len, parts)) == 50


def test_split_gives_what_is_asked_for():
    parts = chairs(100).split(0.7, validation=0.1)
    assert [len(part) for part in parts] == [70, 10, 20]
    assert parts.train is parts[0]
    assert [len(part) for part in chairs(100).split()] == [80, 0, 20]
    assert [len(part) for part in chairs(10).split(1.0)] == [10, 0, 0]
    by_part = chairs(100).split(0.5, stratify_by="part")
    assert [part.values("part").count("test") for part in by_part] == [10, 0, 10]


def test_k_folds_hold_each_image_out_once():
    folds = chairs(11).k_folds(3)
    assert [(len(train), len(out)) for train, out in folds] == [(7, 4), (7, 4), (8, 3)]
    held_out = [age for _, out in folds for age in out.values("age")]
    assert sorted(held_out) == sorted(chairs(11).values("age"))
    for train, out in folds:
        assert not set(train.values("age")) & set(out.values("age"))
