"""What is different in buckets."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewmask.packages.install import install
from fewmask.packages.push import push
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    AlreadyThere,
    Interrupted,
    NoRight,
    NotThere,
    RemoteError,
)
from fewmask.packages.store import Store

from ..made import add_version
from .conftest import QUICK, Place, free_port, open_place


def test_only_the_first_creates(s3_place: Place) -> None:
    remote = open_place(s3_place)
    remote.create("versions/a/b/1.json", b"first")
    with pytest.raises(AlreadyThere):
        remote.create("versions/a/b/1.json", b"second")
    assert b"".join(remote.read("versions/a/b/1.json")) == b"first"
    assert remote.list("versions") == ("versions/a/b/1.json",)


def test_large_files_go_in_parts(s3_place: Place, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * 70_000)  # 18 MB
    sent: list[int] = []
    remote = open_place(s3_place)
    remote.write("large", source, sent.append)
    assert sum(sent) == 17_920_000
    assert len(sent) > 1
    assert b"".join(remote.read("large", 17_919_990)) == source.read_bytes()[-10:]


def test_a_bucket_that_does_not_exist(s3_place: Place, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    add_version(store, "rohan/chairs")
    with pytest.raises(RemoteError) as refused:
        push(
            "rohan/chairs", "s3://nobody-has-it/registry", store=store, patience=QUICK,
            options=s3_place.options,
        )  # fmt: skip
    assert str(refused.value) == (
        "s3://nobody-has-it/registry: expected a bucket that exists, found none of this name. "
        "Make the bucket first, or check the name for a slip."
    )


def test_a_folder_is_no_file(s3_place: Place) -> None:
    remote = open_place(s3_place)
    remote.create("versions/a/b/1.json", b"first")
    with pytest.raises(NotThere):
        remote.size("versions/a")
    with pytest.raises(NotThere):
        list(remote.read("versions/a/b/2.json"))


def test_nobody_logged_in(s3_place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As on a machine without any of the places where Amazon's tools look for a log-in.
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = {"endpoint_url": s3_place.options["endpoint_url"]}
    with pytest.raises(NoRight) as refused:
        open_remote(s3_place.url, patience=QUICK, options=options).size("index.json")
    assert str(refused.value) == (
        f"{s3_place.url}/index.json: expected the right to use it, found nobody logged in on this "
        "machine. Log in with: aws configure. A public bucket is read by its https address."
    )


def test_a_store_that_is_down(s3_place: Place, tmp_path: Path) -> None:
    _, options = s3_place.through(free_port())
    with pytest.raises(Interrupted, match="2 times in a row"):
        install(
            "rohan/chairs", source=s3_place.url, store=Store(tmp_path), options=options,
            patience=Patience(0.5, 2, 0.01),
        )  # fmt: skip
