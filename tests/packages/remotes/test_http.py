"""Web servers as they are: slow, cut, moved, guarded, and with pages where files should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.request import HTTPSHandler, Request

import pytest

from fewmask.errors import ArgumentError, FewmaskError
from fewmask.packages.index import index_to_bytes, manifest_path, object_path
from fewmask.packages.install import install
from fewmask.packages.names import parse_name
from fewmask.packages.push import push
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.http import HttpRemote, _opener, _Redirects
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import Interrupted, RemoteError
from fewmask.packages.search import Installed
from fewmask.packages.store import Store

from ..made import FILES, add_version, installed_files, is_sound, manifest_of, sha256_of
from .odd_server import STALL, OddServer

NAME = "rohan/chairs@1"
MANIFEST = manifest_of(NAME, FILES)
MANIFEST_PATH = manifest_path(parse_name(NAME))
OBJECT = object_path(sha256_of(FILES["data/train-0.parquet"]))
QUICK = Patience(timeout=5, tries=2, pause=0.01)
IMPATIENT = Patience(timeout=0.2, tries=2, pause=0.01)


@pytest.fixture
def server() -> Iterator[OddServer]:
    """Holds one version of one dataset."""
    index = index_to_bytes({parse_name(NAME): sha256_of(MANIFEST.to_bytes())})
    files = {"index.json": index, MANIFEST_PATH: MANIFEST.to_bytes()}
    files |= {object_path(sha256_of(content)): content for content in FILES.values()}
    made = OddServer(files)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def do_install(server: OddServer, store: Store, patience: Patience = QUICK) -> Installed:
    return install("rohan/chairs", source=server.url, store=store, patience=patience)


def refusal(server: OddServer, store: Store, patience: Patience = QUICK) -> str:
    """Installs in vain; returns the sentence, without the server's address."""
    with pytest.raises(FewmaskError) as refused:
        do_install(server, store, patience)
    assert store.names() == []
    assert not list(store.root.glob("objects/*/*"))
    text = str(refused.value)
    assert "\n" not in text
    return text.replace(server.url, "SERVER")


def test_a_dataset_is_installed(server: OddServer, store: Store) -> None:
    assert installed_files(store, do_install(server, store).manifest) == FILES


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (MANIFEST_PATH, 404,
         f"SERVER/{MANIFEST_PATH}: expected a file, found nothing there (404). Check the address "
         "and the name for a slip."),
        (OBJECT, 404,
         f"SERVER/{OBJECT}: expected data/train-0.parquet of the dataset, found nothing there "
         "(404). Nothing was installed. Tell the owner of the registry, who can push it again."),
        (OBJECT, 403,
         f"SERVER/{OBJECT}: expected a file that anybody may fetch, found a server that refuses "
         "it (403 Forbidden). Check the address, and ask its owner: some servers say so of what "
         "is not there."),
        (OBJECT, 401,
         f"SERVER/{OBJECT}: expected a file that anybody may fetch, found a server that refuses "
         "it (401 Unauthorized). Check the address, and ask its owner: some servers say so of "
         "what is not there."),
        (OBJECT, 503,
         f"SERVER/{OBJECT}: expected an answer, found the server's answer 503 Service "
         "Unavailable, 2 times in a row. Check the network and try again; what has arrived is "
         "kept."),
        (OBJECT, 418,
         f"SERVER/{OBJECT}: expected a file, found the server's answer 418 I'm a Teapot. Check "
         "the address."),
        (OBJECT, STALL,
         f"SERVER/{OBJECT}: expected an answer, found none within 0.2 s, 2 times in a row. Check "
         "the network and try again; what has arrived is kept."),
        (OBJECT, f"/{OBJECT}",
         f"SERVER/{OBJECT}: expected a file, found a server that points in a circle, or to what "
         "is no web server. Open the address in a browser, and ask its owner."),
        (OBJECT, "file:///etc/passwd",
         f"SERVER/{OBJECT}: expected a file, found a server that points in a circle, or to what "
         "is no web server. Open the address in a browser, and ask its owner."),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_an_answer_that_is_no_file(
    server: OddServer, store: Store, path: str, status: object, sentence: str
) -> None:
    server.status[path] = status
    assert refusal(server, store, IMPATIENT if status is STALL else QUICK) == sentence
    server.status.clear()
    do_install(server, store)
    assert is_sound(store)


def test_what_a_server_says_gives_no_orders_to_the_terminal(
    server: OddServer, store: Store
) -> None:
    server.status[OBJECT] = (418, "\x1b[2J\x1b[31mAll is well")
    sentence = refusal(server, store)
    assert "418" in sentence
    assert sentence.isprintable()


def test_a_registry_that_is_down(store: Store) -> None:
    server = OddServer({})
    server.close()
    sentence = refusal(server, store)
    assert sentence == (
        "SERVER/index.json: expected an answer, found a server that cannot be reached (connection "
        "refused), 2 times in a row. Check the network and try again; what has arrived is kept."
    )


def test_a_registry_that_is_down_while_a_version_is_here(store: Store) -> None:
    add_version(store, NAME)
    server = OddServer({})
    server.close()
    with pytest.raises(Interrupted) as refused:
        do_install(server, store)
    assert refused.value.remedy == (
        "Check the network, or take version 1, which is here: fewmask install rohan/chairs "
        "--offline"
    )


def test_a_registry_that_is_forbidden_altogether(server: OddServer, store: Store) -> None:
    for path in [*server.files, "versions/rohan/chairs/2.json"]:
        server.status[path] = 403
    assert refusal(server, store).startswith(
        "SERVER/versions/rohan/chairs/1.json: expected a file that anybody may fetch"
    )


def test_an_address_that_is_no_registry(store: Store) -> None:
    server = OddServer({})
    assert refusal(server, store) == (
        "rohan/chairs: expected a dataset that SERVER holds, found none of this name. Check the "
        "name for a slip, or name another registry with --from."
    )
    server.close()


PAGE = b"<!DOCTYPE html>\n<html><title>Please log in</title></html>"


@pytest.mark.parametrize("path", ["index.json", MANIFEST_PATH, OBJECT])
def test_a_page_where_a_file_should_be(server: OddServer, store: Store, path: str) -> None:
    server.files[path] = PAGE
    server.kinds[path] = "text/html; charset=utf-8"
    assert refusal(server, store) == (
        f"SERVER/{path}: expected a file of a registry, found a web page. Open the address in a "
        "browser: it may want a log-in, or not be that of the registry."
    )


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (MANIFEST_PATH, "expected the manifest of a dataset, a JSON object, found a web page."),
        (OBJECT, "expected 21 bytes of data/train-0.parquet, found a web page."),
    ],
)
def test_a_page_that_does_not_say_so(
    server: OddServer, store: Store, path: str, sentence: str
) -> None:
    server.files[path] = PAGE
    assert sentence in refusal(server, store)


def test_a_broken_index_is_as_good_as_none(server: OddServer, store: Store) -> None:
    server.files["index.json"] = b'{"format": 1, "datasets"'
    assert do_install(server, store).name == parse_name(NAME)


def test_a_stale_index_does_not_hide_what_came_after_it(server: OddServer, store: Store) -> None:
    newer = manifest_of("rohan/chairs@2", FILES)
    server.files[manifest_path(newer.dataset)] = newer.to_bytes()
    assert do_install(server, store).name == newer.dataset


def test_a_wrong_hash_in_the_index(server: OddServer, store: Store) -> None:
    server.files["index.json"] = index_to_bytes({parse_name(NAME): "0" * 64})
    found = sha256_of(MANIFEST.to_bytes())[:12]
    assert refusal(server, store) == (
        f"SERVER/{MANIFEST_PATH}: expected the SHA-256 that index.json says, 000000000000…, found "
        f"{found}…. Nothing was installed. One of the two was damaged or changed: tell the owner "
        "of the registry, who can delete index.json; the next push writes it anew."
    )


def test_a_manifest_of_another_dataset(server: OddServer, store: Store) -> None:
    server.files["index.json"] = b"{}"
    server.files[MANIFEST_PATH] = manifest_of("rohan/sofas@1", FILES).to_bytes()
    assert "expected the manifest of rohan/chairs@1, found that of rohan/sofas@1" in refusal(
        server, store
    )


def test_a_busy_server_is_asked_again(server: OddServer, store: Store) -> None:
    for path in [*server.files]:
        server.failures[path] = 1
    do_install(server, store)
    assert is_sound(store)


def test_cut_at_every_byte(server: OddServer, store: Store) -> None:
    for cut_after in range(1, 1 + max(map(len, FILES.values()))):
        server.cut_after = cut_after
        fresh = Store(store.root / str(cut_after))
        do_install(server, fresh)
        assert is_sound(fresh)


def test_a_server_that_ignores_ranges_starts_again(server: OddServer, store: Store) -> None:
    server.cut_after = 10
    with pytest.raises(FewmaskError):
        install("rohan/chairs", source=server.url, store=store, patience=Patience(1, 1))
    partial = store.partial_path(sha256_of(FILES["data/train-0.parquet"]))
    assert partial.stat().st_size == 10
    server.cut_after, server.knows_ranges = None, False
    do_install(server, store)
    assert installed_files(store, MANIFEST) == FILES


def test_a_server_that_sends_another_piece(server: OddServer, store: Store) -> None:
    server.cut_after, server.wrong_range = 10, True
    assert "found another piece of the file than was asked for" in refusal(server, store)


def test_a_server_that_stalls_in_the_middle(server: OddServer, store: Store) -> None:
    server.stall_after, server.knows_ranges = 4, False
    sentence = refusal(server, store, IMPATIENT)
    assert "expected an answer, found none within 0.2 s" in sentence
    server.stall_after = None
    do_install(server, store)
    assert is_sound(store)


def test_a_server_that_does_not_say_how_long_a_file_is(server: OddServer, store: Store) -> None:
    server.says_length = False
    do_install(server, store)
    assert is_sound(store)


def test_a_server_that_only_knows_get(server: OddServer, store: Store) -> None:
    server.knows_head = False
    server.files["index.json"] = b""
    assert do_install(server, store).name == parse_name(NAME)


def test_a_file_that_is_larger_than_it_should_be_is_not_read_on(
    server: OddServer, store: Store
) -> None:
    server.files[OBJECT] = bytes(50_000_000)
    assert "expected 21 bytes of data/train-0.parquet, found more" in refusal(server, store)


def test_an_index_without_end_is_not_read_on(
    server: OddServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fewmask.packages.index.LARGEST", 1000)
    server.files["index.json"] = bytes(5000)
    assert refusal(server, store) == (
        "SERVER/index.json: expected at most 1,000 bytes, found more. Check the address: this is "
        "no such file of a registry."
    )


def test_a_partial_file_that_is_damaged_is_fetched_anew(server: OddServer, store: Store) -> None:
    partial = store.partial_path(sha256_of(FILES["data/train-0.parquet"]))
    partial.parent.mkdir(parents=True)
    for damaged in (b"XXXX", b"X" * 21, b"X" * 100):
        partial.write_bytes(damaged)
        fresh = Store(store.root)
        do_install(server, fresh)
        assert installed_files(fresh, MANIFEST) == FILES
        fresh.remove_version(MANIFEST.dataset)


def test_what_was_fetched_before_a_failure_is_kept_and_not_fetched_again(
    server: OddServer, store: Store
) -> None:
    server.status[OBJECT] = 404
    refusal(server, store)
    server.status.clear()
    server.asked.clear()
    do_install(server, store)
    others = [object_path(sha256_of(content)) for content in FILES.values()]
    assert sum(server.asked[path] for path in others) < 4
    assert is_sound(store)


def test_nothing_can_be_pushed_to_a_web_server(server: OddServer, store: Store) -> None:
    add_version(store, NAME)
    with pytest.raises(RemoteError) as refused:
        push(NAME, server.url, store=store, patience=QUICK)
    assert str(refused.value) == (
        f"{server.url}: expected a registry that can be written to, found a web server, which only "
        "hands files out. Push to the folder, bucket or SSH host whose files it serves."
    )
    assert not server.asked


@pytest.mark.parametrize(
    "url", ["https://me:secret@example.org/r", "https:///r", "https://example.org/r?a=b"]
)
def test_addresses_with_more_than_an_address(url: str) -> None:
    with pytest.raises(ArgumentError, match="expected the plain address of a folder") as refused:
        open_remote(url)
    assert "secret" not in str(refused.value)


def test_an_encrypted_connection_is_not_left_for_an_open_one() -> None:
    request = Request("https://example.org/registry/index.json")
    with pytest.raises(RemoteError, match="expected an encrypted connection, found a server that"):
        _Redirects().redirect_request(
            request, None, 302, "Found", SimpleNamespace(), "http://example.org/index.json"
        )  # type: ignore[arg-type]


def test_certificates_are_read_once_however_often_a_server_points_to_an_encrypted_one() -> None:
    opener = _opener(encrypted=False)
    (redirects,) = (each for each in opener.handlers if isinstance(each, _Redirects))
    for _ in range(3):
        redirects.redirect_request(
            Request("http://a.org/x"), None, 302, "Found", SimpleNamespace(), "https://a.org/x"
        )  # type: ignore[arg-type]
    assert sum(isinstance(each, HTTPSHandler) for each in opener.handlers) == 1


def test_a_log_in_for_one_server_is_not_told_to_another(server: OddServer) -> None:
    elsewhere = OddServer({"there": b"found"})
    server.status["here"] = f"{elsewhere.url}/there"
    remote = HttpRemote(server.url, QUICK, {"Authorization": "Bearer made-up"})
    assert b"".join(remote.read("here")) == b"found"
    assert server.headers_seen[0]["Authorization"] == "Bearer made-up"
    assert "Authorization" not in elsewhere.headers_seen[0]
    elsewhere.close()


def test_a_web_server_does_not_list(server: OddServer) -> None:
    with pytest.raises(RemoteError, match="expected a place that lists its files"):
        open_remote(server.url).list("versions")


def test_a_cut_says_how_much_came(server: OddServer) -> None:
    server.cut_after = 5
    with pytest.raises(Interrupted, match="found a connection cut after 5 bytes"):
        list(open_remote(server.url).read(OBJECT))


def test_a_manifest_that_is_cut_off(server: OddServer, store: Store) -> None:
    server.files[MANIFEST_PATH] = MANIFEST.to_bytes()[:-20]
    assert "expected the manifest of a dataset, a JSON object, found no such thing" in refusal(
        server, store
    )
