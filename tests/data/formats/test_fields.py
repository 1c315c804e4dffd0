import math

import pytest

from fewmask.data.formats.fields import (
    Fields,
    as_color,
    as_fields,
    as_ring,
    read_csv,
    read_json,
    read_xml,
)

from .conftest import save_text

AGAIN = "Export it again from the tool that wrote it."


def test_values_come_as_asked():
    fields = Fields({"a": "x", "n": "3.5", "w": 4.0, "l": [1], "i": {"b": 1}, "no": None}, "f.json")
    assert fields.text("a") == "x"
    assert fields.number("n") == 3.5
    assert fields.whole("w") == 4
    assert fields.sequence("l") == [1]
    assert fields.item("i").where == "f.json, i"
    assert (fields.text("no", "y"), fields.number("no", 7)) == ("y", 7)
    assert "no" not in fields
    assert "a" in fields


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (lambda f: f.text("l"), "expected a text as 'l', found [1]"),
        (lambda f: f.text("none"), "expected a text as 'none', found nothing"),
        (lambda f: f.number("t"), "expected a number as 't', found True"),
        (lambda f: f.number("nan"), "expected a number as 'nan', found nan"),
        (lambda f: f.number("word"), "expected a number as 'word', found 'four'"),
        (lambda f: f.whole("half"), "expected a whole number as 'half', found 1.5"),
        (lambda f: f.sequence("t"), "expected a list as 't', found True"),
        (lambda f: f.item("l"), "expected named values as 'l', found [1]"),
        (lambda f: list(f.items("l")), "f.json, l 0: expected named values, found 1"),
        (lambda f: f.size("half", "zero"), "expected a whole number as 'half', found 1.5"),
        (lambda f: f.size("one", "zero"), "expected a number above 0 as 'zero', found 0"),
        (lambda f: f.size("big", "big"), "height and width of an image, found 99,999 × 99,999"),
    ],
)
def test_values_of_another_kind_are_refused(ask, found, refusal):
    values = {
        "l": [1],
        "t": True,
        "nan": math.nan,
        "word": "four",
        "half": 1.5,
        "zero": 0,
        "one": 1,
        "big": 99999,
    }
    sentence = refusal(lambda: ask(Fields(values, "f.json")))
    assert sentence.startswith("f.json")
    assert found in sentence
    assert sentence.endswith(AGAIN)


def test_something_else_than_named_values_is_refused(refusal):
    assert refusal(lambda: as_fields([1], "f.json")) == (
        f"f.json: expected named values, found [1]. {AGAIN}"
    )


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([[0, 0], [1, 1]], "at least 3 corners, found 2. Draw this outline again or remove it."),
        ([], "at least 3 corners, found 0. Draw this outline again or remove it."),
        (
            [[0, 0], [1, math.nan], [2, 2]],
            "corners at finite numbers, found nan. Draw this outline again or remove it.",
        ),
        (
            [[0, 0], [1, 1e999], [2, 2]],
            "corners at finite numbers, found inf. Draw this outline again or remove it.",
        ),
        ([[0], [1, 2, 3], [2]], "corners as pairs of numbers, found [[0], [1, 2, 3], [2]]"),
        ([["a", "b"]] * 2, "corners as pairs of numbers, found [['a', 'b'], ['a', 'b']]"),
        ("corners", "corners as pairs of numbers, found 'corners'"),
        (5, "corners as pairs of numbers, found 5"),
    ],
)  # fmt: skip
def test_outlines_that_are_none_are_refused(points, sentence, refusal):
    assert refusal(lambda: as_ring(points, "f.json, 3")).startswith(
        f"f.json, 3: expected {sentence}"
    )


def test_colours():
    assert as_color("#FF8000") == (255, 128, 0)
    assert as_color("ff800080") == (255, 128, 0)
    assert as_color("red") is None


def test_broken_json_names_the_line(tmp_path, refusal):
    path = save_text(tmp_path / "nhãn.json", '{\n "a": 1,\n "b": }\n')
    assert refusal(lambda: read_json(path)) == (
        f"{path}: expected JSON, found a slip in line 3, column 7 (Expecting value). "
        "Correct it there, or export it again."
    )


def test_json_in_json_in_json_is_refused(tmp_path, refusal):
    path = save_text(tmp_path / "a.json", "[" * 200_000)
    assert "expected JSON, found" in refusal(lambda: read_json(path))


def test_broken_xml_names_the_line(tmp_path, refusal):
    path = save_text(tmp_path / "a.xml", "<annotations>\n <image>\n</annotations>")
    assert refusal(lambda: read_xml(path)) == (
        f"{path}: expected XML, found a slip in line 3, column 3 (mismatched tag). "
        "Correct it there, or export it again."
    )


def test_xml_with_entities_is_refused(tmp_path, refusal):
    path = save_text(tmp_path / "a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    assert refusal(lambda: read_xml(path)) == (
        f"{path}: expected XML without DOCTYPE, found one. Remove its declarations."
    )


def test_a_line_with_a_cell_too_many_is_named(tmp_path, refusal):
    path = save_text(tmp_path / "a.csv", 'ImageId,EncodedPixels\n"a b",1 2\n\nb,1 2,3\n')
    lines = read_csv(path)
    assert next(lines) == (2, {"imageid": "a b", "encodedpixels": "1 2"})
    assert refusal(lambda: list(read_csv(path))) == (
        f"{path}, line 4: expected 2 cells, as the first line has titles, found 3. "
        "Correct the line, or export the table again."
    )


def test_a_long_cell_is_read(tmp_path):
    path = save_text(tmp_path / "a.csv", f"id,rle\na,{'1 2 ' * 100_000}\n")
    assert len(next(read_csv(path))[1]["rle"]) == 399_999


@pytest.mark.parametrize("read", [read_json, read_xml, lambda path: list(read_csv(path))])
def test_files_that_hold_no_text_are_refused(tmp_path, read, refusal):
    empty, latin, folder = tmp_path / "empty", tmp_path / "latin", tmp_path / "folder"
    empty.write_text(" \n")
    latin.write_bytes("ghế là".encode("utf-16"))
    folder.mkdir()
    assert "found an empty file. Export it again, or remove it." in refusal(lambda: read(empty))
    assert "found another encoding. Save it again as UTF-8." in refusal(lambda: read(latin))
    assert "found a folder. Check the path." in refusal(lambda: read(folder))
    assert "found no such file or directory. Check the path." in refusal(
        lambda: read(tmp_path / "none")
    )
