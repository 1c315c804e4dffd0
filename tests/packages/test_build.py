import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fewmask.data import imageio
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import encode_png, write_png
from fewmask.data.imageio.label_png import encode_labels
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.packed import PackedFile
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.packages import build as building
from fewmask.packages.build import build_package
from fewmask.packages.checking import Checked
from fewmask.packages.checks import what_is_wrong_with
from fewmask.packages.load import load_dataset
from fewmask.packages.names import parse_name
from fewmask.packages.packing import write_shards
from fewmask.packages.reading import stored_ids
from fewmask.packages.rows import clean_path
from fewmask.packages.shard import write_shard
from fewmask.packages.statistics import Statistics
from fewmask.packages.store import Store
from fewmask.packages.verify import verify

from .conftest import draw
from .made import is_sound


def test_what_is_built_is_what_was_there(built, store, things):
    folder, installed = load_dataset(things), load_dataset("rohan/things", store=store)
    assert installed.rows == folder.rows
    assert installed.columns == folder.columns
    assert installed.classes == folder.classes
    for index in range(10):
        original = folder.image_path(index)
        assert installed.image_path(index).read_bytes() == original.read_bytes()
        assert (installed.read_mask(index) == folder.read_mask(index)).all()
        assert installed.sample_id(index) == folder.sample_id(index)
    # So whoever draws parts by a seed draws the same ones.
    assert installed.split(seed=3).test.rows == folder.split(seed=3).test.rows
    assert installed.findings[0] == "rohan/things@1 is installed: 10 images; licence CC0-1.0."


def test_the_manifest_says_all_of_it(built, store):
    manifest = built.manifest
    assert store.manifests() == [manifest]
    assert (str(manifest.dataset), manifest.licence, manifest.parts) == (
        "rohan/things@1", "CC0-1.0", {"train": 10},
    )  # fmt: skip
    assert [file.path for file in manifest.files] == [
        "README.md", "data/train-00000-of-00001.parquet", "sheet.jpg",
    ]  # fmt: skip
    statistics = manifest.statistics
    assert statistics["images"] == 10
    assert statistics["sizes"] == [[24, 32, 10]]
    assert sum(statistics["class_pixels"]) == 10 * 24 * 32
    assert statistics["class_images"] == [10, 10]
    assert manifest.made_from == {"dataset": "things"}
    assert manifest.made_by.startswith("fewmask ")
    assert is_sound(store)
    assert list((store.root / "partial").iterdir()) == []
    with Image.open(built.sheet) as sheet:
        assert sheet.format == "JPEG"


def test_a_licence_is_needed_in_a_known_spelling(build, things):
    assert build(things, license="cc-by-sa-4.0").manifest.licence == "CC-BY-SA-4.0"
    assert build(things, "a/b", license="unknown").manifest.licence == "unknown"
    assert build(things, "a/c", license="LicenseRef-Clinic").manifest.licence == "LicenseRef-Clinic"
    for wrong in ("", "cc by", "-", "x" * 65):
        with pytest.raises(ArgumentError, match="--license: expected the identifier of a licence"):
            build(things, license=wrong)


def test_each_build_takes_the_next_number_unless_told(build, things, store):
    assert build(things).manifest.version == 1
    draw(things, [10])
    assert build(things).manifest.version == 2
    draw(things, [11])
    assert build(things, "rohan/things@7").manifest.version == 7
    draw(things, [12])
    assert build(things).manifest.version == 8
    with pytest.raises(DataError, match=r"found one of this number in the store\. Leave out @7"):
        build(things, "rohan/things@7")
    assert store.versions(parse_name("rohan/things")) == [1, 2, 7, 8]


def test_nothing_changed_is_no_new_version(build, things, store):
    first, again = build(things), build(things)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.manifest == first.manifest
    assert build(things, license="MIT").manifest.version == 2
    assert build(things, "rohan/things@5", license="MIT").manifest.version == 5
    assert is_sound(store)


def test_the_same_rows_give_the_same_files_wherever_they_lie(build, things, tmp_path):
    first = build(things)
    shutil.copytree(things, tmp_path / "copy")
    other = Store(tmp_path / "other")
    dataset = load_dataset(tmp_path / "copy")
    second = build_package("rohan/things", dataset, license="CC0-1.0", store=other)
    assert second.manifest.files == first.manifest.files
    # Nor does it matter in which order they come.
    turned = dataset.sort("image", reverse=True)
    third = build_package("a/b", turned, license="CC0-1.0", store=other)
    assert third.manifest.files[1] == first.manifest.files[1]


def test_parts_groups_and_other_values_travel_too(build, dataset, store):
    columns = [
        *dataset.columns,
        Column("part", "category", ("train", "test")),
        Column("group", "string"),
        Column("kind", "category", ("old", "ghế")),
        Column("age", "integer"),
        Column("weight", "float"),
        Column("tags", "category array", ("x", "y")),
        Column("sizes", "float array"),
    ]
    more = [
        (
            "test" if n % 5 == 0 else "train",
            f"g{n // 2}",
            "ghế" if n else "old",
            -n,
            n / 3,
            list("xy"[: n % 3]),
            [n / 2] * n,
        )
        for n in range(10)
    ]
    rows = [(*row, *values) for row, values in zip(dataset.rows, more, strict=True)]
    built = build(replace(dataset, columns=columns, rows=rows))
    assert built.manifest.parts == {"train": 8, "test": 2}
    installed = load_dataset("rohan/things", store=store)
    assert installed.rows == replace(dataset, columns=columns, rows=rows).rows
    assert list(installed.columns) == columns
    shard = store.object_path(built.manifest.file("data/test-00000-of-00001.parquet").sha256)
    table = pq.read_table(shard)
    assert "part" not in table.column_names
    assert table.column("kind").to_pylist() == [1, 0] or table.column("kind").to_pylist() == [0, 1]


def test_an_ignore_index_and_the_order_of_classes_are_kept(build, things, store):
    for number in range(10):
        path = things / f"masks/thing {number}.png"
        values = imageio.read_mask_values(path).values // 255 * 7
        values[0, :4] = 200
        write_png(path, values)
    dataset = load_dataset(things, classes=["ground=0", "thing=7"], ignore_index=200)
    build(dataset)
    installed = load_dataset("rohan/things", store=store)
    assert installed.classes == dataset.classes
    assert installed.classes.ignore_index == 255
    for index in range(10):
        assert (installed.read_mask(index) == dataset.read_mask(index)).all()
    assert installed.read_mask(0)[0, :5].tolist()[:4] == [255] * 4


def test_images_without_masks_and_with_several_columns(build, things, store):
    columns = [Column("left", "image"), Column("right", "image")]
    rows = [(f"images/thing {n}.png", f"masks/thing {n}.png") for n in range(3)]
    built = build(Dataset("pairs", things, columns, rows))
    installed = load_dataset("rohan/things", store=store)
    assert installed.rows == tuple(rows)
    assert installed.classes is None
    assert installed.load_image(rows[0][1]).size == (32, 24)
    card = store.object_path(built.manifest.file("README.md").sha256).read_text()
    assert "image-segmentation" not in card
    assert "## Classes" not in card


def test_a_package_can_be_built_from_an_installed_one(build, built, store):
    again = build(load_dataset("rohan/things", store=store), "me/copy")
    assert again.manifest.files[1] == built.manifest.files[1]


def test_paths_that_no_other_system_takes_are_made_safe(build, tmp_path, store):
    outside = draw(tmp_path / "elsewhere", range(3))
    inside = tmp_path / "inside"
    (inside / "img: new").mkdir(parents=True)
    for number in range(3):
        os.rename(outside / f"images/thing {number}.png", inside / f"img: new/thing {number}.png")
    build(load_dataset(inside, masks=outside / "masks"))
    installed = load_dataset("rohan/things", store=store)
    assert installed.rows[0] == ("img_ new/thing 0.png", "elsewhere/masks/thing 0.png")


def test_names_that_are_too_long_in_bytes_are_cut_and_stay_different():
    long = "椅" * 100
    names = [clean_path(f"images/{end}") for end in (f"{long}a.jpg", f"{long}b.jpg", f"{long}.jpg")]
    assert len(set(names)) == 3
    for name in names:
        assert what_is_wrong_with(name) is None
        assert name.startswith("images/椅椅")
        assert name.endswith(".jpg")
    assert what_is_wrong_with(clean_path("a." + "b" * 300)) is None


def test_a_folder_is_built_in_one_call(things, store):
    (things / "README.md").write_text("Things.")
    built = building.build("rohan/things", things, license="MIT", store=store, classes=["a", "b"])
    manifest = built.manifest
    assert (manifest.description, manifest.classes.names) == ("Things.", ("a", "b"))
    assert manifest.made_from == {"dataset": "things", "masks": "0 is class 0, 255 is class 1"}
    again = building.build("me/copy", "rohan/things", license="MIT", store=store)
    assert again.manifest.made_from["dataset"] == "rohan/things@1"


def test_one_group_of_rows_is_in_memory_at_a_time(tmp_path):
    alive = [0]
    counts = []

    class Image(bytes):
        def __init__(self, _size):
            alive[0] += 1

        def __del__(self):
            alive[0] -= 1

    def groups():
        for group in range(20):
            yield [[(f"{group}-{n}.png", Image(1000))] for n in range(10)]
            counts.append(alive[0])

    write_shard(tmp_path / "a.parquet", [Column("image", "image")], groups(), {})
    assert max(counts) <= 2 * 10


# --- bad input ----------------------------------------------------------------------------------


def refused(build, source, said, **more):
    with pytest.raises(FewmaskError) as caught:
        build(source, **more)
    message = str(caught.value)
    assert said in message
    assert message.isprintable()
    return message


def test_a_mask_of_another_size_is_refused_by_name(build, dataset, things, store):
    write_png(things / "masks/thing 3.png", np.zeros((23, 32), np.uint8))
    refused(build, dataset, "thing 3.png: expected the size of its image thing 3.png, 24 × 32")
    assert store.names() == []
    assert list((store.root / "partial").iterdir()) == []


def test_a_broken_image_is_refused_by_name(build, dataset, things, store):
    path = things / "images/thing 4.png"
    path.write_bytes(path.read_bytes()[:-300])
    refused(build, dataset, "thing 4.png: expected a whole picture, found a damaged or cut-off")
    assert store.names() == []


def test_what_cannot_be_a_package_is_refused_before_any_work(build, dataset, monkeypatch):
    monkeypatch.setattr(building, "check_pixels", None)
    refused(build, dataset, "found the owner 'demo'", name="demo/chairs")
    refused(build, dataset[:0], "expected at least one image, found none")
    refused(build, dataset.take([0, 1, 0]), "expected each image once")
    refused(build, dataset, "control characters as description", description="\x1b[2J")
    refused(build, dataset, "found surrogates not allowed", made_from={"by": "\ud800"})
    refused(build, dataset, "expected texts and numbers that JSON", made_from={"n": float("nan")})
    masks = [Column("image", "image"), Column("a", "mask"), Column("b", "mask")]
    rows = [(image, mask, mask) for image, mask in dataset.rows]
    refused(build, replace(dataset, columns=masks, rows=rows), "found 2: a, b")
    part = [*dataset.columns, Column("part", "category", ("train", "dev"))]
    rows = [(*row, "dev") for row in dataset.rows]
    refused(
        build, replace(dataset, columns=part, rows=rows), "a part named train, validation, test"
    )
    refused(
        build, Dataset("x", dataset.root, [Column("a", "integer")], [(1,)]), "a column of images"
    )


def test_a_name_that_differs_by_capitals_alone_is_refused_before_any_work(
    build, dataset, monkeypatch
):
    build(dataset)
    monkeypatch.setattr(building, "check_pixels", None)
    refused(build, dataset, "differs by more than capitals", name="Rohan/things")


@pytest.mark.parametrize(
    ("asked", "other", "said"),
    [
        ("rohan/things@7", "rohan/things@7", "one of this number in the store. Leave out @7"),
        ("rohan/things", "Rohan/Things", "differs by more than capitals"),
    ],
)
def test_a_name_that_is_taken_meanwhile_leaves_nothing_of_the_build(
    build, dataset, store, monkeypatch, asked, other, said
):
    def pack_slowly(*how):
        monkeypatch.setattr(building, "write_shards", write_shards)
        build(dataset[:4], name=other)
        return write_shards(*how)

    monkeypatch.setattr(building, "write_shards", pack_slowly)
    refused(build, dataset, said, name=asked)
    assert len(store.names()) == 1
    assert is_sound(store)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(build, dataset, store, monkeypatch):
    build(dataset)
    before = sorted(path for path in store.root.rglob("*") if path.is_file())

    def full(*_args):
        raise OSError(28, os.strerror(28))

    for place in ("fewmask.packages.build.check_pixels", "fewmask.packages.shard._Hashed.write"):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            message = refused(build, dataset[:5], "expected room on the disk to write it")
        assert "nothing half-written was left" in message
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == before


# --- sharing ------------------------------------------------------------------------------------


def mask_file(path, row):
    """Makes a mask with one row of things."""
    mask = np.zeros((6, 8), np.uint8)
    mask[row] = 1
    return PackedFile(path, "many", partial(bytes, encode_png(mask)))


def many(count):
    """Makes a dataset of images in memory."""
    packed, rows = {}, []
    content = mask_file("", 2).read_bytes
    for number in range(count):
        image, mask = f"images/{number}.png", f"masks/{number}.png"
        pixels = np.full((6, 8, 3), number % 256, np.uint8)
        pixels[0, 0, 0] = number // 256
        packed[image] = PackedFile(image, "many", partial(bytes, encode_png(pixels)))
        packed[mask] = PackedFile(mask, "many", content)
        rows.append((image, mask))
    columns = [Column("image", "image"), Column("mask", "mask")]
    encoding = MaskEncoding("values", ((0, 0), (1, 1)))
    classes = Classes(("ground", "thing"))
    return Dataset("many", Path(), columns, rows, classes, encoding, packed=packed)


def unchecked(dataset, masks, progress):
    """Prepares the masks as `check_pixels` does, without decoding anything twice."""
    known, places, sizes = {}, [], []
    with masks.open("wb") as file:
        for index in range(len(dataset)):
            stored = dataset.mask_path(index).read_bytes()
            if stored not in known:
                known[stored] = encode_labels(dataset.read_mask(index), dataset.classes.colors)
            places.append((file.tell(), len(known[stored])))
            sizes.append(len(known[stored]) + len(dataset.image_path(index).read_bytes()))
            file.write(known[stored])
    count = len(dataset)
    statistics = Statistics(
        count, ((6, 8, count),), (6, 8), (6, 8), ((3, count),), ("uint8",), (1, 1), (1, 1)
    )
    return Checked(statistics, tuple(sizes), masks, tuple(places))


def new_bytes(first, second):
    """Counts what the second version costs store and wire: its files, and its manifest."""
    there = {file.sha256 for file in first.files}
    new = sum(file.size for file in second.files if file.sha256 not in there)
    return new + len(second.to_bytes())


def test_one_changed_mask_of_ten_thousand_costs_at_most_five_percent(build, monkeypatch):
    monkeypatch.setattr(building, "check_pixels", unchecked)
    dataset = many(10_000)
    first = build(dataset).manifest
    changed = {"masks/1234.png": mask_file("masks/1234.png", 3)}
    second = build(replace(dataset, packed={**dataset.packed, **changed})).manifest
    assert new_bytes(first, second) <= 0.05 * first.size
    shards = {file.sha256 for file in first.files if file.rows}
    assert len(shards) == 64
    assert len(shards & {file.sha256 for file in second.files}) == 63


def test_a_new_row_and_a_gone_one_change_one_shard_each(build, monkeypatch):
    monkeypatch.setattr(building, "check_pixels", unchecked)
    first = build(many(600)).manifest
    second = build(many(601)[1:]).manifest
    shards = {file.sha256 for file in first.files if file.rows}
    assert len(shards) == 32
    assert len(shards & {file.sha256 for file in second.files}) == 30


def test_a_new_class_leaves_the_masks_as_they_are(build, store):
    dataset = many(3)
    build(dataset)
    more = Classes(("ground", "thing", "more"))
    build(replace(dataset, classes=more, encoding=stored_ids(more)))
    first, second = (load_dataset("rohan/things", version=n, store=store) for n in (1, 2))
    for index in range(3):
        assert first.mask_path(index).read_bytes() == second.mask_path(index).read_bytes()


# --- at once ------------------------------------------------------------------------------------

AT_ONCE = """
import sys
from fewmask.packages.build import build
from fewmask.packages.store import Store
build("rohan/things", sys.argv[1], license=sys.argv[3], store=Store(sys.argv[2]))
"""


def test_of_several_that_build_at_once_each_gets_a_version(things, store):
    builders = [
        subprocess.Popen([sys.executable, "-c", AT_ONCE, things, store.root, f"Licence-{number}"])
        for number in range(4)
    ]
    assert [builder.wait() for builder in builders] == [0] * 4
    assert store.versions(parse_name("rohan/things")) == [1, 2, 3, 4]
    assert len({manifest.licence for manifest in store.manifests()}) == 4
    assert is_sound(store)


# --- killed -------------------------------------------------------------------------------------

KILLING = """
import os, random, signal, sys, time
from fewmask.packages.build import build_package
from fewmask.packages.checking import Checked
from fewmask.packages.load import load_dataset
from fewmask.packages.store import Store

folder, root, children = sys.argv[1], sys.argv[2], int(sys.argv[3])
store, dataset = Store(root), load_dataset(folder)

def build(samples):
    build_package("rohan/things", samples, license="MIT", store=store)

began = time.perf_counter()
build(dataset)
whole = time.perf_counter() - began
rng, killed = random.Random(0), 0
while killed < children:
    child = os.fork()
    if child == 0:
        build(dataset[killed % 7 : 30 + killed % 9])
        os._exit(0)
    time.sleep(rng.uniform(0, whole))
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    # Whatever is visible is whole.
    assert all(store.is_whole(name) for name in store.names()), killed
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_at_sixty_random_moments_the_store_is_whole_and_the_next_try_succeeds(
    tmp_path, store
):
    folder = draw(tmp_path / "things", range(40))
    told = subprocess.run(
        [sys.executable, "-c", KILLING, folder, store.root, "60"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert verify(store, store.names()) == []
    build_package("rohan/last", load_dataset(folder), license="MIT", store=store)
    assert len(load_dataset("rohan/last", store=store)) == 40
    assert list((store.root / "partial").iterdir()) == [], "what the killed left was removed"
    store.remove_unused()
    assert is_sound(store)
