import numpy as np
import pytest

from fewmask.errors import ArgumentError
from fewmask.models.backend import keras
from fewmask.models.encoders import ENCODERS, unet_with_encoder
from fewmask.models.spec import ModelSpec, build


def small(name, **fields):
    return ModelSpec(**{"name": name, "num_classes": 2, "width": 4, "decoder_convs": 1, **fields})


@pytest.mark.parametrize(
    ("name", "decoder"), [("mobilenet_v2", "unet"), ("mobilenet_v2", "pyramid")]
)
def test_both_layouts_are_one_network(name, decoder, outputs, picture, shuffle_weights):
    more = decoder == "unet"
    spec = small(name, num_classes=3, decoder=decoder, shortcut=more, context=more, outlines=True)
    first = shuffle_weights(build(spec, "channels_first"))
    last = build(spec, "channels_last")
    last.set_weights(first.get_weights())
    batch = picture(32, 64)[None]
    logits = outputs(last, batch)
    assert logits.shape == (1, 32, 64, 3)
    assert np.ptp(logits) > 0.01
    np.testing.assert_allclose(outputs(first, batch), logits, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_v2_b0", "resnet50", "vgg16"],
)
def test_both_layouts_of_the_others_are_one_network(name, outputs, picture, shuffle_weights):
    test_both_layouts_are_one_network(name, "unet", outputs, picture, shuffle_weights)


def test_a_pyramid_has_its_width_at_every_level_and_a_fraction_of_the_weights():
    pyramid = build(ModelSpec("mobilenet_v2", 2, width=40, decoder="pyramid", decoder_convs=1))
    unet = build(ModelSpec("mobilenet_v2", 2, width=16))
    convolutions = [layer for layer in pyramid.layers if isinstance(layer, keras.layers.Conv2D)]
    widths = {layer.filters for layer in convolutions if layer.kernel_size == (1, 1)}
    assert widths == {40}
    assert [layer.filters for layer in convolutions if layer.kernel_size == (3, 3)] == [
        40,
        40,
        40,
        32,
    ]
    on_encoder = pyramid.get_layer("encoder").count_params()
    assert pyramid.output_shape == unet.output_shape
    assert 8 * (pyramid.count_params() - on_encoder) < unet.count_params() - on_encoder


def test_features_are_a_half_to_a_thirty_second():
    encoder = build(small("mobilenet_v3_small")).get_layer("encoder")
    shapes = encoder.compute_output_shape((1, 64, 96, 3))
    assert [shape[1:3] for shape in shapes] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mobilenet_v2", "mobilenet_v2"),
        ("resnet50", "resnet"),
        ("vgg16", "vgg16"),
    ],
)
def test_pixels_reach_the_encoder_as_it_was_trained(name, module, picture):
    image = picture(32, 32)
    core = build(small(name))
    (normalize,) = [layer for layer in core.layers if isinstance(layer, keras.layers.Normalization)]
    seen = keras.Model(core.input, normalize.output).predict_on_batch(image[None])
    wanted = getattr(keras.applications, module).preprocess_input(image.astype(np.float32))
    np.testing.assert_allclose(np.asarray(seen)[0], wanted, atol=1e-4)


def test_efficientnet_sees_what_its_own_first_layers_make():
    encoder = ENCODERS["efficientnet_v2_b0"]
    # From keras.applications.efficientnet_v2: mean and spread of ImageNet in units of 255.
    np.testing.assert_allclose(encoder.mean, np.multiply(255, (0.485, 0.456, 0.406)), rtol=1e-6)
    np.testing.assert_allclose(encoder.std, np.multiply(255, (0.229, 0.224, 0.225)), rtol=1e-6)


def test_a_grey_picture_is_seen_as_three_equal_channels(outputs, picture):
    colour, grey = (build(small("mobilenet_v2", channels=channels)) for channels in (3, 1))
    grey.set_weights(colour.get_weights())
    image = picture(32, 32, channels=1)[None]
    np.testing.assert_allclose(
        outputs(grey, image), outputs(colour, image.repeat(3, axis=-1)), atol=1e-5
    )


@pytest.mark.parametrize(("weights", "frozen"), [("imagenet", True), (None, False)])
def test_statistics_are_frozen_where_they_are_worth_keeping(weights, frozen):
    core = build(small("mobilenet_v3_small", weights=weights))
    statistics = [
        layer.trainable
        for layer in core.get_layer("encoder").layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(statistics) > 20
    assert set(statistics) == {not frozen}


def test_building_leaves_the_layout_of_the_process_as_it_was():
    before = keras.config.image_data_format()
    build(small("mobilenet_v3_small"), "channels_first")
    assert keras.config.image_data_format() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "resnet18"}, f"name: expected one of {', '.join(ENCODERS)}, found resnet18."),
        ({"decoder": "pyramids"}, "decoder: expected one of unet, pyramid, found pyramids."),
        (
            {"normalization": "grup"},
            "normalization: expected one of group, batch, group+batch, none, found grup.",
        ),
        ({"channels": 4}, "channels: expected 1 or 3, found 4."),
    ],
)
def test_a_misspelled_argument_is_refused(arguments, sentence):
    with pytest.raises(ArgumentError) as error:
        unet_with_encoder(**{"name": "mobilenet_v2", **arguments})
    assert str(error.value) == f"{sentence} Give another value."
