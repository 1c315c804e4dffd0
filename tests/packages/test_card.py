import pytest
import yaml

from fewmask.data.classes import Classes
from fewmask.data.schema import Column
from fewmask.errors import DataError
from fewmask.packages.card import read_head, text_of_folder, without_head, write_card
from fewmask.packages.licences import card_licence
from fewmask.packages.manifest import Manifest, PackagedFile
from fewmask.packages.statistics import Statistics

STATISTICS = Statistics(
    10, ((24, 32, 10),), (24, 32), (480, 640), ((3, 10),), ("uint8",), (75, 25), (10, 4), 12_000
)


@pytest.mark.parametrize("wrong", [{"smallest": [1]}, {"largest": [1, 2, 3]}, {"largest": 7}])
def test_statistics_that_are_none_are_one_sentence(wrong):
    with pytest.raises(DataError, match="x: expected statistics with the fields"):
        Statistics.from_json(STATISTICS.to_json() | wrong, "x")


MANIFEST = Manifest(
    "rohan/chairs",
    1,
    "CC-BY-4.0",
    (PackagedFile("README.md", "0" * 64, 1, 10),),
    (
        Column("photo", "image"),
        Column("mask", "mask"),
        Column("kind|x", "category", ("a", "b")),
        Column("ages", "integer array"),
        Column("part", "category", ("train", "test")),
    ),
    {"train": 8, "test": 2},
    Classes(("wall", "ghế"), ((0, 0, 0), (255, 0, 128)), 255),
)
SIZES = {"train": 800, "test": 200}


def test_programs_find_all_they_need_at_its_head():
    head = read_head(write_card(MANIFEST, STATISTICS, SIZES), "here")
    assert head["license"] == "cc-by-4.0"
    assert head["task_categories"] == ["image-segmentation"]
    assert head["size_categories"] == ["n<1K"]
    assert head["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "data/train-*"},
                {"split": "test", "path": "data/test-*"},
            ],
        }
    ]
    assert head["dataset_info"] == {
        "features": [
            {"name": "photo", "dtype": "image"},
            {"name": "mask", "dtype": "image"},
            {"name": "kind|x", "dtype": {"class_label": {"names": {"0": "a", "1": "b"}}}},
            {"name": "ages", "sequence": "int64"},
        ],
        "splits": [
            {"name": "train", "num_bytes": 800, "num_examples": 8},
            {"name": "test", "num_bytes": 200, "num_examples": 2},
        ],
    }
    assert head["fewmask"] == {
        "mask_column": "mask",
        "classes": [
            {"id": 0, "name": "wall", "color": "#000000"},
            {"id": 1, "name": "ghế", "color": "#FF0080"},
        ],
        "ignore_index": 255,
    }


def test_people_read_the_rest():
    text = without_head(write_card(MANIFEST, STATISTICS, SIZES))
    assert text.startswith("# rohan/chairs\n\n10 images with masks of ghế.\n\n![Samples")
    assert "| 1 | ghế | #FF0080 | 25.00% | 4 |" in text
    assert (
        "Pixels of the value 255 do not count: nobody knows what they show. There are 12,000"
        in text
    )
    assert "Images are 24 × 32 to 480 × 640 pixels (height × width)." in text
    assert "They come in parts: 8 train, 2 test." in text
    assert "| kind\\|x | category: a, b |" in text
    assert 'samples["train"][0]["photo"]' in text
    assert text.endswith("## Licence\n\nCC-BY-4.0.")


def test_its_own_words_come_first_and_an_unknown_licence_is_explained():
    described = Manifest(
        **{**vars(MANIFEST), "description": "Chairs, *mostly*.", "licence": "unknown"}
    )
    text = write_card(described, STATISTICS, SIZES)
    assert "# rohan/chairs\n\nChairs, *mostly*.\n\n" in text
    assert "ask before you publish or sell" in text
    assert read_head(text, "here")["license"] == "unknown"


def test_licences_that_the_hub_does_not_know():
    assert card_licence("LicenseRef-Clinic") == {
        "license": "other", "license_name": "licenseref-clinic",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "head", "rest"),
    [
        ("", {}, ""),
        ("# Chairs", {}, "# Chairs"),
        ("---\na: 1\n---\n# Chairs\n", {"a": 1}, "# Chairs"),
        ("\ufeff---\r\na: 1\r\n---\r\nChairs", {"a": 1}, "Chairs"),
        ("---\nnever closed", {}, "---\nnever closed"),
        ("Chairs\n---\na: 1\n---\n", {}, "Chairs\n---\na: 1\n---"),
    ],
)
def test_head_and_rest_of_any_card(text, head, rest):
    assert read_head(text, "here") == head
    assert without_head(text) == rest


@pytest.mark.parametrize("words", ["", "Chairs, *mostly*.\n\n# More\n\nOf them."])
def test_of_its_own_cards_only_the_description_is_read_back(tmp_path, words):
    described = Manifest(**{**vars(MANIFEST), "description": words})
    (tmp_path / "README.md").write_text(write_card(described, STATISTICS, SIZES), "utf-8")
    assert text_of_folder(tmp_path) == words


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("date: 2024-13-45", "month must be in 1..12"),
        (f"a: {'[' * 5000}", "maximum recursion depth exceeded"),
        ("a: [", "while parsing a flow node"),
    ],
)
def test_a_head_that_is_none_is_one_sentence(head, found):
    with pytest.raises(DataError) as caught:
        read_head(f"---\n{head}\n---\n", "here")
    text = str(caught.value)
    assert text.startswith(
        f"here: expected YAML between the lines ---, found text that is none: {found}"
    )
    assert text.endswith(". Correct it.")


def test_the_readme_of_a_folder_is_its_description(tmp_path):
    assert text_of_folder(tmp_path) == ""
    assert text_of_folder("rohan/chairs") == ""
    text = f"---\n{yaml.safe_dump({'license': 'mit'})}---\n# Chairs\x1b[2J\nMany.\n"
    (tmp_path / "README.md").write_text(text)
    assert text_of_folder(tmp_path) == "# Chairs[2J\nMany."
    (tmp_path / "README.md").write_bytes(b"\xff\xfe")
    assert text_of_folder(tmp_path) == ""
