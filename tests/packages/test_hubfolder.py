"""Which Parquet files belong to a dataset of somebody else, and to which part."""

import errno
import re

import fsspec
import pytest

from fewmask.errors import DataError
from fewmask.packages.hubfolder import find_shards, read_card


@pytest.mark.parametrize(
    ("paths", "card", "expected"),
    [
        (["a.parquet"], "", [("a.parquet", "train")]),
        (["default/val/0000.parquet"], "", [("default/val/0000.parquet", "validation")]),
        (["data/dev-0.parquet", "data/x.parquet"], "",
         [("data/dev-0.parquet", "validation"), ("data/x.parquet", "train")]),
        (["a/x.parquet", "b/y.parquet"],
         "configs: [{config_name: default, data_files: [{split: test, path: b/*}]}]",
         [("b/y.parquet", "test")]),
        (["a/x.parquet", "b/y.parquet"],
         "configs: [{config_name: a, data_files: a/*}, "
         "{config_name: b, default: true, data_files: {train: b/*, extra: a/*}}]",
         [("b/y.parquet", "train")]),
        (["a/x.parquet"], "license: mit", [("a/x.parquet", "train")]),
        (["a/x.parquet"], "configs: nonsense", [("a/x.parquet", "train")]),
        (["a/x.parquet"], "configs: [{data_files: other/*}]", []),
        (["a/x.parquet"], "configs: [{data_files: &a [*a]}]", [("a/x.parquet", "train")]),
        (["en/x.parquet", "en/test/y.parquet", "de/x.parquet"],
         "configs: [{config_name: en, data_dir: ./en/}, {config_name: de, data_dir: de}]",
         [("en/x.parquet", "train"), ("en/test/y.parquet", "test")]),
        (["en/x.parquet", "en/y.parquet", "x.parquet"],
         "configs: [{data_dir: en, data_files: {test: x.*}}]", [("en/x.parquet", "test")]),
    ],
)  # fmt: skip
def test_which_files_belong_and_to_which_part(paths, card, expected):
    card = f"---\n{card}\n---\n# Roads\n" if card else ""
    assert list(find_shards(paths, card, "here").shards) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["x"]),
        ("*.parquet", ["x"]),
        ("a/*", ["a/x"]),
        ("*/*", ["a/x", "c/x"]),
        ("a/?.parquet", ["a/x"]),
        ("a/**", ["a/x", "a/b/x", "a/b/c/x"]),
        ("**", ["x", "a/x", "a/b/x", "a/b/c/x", "c/x"]),
        ("**/x.parquet", ["x", "a/x", "a/b/x", "a/b/c/x", "c/x"]),
        ("a/**/c/*", ["a/b/c/x"]),
        ("[!a]/*", ["c/x"]),
    ],
)
def test_patterns_mean_what_they_do_on_the_hub(pattern, expected):
    paths = [f"{path}.parquet" for path in ("x", "a/x", "a/b/x", "a/b/c/x", "c/x")]
    shards = find_shards(
        paths, f"---\nconfigs: [{{data_files: '{pattern}'}}]\n---\n", "here"
    ).shards
    assert [path.removesuffix(".parquet") for path, _ in shards] == expected
    # The Hub matches with this function.
    assert expected == [
        path.removesuffix(".parquet")
        for path in paths
        if re.match(fsspec.utils.glob_translate(pattern), path)
    ]


def test_what_was_chosen_or_left_out_is_said():
    files = "{train: a/*, unlabeled: b/*}"
    card = f"---\nconfigs: [{{config_name: a, data_files: {files}}}, {{config_name: b}}]\n---\n"
    assert find_shards(["a/x.parquet", "b/y.parquet"], card, "here").findings == (
        "Of its configurations a, b, a is read.",
        "Left out, because they are no parts to train or judge by: unlabeled.",
    )
    card = "---\nconfigs: [{config_name: a}, {config_name: b}]\n---\n"
    assert find_shards(["a/x.parquet", "b/y.parquet"], card, "here").findings == ()


@pytest.mark.parametrize("where", ["data_dir: ../other", "data_files: ../other/*"])
def test_a_card_leads_nowhere_else(where):
    with pytest.raises(DataError, match="expected data files inside the dataset, found "):
        find_shards(["a.parquet"], f"---\nconfigs: [{{{where}}}]\n---\n", "here")


def test_a_card_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "README.md").touch()
    monkeypatch.setattr(type(tmp_path), "read_text", refuse)
    with pytest.raises(
        DataError, match=r"README\.md: expected a card that can be read, found Perm"
    ):
        read_card(tmp_path)


def test_a_card_takes_over_no_terminal():
    escape = r"\e[2J"
    files = f'{{train: a/*, "x{escape}": b/*}}'
    head = f'configs: [{{config_name: "a{escape}", data_files: {files}}}, {{config_name: b}}]'
    found = find_shards(["a/x.parquet"], f"---\n{head}\n---\n", "here")
    assert len(found.findings) == 2
    assert all(sentence.isprintable() for sentence in found.findings)
    with pytest.raises(DataError, match="expected data files inside the dataset") as caught:
        find_shards(["a.parquet"], f'---\nconfigs: [{{data_files: "../{escape}"}}]\n---\n', "here")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("files", "parts", "said"),
    [
        ("{train: data/*, test: data/b*}", {"a": "train", "b1": "test", "b2": "test"},
         ["data/b1.parquet, data/b2.parquet under train, test: read as test alone."]),
        ("{test: data/b1*, train: data/*}", {"b1": "test", "a": "train", "b2": "train"},
         ["data/b1.parquet under train, test: read as test alone."]),
        ("{train: data/a*, validation: data/b*, test: data/b*}",
         {"a": "train", "b1": "test", "b2": "test"},
         ["data/b1.parquet, data/b2.parquet under validation, test: read as test alone."]),
        ("{test: data/b1*, dev: data/b*, train: data/b*}", {"b1": "test", "b2": "validation"},
         ["data/b1.parquet under train, validation, test: read as test alone.",
          "data/b2.parquet under train, validation: read as validation alone."]),
        ("{val: data/b*, validation: data/b*}", {"b1": "validation", "b2": "validation"}, []),
    ],
)  # fmt: skip
def test_a_file_under_several_parts_is_read_once(files, parts, said):
    paths = [f"data/{name}.parquet" for name in ("a", "b1", "b2")]
    found = find_shards(paths, f"---\nconfigs: [{{data_files: {files}}}]\n---\n", "here")
    assert found.shards == tuple((f"data/{name}.parquet", part) for name, part in parts.items())
    assert found.findings == tuple(f"The card lists {sentence}" for sentence in said)


@pytest.mark.parametrize("head", ["a: [", "- 1\n- 2", "!!python/object:os.system x"])
def test_a_card_with_a_broken_head_is_one_sentence(head):
    with pytest.raises(DataError) as caught:
        find_shards(["a.parquet"], f"---\n{head}\n---\n", "here")
    assert str(caught.value).startswith("here:README.md: expected ")
