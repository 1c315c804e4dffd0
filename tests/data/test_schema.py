import numpy as np
import pytest

from fewmask.data.schema import KINDS, Column, check_unique
from fewmask.errors import ArgumentError

VALUES = {
    "image": ("images/ghế.jpg", "images/ghế.jpg"),
    "mask": ("masks/a b.png", "masks/a b.png"),
    "integer": (np.int64(3), 3),
    "float": (2, 2.0),
    "category": ("x", "x"),
    "string": ("any", "any"),
    "integer array": (np.array([1, 2]), (1, 2)),
    "float array": ([1, 2.5], (1.0, 2.5)),
    "category array": (["x", "y", "x"], ("x", "y", "x")),
    "string array": ((), ()),
}


def column(kind):
    return Column("c", kind, ("x", "y") if kind.startswith("category") else ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_converts_its_values_and_survives_json(kind):
    given, expected = VALUES[kind]
    converted = column(kind).convert(given, "row 0")
    assert converted == expected
    assert type(converted) is type(expected)
    assert Column.from_json(column(kind).to_json()) == column(kind)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", 1.5, "integer, found 1.5"),
        ("integer", True, "integer, found True"),
        ("integer", 2**63, "integer, found 9223372036854775808"),
        ("float", "1", "float, found '1'"),
        ("image", None, "image, found None"),
        ("category", "z", "category out of x, y, found 'z'"),
        ("string array", "text", "string array, found 'text'"),
        ("integer array", 3, "integer array, found 3"),
        ("integer array", [1, "a"], "integer array, found 'a'"),
    ],
)
def test_a_value_of_another_kind_is_refused(kind, value, expected):
    with pytest.raises(ArgumentError) as caught:
        column(kind).convert(value, "row 7")
    assert str(caught.value) == (
        f"row 7, column 'c': expected a value of kind {expected}. "
        "Change the value or the kind of the column."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("c", "number"),
            "column 'c': expected a kind out of image, mask, integer, float, category, string, "
            "integer array, float array, category array, string array, found 'number'. "
            "Choose one of them.",
        ),
        (
            ("c", "category"),
            "column 'c': expected categories for a category column, for no other, "
            "found 0 categories for kind 'category'. "
            "Name every category there is, or change the kind.",
        ),
        (
            ("_c", "string"),
            "column '_c': expected a name that does not start with '_', found '_c'. "
            "Rename the column.",
        ),
    ],
)
def test_a_column_that_means_nothing_is_refused(arguments, sentence):
    with pytest.raises(ArgumentError) as caught:
        Column(*arguments)
    assert str(caught.value) == sentence


def test_a_name_may_stand_once():
    with pytest.raises(ArgumentError, match="columns: expected different names, found 'a' twice"):
        check_unique([Column("a", "image"), Column("a", "mask")])


def test_a_column_shows_name_kind_and_categories():
    assert repr(column("category")) == "c: category (x, y)"
    assert repr(column("mask")) == "c: mask"
