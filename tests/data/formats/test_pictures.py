import json
from dataclasses import replace

import numpy as np
import pytest

from fewmask.data.folders.folder import read_folder
from fewmask.data.formats.pictures import write_folder, write_tiff
from fewmask.data.formats.source import source_of_dataset
from fewmask.data.imageio import read_mask_values

from .conftest import NAMES, difficult_mask, ignoring_mask, make_dataset, round_mask, save_text


@pytest.mark.parametrize(("write", "suffix"), [(write_folder, ".png"), (write_tiff, ".tif")])
def test_what_is_written_is_read_as_it_was(tmp_path, write, suffix):
    masks = {"a b.png": difficult_mask(), "ế.jpg": ignoring_mask(), "c.png": round_mask()}
    dataset = make_dataset(tmp_path / "data", masks)
    out = tmp_path / "out"
    out.mkdir()
    write(source_of_dataset(dataset), out, None)
    again = read_folder(out)
    assert again.classes.names == NAMES
    assert again.classes.ignore_index == 255
    for place, row in enumerate(again):
        assert row.mask.endswith(suffix)
        name = row.image.removeprefix("images/")
        np.testing.assert_array_equal(again.read_mask(place), masks[name])
        assert (out / row.image).read_bytes() == (tmp_path / "data/images" / name).read_bytes()
    assert not (out / "split.csv").exists()


def test_a_class_named_ignore_counts_beside_pixels_that_do_not(tmp_path):
    dataset = make_dataset(tmp_path / "data", {"a.png": ignoring_mask()})
    source = source_of_dataset(dataset)
    names = ("background", "ignore", "Void")
    out = tmp_path / "out"
    out.mkdir()
    write_folder(replace(source, classes=replace(source.classes, names=names)), out, None)
    again = read_folder(out)
    assert again.classes.names == names
    np.testing.assert_array_equal(again.read_mask(0), ignoring_mask())


def test_masks_are_16_bit_tiff(tmp_path):
    dataset = make_dataset(tmp_path / "data", {"a.png": difficult_mask()})
    write_tiff(source_of_dataset(dataset), tmp_path, None)
    stored = read_mask_values(tmp_path / "masks" / "a.tif").values
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, difficult_mask())


def test_parts_and_groups_stand_in_a_table(tmp_path):
    make_dataset(tmp_path / "data", {"a.png": round_mask(), "b.png": difficult_mask()})
    save_text(
        tmp_path / "data" / "split.csv", 'image,part,group\na.png,train,"nhà, A"\nb.png,test,B\n'
    )
    out = tmp_path / "out"
    out.mkdir()
    write_folder(source_of_dataset(read_folder(tmp_path / "data")), out, None)
    assert (out / "split.csv").read_text("utf-8") == (
        "image,mask,part,group\n"
        'images/a.png,masks/a.png,train,"nhà, A"\n'
        "images/b.png,masks/b.png,test,B\n"
    )
    assert read_folder(out).values("group") == ["nhà, A", "B"]


def test_classes_that_occur_in_no_mask_keep_their_place(tmp_path):
    names = ("background", "classes", "names", "ghế")  # words that mean something in such a file
    dataset = make_dataset(tmp_path / "data", {"a.png": 3 * round_mask()}, names)
    write_folder(source_of_dataset(dataset), tmp_path, None)
    assert json.loads((tmp_path / "classes.json").read_text("utf-8")) == {
        "classes": [{"name": name, "id": number} for number, name in enumerate(names)]
    }
    assert read_folder(tmp_path / "data").classes.names == names
