from dataclasses import replace

import numpy as np
import pytest

from fewmask.cli.package_text import change_lines
from fewmask.data.classes import Classes
from fewmask.data.imageio import read_mask_values, write_png
from fewmask.data.schema import Column
from fewmask.packages import diff
from fewmask.packages.diff import ADDED, KEPT, OTHER, REMOVED, compare, pixel_states
from fewmask.packages.diff_sheet import COLORS, draw_difference
from fewmask.packages.reading import stored_ids

from .conftest import draw


def change_mask(folder, number, change):
    path = folder / f"masks/thing {number}.png"
    mask = read_mask_values(path).values.copy()
    change(mask)
    write_png(path, mask)


def clear(mask):
    mask[:] = 0
    mask[0, 0] = 255


def test_rows_and_pixels_that_changed(build, things, store):
    old = build(things).manifest
    before = read_mask_values(things / "masks/thing 2.png").values
    (things / "images/thing 7.png").unlink()
    (things / "masks/thing 7.png").unlink()
    draw(things, [20, 21])
    change_mask(things, 2, clear)
    write_png(things / "images/thing 3.png", np.full((24, 32, 3), 9, np.uint8))
    new = build(things).manifest
    calls = []
    found = compare(store, old, new, lambda *now: calls.append(now))
    assert found.added == ("images/thing 20", "images/thing 21")
    assert found.removed == ("images/thing 7",)
    first, second = found.changed
    assert (first.sample, first.what) == ("images/thing 2", ("mask",))
    assert (first.added, first.removed, first.other) == (1, np.count_nonzero(before), 0)
    assert (second.sample, second.what, second.pixels) == ("images/thing 3", ("image",), 0)
    assert found.classes == ()
    assert calls[-1] == (9, 9)


def test_shards_that_are_shared_are_not_opened(build, tmp_path, store, monkeypatch):
    folder = draw(tmp_path / "many", range(200), height=20)
    old = build(folder).manifest
    change_mask(folder, 150, clear)
    new = build(folder).manifest
    opened = []
    read = diff.open_manifest
    monkeypatch.setattr(diff, "open_manifest", lambda *a: opened.append(read(*a)) or opened[-1])
    found = compare(store, old, new)
    assert [change.sample for change in found.changed] == ["images/thing 150"]
    assert all(len(dataset) < 50 for dataset in opened)


def test_equal_versions_have_no_difference(built, store):
    found = compare(store, built.manifest, built.manifest)
    assert (found.added, found.removed, found.changed) == ((), (), ())
    assert draw_difference(found) is None


def test_other_values_and_parts_are_compared(build, dataset, store):
    columns = [
        *dataset.columns,
        Column("part", "category", ("train", "test")),
        Column("n", "integer"),
    ]
    rows = [(*row, "train", number) for number, row in enumerate(dataset.rows)]
    old = build(replace(dataset, columns=columns, rows=rows)).manifest
    rows[4] = (*rows[4][:2], "test", 99)
    new = build(replace(dataset, columns=columns, rows=rows)).manifest
    (change,) = compare(store, old, new).changed
    assert (change.sample, change.what) == ("images/thing 4", ("part", "n"))


def test_shards_that_are_equal_may_be_of_another_part(build, dataset, store):
    def build_with(first, second):
        columns = [*dataset.columns, Column("part", "category", ("train", "test"))]
        rows = [(*row, first if n < 6 else second) for n, row in enumerate(dataset.rows)]
        return build(replace(dataset, columns=columns, rows=rows)).manifest

    found = compare(store, build_with("train", "test"), build_with("test", "train"))
    assert {change.what for change in found.changed} == {("part",)}
    assert len(found.changed) == 10


def test_further_images_and_columns_that_come_and_go_are_compared(build, dataset, things, store):
    def build_with(name):
        for number in range(10):
            write_png(things / f"depth/thing {number}.png", np.full((24, 32), number, np.uint8))
        write_png(things / "depth/thing 4.png", np.full((24, 32), len(name), np.uint8))
        columns = [*dataset.columns, Column("depth", "image"), Column(name, "integer")]
        rows = [
            (*row, f"depth/thing {number}.png", number) for number, row in enumerate(dataset.rows)
        ]
        return build(replace(dataset, columns=columns, rows=rows)).manifest

    found = compare(store, build_with("age"), build_with("weight"))
    assert [(change.sample, change.what) for change in found.changed] == [
        ("images/thing 4", ("depth",))
    ]
    assert found.columns == ("Column weight is new.", "Column age is gone.")
    assert change_lines(found) == [*found.columns, "images/thing 4: depth changed"]


def test_a_mask_of_another_size_has_no_pixels_to_compare(build, things, store):
    old = build(things).manifest
    draw(things, [5], height=30)
    new = build(things).manifest
    (change,) = compare(store, old, new).changed
    assert (change.what, change.pixels) == (("image", "mask"), 0)
    assert draw_difference(compare(store, old, new)) is None


def test_classes_are_known_by_their_names(build, dataset, store):
    two = replace(dataset, classes=Classes(("ground", "chair")))
    old = build(two).manifest
    names = Classes(("ground", "table", "chair"))
    moved = stored_ids(names)
    moved = replace(dataset.encoding, table=((0, 0), (255, 2)))
    new = build(replace(dataset, classes=names, encoding=moved)).manifest
    found = compare(store, old, new)
    assert found.classes == ("Class table is new.",)
    assert found.changed == (), "every pixel is the class that it was"


@pytest.fixture
def one_of_each(build, dataset, store):
    """Two versions of masks with every fate that a pixel can have."""
    names = Classes(("ground", "a", "b"), ignore_index=255)
    encoding = stored_ids(names)
    manifests = []
    for values in ([[0, 0, 1, 1, 1, 0, 255]], [[0, 1, 1, 0, 2, 255, 0]]):
        folder = dataset.root
        for number in range(10):
            write_png(folder / f"images/thing {number}.png", np.zeros((1, 7, 3), np.uint8))
            write_png(folder / f"masks/thing {number}.png", np.array(values, np.uint8))
        manifests.append(build(replace(dataset, classes=names, encoding=encoding)).manifest)
    return compare(store, *manifests)


def test_what_becomes_of_each_pixel(one_of_each):
    states = pixel_states(one_of_each.old, 0, one_of_each.new, 0)
    assert states.tolist() == [[0, ADDED, KEPT, REMOVED, OTHER, OTHER, OTHER]]
    change = one_of_each.changed[0]
    assert (change.added, change.removed, change.other) == (1, 1, 3)


def test_the_drawing_shows_them_in_colour(build, tmp_path, store):
    folder = draw(tmp_path / "large", [1, 2], height=1200)
    old = build(folder).manifest

    def change(mask):
        mask[np.flatnonzero(mask.any(axis=1))[0]] = 0
        mask[900, 16] = 255  # one pixel in a large image must be seen

    change_mask(folder, 1, change)
    sheet = draw_difference(compare(store, old, build(folder).manifest))
    assert sheet.dtype == np.uint8
    seen = {tuple(color) for color in sheet.reshape(-1, 3).tolist()}
    added = np.array(COLORS[ADDED][1])
    # The legend, and a pale image below the colour in the drawing itself.
    assert sum(np.abs(np.array(color) - added).max() < 40 for color in seen) >= 2
    assert any(tuple(color) == COLORS[REMOVED][1] for color in seen)
