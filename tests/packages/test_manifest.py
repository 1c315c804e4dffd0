import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewmask.data.classes import Classes
from fewmask.data.schema import Column
from fewmask.errors import DataError
from fewmask.packages.manifest import FORMAT, Manifest, PackagedFile

FILES = (
    PackagedFile("README.md", "a" * 64, 12),
    PackagedFile("data/train-00000-of-00001.parquet", "b" * 64, 3000, 2),
)
WHOLE = Manifest(
    "rohan/chairs",
    3,
    "CC-BY-4.0",
    FILES,
    (Column("image", "image"), Column("mask", "mask"), Column("kind", "category", ("a", "ghế"))),
    {"train": 2},
    Classes(("background", "chair"), ignore_index=255),
    {"rule": "values", "table": [[0, 0], [9, 1]], "threshold": 0},
    "Chairs.\nMany of them.",
    {"images": 2},
    {"folder": "photos"},
    "2026-11-22T10:00:00Z",
    "fewmask 1",
)


def test_it_is_read_as_it_was_written():
    content = WHOLE.to_bytes()
    assert Manifest.from_bytes(content, "here") == WHOLE
    assert content.endswith(b"\n")
    assert list(json.loads(content)) == sorted(json.loads(content))
    assert "ghế".encode() in content


def test_equal_manifests_give_equal_bytes():
    other = replace(WHOLE, statistics={"images": 2}, made_from={"folder": "photos"})
    assert other.to_bytes() == WHOLE.to_bytes()
    assert WHOLE.size == 3012
    assert WHOLE.rows == 2
    assert str(WHOLE.dataset) == "rohan/chairs@3"
    assert WHOLE.file("README.md") == FILES[0]
    assert WHOLE.file("LICENSE") is None


def changed(**values):
    return json.dumps(json.loads(WHOLE.to_bytes()) | values).encode()


def with_file(**values):
    file = {"path": "data/x.parquet", "sha256": "c" * 64, "size": 1, "rows": 0} | values
    return changed(files=[*json.loads(WHOLE.to_bytes())["files"], file])


def with_column(**values):
    column = {"name": "a", "kind": "image", "categories": []} | values
    return changed(columns=[*json.loads(WHOLE.to_bytes())["columns"], column])


def with_classes(**values):
    return changed(classes=json.loads(WHOLE.to_bytes())["classes"] | values)


UNSAFE = [
    "../x", "data/../../x", "/etc/passwd", "a//b", "./a", "a/.", "a\\b", "C:/x", "a\nb", "con", 
    "a/nul.txt", "a. ", "a/b.", "", "x" * 256,
]  # fmt: skip


@pytest.mark.parametrize("path", UNSAFE)
def test_paths_that_climb_out_are_refused(path):
    with pytest.raises(DataError, match="here: expected paths that stay inside the package on"):
        Manifest.from_bytes(with_file(path=path), "here")


@pytest.mark.parametrize("path", ["readme.MD", "README.md", "DATA/train-00000-of-00001.parquet"])
def test_names_that_differ_by_case_are_refused(path):
    with pytest.raises(DataError, match="paths that differ by more than case"):
        Manifest.from_bytes(with_file(path=path), "here")


def test_accents_stored_in_two_ways_are_one_name():
    files = json.loads(with_file(path="caf\u00e9"))["files"]
    twin = dict(files[-1], path="cafe\u0301")
    with pytest.raises(DataError, match="paths that differ by more than case"):
        Manifest.from_bytes(changed(files=[*files, twin]), "here")


def test_a_file_that_is_a_folder_too_is_refused():
    with pytest.raises(DataError, match=r"a file or a folder at README\.md, not both"):
        Manifest.from_bytes(with_file(path="readme.md/x"), "here")


def values(table, threshold=0):
    return {"rule": "values", "table": table, "threshold": threshold}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected the manifest of a dataset, a JSON object"),
        (b"[]", "found other JSON"),
        (b"\xff\xfe", "found no such thing"),
        (b"<!DOCTYPE html><html>", "found a web page"),
        (b"[" * 100_000, "found no such thing"),
        (b'{"a": 1, "a": 2}', "a key stands twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b" " * (64 * 2**20 + 1), "67,108,865 bytes"),
        (changed(format=FORMAT + 1), "made by a newer fewmask. Update: pip install --upgrade"),
        (changed(format=0), "expected format 1, found 0"),
        (changed(format=True), "expected format 1, found True"),
        (changed(name="a/../b"), "expected a name of the form owner/name"),
        (changed(name="a/b@3"), "expected a name without a version"),
        (changed(name=3), "expected a text of at most 200 letters as name, found 3"),
        (changed(version=0), "expected a whole number from 1 up as version, found 0"),
        (changed(version=True), "as version, found True"),
        (changed(version=1.5), "as version, found 1.5"),
        (changed(licence="\x1b[31mfree"), "expected a text without control characters as licence"),
        (changed(licence="\ud800"), "expected a text without control characters as licence"),
        (changed(files=[]), "expected at least one file, found none"),
        (changed(files={}), "expected a list as files"),
        (changed(files=[1]), "expected an object for each file"),
        (changed(parts={"train": 3}), "expected 3 rows in its files, as its parts say, found 2"),
        (changed(parts={"dev": 2}), "expected parts out of train, validation, test, found dev"),
        (changed(parts={"train": -2}), "expected a whole number from 0 up as train"),
        (changed(extra=1), "expected exactly the fields"),
        (with_column(kind="x"), "a kind out of image,"),
        (with_column(kind="category", categories=["b", "b"]), "different texts"),
        (with_column(kind="category", categories=["\x1b[2J"]), "without control characters"),
        (with_column(name="image"), "different names"),
        (with_column(unit="mm"), "exactly the fields name, kind, categories in a column"),
        (with_classes(names=["a"], colors=[[0, 0, 0]]), "classes with"),
        (with_classes(names=["ground", "\x1b[2J"]), "without control characters"),
        (with_classes(colors=[[0, 0, 0], [1, 1, 300]]), "colours of 0 to 255"),
        (with_classes(ignore_index=7), "ignore index 255"),
        (changed(classes=7), "expected classes with names"),
        (changed(encoding={"rule": "guess", "table": [], "threshold": 0}), "expected an encoding"),
        (changed(encoding=[]), "expected an object for encoding"),
        (changed(encoding=values([[0, 0], [70000, 1]])), "expected an encoding"),
        (changed(encoding=values([[0, 256]])), "expected an encoding"),
        (changed(encoding=values([[0.5, 1]])), "expected an encoding"),
        (changed(encoding=values([[0, 0, 1]])), "expected an encoding"),
        (changed(encoding=values([], threshold="1")), "expected an encoding"),
        (with_file(sha256="C" * 64), "expected 64 hexadecimal digits for data/x.parquet"),
        (with_file(sha256="c" * 63), "expected 64 hexadecimal digits"),
        (with_file(size=-1), "expected a whole number from 0 up as size"),
        (with_file(size=2**60), "as size"),
        (with_file(link="/etc/passwd"), "expected exactly the fields"),
        (with_file(rows=None), "as rows, found None"),
        (with_file(path="a\x1b[2J"), "expected a text without control characters as path"),
        (changed(made_from={"a": [{"\x9b": 1}]}), "control characters in made_from"),
    ],
)  # fmt: skip
def test_nothing_is_believed(content, said):
    with pytest.raises(DataError) as caught:
        Manifest.from_bytes(content, "here")
    message = str(caught.value)
    assert message.startswith("here: expected ")
    assert said in message
    assert message.isprintable()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(WHOLE.to_bytes()))), json_values)
def test_any_value_in_any_place_is_a_manifest_or_one_sentence(key, value):
    content = json.dumps(json.loads(WHOLE.to_bytes()) | {key: value}).encode()
    try:
        manifest = Manifest.from_bytes(content, "here")
    except DataError as error:
        said = str(error)
    else:
        said = str(manifest.dataset)
        assert Manifest.from_bytes(manifest.to_bytes(), "here") == manifest
    assert said.isprintable()
