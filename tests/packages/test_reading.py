"""Opening shards: what `build` wrote, and what somebody made wrong on purpose."""

import errno
import io
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewmask.data.classes import Classes
from fewmask.data.imageio import encode_png
from fewmask.data.imageio.label_png import encode_labels
from fewmask.data.schema import Column
from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.packages.export import export_package
from fewmask.packages.features import write_notes
from fewmask.packages.load import load_dataset
from fewmask.packages.shard import write_shard

COLUMNS = [Column("image", "image"), Column("mask", "mask")]
CLASSES = Classes(("ground", "thing"))
IMAGE = encode_png(np.zeros((4, 5, 3), np.uint8))
MASK = encode_labels(np.eye(4, 5, dtype=np.uint8), CLASSES.colors)


def row(number):
    return [(f"images/{number}.png", IMAGE), (f"masks/{number}.png", MASK)]


@pytest.fixture
def folder(tmp_path):
    """Writes a folder of one shard; by default a good one."""

    def write(rows=None, columns=COLUMNS, notes=None, name="data/train-00000-of-00001.parquet"):
        rows = [row(number) for number in range(3)] if rows is None else rows
        notes = write_notes(COLUMNS, CLASSES) if notes is None else notes
        write_shard(tmp_path / "package" / name, columns, [rows], notes)
        return tmp_path / "package"

    return write


def test_a_lone_shard_is_a_dataset(folder):
    dataset = load_dataset(folder())
    assert (dataset.name, len(dataset)) == ("package", 3)
    assert dataset.classes == CLASSES
    assert (dataset.read_mask(0) == np.eye(4, 5)).all()


def test_rows_come_in_the_order_of_their_paths(folder):
    dataset = load_dataset(folder([row(number) for number in (10, 9, 1, 100)]))
    assert [dataset.sample_id(index) for index in range(4)] == [
        "images/1", "images/9", "images/10", "images/100",
    ]  # fmt: skip


def test_the_part_is_in_the_name_of_the_shard(folder):
    columns = [*COLUMNS, Column("part", "category", ("train", "test"))]
    notes = write_notes(columns, CLASSES)
    folder([row(1)], notes=notes)
    dataset = load_dataset(folder([row(2)], notes=notes, name="data/test-00000-of-00001.parquet"))
    assert [sample.part for sample in dataset] == ["train", "test"]


def test_names_of_columns_may_have_dots(folder):
    columns = [COLUMNS[0], Column("mask.v2", "mask"), Column("size.mm", "integer")]
    rows = [[*row(number), number] for number in range(3)]
    dataset = load_dataset(folder(rows, columns, write_notes(columns, CLASSES)))
    assert dataset.rows[2] == ("images/2.png", "masks/2.png", 2)
    assert (dataset.read_mask(0) == np.eye(4, 5)).all()


def test_an_installed_dataset_can_be_pickled_and_read_by_threads(built, store):
    dataset = pickle.loads(pickle.dumps(load_dataset("rohan/things", store=store)))
    with ThreadPoolExecutor(6) as threads:
        masks = list(threads.map(lambda n: dataset.read_mask(n % 10).sum(), range(120)))
    assert masks == [dataset.read_mask(n % 10).sum() for n in range(120)]


def test_names_of_classes_can_be_given_anew(built, store):
    dataset = load_dataset("rohan/things", classes=["floor", "seat"], store=store)
    assert dataset.classes.names == ("floor", "seat")
    by_value = load_dataset("rohan/things", classes=["seat=1", "floor=0"], store=store)
    assert by_value.classes.names == ("seat", "floor")
    assert by_value.read_mask(0).sum() > 0
    assert load_dataset("rohan/things", masks="mask", store=store).mask_column == "mask"
    with pytest.raises(ArgumentError) as refused:
        load_dataset("rohan/things", masks="masks", store=store)
    assert str(refused.value) == (
        "--masks masks: expected the column of masks of rohan/things@1, found another name. "
        "It is mask: leave --masks out."
    )


# --- read by the library of the Hub -------------------------------------------------------------


def test_the_library_datasets_reads_ours_with_decoded_images(build, dataset, store, tmp_path):
    import datasets

    datasets.disable_progress_bars()
    columns = [
        *dataset.columns,
        Column("part", "category", ("train", "validation", "test")),
        Column("kind", "category", ("old", "ghế")),
        Column("weights", "float array"),
        Column("kinds", "category array", ("x", "y")),
    ]
    parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    rows = [
        (*row, parts[n], "ghế" if n % 2 else "old", [n / 2], ["y"] * n)
        for n, row in enumerate(dataset.rows)
    ]
    built = build(replace(dataset, columns=columns, rows=rows))
    export_package(store, built.manifest, tmp_path / "out")
    hub = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(hub[split]) for split in hub} == {"train": 6, "validation": 2, "test": 2}
    features = hub["train"].features
    assert features["image"] == features["mask"] == datasets.Image()
    assert features["kind"] == datasets.ClassLabel(names=["old", "ghế"])
    assert features["kinds"].feature.names == ["x", "y"]
    originals = {path.stem: path for path in (dataset.root / "images").iterdir()}
    paths = hub["train"].cast_column("image", datasets.Image(decode=False))
    for index, sample in enumerate(hub["train"]):
        path = paths[index]["image"]["path"]
        number = int(path.removesuffix(".png").split()[-1])
        with Image.open(originals[f"thing {number}"]) as image:
            assert (np.asarray(sample["image"]) == np.asarray(image)).all()
        assert sample["mask"].mode == "P"
        assert (np.asarray(sample["mask"]) == dataset.read_mask(number)).all()
        assert sample["weights"] == [number / 2]
        assert sample["kinds"] == [1] * number
    # Streaming reads no cache, and the card's own description agrees with the files.
    streamed = datasets.load_dataset(str(tmp_path / "out"), split="test", streaming=True)
    assert streamed.features == features
    assert len(list(streamed)) == 2


def test_a_folder_that_may_not_be_listed_is_no_place_to_export_to(
    built, store, tmp_path, monkeypatch
):
    def refuse(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(FewmaskError, match="found no right to write there"):
        export_package(store, built.manifest, tmp_path)


def test_export_fills_no_folder_that_somebody_is_in(built, store, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(DataError) as caught:
        export_package(store, built.manifest, Path("."))
    assert str(caught.value) == (
        ".: expected a new or an empty folder, found the one that you are in. Name a new one in it."
    )
    monkeypatch.chdir(tmp_path)
    export_package(store, built.manifest, Path("link"))
    assert (tmp_path / "out/README.md").is_file()


def test_an_exported_folder_is_the_dataset_again(built, store, tmp_path):
    export_package(store, built.manifest, tmp_path / "out")
    exported = load_dataset(tmp_path / "out")
    assert exported.rows == load_dataset("rohan/things", store=store).rows
    assert (exported.read_mask(3) == load_dataset("rohan/things", store=store).read_mask(3)).all()
    with pytest.raises(DataError, match="expected a new or an empty folder, found something there"):
        export_package(store, built.manifest, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    export_package(store, built.manifest, tmp_path / "empty")
    assert (tmp_path / "empty/README.md").is_file()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


# --- made wrong on purpose ----------------------------------------------------------------------


def refused(folder, said):
    with pytest.raises(FewmaskError) as caught:
        load_dataset(folder)
    message = str(caught.value)
    assert said in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "path", ["../../etc/cron.d/x.png", "/etc/passwd", "a\\..\\b.png", "", "a//b.png", "con.png"]
)
def test_rows_whose_paths_climb_out_are_refused(folder, path):
    refused(folder([[(path, IMAGE), ("masks/0.png", MASK)]]), "that stay inside the dataset, found")


def test_two_rows_of_one_path_are_refused(folder):
    refused(folder([row(1), row(1)]), "found another image or mask of this name: 'images/1.png'")
    refused(folder([[("a.png", IMAGE), ("a.png", MASK)]]), "another image or mask of this name")


def test_columns_that_are_not_what_the_shard_says_are_refused(folder):
    integers = [Column("image", "image"), Column("mask", "integer")]
    refused(
        folder([[("a.png", IMAGE), 3]], integers),
        "package:data/train-00000-of-00001.parquet: expected a column 'mask' of kind mask, as the "
        "shard itself says, found integer.",
    )
    refused(folder([[("a.png", IMAGE)]], COLUMNS[:1]), "found no such column")
    only = [Column("n", "integer")]
    refused(
        folder([[("a.png", IMAGE)]], COLUMNS[:1], write_notes(only, None)), "column 'n' of kind"
    )


def test_numbers_of_categories_that_are_none_are_refused(folder):
    columns = [Column("image", "image"), Column("kind", "category", ("a", "b"))]
    wrong = folder([[("a.png", IMAGE), 2]], columns, write_notes(columns, None))
    refused(wrong, "expected numbers of categories, 0 to 1, in 'kind', found 2")


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ("{", "expected JSON under the key fewmask of its schema"),
        ("[" * 100_000, "expected JSON under the key fewmask of its schema"),
        ("[]", "expected an object under the key fewmask"),
        ('{"format": 2}', "found format 2, made by a newer fewmask. Update:"),
        ('{"format": 1}', "expected exactly the fields format, columns, classes"),
        ('{"format": 1, "columns": 3, "classes": null}', "expected a list as columns"),
    ],
)
def test_damaged_notes_are_one_sentence(folder, notes, said):
    refused(folder(notes={"fewmask": notes}), said)


def test_shards_of_two_datasets_in_one_folder_are_refused(folder):
    folder()
    columns = [Column("image", "image")]
    other = folder([[("b.png", IMAGE)]], columns, name="data/train-00001-of-00001.parquet")
    refused(
        other,
        "expected the columns of data/train-00000-of-00001.parquet: image (file), mask (file), "
        "found image (file). Remove the file that does not belong",
    )


def test_shards_whose_numbers_mean_other_classes_are_refused(folder):
    folder()
    swapped = write_notes(COLUMNS, Classes(("thing", "ground")))
    other = folder([row(9)], notes=swapped, name="data/train-00001-of-00001.parquet")
    refused(
        other,
        "package:data/train-00001-of-00001.parquet: expected the classes and categories of "
        "data/train-00000-of-00001.parquet, found others, so that one number would mean two "
        "things. Remove the file that does not belong",
    )


def test_a_truncated_shard_of_an_installed_dataset_says_how_to_get_it_again(built, store):
    shard = store.object_path(built.manifest.files[1].sha256)
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(DataError) as caught:
        load_dataset("rohan/things", store=store)
    assert str(caught.value) == (
        "rohan/things@1: expected all its files in the store, found 1 missing or cut off, "
        "data/train-00000-of-00001.parquet for one. Run: fewmask install rohan/things@1"
    )


def test_a_package_without_shards_is_one_sentence(build, built, store):
    manifest = replace(built.manifest, version=2, files=built.manifest.files[:1], parts={})
    store.add_version(manifest.to_bytes())
    with pytest.raises(DataError, match="rohan/things@2: expected shards with samples, found none"):
        load_dataset("rohan/things@2", store=store)


def test_a_card_that_names_files_outside_is_refused(folder):
    package = folder()
    head = {"configs": [{"config_name": "default", "data_files": "../other/*.parquet"}]}
    (package / "README.md").write_text(f"---\n{json.dumps(head)}\n---\n")
    refused(package, "expected data files inside the dataset, found ../other/*.parquet")


def test_images_beside_a_parquet_table_are_still_a_folder_of_images(things):
    columns = [Column("name", "string")]
    write_shard(things / "metadata.parquet", columns, [[["thing 0"]]], {})
    assert len(load_dataset(things)) == 10


def test_a_parquet_file_without_images_and_nothing_else_is_one_sentence(tmp_path):
    write_shard(tmp_path / "a.parquet", [Column("n", "integer")], [[[1]]], {})
    with pytest.raises(DataError, match="expected pictures"):
        load_dataset(tmp_path)


def test_symbolic_links_in_a_folder_are_followed_as_its_owner_made_them(folder, tmp_path):
    package = folder()
    shutil.move(package / "data", tmp_path / "blobs")
    (package / "data").mkdir()
    for file in (tmp_path / "blobs").iterdir():
        (package / "data" / file.name).symlink_to(file)
    assert len(load_dataset(package)) == 3
    assert io.BytesIO(load_dataset(package).image_path(0).read_bytes()).read() == IMAGE
