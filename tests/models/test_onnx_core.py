"""Every network as ONNX operators: the same logits, and no operator too many."""

import re

import numpy as np
import onnxruntime
import pytest

from fewmask.errors import ModelError
from fewmask.models.backend import keras, keras_settings
from fewmask.models.graph import Graph
from fewmask.models.names import NAMES, NORMALIZATIONS
from fewmask.models.onnx_core import write_core
from fewmask.models.unet import unet
from fewmask.models.whole import copy_core


def draw_kernels(core):
    """Gives every number of a kernel a value of its own: some begin alike, or as a bilinear map."""
    rng = np.random.default_rng(0)
    for weight in core.weights:
        if len(weight.shape) == 4:
            fan_in = np.prod(weight.shape[:3])
            weight.assign_add(rng.normal(0, 0.5 / np.sqrt(fan_in), weight.shape))
    return core


def model_of(core, channels):
    graph = Graph("core")
    seen = graph.input("seen", np.float32, ["squares", channels, "height", "width"])
    logits = write_core(graph, core, seen)
    graph.output("logits", logits, np.float32, ["squares", "classes", "height", "width"])
    return graph.model(opset=17)


def run(model, images):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (logits,) = session.run(None, {"seen": images.transpose(0, 3, 1, 2).astype(np.float32)})
    return logits.transpose(0, 2, 3, 1)


def assert_the_same(core, spec, outputs, trusted=None):
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 96, spec.channels))
    expected = outputs(trusted or core, images)
    found = run(model_of(core, spec.channels), images)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    "fields",
    [
        *({"normalization": each} for each in NORMALIZATIONS),
        {"num_classes": 3, "channels": 4, "width": 6, "std": (0, 1, 20, 30)},
        {"stem_stride": 2, "shortcut": True, "outlines": True, "dropout": 0.5},
        {"num_classes": 3, "networks": 2, "channels": 1},
        {"name": "mobilenet_v2", "shortcut": True, "outlines": True, "dropout": 0.5},
        {"name": "mobilenet_v2", "decoder": "pyramid", "weights": "imagenet", "channels": 1},
        {"name": "mobilenet_v3_small", "context": True},
        {"name": "fcn8", "num_classes": 3, "dropout": 0.5},
        *(
            pytest.param({"name": each}, marks=pytest.mark.slow)
            for each in NAMES
            if each not in ("unet", "mobilenet_v2", "mobilenet_v3_small", "fcn8")
        ),
    ],
    ids=str,
)
def test_every_network_says_the_same(fields, data_format, make_core, outputs):
    core, spec, _ = make_core(data_format, **fields)
    assert_the_same(draw_kernels(core), spec, outputs)


def test_what_was_trained_in_16_bits_is_written_in_32(make_core, outputs):
    with keras_settings("channels_last", "mixed_bfloat16"):
        core, spec, _ = make_core("channels_last")
    assert "bfloat16" in {layer.compute_dtype for layer in core.layers}
    assert_the_same(core, spec, outputs, trusted=copy_core(core, spec, "channels_last"))


def test_a_layer_is_one_operator():
    core = unet(1, 4, normalization="batch", decoder_convs=1)
    convolution = ["Conv", "BatchNormalization", "Relu"]
    assert [node.op_type for node in model_of(core, 3).graph.node] == [
        "BatchNormalization",  # of the pixels
        *(2 * convolution),
        "MaxPool",
        *(2 * convolution),
        "Resize",
        "Concat",
        *convolution,
        "Conv",
        "Identity",
    ]


FIRST = {"data_format": "channels_first"}


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (keras.layers.GaussianNoise(0.1, name="ours"), "GaussianNoise"),
        (keras.layers.Activation("gelu", name="ours"), "Activation"),
        (keras.layers.Conv2D(3, 3, activation="softplus", name="ours", **FIRST), "Conv2D"),
        (keras.layers.Conv2D(3, 3, dilation_rate=2, name="ours", **FIRST), "Conv2D"),
        (keras.layers.BatchNormalization(axis=2, name="ours"), "BatchNormalization"),
        (keras.layers.BatchNormalization(axis=1, scale=False, name="ours"), "BatchNormalization"),
        (keras.layers.ReLU(negative_slope=0.1, name="ours"), "ReLU"),
        (
            keras.layers.UpSampling2D(2, interpolation="bilinear", name="ours", **FIRST),
            "UpSampling2D",
        ),
        (lambda x: keras.layers.Dropout(0.5, name="ours")(x, training=True), "Dropout"),
    ],
)
def test_a_layer_that_is_not_known_is_named(layer, kind):
    image = keras.Input((3, 32, 32) if kind == "BatchNormalization" else (3, None, None))
    sentence = (
        "model.onnx: expected a network of layers that can be written as ONNX operators, "
        f"found the layer ours ({kind}). Please report it."
    )
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        model_of(keras.Model(image, layer(image)), 3)


def test_a_layer_that_is_called_twice_is_refused():
    image = keras.Input((3, None, None))
    layer = keras.layers.Conv2D(3, 1, data_format="channels_first")
    with pytest.raises(ModelError, match=r"found the layer twice \(Functional\)"):
        model_of(keras.Model(image, layer(layer(image)), name="twice"), 3)
