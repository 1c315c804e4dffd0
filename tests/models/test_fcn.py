import re

import cv2
import numpy as np
import pytest

from fewmask.errors import ArgumentError
from fewmask.inference.runtime import OnnxModel
from fewmask.models.backend import keras
from fewmask.models.export import exported_onnx
from fewmask.models.fcn import bilinear_kernel, fcn
from fewmask.models.names import ENCODERS
from fewmask.models.parity import check_parity
from fewmask.models.saving import KerasModel, load_core, save_keras
from fewmask.models.spec import ModelSpec, build


@pytest.fixture
def drawn(shuffle_weights):
    """Gives what begins as zero or as an interpolation weights that show a mistake."""

    def draw(core):
        rng = np.random.default_rng(1)
        for layer in core.layers:
            if layer.name.startswith(("score", "enlarged", "logits")):
                layer.kernel.assign_add(rng.normal(0, 0.05, layer.kernel.shape))
        return shuffle_weights(core)

    return draw


@pytest.mark.parametrize("stride", [32, 16, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_both_layouts_are_one_network(stride, channels, drawn, outputs, picture):
    first = drawn(fcn(stride=stride, classes=4, channels=channels, data_format="channels_first"))
    last = fcn(stride=stride, classes=4, channels=channels)
    last.set_weights(first.get_weights())
    batch = picture(32, 64, channels)[None]
    logits = outputs(last, batch)
    assert logits.shape == (1, 32, 64, 4)
    assert np.ptp(logits) > 0.01
    np.testing.assert_allclose(outputs(first, batch), logits, atol=1e-4)


@pytest.mark.parametrize(
    "backbone", ["mobilenet_v3_small", pytest.param("vgg16", marks=pytest.mark.slow)]
)
def test_every_encoder_is_a_backbone(backbone, drawn, outputs, picture):
    core = drawn(fcn(backbone, 8))
    assert outputs(core, picture(32, 32)[None]).shape == (1, 32, 32, 1)
    assert (
        core.get_layer("encoder").output[-1].shape[-1] == core.get_layer("score_32").input.shape[-1]
    )


@pytest.mark.parametrize(
    ("stride", "scored"),
    [(32, ["score_32"]), (16, ["score_32", "score_16"]), (8, ["score_32", "score_16", "score_8"])],
)
def test_skip_layers_score_finer_features(stride, scored):
    core = fcn(stride=stride)
    sides = {32: 2, 16: 4, 8: 8}
    shapes = {
        layer.name: keras.Model(core.input, layer.output).compute_output_shape((1, 64, 64, 3))
        for layer in core.layers
        if layer.name.startswith("score")
    }
    assert shapes == {
        f"score_{at}": (1, sides[at], sides[at], 1) for at in sides if f"score_{at}" in scored
    }


@pytest.mark.parametrize("times", [2, 8, 16, 32])
def test_enlarging_begins_as_bilinear_interpolation(times):
    core = fcn(stride=8 if times == 2 else times, classes=3)
    layer = core.get_layer("enlarged_8" if times == 2 else "logits")
    coarse = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    found = keras.ops.convert_to_numpy(layer(coarse[None]))[0]
    wanted = cv2.resize(coarse, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    # Outside of the map there is nothing, which the outermost half of a cell looks into.
    inner = slice(times // 2, -times // 2)
    np.testing.assert_allclose(found[inner, inner], wanted[inner, inner], atol=1e-5)


@pytest.mark.parametrize("times", [2, 8, 16, 32])
def test_weights_of_pixels_that_share_one_sum_to_one(times):
    kernel = bilinear_kernel(times)
    folded = kernel.reshape(2, times, 2, times).sum(axis=(0, 2))
    np.testing.assert_allclose(folded, 1, atol=1e-6)


def test_training_starts_from_the_coarse_map_and_moves_every_score(outputs, picture):
    core = fcn()
    batch = picture(64, 64)[None].astype(np.float32)
    scores = [core.get_layer(f"score_{at}") for at in (16, 8)]
    assert [float(np.abs(np.asarray(layer.get_weights()[0])).max()) for layer in scores] == [0, 0]
    core.compile(optimizer="sgd", loss="mse")
    core.train_on_batch(batch, np.ones((1, 64, 64, 1), np.float32))
    assert all(np.abs(layer.get_weights()[0]).max() > 0 for layer in scores)


def test_logits_are_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        core = fcn()
    finally:
        keras.config.set_dtype_policy(before)
    assert core.output.dtype == "float32"
    assert core.get_layer("score_8").compute_dtype == "bfloat16"


@pytest.mark.parametrize(("weights", "frozen"), [("imagenet", True), (None, False)])
def test_statistics_are_frozen_where_they_are_worth_keeping(weights, frozen):
    core = build(ModelSpec("fcn16", 2, weights=weights))
    statistics = {
        layer.trainable
        for layer in core.get_layer("encoder").layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert statistics == {not frozen}


@pytest.mark.parametrize(
    ("name", "num_classes"),
    [
        ("fcn8", 3),
        pytest.param("fcn8", 2, marks=pytest.mark.slow),
        pytest.param("fcn32", 2, marks=pytest.mark.slow),
    ],
)
def test_the_model_files_say_the_same(name, num_classes, make_core, drawn, picture, tmp_path):
    core, spec, bundle = make_core(name=name, num_classes=num_classes, size=64)
    drawn(core)
    path = tmp_path / "model.keras"
    save_keras(core, spec, bundle, path)
    assert load_core(path)[1] == spec
    image = picture(37, 51)
    trusted = KerasModel(path)
    alone = np.asarray(keras.saving.load_model(path).predict_on_batch(image[None]))[0]
    np.testing.assert_allclose(alone, trusted(image)[1], atol=1e-6)
    assert np.ptp(alone[..., 0]) > 0.01
    with exported_onnx(core, spec, bundle, tmp_path / "model.onnx") as beside:
        labels, maps = OnnxModel(beside)(image)
        np.testing.assert_allclose(maps, alone, atol=1e-4)
        check_parity([trusted(image)[0]], [labels], "model.onnx")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"backbone": "resnet"},
            f"backbone: expected one of {', '.join(ENCODERS)}, found resnet. Give another value.",
        ),
        ({"stride": 4}, "stride: expected one of 32, 16, 8, found 4. Give another value."),
        ({"classes": 1}, "classes: expected at least 2 classes, found 1. Give another value."),
    ],
)
def test_a_value_out_of_range_is_refused(arguments, sentence):
    with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
        fcn(**arguments)
