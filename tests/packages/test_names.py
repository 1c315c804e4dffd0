import pytest

from fewmask.errors import ArgumentError
from fewmask.packages.names import LONGEST, DatasetName, looks_like_name, parse_name


@pytest.mark.parametrize(
    "text", ["rohan/chairs", "a/b@1", "A-1/b_c.d@999999999", "x" * LONGEST + "/y"]
)
def test_a_name_is_read_and_written_alike(text):
    assert str(parse_name(text)) == text


def test_names_come_in_order_and_with_other_versions():
    name = parse_name("rohan/chairs@3")
    assert name == DatasetName("rohan", "chairs", 3)
    assert (name.path, str(name.at(None)), str(name.at(4))) == (
        "rohan/chairs", "rohan/chairs", "rohan/chairs@4",
    )  # fmt: skip
    assert sorted([parse_name("a/b@10"), parse_name("a/b@9")])[0].version == 9


@pytest.mark.parametrize(
    "text",
    [
        "", "chairs", "a/b/c", "/a/b", "../a", "a/..", "a/.b", "a/b.", "a/b..c", "./b", "a\\b/c",
        "a/b c", "a/ghế", "a/b\n", "a/\x1b[31m", "con/a", "a/NUL", "a/com1.txt", "C:/b", "~/b",
        "a/b@", "a/b@0", "a/b@01", "a/b@-1", "a/b@1.0", "a/b@x", "a/b@1@2", "a/b@1234567890",
        "x" * (LONGEST + 1) + "/y", "-a/b", "a/b?", "a/*", "a/b@１",
    ],
)  # fmt: skip
def test_what_could_climb_or_confuse_is_no_name(text):
    with pytest.raises(ArgumentError) as caught:
        parse_name(text)
    # One line that is safe to show in a terminal.
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith("Try for example: rohan/chairs-with-masks")


def test_the_sentence_names_what_is_wrong():
    with pytest.raises(ArgumentError) as caught:
        parse_name("rohan/chairs@new")
    assert str(caught.value) == (
        "rohan/chairs@new: expected a version after the @: 1, 2, 3 and so on, found 'new'. "
        "Try for example: rohan/chairs-with-masks"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b", True),
        ("a/b@1.2", True),
        ("a", False),
        ("a/b/c", False),
        ("./a/b", False),
        ("a/b/", False),
    ],
)
def test_what_looks_like_a_name(text, expected):
    assert looks_like_name(text) is expected
