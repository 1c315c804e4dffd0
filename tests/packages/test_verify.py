import errno
import shutil
from pathlib import Path

import pytest

from fewmask.errors import DataError
from fewmask.packages.names import parse_name
from fewmask.packages.overview import look_over, sheet_file
from fewmask.packages.verify import verify

from .conftest import draw
from .made import FILES, add_version


def test_what_is_whole_is_whole(built, store):
    calls = []
    assert verify(store, store.names(), lambda *now: calls.append(now)) == []
    assert calls[-1] == (built.manifest.size, built.manifest.size)


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_a_tampered_byte_is_found_and_the_file_no_longer_counts(built, store, place):
    file = built.manifest.files[1]
    path = store.object_path(file.sha256)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    (bad,) = verify(store, store.names())
    assert (bad.name, bad.path) == ("rohan/things@1", "data/train-00000-of-00001.parquet")
    assert bad.problem == "damaged: other bytes than published"
    assert not store.is_whole(parse_name("rohan/things@1"))
    assert (store.root / "damaged" / file.sha256).read_bytes() == content
    (again,) = verify(store, store.names())
    assert again.problem == "missing"


def test_each_bad_file_is_reported_for_each_version(store):
    for version in (1, 2):
        add_version(store, f"a/b@{version}", FILES | {"x": b"%d" % version})
    first = store.manifest(parse_name("a/b@1"))
    store.object_path(first.files[0].sha256).write_bytes(b"short")
    store.object_path(first.files[3].sha256).unlink()
    bad = verify(store, store.names())
    assert [(each.name, each.path, each.problem) for each in bad] == [
        ("a/b@1", "README.md", "damaged: 5 bytes in place of 9"),
        ("a/b@1", "x", "missing"),
        ("a/b@2", "README.md", "damaged: 5 bytes in place of 9"),
    ]


def test_a_file_replaced_by_a_link_is_judged_by_its_bytes(store, tmp_path):
    manifest = add_version(store, "a/b@1")
    path = store.object_path(manifest.files[0].sha256)
    (tmp_path / "secret").write_text("of somebody")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    (bad,) = verify(store, store.names())
    assert bad.problem.startswith("damaged")
    assert (tmp_path / "secret").read_text() == "of somebody"


def test_a_damaged_manifest_is_reported(store):
    add_version(store, "a/b@1")
    add_version(store, "a/b@2")
    path = store.version_path(parse_name("a/b@2"))
    path.write_bytes(path.read_bytes()[:40])
    (bad,) = verify(store, store.names())
    assert (bad.name, bad.path) == ("a/b@2", "manifest")
    assert bad.problem.startswith("no good manifest: no such thing")
    # It no longer stands in the way of the good one.
    assert (store.root / "damaged/a/b@2.json").stat().st_size == 40
    assert store.versions(parse_name("a/b")) == [1]
    add_version(store, "a/b@2")
    assert verify(store, store.names()) == []


def test_a_manifest_of_a_newer_fewmask_is_left_where_it_is(store):
    add_version(store, "a/b@1")
    path = store.version_path(parse_name("a/b@1"))
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    (bad,) = verify(store, store.names())
    assert "format 2, made by a newer fewmask" in bad.problem
    assert bad.remedy == "Update: pip install --upgrade fewmask"
    assert path.exists()


def test_a_manifest_in_the_place_of_another_is_set_aside(store):
    add_version(store, "a/b@1")
    path = store.version_path(parse_name("a/b@7"))
    path.write_bytes(store.manifest_bytes(parse_name("a/b@1")))
    (bad,) = verify(store, store.names())
    assert (bad.name, bad.remedy) == ("a/b@7", None)
    assert bad.problem == "no good manifest: that of a/b@1 in place of the manifest of a/b@7"
    assert store.versions(parse_name("a/b")) == [1]


def test_a_file_that_cannot_be_read_stays_and_is_not_said_to_come_again(store):
    manifest = add_version(store, "a/b@1")
    path = store.object_path(manifest.files[0].sha256)
    path.unlink()
    path.mkdir()
    (bad,) = verify(store, store.names())
    assert bad.problem.startswith("not readable: ")
    assert bad.remedy == "Check its rights, and the disk."
    assert path.exists()


def test_only_what_was_asked_for_is_read(store):
    add_version(store, "a/b@1")
    with pytest.raises(DataError, match="expected an installed dataset"):
        verify(store, [parse_name("c/d@1")])


def test_the_overview_counts_what_is_shared_once(build, things, store):
    first = build(things).manifest
    draw(things, range(10, 40))
    second = build(things).manifest
    add_version(store, "a/small@1")
    (store.root / "partial" / "half").write_bytes(b"1234")
    overview = look_over(store)
    small = sum(map(len, FILES.values()))
    sizes = {file.sha256: file.size for manifest in (first, second) for file in manifest.files}
    assert [str(entry.name) for entry in overview.entries] == ["rohan/things", "a/small"]
    assert [manifest.version for manifest in overview.entries[0].manifests] == [2, 1]
    assert overview.entries[0].size == sum(sizes.values())
    assert overview.size == sum(sizes.values()) + small
    assert (overview.unfinished, overview.set_aside) == (4, 0)
    # A damaged manifest does not hide the others.
    store.version_path(parse_name("rohan/things@1")).write_text("{")
    entry = look_over(store).entries[0]
    assert [manifest.version for manifest in entry.manifests] == [2]
    assert [str(name) for name, _ in entry.damaged] == ["rohan/things@1"]


def test_the_sheet_has_a_name_that_viewers_understand(built, store):
    sheet = sheet_file(store, built.manifest)
    assert sheet.name == "things@1.jpg"
    assert sheet.read_bytes()[:3] == b"\xff\xd8\xff"
    shutil.rmtree(sheet.parent)
    assert sheet_file(store, built.manifest).is_file(), "it is made again"
    store.remove_version(parse_name("rohan/things@1"))
    assert not sheet.exists()
    assert sheet_file(store, built.manifest) is None


def test_a_version_is_built_and_shown_without_its_sheet_where_the_disk_is_full(
    build, things, store, monkeypatch
):
    def full(source, destination):
        Path(destination).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fewmask.packages.overview.shutil.copyfile", full)
    built = build(things)
    assert (built.is_new, built.sheet) == (True, None)
    again = build(things)
    assert (again.is_new, again.sheet) == (False, None)
    assert list((store.root / "sheets/rohan").iterdir()) == []
    monkeypatch.undo()
    assert sheet_file(store, built.manifest).is_file()
