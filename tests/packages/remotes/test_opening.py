"""Which address leads to which kind of registry, and what is said of those that lead nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fsspec.registry import _registry

from fewmask.errors import ArgumentError, MissingPackage
from fewmask.packages.remotes import open_remote


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("shared", "./shared", str(tmp_path / "shared"), f"file://{tmp_path}/shared"):
        assert open_remote(text).url == str(tmp_path / "shared")
    assert open_remote("~").url == str(Path.home())


@pytest.mark.parametrize(
    ("url", "found"),
    [("file://srv/shared", "srv"), ("file:///a?b=c", "?b=c"), ("file:///a#b", "#b")],
)
def test_a_file_url_names_a_folder_of_this_machine_and_nothing_else(url: str, found: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        open_remote(url)
    assert str(refused.value) == (
        f"{url}: expected a folder of this machine after file://, which begins with a third /, "
        f"found {found} beside its path. Write file:///folder, or the path of the folder alone."
    )


def test_capitals_of_the_kind_do_not_matter() -> None:
    assert open_remote("HTTPS://example.org/Registry/").url == "https://example.org/Registry"


@pytest.mark.parametrize("url", ["ftp://example.org/registry", "git+ssh://example.org/x"])
def test_another_kind(url: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        open_remote(url)
    kind = url.partition("://")[0]
    assert str(refused.value) == (
        f"{url}: expected a folder, or http(s)://, s3://, gs://, ssh:// or hf://, found "
        f"{kind}://. Check the address for a slip."
    )


@pytest.mark.parametrize("url", ["", "lab\x1b[31m"])
def test_no_address(url: str) -> None:
    with pytest.raises(ArgumentError, match="found nothing that can be read"):
        open_remote(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://[::1", "http://[::1"),
        ("ssh://host:abc/p", "ssh://host:abc/p"),
        ("ssh://me:secret@host:abc/p", "ssh://host:abc/p"),
    ],
)
def test_addresses_that_are_none(url: str, shown: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        open_remote(url)
    assert str(refused.value) == (
        f"{shown}: expected an address with a server's name, and a number as its port if it has "
        "one, found another text. Check the address for a slip."
    )


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://key:secret@bucket/registry",
        "gs:///registry",
        "ssh://example.org",
        "ssh://example.org/~",
        "ssh://me:secret@example.org/srv",
        "hf://chairs",
        "hf://rohan/../chairs",
        "hf://rohan/chairs@main",
    ],
)
def test_addresses_that_are_incomplete_or_hold_a_secret(url: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        open_remote(url)
    assert "secret" not in str(refused.value).partition("expected")[2]


@pytest.mark.parametrize(
    ("url", "module", "line"),
    [
        ("s3://bucket/registry", "s3fs", 's3fs: expected to be installed for registries at s3://, '
         'found no such package. Run: pip install "fewmask[s3]"'),
        ("gs://bucket/registry", "gcsfs", 'gcsfs: expected to be installed for registries at '
         'gs://, found no such package. Run: pip install "fewmask[gcs]"'),
        ("ssh://example.org/srv", "sshfs", 'sshfs: expected to be installed for registries at '
         'ssh://, found no such package. Run: pip install "fewmask[ssh]"'),
        ("hf://rohan/chairs", "huggingface_hub", "huggingface_hub: expected to be installed for "
         'the Hub, found no such package. Run: pip install "fewmask[hub]"'),
    ],
)  # fmt: skip
def test_a_library_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, line: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    # What another test has used fsspec remembers.
    monkeypatch.delitem(_registry, url.partition("://")[0], raising=False)
    with pytest.raises(MissingPackage) as missing:
        open_remote(url)
    assert str(missing.value) == line
