"""Legends in the forms that tools write them."""

import json
from pathlib import Path

import pytest
import yaml

from fewmask.data.masks.legend import Legend, find_legend, is_background
from fewmask.errors import DataError

ROAD, SEA = (110, 193, 228), (0, 0, 255)
UNDERSTOOD = {
    "supervisely": (
        {"classes": [{"title": "road", "color": "#6EC1E4"}, {"title": "sea", "color": "#0000ff"}]},
        {"names": ("road", "sea"), "colors": (ROAD, SEA)},
    ),
    "colours as numbers": (
        [{"name": "road", "color": [110, 193, 228]}, {"name": "sea", "color": [0, 0, 255]}],
        {"names": ("road", "sea"), "colors": (ROAD, SEA)},
    ),
    "names and ids": (
        {"classes": [{"id": 0, "name": "wall"}, {"id": 5, "name": "road"}]},
        {"names": ("wall", "road"), "ids": (0, 5)},
    ),
    "names": ({"names": ["wall", "đường"]}, {"names": ("wall", "đường")}),
    "bare list": (["wall", "road"], {"names": ("wall", "road")}),
    "name to id": ({"road": 1, "background": 0}, {"names": ("background", "road"), "ids": (0, 1)}),
    "id to name": (
        {"labels": {"1": "road", "0": "sky"}},
        {"names": ("sky", "road"), "ids": (0, 1)},
    ),
    "name to colour": (
        {"road": "#6EC1E4", "sea": [0, 0, 255]},
        {"names": ("road", "sea"), "colors": (ROAD, SEA)},
    ),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_json_in_every_form(tmp_path: Path, case: str) -> None:
    content, expected = UNDERSTOOD[case]
    path = tmp_path / "classes.json"
    # A byte order mark, as Windows editors leave it, is no mistake.
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8-sig")
    assert find_legend(tmp_path) == Legend(path, **expected)


@pytest.mark.parametrize("names", [["bed", "sofa"], {0: "bed", 1: "sofa"}])
def test_yolo_lists_names_with_or_without_numbers(tmp_path: Path, names: object) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(yaml.safe_dump({"names": names, "nc": 2}))
    found = find_legend(tmp_path)
    assert found == Legend(path, ("bed", "sofa"))
    assert found.is_yolo


def test_no_legend(tmp_path: Path) -> None:
    assert find_legend(tmp_path) is None
    (tmp_path / "data.yaml").write_text("theme: dark")
    assert find_legend(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("[", "text that is none: Expecting value: line 1 column 2 (char 1)"),
        ("{}", "no list of classes"),
        ("7", "no list of classes"),
        ('{"classes": [{"shape": "polygon"}]}', "no list of classes"),
        ('{"road": "red"}', "no list of classes"),
        ('{"road": [1, 2, 300]}', "no list of classes"),
        ('["road", "road"]', "'road' twice"),
    ],
)
def test_what_cannot_be_understood_is_said(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "classes.json"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        find_legend(tmp_path)
    assert f"found {found}. Correct or remove it" in str(caught.value)
    assert str(caught.value).startswith(f"{path}: expected ")


@pytest.mark.parametrize(("name", "kind"), [("classes.json", "JSON"), ("data.yaml", "YAML")])
def test_brackets_without_end_are_one_sentence(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_text("[" * 100_000)
    with pytest.raises(DataError) as caught:
        find_legend(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path / name}: expected {kind} in UTF-8, found text that is none: maximum recursion"
    )
    assert str(caught.value).endswith(". Correct or remove it.")


@pytest.mark.parametrize("name", ["classes.json", "data.yaml"])
def test_a_file_that_may_not_be_read_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **how: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / name).touch()
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(DataError) as caught:
        find_legend(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / name}: expected a file that can be read, found permission denied. Check its "
        "rights."
    )


def test_names_of_the_background() -> None:
    assert is_background("Background")
    assert is_background("_background_")
    assert not is_background("wall")


@pytest.mark.real
def test_real_legends(real_data: Path) -> None:
    furniture = find_legend(real_data / "furniture6")
    assert furniture is not None
    assert furniture.names == ("bed", "chair", "plant pot", "sofa", "swivelchair", "table")
    aerial = find_legend(real_data / "dubai_aerial")
    assert aerial is not None
    assert aerial.colors is not None
    assert dict(zip(aerial.names, aerial.colors, strict=True))["Unlabeled"] == (155, 155, 155)
    assert find_legend(real_data / "chairs97") is None
