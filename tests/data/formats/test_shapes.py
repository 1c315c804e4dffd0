import numpy as np
import pytest

from fewmask.data.formats.filling import Bitmap, Outline
from fewmask.data.formats.rle import Runs
from fewmask.data.formats.shapes import Shape, draw_shapes

IDS = {"table": 1, "cup": 2, "ground": 0, "__ignore__": 255}


def box(name, left, top, right, bottom, **more):
    ring = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    return Shape(name, (Outline(ring),), f"a.json, shapes {name}", **more)


def test_small_shapes_lie_on_large_ones_where_order_means_nothing():
    shapes = [box("cup", 1, 1, 3, 3), box("table", 0, 0, 5, 5)]
    for order in (shapes, shapes[::-1]):
        drawing = draw_shapes(order, IDS, 6, 6, ordered=False)
        assert np.bincount(drawing.mask.ravel()).tolist() == [11, 21, 4]
        assert drawing.covered == 4


def test_later_shapes_lie_on_earlier_ones_where_order_means_something():
    drawing = draw_shapes(
        [box("cup", 1, 1, 3, 3), box("table", 0, 0, 5, 5)], IDS, 6, 6, ordered=True
    )
    assert np.bincount(drawing.mask.ravel(), minlength=3).tolist() == [11, 25, 0]
    assert drawing.covered == 4


def test_pixels_in_two_shapes_of_one_class_lose_nothing():
    shapes = [box("cup", 0, 0, 3, 3), box("cup", 1, 1, 4, 4)]
    assert draw_shapes(shapes, IDS, 6, 6, ordered=True).covered == 0


def test_groups_lie_below_everything():
    shapes = [box("table", 0, 0, 5, 5), box("cup", 1, 1, 3, 3, is_group=True)]
    for ordered in (True, False):
        mask = draw_shapes(shapes, IDS, 6, 6, ordered).mask
        assert np.bincount(mask.ravel()).tolist() == [11, 25]


def test_a_background_can_be_drawn_and_pixels_can_be_ignored():
    shapes = [box("table", 0, 0, 4, 4), box("ground", 1, 1, 2, 2), box("__ignore__", 2, 2, 3, 3)]
    mask = draw_shapes(shapes, IDS, 4, 4, ordered=True).mask
    assert (mask[1, 1], mask[2, 2], mask[0, 0]) == (0, 255, 1)


def test_one_shape_may_have_several_outlines():
    rings = [np.array([[x, 0], [x + 2, 0], [x + 2, 2], [x, 2.0]]) for x in (0, 4)]
    shape = Shape("cup", tuple(Outline(ring) for ring in rings), "")
    assert draw_shapes([shape], IDS, 2, 6, ordered=True).mask[0].tolist() == [2, 2, 0, 0, 2, 2]


def test_runs_and_bitmaps_are_drawn():
    runs = Shape("table", Runs(np.array([1, 1, 2])), "")
    pixels = Shape("cup", Bitmap(np.ones((1, 1), bool), top=1, left=1), "")
    mask = draw_shapes([runs, pixels], IDS, 2, 2, ordered=True).mask
    assert mask.tolist() == [[0, 0], [1, 2]]


def test_a_shape_a_little_over_the_edge_is_cut_and_counted():
    drawing = draw_shapes(
        [box("cup", -2, 0, 3, 3), box("cup", 0, 0, 30.9, 30)], IDS, 30, 30, ordered=True
    )
    assert drawing.cut == 1
    assert (drawing.mask == 2).all()


@pytest.mark.parametrize("shape", [
    box("cup", 0, 0, 10, 50),
    Shape("cup", Bitmap(np.ones((2, 2), bool), top=48, left=0), "a.json, shapes cup"),
])  # fmt: skip
def test_a_shape_far_outside_is_refused(shape, refusal):
    assert refusal(lambda: draw_shapes([shape], IDS, 30, 40, ordered=True)) in {
        "a.json, shapes cup: expected corners inside its image of 30 × 40 pixels (height × "
        f"width), found columns 0 to {right}, rows {top} to 50. Check that this is the image that "
        "was labelled, and that corners are in pixels."
        for right, top in ((10, 0), (2, 48))
    }
