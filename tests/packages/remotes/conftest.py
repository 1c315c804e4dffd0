"""Live places for registries, each started by the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience

from .cutting_proxy import CuttingProxy
from .hub_server import TOKEN, Blob, HubServer

HERE = Path(__file__).parent
QUICK = Patience(timeout=5, tries=3, pause=0.01)
KINDS = ("folder", "nginx", "s3", "ssh", "hub")
CONNECTED = KINDS[1:]
# What the Hub's library says of its own way to upload.
NOT_OURS = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(NOT_OURS)


@dataclass
class Place:
    """A registry that nobody else uses.

    Args:
        kind: One of `KINDS`.
        push_to: Where to push.
        url: Where to install from.
        options: What the library needs to know of the test's server.
        put: Puts bytes at a path, behind the back of everybody.
        port: Of the server; None for a folder.
        through: Makes the address and the options that lead through another port.
        root: The folder of its files, where there is one.
    """

    kind: str
    push_to: str
    url: str
    options: dict[str, Any] = field(default_factory=dict)
    put: Callable[[str, bytes], None] = lambda path, content: None
    port: int | None = None
    through: Callable[[int], tuple[str, dict[str, Any]]] = lambda port: ("", {})
    root: Path | None = None


def put_into(root: Path) -> Callable[[str, bytes], None]:
    def put(path: str, content: bytes) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)

    return put


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[Any]) -> None:
    """Waits until a server listens."""
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert server.poll() is None, f"{server.args} ended with {server.returncode}"
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port}")


def found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/octet-stream; types {{ application/json json; }}
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}/served; }}
}}
"""


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A web server; yields its port and the folder that it hands out."""
    program = found("nginx")
    if program is None:
        pytest.skip("no nginx: install it with apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "served").mkdir()
    port = free_port()
    (folder / "conf").write_text(NGINX.format(folder=folder, port=port))
    with subprocess.Popen(
        [program, "-c", str(folder / "conf"), "-p", str(folder), "-e", str(folder / "errors")]
    ) as server:
        wait_for(port, server)
        yield port, folder / "served"
        server.terminate()


@dataclass(frozen=True)
class Sshd:
    """An SSH server: its process, its port and how to log in."""

    process: int
    port: int
    options: dict[str, Any]


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An SSH server."""
    program = found("sshd")
    if program is None:
        pytest.skip("no sshd: install it with apt-get install openssh-server")
    asyncssh = pytest.importorskip("asyncssh", reason='pip install "fewmask[ssh]"')
    folder = tmp_path_factory.mktemp("sshd")
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host_key.write_private_key(folder / "host")
    user_key.write_private_key(folder / "user")
    user_key.write_public_key(folder / "authorized")
    (folder / "known").write_text(f"* {host_key.export_public_key().decode()}")
    (folder / "host").chmod(0o600)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it insists on this folder when it is root
    port = free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nMaxStartups 100\nMaxSessions 100\n"
        "Subsystem sftp internal-sftp\n"
    )
    options = {
        "username": pwd.getpwuid(os.geteuid()).pw_name,
        "client_keys": [str(folder / "user")],
        "known_hosts": str(folder / "known"),
        "config": None,
        "agent_path": None,
    }
    with subprocess.Popen(
        [program, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
    ) as server:
        wait_for(port, server)
        yield Sshd(server.pid, port, options)
        server.terminate()


@pytest.fixture(scope="session")
def s3() -> Iterator[int]:
    """moto's S3; yields its port."""
    for module in ("moto.moto_server", "s3fs"):
        pytest.importorskip(module, reason='pip install s3fs "moto[s3,server]"')
    with subprocess.Popen(
        [sys.executable, str(HERE / "s3_server.py")], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.terminate()


@pytest.fixture(scope="session")
def hub_server() -> Iterator[HubServer]:
    """What answers like the Hub."""
    pytest.importorskip("huggingface_hub", reason='pip install "fewmask[hub]"')
    with HubServer() as server:
        yield server
        server.shutdown()


@pytest.fixture
def folder_place(tmp_path: Path) -> Place:
    root = tmp_path / "registry"
    return Place("folder", str(root), str(root), put=put_into(root), root=root)


@pytest.fixture
def nginx_place(nginx: tuple[int, Path]) -> Place:
    port, served = nginx
    name = uuid4().hex
    root = served / name
    return Place(
        "nginx",
        str(root),
        f"http://127.0.0.1:{port}/{name}",
        put=put_into(root),
        port=port,
        through=lambda other: (f"http://127.0.0.1:{other}/{name}", {}),
        root=root,
    )


@pytest.fixture
def ssh_place(sshd: Sshd, tmp_path: Path) -> Place:
    port, options = sshd.port, sshd.options
    root = tmp_path / "far"
    url = f"ssh://127.0.0.1:{port}{root}"
    return Place(
        "ssh",
        url,
        url,
        options,
        put=put_into(root),
        port=port,
        through=lambda other: (f"ssh://127.0.0.1:{other}{root}", options),
        root=root,
    )


@pytest.fixture
def s3_place(s3: int) -> Place:
    import fsspec

    def options(port: int) -> dict[str, Any]:
        return {
            "key": "made-up",
            "secret": "made-up",
            "endpoint_url": f"http://127.0.0.1:{port}",
        }

    bucket = uuid4().hex
    system = fsspec.filesystem("s3", **options(s3))
    system.mkdir(bucket)
    url = f"s3://{bucket}/lab/registry"

    def put(path: str, content: bytes) -> None:
        system.pipe_file(f"{bucket}/lab/registry/{path}", content)

    return Place("s3", url, url, options(s3), put, s3, through=lambda port: (url, options(port)))


@pytest.fixture
def hub_place(hub_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> Place:
    import huggingface_hub.constants
    import huggingface_hub.utils._http as http

    # It waits up to 23 seconds in its tries to upload something.
    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    # The newer way to upload needs servers of its own; the older one is spoken everywhere.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    name = f"rohan/chairs-{uuid4().hex[:8]}"

    def put(path: str, content: bytes) -> None:
        repository = hub_server.repositories[name]
        if path.startswith("objects/"):
            sha256 = path.rpartition("/")[2]
            repository.large[sha256] = content
        else:
            tree = dict(repository.commits[-1].tree)
            tree[path] = Blob(content, False)
            repository.commit("an edit by hand", tree)

    def options(port: int) -> dict[str, Any]:
        return {"endpoint": f"http://127.0.0.1:{port}", "token": TOKEN}

    url = f"hf://{name}"
    port = hub_server.server_port
    return Place("hub", url, url, options(port), put, port, lambda port: (url, options(port)))


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """The place of the kind that the test names as its parameter."""
    made: Place = request.getfixturevalue(f"{request.param}_place")
    return made


@pytest.fixture
def proxy(place: Place) -> Iterator[CuttingProxy]:
    """What can cut the connection to a place."""
    assert place.port is not None
    with CuttingProxy(place.port) as made:
        yield made


def open_place(place: Place, patience: Patience = QUICK) -> Any:
    """Opens a place for reading and writing of single files."""
    return open_remote(place.url, patience=patience, options=place.options)
