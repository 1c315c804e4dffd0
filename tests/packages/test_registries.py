"""The list of registries."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewmask.errors import ArgumentError, DataError
from fewmask.packages.registries import (
    KnownRegistry,
    add_registry,
    address_of,
    known_registries,
    list_path,
    remove_registry,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "registries.toml"


def test_at_first_it_is_empty(path: Path) -> None:
    assert known_registries(path) == ()
    assert not path.parent.exists()


def test_it_keeps_the_order_in_which_they_were_added(path: Path, tmp_path: Path) -> None:
    add_registry("web", "https://example.org/registry/", path)
    add_registry("lab", str(tmp_path), path)
    assert known_registries(path) == (
        KnownRegistry("web", "https://example.org/registry"),
        KnownRegistry("lab", str(tmp_path)),
    )
    assert remove_registry("web", path).url == "https://example.org/registry"
    assert [each.name for each in known_registries(path)] == ["lab"]


def test_a_folder_is_kept_with_its_full_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert add_registry("lab", "./shared", path).url == str(tmp_path / "shared")


def test_a_name_is_taken_once(path: Path) -> None:
    add_registry("lab", "https://example.org/a", path)
    with pytest.raises(ArgumentError) as refused:
        add_registry("lab", "https://example.org/b", path)
    assert str(refused.value) == (
        "lab: expected a name that is free, found that of https://example.org/a. Choose another, "
        "or run: fewmask registry remove lab"
    )


@pytest.mark.parametrize("name", ["", "a/b", "..", "-x", "a b", "https://x"])
def test_what_may_not_be_a_name(path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match="expected letters, digits, - and _"):
        add_registry(name, "https://example.org/a", path)


def test_an_address_that_is_none_is_not_kept(path: Path) -> None:
    with pytest.raises(ArgumentError):
        add_registry("lab", "ftp://example.org", path)
    assert not path.exists()


def test_removing_what_is_not_there(path: Path) -> None:
    with pytest.raises(ArgumentError, match="expected a registry, found none of this name"):
        remove_registry("lab", path)
    add_registry("web", "https://example.org", path)
    with pytest.raises(ArgumentError) as refused:
        remove_registry("lab", path)
    assert str(refused.value) == (
        "lab: expected one of the registries web, found none of this name. "
        "See: fewmask registry list"
    )


@pytest.mark.parametrize(
    "content", ["registry = 3", "[[registry]]\nname = 3", "[[registry]]\nname = 3\nurl = 4", "]["]
)
def test_a_damaged_list(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(DataError, match="expected a list of registries, each with name and url"):
        known_registries(path)


def test_a_registry_is_named_by_its_name_its_address_or_its_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    add_registry("lab", "https://example.org", path)
    assert address_of("lab", path) == "https://example.org"
    for text in ("s3://bucket/x", "./new", "/srv/registry", "there"):
        assert address_of(text, path) == text
    with pytest.raises(ArgumentError):
        address_of("lob", path)


def test_a_single_word_makes_no_new_folder(path: Path) -> None:
    with pytest.raises(ArgumentError) as refused:
        address_of("lab", path)
    assert str(refused.value) == (
        "lab: expected a registry, found none of this name. Add it: fewmask registry add lab URL, "
        "or give its address; a folder here is ./lab"
    )


def test_the_file_lies_where_the_system_keeps_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda app: str(tmp_path / app))
    add_registry("lab", "https://example.org")
    assert list_path() == tmp_path / "fewmask" / "registries.toml"
    assert '{ name = "lab", url = "https://example.org" }' in list_path().read_text()
