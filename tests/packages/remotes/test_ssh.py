"""What is different over SSH: strangers, keys, home folders."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fewmask.packages.install import install
from fewmask.packages.push import push
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import AlreadyThere, Interrupted, NoRight, RemoteError
from fewmask.packages.store import Store

from ..made import add_version
from .conftest import QUICK, Place, Sshd, open_place


def test_only_the_first_creates(ssh_place: Place) -> None:
    remote = open_place(ssh_place)
    remote.create("versions/a/b/1.json", b"first")
    with pytest.raises(AlreadyThere):
        remote.create("versions/a/b/1.json", b"second")
    assert b"".join(remote.read("versions/a/b/1.json")) == b"first"
    assert ssh_place.root is not None
    assert [path.name for path in ssh_place.root.rglob("*") if path.is_file()] == ["1.json"]


def test_a_machine_that_nobody_knows_is_refused(ssh_place: Place, tmp_path: Path) -> None:
    strangers = tmp_path / "known_hosts"
    strangers.write_text("")
    options = {**ssh_place.options, "known_hosts": str(strangers)}
    with pytest.raises(RemoteError) as refused:
        open_remote(ssh_place.url, patience=QUICK, options=options).list("versions")
    assert str(refused.value) == (
        f"{ssh_place.url}/versions: expected a machine whose key is in ~/.ssh/known_hosts, found "
        "an unknown one. Make its acquaintance first: ssh 127.0.0.1"
    )


def test_known_machines_are_asked_for_unless_told_otherwise(ssh_place: Place) -> None:
    options = {name: value for name, value in ssh_place.options.items() if name != "known_hosts"}
    with pytest.raises(RemoteError, match="found an unknown one"):
        open_remote(ssh_place.url, patience=QUICK, options=options).list("versions")


def test_a_key_that_does_not_fit(ssh_place: Place, tmp_path: Path) -> None:
    asyncssh = pytest.importorskip("asyncssh")
    other = tmp_path / "other"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(other)
    options = {**ssh_place.options, "client_keys": [str(other)]}
    with pytest.raises(NoRight, match=r"Try whether you get in, and may write: ssh 127\.0\.0\.1"):
        open_remote(ssh_place.url, patience=QUICK, options=options).list("versions")


def test_a_machine_that_is_down(ssh_place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url, options = ssh_place.through(port)
    with pytest.raises(Interrupted, match="3 times in a row"):
        install("rohan/chairs", source=url, store=Store("store"), patience=QUICK, options=options)


def test_a_machine_that_never_answers(ssh_place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url, options = ssh_place.through(listener.getsockname()[1])
        with pytest.raises(Interrupted):
            open_remote(url, patience=Patience(0.3, 1), options=options).list("versions")


def test_a_machine_that_stalls(
    sshd: Sshd, ssh_place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    remote = open_place(ssh_place, Patience(timeout=2, tries=1))
    remote.create("a", b"content")
    sessions = below(sshd.process)
    assert sessions
    for process in sessions:
        os.kill(process, signal.SIGSTOP)
    try:
        with pytest.raises(Interrupted):
            list(remote.read("a"))
    finally:
        for process in sessions:
            os.kill(process, signal.SIGCONT)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def below(process: int) -> list[int]:
    """Lists the processes that a process has started, and those that they have."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    children = [child for child, parent in parents.items() if parent == process]
    return children + [each for child in children for each in below(child)]


def test_a_folder_in_the_home_folder() -> None:
    pytest.importorskip("sshfs")
    remote: Any = open_remote("ssh://example.org/~/data/registry")
    assert remote._root == "data/registry"
    assert remote._options["known_hosts"] == ()


def test_no_right_to_write(ssh_place: Place, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    store = Store(tmp_path.with_name("mine"))
    add_version(store, "rohan/chairs")
    with pytest.raises(NoRight):
        push("rohan/chairs", ssh_place.url, store=store, patience=QUICK, options=ssh_place.options)
