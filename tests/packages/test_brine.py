import json
import os
import sys

import numpy as np
import pytest

from fewmask.data.imageio import encode_png, write_png
from fewmask.errors import DataError, DecisionNeeded, FewmaskError
from fewmask.packages.brine import extra_data, read_brine_config, read_images
from fewmask.packages.load import load_dataset

TYPES = {
    "image": "image",
    "mask": "image",
    "age": "integer",
    "weight": "float",
    "kind": "category",
    "note": "string",
    "ages": "integer_array",
    "weights": "float_array",
    "kinds": "category_array",
    "words": "string_array",
}
TABLE = """image,mask,age,weight,kind,note,ages,weights,kinds,words
images/thing 0.png,masks/thing 0.png,7,0.5,old,"a, ghế",1 2,0.5 1,b a,x y
images/thing 1.png,masks/thing 1.png,-7,1e3,new,,3,2,a,
"""


@pytest.fixture
def config(things):
    """Writes a configuration and its table."""

    def write(table=TABLE, types=TYPES, **more):
        columns = [{"name": name, "type": kind} for name, kind in types.items()]
        path = things / "config.json"
        path.write_text(json.dumps({"columns": columns, "path": "data.csv", **more}), "utf-8")
        if table is not None:
            (things / "data.csv").write_text(table, "utf-8")
        return path

    return write


def test_every_type_of_column_is_read(config):
    dataset = read_brine_config(config())
    assert [repr(column) for column in dataset.columns] == [
        "image: image",
        "mask: mask",
        "age: integer",
        "weight: float",
        "kind: category (old, new)",
        "note: string",
        "ages: integer array",
        "weights: float array",
        "kinds: category array (b, a)",
        "words: string array",
    ]
    assert dataset.rows[0][2:] == (
        7, 0.5, "old", "a, ghế", (1, 2), (0.5, 1.0), ("b", "a"), ("x", "y"),
    )  # fmt: skip
    assert dataset.rows[1][2:] == (-7, 1000.0, "new", "", (3,), (2.0,), ("a",), ())
    assert dataset.read_mask(0).max() == 1
    assert dataset.findings[0] == "'mask' is read as masks."


def test_one_mask_of_several_images_is_packed_for_each(things, build, store):
    image, mask = encode_png(np.zeros((6, 8, 3), np.uint8)), np.zeros((6, 8), np.uint8)
    mask[2:4, 3:5] = 1
    for name in ("a", "b"):
        (things / f"{name}.png").write_bytes(image)
    (things / "shared.png").write_bytes(encode_png(mask))
    columns = [{"name": name, "type": "image"} for name in ("image", "mask")]
    (things / "config.json").write_text(
        json.dumps({"columns": columns, "path": "two.csv"}), "utf-8"
    )
    (things / "two.csv").write_text("image,mask\na.png,shared.png\nb.png,shared.png\n", "utf-8")
    build(read_brine_config(things / "config.json"))
    installed = load_dataset("rohan/things", store=store)
    assert installed.rows == (
        ("image/a.png", "mask/a.png"), ("image/b.png", "mask/b.png"),
    )  # fmt: skip
    assert [installed.read_mask(place).sum() for place in (0, 1)] == [4, 4]


def test_it_can_be_built_and_loaded_by_its_name(config, build, store):
    dataset = read_brine_config(config(extra_data={"by": "rohan"}))
    build(dataset)
    installed = load_dataset("rohan/things", store=store)
    assert (installed.rows, installed.columns) == (dataset.rows, dataset.columns)
    assert extra_data(config(extra_data={"by": "rohan"})) == {"by": "rohan"}
    assert extra_data(config()) is None


def test_one_column_of_images_has_no_masks(config):
    dataset = read_brine_config(config("label\nimages/thing 0.png\n", {"label": "image"}))
    assert dataset.mask_column is None
    assert dataset.image_column == "label"


def test_the_column_of_the_masks_can_be_named(config):
    types = {"image": "image", "mask": "image", "label": "image"}
    line = "images/thing 0.png,masks/thing 0.png,masks/thing 1.png\n"
    path = config("image,mask,label\n" + line, types)
    with pytest.raises(DecisionNeeded) as caught:
        read_brine_config(path)
    assert str(caught.value) == (
        f"{path}: expected one column that can be the masks, found mask, label. "
        "Say which it is, for example: --masks label"
    )
    dataset = read_brine_config(path, masks="mask")
    assert [repr(column) for column in dataset.columns] == [
        "image: image", "mask: mask", "label: image",
    ]  # fmt: skip
    with pytest.raises(DataError) as caught:
        read_brine_config(path, masks="seg")
    assert str(caught.value) == (
        f"--masks seg: expected a column of images in {path}, found no such column. "
        "There are: image, mask, label."
    )


def test_a_folder_of_images_alone(things):
    dataset = read_images(things / "images")
    assert (len(dataset), dataset.mask_column) == (10, None)
    (things / "empty").mkdir()
    with pytest.raises(DataError, match="expected images, found none"):
        read_images(things / "empty")


@pytest.mark.skipif(sys.platform != "linux", reason="names are text on this system")
def test_an_image_whose_name_is_no_text_is_refused(things):
    image = things / "images" / "thing 0.png"
    image.rename(image.with_name(os.fsdecode(b"caf\xe9.png")))
    with pytest.raises(DataError, match=r"^caf�\.png: expected a name in UTF-8, found"):
        read_images(things / "images")


@pytest.mark.parametrize(
    ("table", "types", "said"),
    [
        (None, TYPES, "data.csv: expected the table that the configuration names, found no such"),
        ("image\n", {"image": "image"}, "found no lines"),
        ("picture\na.png\n", {"image": "image"}, "found no column image"),
        (
            "image,n\na.png\n",
            {"image": "image", "n": "integer"},
            "line 2: expected a value for each",
        ),
        ("image,n\na.png,x\n", {"image": "image", "n": "integer"}, "line 2: expected integer in"),
        (
            "image,n\na.png,100000000000000000000\n",
            {"image": "image", "n": "integer"},
            "line 2: expected integer of 64 bits in column 'n', found '100000000000000000000'. "
            "Correct it.",
        ),
        ("image,n\na.png,1 x\n", {"image": "image", "n": "float_array"}, "found '1 x'"),
        ("_a\na.png\n", {"_a": "image"}, "expected a name that does not start with '_'"),
        ("n\n1\n", {"n": "integer"}, "expected a column of images, found none"),
        ("n\n1\n", {"n": "video"}, "config.json: expected columns of the types integer, float"),
        ("n\n1\n", {"n": ["integer"]}, "found 'n' of type ['integer']. Correct it."),
        ("n\n1\n", {}, "found no columns"),
    ],
)
def test_each_mistake_is_one_sentence(config, table, types, said):
    with pytest.raises(FewmaskError) as caught:
        read_brine_config(config(table, types))
    assert said in str(caught.value)


def test_a_folder_is_no_table(config, things):
    with pytest.raises(DataError) as caught:
        read_brine_config(config(path="."))
    assert str(caught.value) == (
        f"{things}: expected the table that the configuration names, found is a directory. "
        "Check it."
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"columns": 3, "path": ""}', '{"columns": [{}]}'])
def test_what_is_no_configuration_is_one_sentence(things, text):
    (things / "config.json").write_text(text)
    with pytest.raises(DataError, match=r"config\.json: expected a brine configuration: JSON with"):
        read_brine_config(things / "config.json")
    with pytest.raises(DataError, match="found no such file"):
        read_brine_config(things / "nowhere.json")


def test_a_mask_of_another_size_is_refused(config, things):
    write_png(things / "masks/thing 1.png", np.eye(9, dtype=np.uint8))
    with pytest.raises(DataError, match=r"thing 1\.png: expected the size of its image"):
        read_brine_config(config())
