"""What every kind of registry must do, tried against a live one of each kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fewmask.errors import DataError, FewmaskError
from fewmask.packages.index import index_from_bytes, manifest_path, object_path
from fewmask.packages.install import install
from fewmask.packages.names import parse_name
from fewmask.packages.push import Pushed, push
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.search import Installed
from fewmask.packages.store import Store

from ..made import FILES, add_version, installed_files, is_sound, sha256_of
from .conftest import CONNECTED, KINDS, QUICK, Place, open_place
from .cutting_proxy import CuttingProxy

every_kind = pytest.mark.parametrize("place", KINDS, indirect=True)
every_connection = pytest.mark.parametrize("place", CONNECTED, indirect=True)
NAME = "rohan/chairs"
CHANGED = {**FILES, "data/test-0.parquet": b"PAR1 another chair PAR1"}


def large(place: Place) -> dict[str, bytes]:
    """Makes files of which one is large: larger than a piece in which buckets are read."""
    length = 6_400_000 if place.kind == "s3" else 1_600_000
    return {**FILES, "data/train-0.parquet": bytes(range(256)) * (length // 256)}


def half_way(place: Place) -> int:
    """Returns how many bytes have passed when most of the large file has."""
    return 5_000_000 if place.kind == "s3" else 1_200_000


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    return Store(tmp_path / "mine")


@pytest.fixture
def yours(tmp_path: Path) -> Store:
    return Store(tmp_path / "yours")


def do_push(place: Place, store: Store, name: str = NAME, **more: Any) -> Pushed:
    return push(
        name, place.push_to, store=store, **{"patience": QUICK, "options": place.options, **more}
    )


def do_install(place: Place, store: Store, name: str = NAME, **more: Any) -> Installed:
    return install(
        name,
        **{
            "source": place.url,
            "store": store,
            "patience": QUICK,
            "options": place.options,
            **more,
        },
    )


@every_kind
def test_what_is_pushed_is_installed(place: Place, mine: Store, yours: Store) -> None:
    manifest = add_version(mine, NAME)
    pushed = do_push(place, mine)
    assert (pushed.sent, pushed.shared, pushed.new) == (manifest.size, 0, True)
    installed = do_install(place, yours)
    assert installed.manifest == manifest
    assert installed.fetched == manifest.size
    assert installed_files(yours, manifest) == FILES
    assert is_sound(yours)


@every_kind
def test_what_two_versions_share_travels_once(place: Place, mine: Store, yours: Store) -> None:
    add_version(mine, NAME)
    do_push(place, mine)
    do_install(place, yours)
    newer = add_version(mine, f"{NAME}@2", CHANGED)
    changed = len(CHANGED["data/test-0.parquet"])
    # The Hub does not tell the hash of small files, so the card is sent again.
    card = len(FILES["README.md"]) if place.kind == "hub" else 0
    assert do_push(place, mine).sent == changed + card
    installed = do_install(place, yours)
    assert (installed.name.version, installed.fetched) == (2, changed)
    assert installed.shared == newer.size - changed
    old = Store(yours.root.with_name("older"))
    first = do_install(place, old, f"{NAME}@1")
    assert installed_files(old, first.manifest) == FILES


@every_kind
def test_pushed_twice(place: Place, mine: Store, yours: Store, tmp_path: Path) -> None:
    add_version(mine, NAME)
    do_push(place, mine)
    again = do_push(place, mine)
    assert (again.new, again.sent) == (False, 0)

    other = Store(tmp_path / "other")
    add_version(other, NAME, CHANGED)
    with pytest.raises(DataError) as refused:
        do_push(place, other)
    assert str(refused.value) == (
        f"rohan/chairs@1: expected a version that {open_place(place).url} does not hold yet, "
        "found one of this number with other content. A published version never changes. Build "
        "yours as the next one: fewmask build rohan/chairs@2 FOLDER --license ID"
    ).replace(place.url, place.push_to)
    assert installed_files(yours, do_install(place, yours).manifest) == FILES


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Does several things at the same moment; returns what each returned or raised."""
    start = threading.Barrier(len(actions))
    outcomes: list[object] = [None] * len(actions)

    def act(number: int, action: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes[number] = action()
        except FewmaskError as error:
            outcomes[number] = error

    threads = [
        threading.Thread(target=act, args=(number, action)) for number, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@every_kind
def test_one_of_those_who_push_a_version_at_once_wins(
    place: Place, yours: Store, tmp_path: Path
) -> None:
    stores = [Store(tmp_path / f"pusher{number}") for number in range(4)]
    contents = [{**FILES, "data/train-0.parquet": b"PAR1 %d" % number} for number in range(4)]
    for store, files in zip(stores, contents, strict=True):
        add_version(store, NAME, files)
    outcomes = at_once(*(lambda store=store: do_push(place, store) for store in stores))
    won = [number for number, each in enumerate(outcomes) if isinstance(each, Pushed)]
    assert len(won) == 1, outcomes
    refused = [str(each) for each in outcomes if not isinstance(each, Pushed)]
    assert all("found one of this number with other content" in each for each in refused), refused
    installed = do_install(place, yours)
    assert installed_files(yours, installed.manifest) == contents[won[0]]


@pytest.mark.parametrize("place", [kind for kind in KINDS if kind != "hub"], indirect=True)
def test_those_who_push_different_versions_at_once_lose_nothing(
    place: Place, yours: Store, tmp_path: Path
) -> None:
    names = [f"{NAME}@{number}" for number in (1, 2, 3)] + ["mai/chairs@1"]
    stores = [Store(tmp_path / f"pusher{number}") for number in range(4)]
    for store, name in zip(stores, names, strict=True):
        add_version(store, name, {"README.md": name.encode(), **CHANGED})
    pushes = [partial(do_push, place, *each) for each in zip(stores, names, strict=True)]
    outcomes = at_once(*pushes)
    assert all(isinstance(each, Pushed) for each in outcomes), outcomes
    index = index_from_bytes(b"".join(open_place(place).read("index.json")))
    assert index is not None
    assert sorted(map(str, index)) == sorted(names)
    for name in names:
        do_install(place, yours, name)
    assert is_sound(yours)


def test_those_who_push_to_one_repository_of_the_hub_wait_for_each_other(
    hub_place: Place, yours: Store, tmp_path: Path
) -> None:
    stores = [Store(tmp_path / f"pusher{number}") for number in range(2)]
    for number, store in enumerate(stores):
        add_version(store, f"{NAME}@{number + 1}", {**FILES, "README.md": b"%d" % number})
    outcomes = at_once(*(lambda store=store: do_push(hub_place, store) for store in stores))
    # The second version may be quicker, and then the first comes too late.
    assert isinstance(outcomes[1], Pushed)
    assert isinstance(outcomes[0], Pushed) or "takes versions in their order" in str(outcomes[0])
    assert do_install(hub_place, yours).name == parse_name(f"{NAME}@2")
    assert is_sound(yours)


@every_connection
def test_a_cut_is_mended_from_where_it_was(
    place: Place, mine: Store, yours: Store, proxy: CuttingProxy
) -> None:
    manifest = add_version(mine, NAME, large(place))
    do_push(place, mine)
    url, options = place.through(proxy.port)
    proxy.cut(down=half_way(place))
    do_install(place, yours, source=url, options=options)
    assert is_sound(yours)
    assert installed_files(yours, manifest) == large(place)
    # What had arrived was not fetched again, but for the piece that was cut.
    piece = 4_300_000 if place.kind == "s3" else 1_100_000 if place.kind == "ssh" else 30_000
    assert proxy.passed["down"] < manifest.size + piece


@every_connection
def test_a_line_that_stays_cut_ends_in_one_sentence_and_the_next_install_goes_on(
    place: Place, mine: Store, yours: Store, proxy: CuttingProxy
) -> None:
    add_version(mine, NAME, large(place))
    do_push(place, mine)
    url, options = place.through(proxy.port)
    proxy.cut(down=half_way(place))
    with pytest.raises(FewmaskError) as failed:
        do_install(place, yours, source=url, options=options, patience=Patience(5, tries=1))
    assert "expected an answer, found " in str(failed.value)
    assert "what has arrived is kept" in str(failed.value)
    assert yours.names() == []
    arrived = sum(path.stat().st_size for path in yours.root.glob("partial/*"))
    assert arrived >= 1_000_000
    seen: list[int] = []
    do_install(place, yours, progress=lambda done, total: seen.append(done))
    assert seen[0] < seen[-1]
    assert is_sound(yours)


@pytest.mark.parametrize("place", ["s3", "ssh", "hub"], indirect=True)
def test_a_push_that_is_cut_shows_nothing_and_the_next_one_succeeds(
    place: Place, mine: Store, yours: Store, proxy: CuttingProxy
) -> None:
    manifest = add_version(mine, NAME, large(place))
    url, options = place.through(proxy.port)
    proxy.cut(up=half_way(place) // 2, always=True)
    with pytest.raises(FewmaskError) as failed:
        push(NAME, url, store=mine, options=options, patience=Patience(5, 2, 0.01))
    assert len(str(failed.value)) < 600
    with pytest.raises(FewmaskError):
        do_install(place, yours)
    assert yours.names() == []
    proxy.cut(up=half_way(place))  # one more cut, which the push mends by itself
    push(NAME, url, store=mine, options=options, patience=QUICK)
    do_install(place, yours)
    assert installed_files(yours, manifest) == large(place)
    assert is_sound(yours)


@every_kind
@pytest.mark.parametrize("damage", ["a byte", "an end"])
def test_what_was_tampered_with_is_refused(
    place: Place, mine: Store, yours: Store, damage: str
) -> None:
    manifest = add_version(mine, NAME)
    do_push(place, mine)
    good = FILES["data/train-0.parquet"]
    bad, found = {
        "a byte": (
            b"X" + good[1:],
            "the 21 bytes of data/train-0.parquet with their SHA-256, found others: damaged or "
            "changed",
        ),
        "an end": (good[:10], "21 bytes of data/train-0.parquet, found only 10"),
    }[damage]
    path = object_path(sha256_of(good))
    place.put(path, bad)
    with pytest.raises(DataError) as refused:
        do_install(place, yours)
    assert str(refused.value) == (
        f"{open_place(place).url}/{path}: expected {found}. Nothing was installed. Tell the owner "
        "of the registry, who can delete this file and push again."
    )
    assert yours.names() == []
    assert not list(yours.root.glob("objects/*/*"))
    place.put(path, good)
    assert installed_files(yours, do_install(place, yours).manifest) == FILES
    assert manifest.dataset in yours.names()


@pytest.mark.parametrize(
    ("place", "path"),
    [
        *((kind, "../../evil") for kind in KINDS),
        *(("folder", path) for path in ("/etc/evil", "a\\b", "C:evil")),
    ],
    indirect=["place"],
)
def test_a_manifest_whose_paths_climb_out_is_refused(
    place: Place, mine: Store, yours: Store, path: str
) -> None:
    manifest = add_version(mine, NAME)
    do_push(place, mine)
    evil = manifest.to_bytes().replace(b"README.md", path.replace("\\", "\\\\").encode())
    place.put(manifest_path(parse_name(f"{NAME}@1")), evil)
    with pytest.raises(DataError, match="expected paths that stay inside the package"):
        do_install(place, yours)
    assert yours.names() == []


@every_kind
def test_what_is_not_there_is_named(place: Place, mine: Store, yours: Store) -> None:
    add_version(mine, NAME)
    do_push(place, mine)
    url = open_place(place).url
    with pytest.raises(DataError, match=f"expected a version that {url} holds, found only 1"):
        do_install(place, yours, f"{NAME}@7")
    with pytest.raises(FewmaskError, match=r"mai/sofas.*holds, found"):
        do_install(place, yours, "mai/sofas")
