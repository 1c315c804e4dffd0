"""Parquet datasets that somebody else has made, with the library that most use."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fewmask.data.imageio import encode_jpeg, encode_png
from fewmask.data.parts import assign_parts
from fewmask.errors import ArgumentError, DataError, DecisionNeeded, FewmaskError
from fewmask.packages.foreign import part_of_split, possible_masks, understand_columns
from fewmask.packages.load import load_dataset
from fewmask.packages.parquet import Leaf


def scene(number):
    """Draws an image and its mask of 0 and 255."""
    image = np.random.default_rng(number).integers(0, 90, (12, 16, 3), np.uint8)
    mask = np.zeros((12, 16), np.uint8)
    mask[2 + number % 4 : 8, 3:9] = 255
    return image, mask


def write_parquet(path, rows, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, **how)


def rows(numbers, paths=True):
    made = []
    for number in numbers:
        image, mask = scene(number)
        made.append(
            {
                "image": {"bytes": encode_jpeg(image), "path": f"{number}.jpg" if paths else None},
                "mask": {"bytes": encode_png(mask), "path": f"{number}.png" if paths else None},
            }
        )
    return made


def test_files_whose_numbers_have_other_names_are_refused(tmp_path):
    import datasets

    datasets.disable_progress_bars()
    for split, names in (("train", ["indoor", "outdoor"]), ("test", ["outdoor", "indoor"])):
        features = datasets.Features(
            {"image": datasets.Image(), "scene": datasets.ClassLabel(names=names)}
        )
        content = {"image": [Image.fromarray(scene(0)[0])], "scene": [0]}
        file = tmp_path / f"{split}-00000-of-00001.parquet"
        datasets.Dataset.from_dict(content, features=features).to_parquet(file)
    with pytest.raises(DataError, match="found others, so that one number would mean two things"):
        load_dataset(tmp_path)


def test_what_the_library_datasets_wrote_loads_without_conversion(tmp_path):
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features(
        {
            "id": datasets.Value("int32"),
            "image": datasets.Image(),
            "label": datasets.Image(),
            "scene": datasets.ClassLabel(names=["indoor", "outdoor"]),
            "box": datasets.List(datasets.Value("float32")),
            "extra": {"deep": datasets.Value("string")},
        }
    )
    for split, numbers in (("train", range(8)), ("validation", range(8, 12))):
        scenes = [scene(number) for number in numbers]
        content = {
            "id": list(numbers),
            "image": [Image.fromarray(image) for image, _ in scenes],
            "label": [Image.fromarray(mask) for _, mask in scenes],
            "scene": [number % 2 for number in numbers],
            "box": [[number / 2] * 4 for number in numbers],
            "extra": [{"deep": "x"}] * len(numbers),
        }
        made = datasets.Dataset.from_dict(content, features=features)
        made.to_parquet(str(tmp_path / f"data/{split}-00000-of-00001.parquet"))
    dataset = load_dataset(tmp_path)
    assert [repr(column) for column in dataset.columns] == [
        "image: image",
        "label: mask",
        "id: integer",
        "scene: category (indoor, outdoor)",
        "box: float array",
        "part: category (train, validation)",
    ]
    assert dataset.classes.names == ("background", "foreground")
    assert dataset.findings[:2] == (
        "Its images are in the column 'image', its masks in 'label'.",
        "Left out, because they hold neither images nor values: extra.",
    )
    assert [row.part for row in dataset] == ["train"] * 8 + ["validation"] * 4
    for number in range(12):
        image, mask = scene(number)
        assert (dataset.read_image(number) == image).all()
        assert (dataset.read_mask(number) * 255 == mask).all()
        assert dataset[number].scene == ["indoor", "outdoor"][number % 2]
    parts = assign_parts(dataset)
    assert len(parts.test) == 4


def test_images_keep_their_names_where_they_have_some(tmp_path):
    write_parquet(tmp_path / "a.parquet", rows(range(3)))
    dataset = load_dataset(tmp_path)
    assert dataset.rows[0] == ("image/0.jpg", "mask/0.png")
    assert not dataset.has_column("part")
    assert str(dataset.image_path(2)) == f"{tmp_path.name}:image/2.jpg"


@pytest.mark.parametrize("how", ["no paths", "paths that climb", "one path for all"])
def test_images_are_numbered_where_they_have_no_good_names(tmp_path, how):
    made = rows(range(3), paths=False)
    for row in made:
        for value in row.values():
            value["path"] = {"paths that climb": "../../a.png", "one path for all": "a.png"}.get(
                how
            )
    write_parquet(tmp_path / "a.parquet", made)
    write_parquet(tmp_path / "b.parquet", made)
    dataset = load_dataset(tmp_path)
    assert dataset.rows[4] == ("image/000004", "mask/000004")
    assert (dataset.read_image(4) == dataset.read_image(1)).all()


def test_columns_of_bytes_without_a_struct_are_images_too(tmp_path):
    made = [{"pixels": encode_png(scene(n)[0]), "mask": encode_png(scene(n)[1])} for n in range(2)]
    write_parquet(tmp_path / "a.parquet", made)
    assert load_dataset(tmp_path).read_image(1).shape == (12, 16, 3)


@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_names_of_columns_may_have_dots(tmp_path, compression):
    made = [
        {"photo.raw": row["image"], "mask.v2": row["mask"]["bytes"], "bbox.x": number}
        for number, row in enumerate(rows(range(3)))
    ]
    write_parquet(tmp_path / "a.parquet", made, compression=compression, use_dictionary=False)
    dataset = load_dataset(tmp_path, masks="mask.v2")
    assert dataset.rows[2] == ("photo.raw/2.jpg", "mask.v2/000002", 2)
    assert (dataset.read_mask(2) * 255 == scene(2)[1]).all()


def test_a_column_with_gaps_is_left_out_and_said(tmp_path):
    made = [row | {"age": None if n else 3, "kind": -n} for n, row in enumerate(rows(range(2)))]
    notes = b'{"info": {"features": {"kind": {"names": ["a"], "_type": "ClassLabel"}}}}'
    table = pa.Table.from_pylist(made).replace_schema_metadata({b"huggingface": notes})
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = load_dataset(tmp_path)
    assert [column.name for column in dataset.columns] == ["image", "mask"]
    assert "Left out, because rows have no value: age, kind." in dataset.findings


@pytest.mark.parametrize(
    "boxes", [[[1, None], [2]], [[0.5], [None]], [["a"], ["b", None]], [[1], None]]
)
def test_an_array_with_a_gap_is_left_out_and_said(tmp_path, boxes):
    made = [row | {"box": box} for row, box in zip(rows(range(2)), boxes, strict=True)]
    write_parquet(tmp_path / "a.parquet", made)
    dataset = load_dataset(tmp_path)
    assert [column.name for column in dataset.columns] == ["image", "mask"]
    assert "Left out, because rows have no value: box." in dataset.findings


def test_numbers_that_no_shard_has_room_for_are_left_out(tmp_path):
    table = pa.Table.from_pylist(rows(range(2)))
    table = table.append_column("hash", pa.array([1, 2**64 - 1], pa.uint64()))
    pq.write_table(table, tmp_path / "a.parquet")
    assert not load_dataset(tmp_path).has_column("hash")


def test_notes_that_are_nested_without_end_are_passed_over(tmp_path):
    notes = {b"huggingface": b"[" * 100_000}
    pq.write_table(
        pa.Table.from_pylist(rows(range(2))).replace_schema_metadata(notes), tmp_path / "a.parquet"
    )
    assert len(load_dataset(tmp_path)) == 2


def test_names_in_a_file_take_over_no_terminal(tmp_path):
    made = [row | {"kind": 0} for row in rows(range(2))]
    notes = b'{"info": {"features": {"kind": {"names": ["a\\u001b[2J"], "_type": "ClassLabel"}}}}'
    table = pa.Table.from_pylist(made).replace_schema_metadata({b"huggingface": notes})
    pq.write_table(table, tmp_path / "a.parquet")
    assert load_dataset(tmp_path)[0].kind == "a[2J"
    write_parquet(tmp_path / "a.parquet", [row | {"\x1b[2J": 1} for row in made])
    with pytest.raises(DataError, match="expected columns whose names can be printed") as caught:
        load_dataset(tmp_path)
    assert str(caught.value).isprintable()


def test_a_mask_of_another_size_is_refused_by_name(tmp_path):
    made = rows(range(3))
    made[1]["mask"]["bytes"] = encode_png(np.zeros((11, 16), np.uint8))
    write_parquet(tmp_path / "roads/a.parquet", made)
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "roads")
    assert str(caught.value).startswith(
        "roads:mask/1.png: expected the size of its image 1.jpg, 12 × 16 pixels (height × width), "
        "found 11 × 16."
    )


def test_values_of_masks_are_understood_as_in_a_folder(tmp_path):
    made = rows(range(3))
    for row in made:
        row["mask"]["bytes"] = encode_png(np.arange(192, dtype=np.uint8).reshape(12, 16))
    write_parquet(tmp_path / "a.parquet", made)
    with pytest.raises(FewmaskError, match="--threshold"):
        load_dataset(tmp_path)
    assert load_dataset(tmp_path, threshold=96).read_mask(0).mean() == 0.5
    (tmp_path / "classes.json").write_text('{"names": ["road", "tree"]}')
    assert load_dataset(tmp_path, threshold=96).classes.names == ("road", "tree")


def test_the_settings_beside_the_files_decide(tmp_path):
    made = [row | {"labels": row["mask"], "label": row["mask"]} for row in rows(range(3))]
    write_parquet(tmp_path / "a.parquet", made)
    settings = tmp_path / "fewmask.toml"
    settings.write_text('masks = "labels"\nclasses = ["ground=0", "box=255"]')
    dataset = load_dataset(tmp_path)
    assert (dataset.mask_column, dataset.classes.names) == ("labels", ("ground", "box"))
    assert dataset.findings[0] == (
        "fewmask.toml decides: masks = 'labels', classes = ['ground=0', 'box=255']."
    )
    dataset = load_dataset(tmp_path, masks="mask", classes=["a=0", "b=255"])
    assert (dataset.mask_column, dataset.classes.names) == ("mask", ("a", "b"))
    settings.write_text('mask = "labels"')
    with pytest.raises(ArgumentError) as caught:
        load_dataset(tmp_path)
    assert str(caught.value) == (
        f"{settings}: expected keys out of masks, classes, ignore_index, threshold, found 'mask'. "
        "Did you mean 'masks'?"
    )


def test_several_columns_that_could_be_the_masks_need_a_decision(tmp_path):
    made = [row | {"seg": row["mask"], "gt": row["mask"]} for row in rows(range(2))]
    for row in made:
        del row["mask"]
    write_parquet(tmp_path / "roads/a.parquet", made)
    with pytest.raises(DecisionNeeded) as caught:
        load_dataset(tmp_path / "roads")
    assert str(caught.value) == (
        "roads: expected one column that can be the masks, found seg, gt. "
        "Say which it is, for example: --masks gt"
    )
    dataset = load_dataset(tmp_path / "roads", masks="seg")
    assert [repr(column) for column in dataset.columns] == [
        "image: image",
        "gt: image",
        "seg: mask",
    ]
    with pytest.raises(DataError, match=r"--masks segm: expected a column of roads .* There are:"):
        load_dataset(tmp_path / "roads", masks="segm")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["image"], []),
        (["image", "mask"], ["mask"]),
        (["image", "roof", "label"], ["label"]),
        (["roof", "image", "wall"], ["image", "roof", "wall"]),
        (["gt", "seg", "image"], ["gt", "seg"]),
        (["left mask", "right mask", "mask"], ["mask"]),
    ],
)
def test_which_columns_could_be_the_masks(names, expected):
    assert possible_masks(names) == expected


def test_the_option_that_is_offered_can_be_typed():
    leaves = [Leaf(name, "file") for name in ("image", "left mask", "right mask")]
    with pytest.raises(DecisionNeeded, match=r"for example: --masks 'right mask'$"):
        understand_columns("x", leaves)


def test_what_has_no_images_is_one_sentence():
    leaves = [Leaf("text", "string"), Leaf("n", "integer")]
    with pytest.raises(DataError, match=r"found the columns text \(string\), n \(integer\)"):
        understand_columns("poems", leaves)
    with pytest.raises(DataError, match="expected a column of images beside the masks, found only"):
        understand_columns("masks", [Leaf("mask", "file")])


def test_images_alone_are_a_dataset_without_masks(tmp_path):
    write_parquet(tmp_path / "a.parquet", [{"image": row["image"]} for row in rows(range(2))])
    dataset = load_dataset(tmp_path)
    assert dataset.mask_column is None
    assert dataset.findings == ("Its images are in the column 'image'; it has no masks.",)


def test_a_mask_beside_instance_masks_is_the_mask():
    leaves = [Leaf(name, "file") for name in ("instance_mask", "mask", "image")]
    found = understand_columns("x", leaves).columns
    assert [repr(column) for column in found] == [
        "image: image", "instance_mask: image", "mask: mask",
    ]  # fmt: skip


def test_no_image_is_in_two_parts(tmp_path):
    write_parquet(tmp_path / "data/train-0.parquet", rows(range(6)))
    write_parquet(tmp_path / "data/test-0.parquet", rows(range(6, 8)))
    files = "{train: data/*, validation: data/test-*, test: data/test-*}"
    (tmp_path / "README.md").write_text(f"---\nconfigs: [{{data_files: {files}}}]\n---\n")
    dataset = load_dataset(tmp_path)
    assert sorted(row.part for row in dataset) == ["test"] * 2 + ["train"] * 6
    assert dataset.findings[0] == (
        "The card lists data/test-0.parquet under train, validation, test: read as test alone."
    )


def test_words_for_parts():
    assert [part_of_split(word) for word in ("train", "Training", "dev", "val", "test", "all")] == [
        "train", "train", "validation", "validation", "test", None,
    ]  # fmt: skip
