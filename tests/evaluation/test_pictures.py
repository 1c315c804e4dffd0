import base64
import io

import numpy as np
import pytest
from PIL import Image

from fewmask.data.classes import Classes
from fewmask.data.imageio import encode_png
from fewmask.evaluation.pictures import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    LONGEST_SIDE,
    MISTAKEN,
    draw_pictures,
    error_legend,
    paint_classes,
    paint_errors,
)


def decoded(address, mode):
    head, _, content = address.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert(mode))


def seen(layer):
    """Returns what a browser shows, shape `(H, W, 4)`."""
    return decoded(f"data:image/png;base64,{base64.b64encode(encode_png(*layer)).decode()}", "RGBA")


def colors_of(layer):
    """Returns the colour of each pixel, None where the layer is transparent."""
    return [tuple(pixel[:3].tolist()) if pixel[3] else None for pixel in seen(layer).reshape(-1, 4)]


def test_errors_of_two_classes_by_hand(chair):
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    prediction = np.array([[0, 1, 0, 1]], np.uint8)
    layers = paint_errors(truth, prediction, chair)
    assert list(layers) == [-1]
    assert colors_of(layers[-1]) == [None, FALSE_POSITIVE, FALSE_NEGATIVE, None]


def test_errors_of_several_classes_by_hand(furniture):
    truth = np.array([[0, 1, 1, 3, 255]], np.uint8)
    prediction = np.array([[3, 0, 3, 3, 1]], np.uint8)
    layers = paint_errors(truth, prediction, furniture)
    assert list(layers) == [-1, 1, 3]  # class 2 is nowhere
    assert colors_of(layers[-1]) == [FALSE_POSITIVE, FALSE_NEGATIVE, MISTAKEN, None, None]
    assert colors_of(layers[1]) == [None, FALSE_NEGATIVE, FALSE_NEGATIVE, None, None]
    assert colors_of(layers[3]) == [FALSE_POSITIVE, None, FALSE_POSITIVE, None, None]


def test_a_right_prediction_has_an_empty_error_layer(chair):
    truth = np.eye(5, dtype=np.uint8)
    assert not seen(paint_errors(truth, truth, chair)[-1]).any()


def test_classes_are_tinted_inside_a_full_outline(chair):
    labels = np.zeros((20, 20), np.uint8)
    labels[4:16, 4:16] = 1
    layer = seen(paint_classes(labels, chair))
    assert not layer[0, 0].any()
    assert tuple(layer[10, 10, :3]) == tuple(layer[4, 10, :3]) == chair.colors[1]
    assert layer[4, 10, 3] == 255 > layer[10, 10, 3] > 0


def test_ignored_pixels_are_grey(furniture):
    layer = seen(paint_classes(np.full((3, 3), 255, np.uint8), furniture))
    assert tuple(layer[1, 1, :3]) == (128, 128, 128)


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_an_image_of_any_number_of_channels_can_be_shown(channels, chair):
    labels = np.ones((4, 5), np.uint8)
    pictures = draw_pictures(np.full((4, 5, channels), 80, np.uint8), labels, labels, chair)
    assert decoded(pictures.image, "RGB").shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((1000, 500), (480, 240)), ((30, 1500), (10, 480)), ((3, 5), (3, 5)), ((1, 4000), (1, 480))],
)
def test_pictures_are_small_with_the_shape_kept(size, shown, chair):
    labels = np.ones(size, np.uint8)
    pictures = draw_pictures(np.full((*size, 3), 80, np.uint8), labels, labels, chair)
    assert (pictures.height, pictures.width) == shown
    assert max(shown) <= LONGEST_SIDE
    assert decoded(pictures.image, "RGB").shape == (*shown, 3)
    for layer in (pictures.truth, pictures.prediction, pictures.errors[-1]):
        assert decoded(layer, "RGBA").shape == (*shown, 4)


def test_the_legend_explains_every_colour_that_occurs(chair, furniture):
    assert [color for _, color in error_legend(chair)] == [FALSE_POSITIVE, FALSE_NEGATIVE]
    assert [color for _, color in error_legend(furniture)][2] == MISTAKEN


def test_error_colours_differ_in_brightness_from_each_other():
    """So that they stay apart in grey, for any kind of colour vision and on paper."""
    weights = (0.2126, 0.7152, 0.0722)
    orange, blue, pink = (
        sum(w * (c / 255) ** 2.2 for w, c in zip(weights, color, strict=True))
        for color in (FALSE_POSITIVE, FALSE_NEGATIVE, MISTAKEN)
    )
    assert orange > blue > pink


def test_many_classes_have_a_layer_each_only_where_they_are_wrong():
    many = Classes(tuple(f"class {k}" for k in range(40)))
    truth, prediction = np.full((2, 2), 7, np.uint8), np.full((2, 2), 9, np.uint8)
    assert sorted(paint_errors(truth, prediction, many)) == [-1, 7, 9]


@pytest.mark.parametrize(("count", "outlined"), [(126, True), (127, False), (254, False)])
def test_a_picture_of_very_many_classes_fits_into_a_palette(count, outlined):
    many = Classes(tuple(f"class {k}" for k in range(count + 1)), ignore_index=255)
    labels = np.repeat(np.append(np.arange(count + 1), 255).astype(np.uint8), 6)[None].repeat(6, 0)
    layer = seen(paint_classes(labels, many))
    for k in (1, count):
        inside, border = layer[3, 6 * k + 3], layer[3, 6 * k]
        assert tuple(inside[:3]) == tuple(border[:3]) == many.colors[k]
        assert (border[3] > inside[3]) == outlined
    assert tuple(layer[3, -1, :3]) == (128, 128, 128)
    assert not layer[3, 3].any()
