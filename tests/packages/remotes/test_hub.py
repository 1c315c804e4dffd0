"""What is different on the Hub: one dataset a repository, its newest version at the root."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from fewmask.errors import DataError, FewmaskError
from fewmask.packages.install import install, install_pinned
from fewmask.packages.load import load_dataset
from fewmask.packages.push import push
from fewmask.packages.remotes.hub import HubRemote
from fewmask.packages.remotes.remote import NoRight, NotThere, RemoteError
from fewmask.packages.store import Store

from ..conftest import Build, draw
from ..made import FILES, add_version, installed_files, is_sound
from .conftest import QUICK, Place
from .hub_server import Blob, HubServer, Repository

NAME = "rohan/chairs"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def repository(hub_place: Place, hub_server: HubServer) -> Repository:
    """The repository of the place, empty."""
    return hub_server.make(hub_place.url.removeprefix("hf://"))


def do_push(place: Place, store: Store, name: str = NAME) -> None:
    push(name, place.url, store=store, patience=QUICK, options=place.options)


def test_a_version_is_one_commit_with_its_files_at_the_root(
    hub_place: Place, hub_server: HubServer, store: Store
) -> None:
    add_version(store, NAME)
    do_push(hub_place, store)
    newer = {"README.md": b"# More chairs\n", "data/train-1.parquet": b"PAR1 five PAR1"}
    add_version(store, f"{NAME}@2", newer)
    do_push(hub_place, store)
    repository = hub_server.repositories[hub_place.url.removeprefix("hf://")]
    assert [commit.title for commit in repository.commits[1:]] == ["Version 1", "Version 2"]
    root = {
        path: blob.content
        for path, blob in repository.commits[-1].tree.items()
        if not path.startswith(("versions/", "."))
    }
    assert root == newer
    assert sorted(path for path in repository.commits[-1].tree if path.startswith("v")) == [
        "versions/rohan/chairs/1.json",
        "versions/rohan/chairs/2.json",
    ]
    assert repository.at("v1") is repository.commits[1]
    assert repository.private


def test_an_edit_of_the_card_on_the_hub_harms_nobody(
    hub_place: Place, store: Store, tmp_path: Path
) -> None:
    add_version(store, NAME)
    do_push(hub_place, store)
    hub_place.put("README.md", b"# Edited in a browser\n")
    yours = Store(tmp_path / "yours")
    installed = install(hub_place.url, store=yours, patience=QUICK, options=hub_place.options)
    assert installed_files(yours, installed.manifest) == FILES
    again = push(NAME, hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    assert not again.new


def test_versions_come_in_their_order(hub_place: Place, store: Store) -> None:
    for number in (1, 2):
        add_version(store, f"{NAME}@{number}", {**FILES, "README.md": b"%d" % number})
    do_push(hub_place, store, f"{NAME}@2")
    with pytest.raises(RemoteError) as refused:
        do_push(hub_place, store, f"{NAME}@1")
    assert str(refused.value) == (
        f"{hub_place.url}: expected a version after 2, which is there, found version 1. The Hub "
        "takes versions in their order: build a newer one."
    )


@pytest.mark.parametrize(
    ("path", "found"), [("data/0.csv", "data/0.csv"), ("versions/mai/sofas/1.json", "mai/sofas")]
)
def test_a_repository_of_something_else_is_left_alone(
    hub_place: Place, repository: Repository, store: Store, path: str, found: str
) -> None:
    hub_place.put(path, b"{}")
    add_version(store, NAME)
    with pytest.raises(RemoteError) as refused:
        do_push(hub_place, store)
    assert str(refused.value) == (
        f"{hub_place.url}: expected an empty repository, or one of rohan/chairs, found {found} in "
        "it. A repository on the Hub holds one dataset: push to one of its own."
    )
    assert len(repository.commits) == 2


def test_who_has_not_logged_in(
    hub_place: Place, repository: Repository, store: Store, tmp_path: Path
) -> None:
    options = {**hub_place.options, "token": False}
    add_version(store, NAME)
    with pytest.raises(NoRight, match=r"found nobody logged in who may write to it. Log in"):
        push(NAME, hub_place.url, store=store, patience=QUICK, options=options)
    do_push(hub_place, store)
    repository.private = True
    with pytest.raises(NotThere) as refused:
        install(hub_place.url, store=Store(tmp_path / "b"), patience=QUICK, options=options)
    assert str(refused.value) == (
        f"{hub_place.url}: expected a repository of datasets on the Hub, found none of this name "
        "that you may see. Check the name; if it is private, log in with: hf auth login"
    )


def test_the_hub_is_down(store: Store, hub_place: Place) -> None:
    options = {"endpoint": "http://127.0.0.1:9", "token": False}
    with pytest.raises(FewmaskError, match=r"3 times in a row"):
        install(hub_place.url, store=store, patience=QUICK, options=options)


def test_files_can_only_be_pushed_as_a_version(hub_place: Place) -> None:
    remote = HubRemote(hub_place.url, QUICK, hub_place.options)
    with pytest.raises(RemoteError, match="expected a whole version, found a single file"):
        remote.create("index.json", b"{}")


def test_one_commit_is_no_place_to_push_to(store: Store, hub_place: Place) -> None:
    add_version(store, NAME)
    address = f"{hub_place.url}@{'0' * 40}"
    with pytest.raises(RemoteError) as refused:
        push(NAME, address, store=store, patience=QUICK, options=hub_place.options)
    assert str(refused.value) == (
        f"{hub_place.url}: expected a repository to push to, found one commit of it. "
        f"Leave out @{'0' * 40}"
    )


# --- what the library `datasets` and others make of it -----------------------------------------


def download(repository: Repository, folder: Path) -> Path:
    """Writes the newest commit of a repository into a folder, as the Hub's own tools do."""
    for path, blob in repository.commits[-1].tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(blob.content)
    return folder


@pytest.mark.filterwarnings("ignore")  # of the other library
def test_the_library_datasets_reads_what_was_pushed(
    hub_place: Place,
    hub_server: HubServer,
    build: Build,
    store: Store,
    things: Path,
    tmp_path: Path,
) -> None:
    datasets = pytest.importorskip("datasets")
    build(things)
    do_push(hub_place, store, "rohan/things")
    repository = hub_server.repositories[hub_place.url.removeprefix("hf://")]
    folder = download(repository, tmp_path / "downloaded")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == 10
    assert loaded["train"][0]["image"].size == (32, 24)


def foreign(numbers: range, folder: Path) -> bytes:
    """Makes a Parquet file as other people do."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    draw(folder, numbers)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

    def cells(name: str) -> object:
        return pa.array(
            [
                {"bytes": (folder / name / f"thing {n}.png").read_bytes(), "path": f"{n}.png"}
                for n in numbers
            ],
            kind,
        )

    content = io.BytesIO()
    pq.write_table(pa.table({"image": cells("images"), "label": cells("masks")}), content)
    return content.getvalue()


CARD = b"---\nlicense: cc-by-4.0\n---\n\n# Things of somebody else\n"


@pytest.fixture
def foreign_repository(repository: Repository, tmp_path: Path) -> Repository:
    """A repository with Parquet files that nobody of ours has made."""
    tree = {
        **repository.commits[-1].tree,
        "README.md": Blob(CARD, False),
        "data/train-00000-of-00001.parquet": Blob(foreign(range(6), tmp_path / "drawn"), True),
        "data/test-00000-of-00001.parquet": Blob(foreign(range(6, 9), tmp_path / "drawn"), False),
    }
    for blob in tree.values():
        repository.large[blob.oid] = blob.content
    repository.commit("Upload dataset", tree)
    return repository


def test_a_dataset_of_somebody_else_is_installed_as_it_is(
    hub_place: Place, foreign_repository: Repository, store: Store
) -> None:
    installed = install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    manifest = installed.manifest
    assert str(installed.name) == f"{hub_place.url.removeprefix('hf://')}@1"
    assert manifest.licence == "CC-BY-4.0"
    assert manifest.parts == {"train": 6, "test": 3}
    assert [str(column.kind) for column in manifest.columns] == ["image", "mask"]
    assert manifest.made_from == {
        "hub": hub_place.url,
        "commit": foreign_repository.commits[-1].oid,
    }
    assert is_sound(store)
    dataset = load_dataset(str(installed.name), store=store)
    assert len(dataset) == 9
    assert dataset.classes is not None
    again = install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    assert (again.fetched, again.name) == (0, installed.name)


def test_a_name_that_differs_by_capitals_is_refused_before_any_byte_arrives(
    hub_place: Place, foreign_repository: Repository, store: Store
) -> None:
    add_version(store, hub_place.url.removeprefix("hf://").upper(), FILES)
    seen: list[tuple[int, int]] = []
    with pytest.raises(DataError, match="differs by more than capitals"):
        install(
            hub_place.url,
            store=store,
            patience=QUICK,
            options=hub_place.options,
            progress=lambda *done: seen.append(done),
        )
    assert seen == []


def test_it_is_not_taken_for_another_dataset_or_version(
    hub_place: Place, foreign_repository: Repository, store: Store
) -> None:
    name = hub_place.url.removeprefix("hf://")
    with pytest.raises(DataError, match=f"rohan/sofas: expected a dataset that {hub_place.url}"):
        install(
            "rohan/sofas", source=hub_place.url, store=store, patience=QUICK,
            options=hub_place.options,
        )  # fmt: skip
    with pytest.raises(DataError) as refused:
        install(f"{hub_place.url}@3", store=store, patience=QUICK, options=hub_place.options)
    assert str(refused.value) == (
        f"{name}@3: expected a version that {hub_place.url} holds, found somebody else's dataset, "
        f"which has commits but no versions. Run: fewmask install {hub_place.url}"
    )
    assert store.names() == []


def test_a_newer_commit_of_it_is_a_newer_version(
    hub_place: Place, foreign_repository: Repository, store: Store
) -> None:
    install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    hub_place.put("README.md", CARD + b"\nBetter than ever.\n")
    newer = install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    assert newer.name.version == 2
    assert newer.fetched == len(CARD) + len(b"\nBetter than ever.\n")


def test_a_lock_file_pins_its_commit(
    hub_place: Place, foreign_repository: Repository, store: Store, tmp_path: Path
) -> None:
    lock = tmp_path / "fewmask.lock"
    first = install(
        hub_place.url, store=store, lock=lock, patience=QUICK, options=hub_place.options
    )
    hub_place.put("README.md", b"# Changed\n")
    (elsewhere,) = install_pinned(
        lock, store=Store(tmp_path / "other"), patience=QUICK, options=hub_place.options
    )
    assert elsewhere.manifest == first.manifest


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"README.md": CARD, "data.csv": b"a,b\n"},
         "expected a dataset of Parquet files, found 3 files, none of them Parquet that belongs "
         "to it. Download it from the Hub, and name the folder of its images and masks."),
        ({"data/train.parquet": b"PAR1 not at all"}, "expected a whole Parquet file"),
    ],
)  # fmt: skip
def test_a_repository_that_is_no_dataset_for_us(
    hub_place: Place, repository: Repository, store: Store, tree: dict[str, bytes], sentence: str
) -> None:
    files = {path: Blob(content, False) for path, content in tree.items()}
    repository.commit("Upload", {**repository.commits[-1].tree, **files})
    with pytest.raises(DataError) as refused:
        install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    assert sentence in str(refused.value)
    assert store.names() == []
    assert not list(store.root.glob("objects/*/*"))


def test_what_the_hub_was_asked(
    hub_place: Place, hub_server: HubServer, foreign_repository: Repository, store: Store
) -> None:
    before = len(hub_server.seen)
    install(hub_place.url, store=store, patience=QUICK, options=hub_place.options)
    asked = [line for line in hub_server.seen[before:] if "/api/" in line]
    assert asked == [f"GET /api/datasets/{hub_place.url.removeprefix('hf://')}"]
    manifest = json.loads(store.manifest_bytes(store.names()[0]))
    assert manifest["made_by"] == manifest["created"] == ""
