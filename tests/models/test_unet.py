import numpy as np
import pytest

from fewmask.errors import ArgumentError
from fewmask.models.backend import keras
from fewmask.models.spec import ModelSpec, build
from fewmask.models.unet import Blocks, unet


@pytest.mark.parametrize(
    "fields",
    [
        {"normalization": "group", "width": 12},
        {"normalization": "batch", "decoder_convs": 3},
        {"normalization": "none", "dropout": 0.3},
        {"normalization": "group+batch", "stem_stride": 2},
        {"shortcut": True, "dropout": 0.3},
        {"stem_stride": 2, "num_classes": 3, "channels": 5},
        {"stem_stride": 2, "num_classes": 3, "channels": 5, "outlines": True},
        {"channels": 1, "mean": (40.0,), "std": (9.0,)},
    ],
    ids=str,
)
def test_both_layouts_are_one_network(fields, outputs, picture, shuffle_weights):
    spec = ModelSpec(**{"name": "unet", "num_classes": 2, "depth": 2, "width": 4, **fields})
    first = shuffle_weights(build(spec, "channels_first"))
    last = build(spec, "channels_last")
    last.set_weights(first.get_weights())
    batch = np.stack([picture(24, 40, spec.channels, seed) for seed in (0, 1)])
    logits = outputs(last, batch)
    assert logits.shape == (2, 24, 40, spec.out_channels)
    assert np.ptp(logits) > 0.01
    np.testing.assert_allclose(outputs(first, batch), logits, atol=1e-4)


def test_by_the_shortcut_the_deepest_features_reach_the_head_as_they_are(outputs, picture):
    core = unet(depth=2, width=4, stem_stride=2, shortcut=True)
    *_, last = [each for each in core.layers if isinstance(each, keras.layers.GroupNormalization)]
    last.set_weights([0 * values for values in last.get_weights()])
    # The decoder now passes nothing on, which leaves one value for each of the deepest pixels.
    logits = outputs(core, picture(32, 48)[None])[0, ..., 0]
    assert np.ptp(logits) > 0
    assert (logits == logits[::8, ::8].repeat(8, axis=0).repeat(8, axis=1)).all()


@pytest.mark.parametrize("outlines", [False, True])
def test_only_with_outlines_do_pixels_have_logits_of_their_own(outlines, outputs, picture):
    core = unet(depth=2, width=4, stem_stride=2, outlines=outlines)
    logits = outputs(core, picture(32, 48)[None])[0, ..., 0]
    of_four = logits[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
    # The four made of one begin alike, unless they see the picture at its own resolution.
    assert (logits == of_four).all() != outlines
    assert core.output.dtype == "float32"


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_context_adds_the_mean_of_the_picture_to_every_pixel(data_format):
    blocks = Blocks("none", data_format)
    first = data_format == "channels_first"
    shape = (1, None, None)
    x, seen = (keras.Input(shape if first else (None, None, 1)) for _ in range(2))
    network = keras.Model([x, seen], blocks.add_context(x, seen))
    network.set_weights([np.full((1, 1, 1, 1), 10.0), np.array([0.5])])
    values = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0], [8.0]])
    laid_out = [each[None, None] if first else each[None, ..., None] for each in values]
    found = keras.ops.convert_to_numpy(network(laid_out)).reshape(-1)
    np.testing.assert_allclose(found, [61.5, 62.5, 63.5])


def test_pixels_are_normalised_inside(outputs, shuffle_weights):
    # One shift and one stretch of the pixels, undone by the mean and spread that go with them.
    plain = shuffle_weights(unet(1, 4, mean=(0.0,) * 3, std=(1.0,) * 3))
    given = unet(1, 4, mean=(100.0, 50.0, 0.0), std=(20.0, 10.0, 5.0))
    given.set_weights(plain.get_weights())
    pixels = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    stretched = pixels * (20, 10, 5) + (100, 50, 0)
    np.testing.assert_allclose(outputs(given, stretched), outputs(plain, pixels), atol=1e-4)


def test_a_flat_channel_has_no_spread_to_divide_by(outputs):
    core = unet(1, 4, channels=1, mean=(7.0,), std=(0.0,))
    assert np.isfinite(outputs(core, np.full((1, 8, 8, 1), 9.0))).all()


@pytest.mark.parametrize(("filters", "groups"), [(16, 8), (12, 6), (4, 4), (7, 7), (11, 1)])
def test_groups_divide_the_channels(filters, groups):
    blocks = Blocks("group", "channels_last")
    x = keras.Input((8, 8, 3))
    made = keras.Model(x, blocks.convolve(x, filters))
    (normalization,) = [
        layer for layer in made.layers if isinstance(layer, keras.layers.GroupNormalization)
    ]
    assert normalization.groups == groups


def test_the_way_down_is_normalised_by_group_and_the_way_up_by_batch():
    core = unet(2, 4, normalization="group+batch", stem_stride=2, outlines=True)
    kinds = [
        "group" if isinstance(layer, keras.layers.GroupNormalization) else "batch"
        for layer in core.layers
        if isinstance(layer, keras.layers.GroupNormalization | keras.layers.BatchNormalization)
    ]
    # Down: the stem and two convolutions on each of three levels. Up: two on each of two levels,
    # and the outlines.
    assert kinds == ["group"] * 7 + ["batch"] * 5


def test_an_encoder_has_the_normalisation_of_the_way_up_in_its_decoder():
    spec = ModelSpec("mobilenet_v2", 2, normalization="group+batch")
    core = build(spec, "channels_last", None)
    kinds = {type(layer) for layer in core.layers}
    assert keras.layers.BatchNormalization in kinds
    assert keras.layers.GroupNormalization not in kinds


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"normalization": "grup"},
            "normalization: expected one of group, batch, group+batch, none, found grup.",
        ),
        (
            {"normalization": "group+bath"},
            "normalization: expected one of group, batch, group+batch, none, found group+bath.",
        ),
        ({"stem_stride": 4}, "stem_stride: expected 1 or 2, found 4."),
        ({"outlines": True}, "outlines: expected a stem_stride of 2, found 1."),
    ],
)
def test_a_misspelled_argument_is_refused(arguments, sentence):
    with pytest.raises(ArgumentError) as error:
        unet(1, 4, **arguments)
    assert str(error.value) == f"{sentence} Give another value."


def test_logits_are_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        core = unet(1, 4)
    finally:
        keras.config.set_dtype_policy(before)
    assert core.output.dtype == "float32"
    (first, *_) = [layer for layer in core.layers if isinstance(layer, keras.layers.Conv2D)]
    assert first.compute_dtype == "bfloat16"


@pytest.mark.parametrize("stem_stride", [1, 2])
def test_the_smallest_picture_is_one_stride(stem_stride, outputs, picture):
    core = unet(2, 4, stem_stride=stem_stride)
    side = stem_stride * 4
    assert outputs(core, picture(side, side)[None]).shape == (1, side, side, 1)


def test_the_network_of_the_2017_tutorial_is_among_them(monkeypatch):
    # Only the number of weights matters here, and drawing 34 million takes a while.
    monkeypatch.setattr(
        keras.initializers.HeNormal,
        "__call__",
        lambda self, shape, dtype=None, **_: keras.ops.zeros(shape, dtype),
    )
    core = unet(5, 32, normalization="batch", decoder_convs=3)
    assert core.count_params() == 34_614_369


def test_the_pixels_made_of_one_begin_alike() -> None:
    core = unet(2, 4, stem_stride=2)
    image = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)
    logits = core.predict_on_batch(image)[0, :, :, 0]
    np.testing.assert_array_equal(logits[::2, ::2], logits[1::2, 1::2])
    assert len(np.unique(logits)) > 1
