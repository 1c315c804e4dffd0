import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from fewmask.errors import DataError, FewmaskError
from fewmask.packages import store_lock
from fewmask.packages.manifest import PackagedFile
from fewmask.packages.names import parse_name
from fewmask.packages.store import Store

from .made import FILES, add_version, installed_files, is_sound, manifest_of, sha256_of


def test_a_version_is_there_when_its_manifest_is(store):
    assert store.names() == store.manifests() == []
    manifest = add_version(store, "rohan/chairs@1")
    assert store.manifests() == [manifest]
    assert store.manifest(parse_name("rohan/chairs")) == manifest
    assert store.manifest_bytes(parse_name("rohan/chairs@1")) == manifest.to_bytes()
    assert installed_files(store, manifest) == FILES
    assert is_sound(store)


def test_the_newest_is_the_largest_number(store):
    for version in (9, 10, 2):
        add_version(store, f"a/b@{version}")
    assert store.versions(parse_name("a/b")) == [2, 9, 10]
    assert store.manifest(parse_name("a/b")).version == 10
    assert [str(name) for name in store.matching(parse_name("a/b"))] == ["a/b@2", "a/b@9", "a/b@10"]


def test_what_is_not_there_is_said_with_what_is(store):
    with pytest.raises(DataError) as caught:
        store.manifest(parse_name("a/b"))
    assert str(caught.value) == (
        "a/b: expected an installed dataset, found none on this machine. Run: fewmask install a/b"
    )
    add_version(store, "a/b@1")
    with pytest.raises(
        DataError, match=r"a/b@3: expected an installed version, found only version 1"
    ):
        store.manifest(parse_name("a/b@3"))
    with pytest.raises(DataError, match=r"found only a/b\. Run: fewmask install c/d"):
        store.manifest(parse_name("c/d"))


def test_a_manifest_without_its_files_is_not_let_in(store):
    manifest = manifest_of("a/b@1", FILES)
    with pytest.raises(DataError, match="expected all its 3 files in the store, found 3 missing"):
        store.add_version(manifest.to_bytes())
    assert store.names() == []


def test_a_version_that_is_there_is_not_taken_for_whole_when_a_file_is_cut(store):
    manifest = add_version(store, "a/b@1")
    store.object_path(manifest.files[0].sha256).write_bytes(b"#")
    with pytest.raises(DataError, match=r"found 1 missing, README\.md for one\. Try again\."):
        store.add_version(manifest.to_bytes())


def test_a_published_version_is_never_replaced(store):
    manifest = add_version(store, "a/b@1")
    store.add_version(manifest.to_bytes())  # the same again is no harm
    with pytest.raises(DataError, match="found another one of this number in the store"):
        store.add_version(replace(manifest, licence="MIT").to_bytes())
    assert store.manifest(parse_name("a/b")).licence == "CC0-1.0"


def test_names_that_differ_by_capitals_alone_are_refused(store):
    add_version(store, "rohan/chairs@1")
    for name in ("Rohan/chairs@1", "rohan/Chairs@2"):
        with pytest.raises(DataError, match="expected a name that differs by more than capitals"):
            add_version(store, name)
    assert [str(name) for name in store.names()] == ["rohan/chairs@1"]


def test_a_disk_that_does_not_tell_capitals_apart_gives_no_dataset_a_second_name(store):
    class OnSuchADisk(Store):
        def _folder(self, name):
            return super()._folder(parse_name(name.path.lower()))

    add_version(store, "a/b@1")
    store = OnSuchADisk(store.root)
    assert store.versions(parse_name("A/b")) == []
    with pytest.raises(DataError, match="found only a/b"):
        store.manifest(parse_name("A/b@1"))
    with pytest.raises(DataError, match="found only a/b"):
        store.remove_version(parse_name("A/b"))
    assert str(store.manifest(parse_name("a/b")).dataset) == "a/b@1"


def test_removing_keeps_what_others_share(store):
    first = add_version(store, "a/b@1")
    other = FILES | {"data/test-0.parquet": b"changed"}
    second = add_version(store, "a/b@2", other)
    assert store.remove_version(parse_name("a/b@1")) == len(FILES["data/test-0.parquet"])
    assert store.manifests() == [second]
    assert installed_files(store, second) == other
    assert not store.has(first.files[2])
    store.remove_version(parse_name("a/b"))
    assert is_sound(store)
    assert not (store.root / "versions" / "a").exists()
    with pytest.raises(DataError, match="expected an installed dataset"):
        store.remove_version(parse_name("a/b"))


def test_a_cut_off_file_is_not_there(store):
    manifest = add_version(store, "a/b@1")
    assert store.is_whole(parse_name("a/b@1"))
    store.object_path(manifest.files[0].sha256).write_bytes(b"#")
    assert not store.has(manifest.files[0])
    assert not store.is_whole(parse_name("a/b@1"))
    assert not store.is_whole(parse_name("a/b@2"))


def test_a_damaged_manifest_is_one_sentence_and_can_be_removed(store):
    add_version(store, "a/b@1")
    path = store.version_path(parse_name("a/b@1"))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"1\.json: expected the manifest of a dataset") as caught:
        store.manifest(parse_name("a/b"))
    assert caught.value.remedy == "Set it aside with: fewmask dataset verify a/b@1"
    store.remove_version(parse_name("a/b@1"))
    assert is_sound(store)


def test_nothing_is_removed_while_another_manifest_is_damaged(store):
    whole = add_version(store, "a/b@1")
    add_version(store, "c/d@1")
    store.version_path(parse_name("c/d@1")).write_text("{")
    with pytest.raises(DataError, match=r"d/1\.json: expected the manifest of a dataset"):
        store.remove_version(parse_name("a/b"))
    assert installed_files(store, whole) == FILES
    assert store.is_whole(parse_name("a/b@1"))


def test_a_manifest_in_the_wrong_place_is_refused(store):
    add_version(store, "a/b@1")
    path = store.version_path(parse_name("a/b@1"))
    os.rename(path, path.with_name("2.json"))
    with pytest.raises(DataError, match="expected the manifest of a/b@2, found that of a/b@1"):
        store.manifest(parse_name("a/b"))


def test_strange_files_in_the_store_are_passed_over(store):
    add_version(store, "a/b@1")
    for name in ("x.json", "01.json", "2.txt", ".1-abc.json"):
        (store.root / "versions/a/b" / name).write_text("{}")
    (store.root / "versions/a/b/3.json.d").mkdir()
    assert [str(name) for name in store.names()] == ["a/b@1"]


def test_objects_nobody_names_are_removed(store):
    add_version(store, "a/b@1")
    with store.lock(), store.staging() as folder:
        (folder / "x").write_bytes(b"left by a kill")
        store.adopt(folder / "x", sha256_of(b"left by a kill"))
    assert not is_sound(store)
    assert store.remove_unused() == 14
    assert is_sound(store)


def test_a_folder_of_a_killed_process_is_removed_by_the_next(store):
    code = (
        "import os, sys; from fewmask.packages.store import Store\n"
        "with Store(sys.argv[1]).staging() as folder:\n"
        "    (folder / 'half').write_bytes(b'x'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, store.root], check=False)
    assert len(list((store.root / "partial").glob("build-*/half"))) == 1
    with store.staging() as folder:
        assert list(folder.parent.glob("build-*/half")) == []
        with store.staging() as other:
            assert folder.is_dir(), "that of a process at work is left alone"
            assert other != folder
    assert list((store.root / "partial").iterdir()) == []


def test_the_lock_bars_others_and_says_whom_they_wait_for(store, monkeypatch):
    monkeypatch.setattr(store_lock, "QUIET_SECONDS", 0.05)
    said, order, waiting = [], [], threading.Event()

    def say(line):
        said.append(line)
        waiting.set()

    def wait():
        with Store(store.root).lock(say):
            order.append("second")

    with store.lock():
        with store.lock():  # again in the same thread
            other = threading.Thread(target=wait)
            other.start()
        assert waiting.wait(60)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert said == [f"Waiting for process {os.getpid()} to finish in {store.root}."]


def test_it_can_be_pickled(store):
    assert pickle.loads(pickle.dumps(store)).root == store.root


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        FewmaskError, match="lock: expected to be written, found the system refused"
    ):
        add_version(Store(tmp_path / "file"), "a/b@1")


def test_a_version_of_a_missing_size_is_not_whole(store):
    file = PackagedFile("x", "a" * 64, 0)
    assert not store.has(file)
