"""`fewmask build` and `fewmask dataset …` as they are typed."""

import json

import numpy as np
import platformdirs
import pytest

from fewmask.packages.store import default_store

from .conftest import TINY, contents, draw_folder, save, scene


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of its own for each test."""
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name: str(tmp_path / "home" / name))
    return tmp_path / "home" / "fewmask" / "store"


@pytest.fixture
def photos(tmp_path):
    return draw_folder(tmp_path / "photos")


def test_building_says_what_was_built_and_what_to_do_next(fewmask, photos, own_store):
    (photos / "README.md").write_text("# Boxes\n\nRed ones.")
    told = fewmask("build", "rohan/boxes", "photos", "--license", "cc0-1.0")
    assert (told.code, told.err) == (0, "Reading photos\n")
    lines = told.out.splitlines()
    assert lines[1:3] == [
        "  Masks hold 0 and 255, both of them in 10 of 10 files: read as background and "
        "foreground.",
        "  Of the pixels that count: background 89.6 %, foreground 10.4 %.",
    ]
    assert lines[3].startswith("Built rohan/boxes@1: 10 images, ")
    assert lines[3].endswith("; licence CC0-1.0")
    assert lines[4:] == [
        "  □ 0 background: 89.58% of the pixels, in 10 of 10 images",
        "  ■ 1 foreground: 10.42% of the pixels, in 10 of 10 images",
        f"Look at {own_store / 'sheets/rohan/boxes@1.jpg'}: is that what you meant?",
        "Publish it: fewmask push rohan/boxes --to FOLDER-OR-ADDRESS",
        "Or train on it: fewmask train rohan/boxes@1",
    ]
    manifest = default_store().manifests()[0]
    assert manifest.description == "# Boxes\n\nRed ones."
    assert manifest.made_from == {"dataset": "photos", "masks": "0 is class 0, 255 is class 1"}


def test_building_again_shares_or_does_nothing(fewmask, photos):
    words = ("build", "rohan/boxes", "photos", "--license", "unknown")
    fewmask(*words)
    told = fewmask(*words)
    assert "Nothing has changed since rohan/boxes@1, so there is no new version." in told.out
    told = fewmask(*words, "--description", "Other words")
    assert "are in the version before too; licence unknown" in told.out
    assert "Built rohan/boxes@2: " in told.out


def test_building_from_what_brine_had(fewmask, photos):
    columns = [{"name": "image", "type": "image"}, {"name": "kind", "type": "category"}]
    config = {"columns": columns, "path": "data.csv", "extra_data": {"year": 2017}}
    (photos / "config.json").write_text(json.dumps(config))
    (photos / "data.csv").write_text("image,kind\nimages/0.png,red\nimages/1.png,blue\n")
    told = fewmask("build", "rohan/a", "--config", "photos/config.json", "--license", "MIT")
    assert "Built rohan/a@1: 2 images" in told.out
    assert default_store().manifests()[0].made_from == {
        "brine_config": "config.json", "extra_data": {"year": 2017},
    }  # fmt: skip
    told = fewmask("build", "rohan/b", "--data-dir", "photos", "--license", "MIT")
    assert "Built rohan/b@1: 20 images" in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a/b photos", "--license: expected the licence under which others may use the images"),
        ("a/b photos --license no|ne", "--license: expected the identifier of a licence"),
        ("a/b", "fewmask build: expected one of FOLDER, --config and --data-dir, found none."),
        ("a/b x --config y", "found x and y. Try: fewmask build a/b photos/ --license CC-BY-4.0"),
        ("../b photos --license MIT", "../b: expected an owner and a name of the letters"),
        ("a/b@0 photos --license MIT", "expected a version after the @"),
        ("demo/x photos --license MIT", "found the owner 'demo'"),
        ("a/b nowhere --license MIT", "nowhere: expected a folder of images and masks"),
        ("a/b --config nowhere --license MIT", "nowhere: expected a brine configuration"),
        ("a/b --data-dir nowhere --license MIT", "nowhere: expected a folder of images"),
        (
            "a/b --data-dir photos --threshold 9 --license MIT",
            "--data-dir: expected nothing about masks, because its images have none, found "
            "--threshold 9. Leave it out, or build from FOLDER.",
        ),
    ],
)
def test_each_mistake_is_one_sentence(fewmask, photos, words, said):
    told = fewmask("build", *words.split())
    assert told.code == 2
    assert said in told.error
    assert told.error.startswith("Error: ")
    assert default_store().names() == []


def test_list_and_info(fewmask, photos, own_store):
    told = fewmask("dataset", "list")
    assert told.out.splitlines() == [
        f"No dataset is installed in {own_store}.",
        "Bring one: fewmask install OWNER/NAME",
        "Or build one: fewmask build OWNER/NAME FOLDER --license ID",
    ]
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT", "--description", "Red\nboxes")
    save(photos / "images/0.png", np.zeros((24, 32, 3), np.uint8))
    fewmask("build", "rohan/boxes", "photos", "--license", "CC0-1.0")
    lines = fewmask("dataset", "list").out.splitlines()
    assert lines[0].split() == ["DATASET", "VERSIONS", "IMAGES", "ON", "DISK", "LICENCE"]
    assert lines[1].startswith("rohan/boxes  2, 1      10      ")
    assert lines[1].endswith("CC0-1.0")
    assert lines[2].startswith("They use ")
    assert lines[3] == "Look at one: fewmask dataset info rohan/boxes"
    facts = json.loads(fewmask("dataset", "list", "--json").out)
    assert facts["datasets"][0]["versions"] == [2, 1]

    lines = fewmask("dataset", "info", "rohan/boxes@1").out.splitlines()
    assert lines[:3] == ["rohan/boxes@1, licence MIT", "  Red", "  boxes"]
    assert lines[3].startswith("10 images, 24 × 32 pixels (height × width), ")
    assert lines[4] == "  □ 0 background: 89.58% of the pixels, in 10 of 10 images"
    assert lines[-4].endswith("from dataset photos; masks 0 is class 0, 255 is class 1")
    assert lines[-3:] == [
        "Installed versions: 2, 1",
        f"Look at {own_store / 'sheets/rohan/boxes@1.jpg'}",
        "Train on it: fewmask train rohan/boxes@1",
    ]
    facts = json.loads(fewmask("dataset", "info", "rohan/boxes", "--json").out)
    assert (facts["version"], facts["licence"]) == (2, "CC0-1.0")
    told = fewmask("dataset", "info", "rohan/chairs")
    assert (told.code, told.error) == (
        2,
        "Error: rohan/chairs: expected an installed dataset, found only rohan/boxes. "
        "Run: fewmask install rohan/chairs",
    )


def test_verify_and_uninstall(fewmask, photos):
    assert "nothing to verify" in fewmask("dataset", "verify").out
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    told = fewmask("dataset", "verify", "rohan/boxes")
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            "All files of 1 version are what was published, byte for byte.",
            "Train on one: fewmask train rohan/boxes",
        ],
    )
    store = default_store()
    shard = store.object_path(store.manifests()[0].files[1].sha256)
    shard.write_bytes(shard.read_bytes()[:-9] + b"tampered!")
    told = fewmask("dataset", "verify")
    assert told.code == 2
    assert told.out.splitlines() == [
        "rohan/boxes@1: data/train-00000-of-00001.parquet is damaged: other bytes than published",
        "What was damaged no longer counts as installed. Get it again:",
        "  fewmask install rohan/boxes@1",
    ]
    shard.mkdir()
    (line,) = fewmask("dataset", "verify").out.splitlines()
    assert "is not readable: " in line
    assert line.endswith(". Check its rights, and the disk.")
    shard.rmdir()
    told = fewmask("dataset", "uninstall", "rohan/boxes@1", "rohan/boxes", "rohan/boxes")
    assert (told.code, len(told.out.splitlines())) == (0, 2)
    assert told.out.splitlines()[0].startswith("Removed rohan/boxes@1; ")
    assert told.out.splitlines()[-1] == (
        "Get it again, if it was published: fewmask install rohan/boxes"
    )
    assert fewmask("dataset", "uninstall", "rohan/boxes").code == 2
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    facts = json.loads(fewmask("dataset", "uninstall", "rohan/boxes", "--json").out)
    assert facts["removed"] == ["rohan/boxes@1"]
    assert facts["bytes"] > 0


def test_diff_says_and_draws_what_changed(fewmask, photos, tmp_path):
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    _, mask = scene(3)
    mask[0, :5] = 255
    save(photos / "masks/3.png", mask)
    (photos / "images/7.png").unlink()
    (photos / "masks/7.png").unlink()
    image, mask = scene(40)
    save(photos / "images/40.png", image)
    save(photos / "masks/40.png", mask)
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    told = fewmask("dataset", "diff", "rohan/boxes@1", "rohan/boxes@2")
    assert told.out.splitlines() == [
        "From rohan/boxes@1 to rohan/boxes@2:",
        "  1 row new: images/40",
        "  1 row gone: images/7",
        "  images/3: mask changed (5 pixels added)",
        f"Look at {tmp_path / 'diff.png'}: which pixels changed",
        "Train on the newer one: fewmask train rohan/boxes@2",
    ]
    assert (tmp_path / "diff.png").is_file()
    told = fewmask("dataset", "diff", "rohan/boxes@2", "rohan/boxes@1", "--json", "--out", "x.png")
    facts = json.loads(told.out)
    assert (facts["added"], facts["removed"]) == (["images/7"], ["images/40"])
    assert facts["changed"][0]["pixels"] == {"added": 0, "removed": 5, "other": 0}
    assert facts["drawing"] == "x.png"
    told = fewmask("dataset", "diff", "rohan/boxes@1", "rohan/boxes@1", "--out", "none.png")
    assert "  nothing: their rows are equal" in told.out
    assert not (tmp_path / "none.png").exists()
    told = fewmask("dataset", "diff", "rohan/boxes@1", "rohan/boxes@2", "--out", "x.jpg")
    assert told.error == (
        "Error: x.jpg: expected a name that ends in .png, found x.jpg. "
        "Name the drawing with --out, diff.png for example."
    )


def test_export_writes_the_layout_of_the_hub(fewmask, photos, tmp_path):
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    told = fewmask("dataset", "export", "rohan/boxes", "out")
    assert told.code == 0
    assert sorted(contents(tmp_path / "out")) == [
        "README.md", "data", "data/train-00000-of-00001.parquet", "sheet.jpg",
    ]  # fmt: skip
    assert fewmask("inspect", "out").out.startswith("out: 10 images")
    assert fewmask("dataset", "export", "rohan/boxes", "out").code == 2
    facts = json.loads(fewmask("dataset", "export", "rohan/boxes", "again", "--json").out)
    files = [path for path in (tmp_path / "again").rglob("*") if path.is_file()]
    assert (facts["dataset"], facts["folder"]) == ("rohan/boxes@1", "again")
    assert facts["bytes"] == sum(path.stat().st_size for path in files)


def test_every_command_that_takes_a_folder_takes_a_name(fewmask, photos, tmp_path):
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    told = fewmask("inspect", "rohan/boxes")
    assert told.out.startswith("rohan/boxes@1: 10 images")
    assert told.out.splitlines()[-1] == "Then: fewmask train rohan/boxes"
    told = fewmask("inspect", "rohan/chairs")
    assert told.error.endswith("or bring the dataset: fewmask install rohan/chairs")


def test_images_without_masks_are_shown_too(fewmask, photos, tmp_path):
    fewmask("build", "rohan/b", "--data-dir", "photos/images", "--license", "MIT")
    told = fewmask("inspect", "rohan/b")
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            "rohan/b@1: 10 images",
            "  rohan/b@1 is installed: 10 images; licence MIT.",
            "  Its images have no masks.",
            f"Look at {tmp_path / 'contact.png'}: is that what you meant?",
            "Then draw their masks: training needs them.",
        ],
    )
    assert json.loads(fewmask("inspect", "rohan/b", "--json").out)["parts"] is None


@pytest.mark.slow
def test_training_and_scoring_by_name_and_on_foreign_parquet(fewmask, photos, tmp_path):
    fewmask("build", "rohan/boxes", "photos", "--license", "MIT")
    told = fewmask("train", "rohan/boxes", "--name", "a", *TINY)
    assert told.code == 0, told.err
    assert "rohan/boxes@1 is installed: 10 images; licence MIT." in told.out
    run = json.loads((tmp_path / "runs/a/run.json").read_text("utf-8"))
    assert (run["dataset"], run["source"]["path"]) == ("rohan/boxes@1", "rohan/boxes@1")
    # The images are known again, in the store and in the folder that they came from.
    for source in ("rohan/boxes", "photos"):
        told = fewmask("evaluate", "a", source, "--part", "test")
        assert told.code == 0, told.err
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    _write_foreign(foreign / "train.parquet")
    told = fewmask("train", "foreign", "--name", "b", *TINY)
    assert told.code == 0, told.err


def _write_foreign(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fewmask.data.imageio import encode_png

    rows = []
    for number in range(10):
        image, mask = scene(number)
        rows.append({"image": {"bytes": encode_png(image)}, "label": {"bytes": encode_png(mask)}})
    pq.write_table(pa.Table.from_pylist(rows), path)
