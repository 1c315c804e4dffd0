"""Fewer operators, the same results."""

from collections import Counter

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from fewmask.models import export
from fewmask.models.backend import keras
from fewmask.models.export import core_model
from fewmask.models.graph import IR_VERSION
from fewmask.models.lean import make_lean
from fewmask.models.spec import ModelSpec, build

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(3, 2, 3, 3)).astype(np.float32)
CHANNELS = {
    name: RNG.normal(size=(1, 3, 1, 1)).astype(np.float32) for name in ("mean", "factor", "shift")
}
IMAGE = RNG.normal(size=(1, 2, 6, 7)).astype(np.float32)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], **attributes)


def model_of(*nodes, outputs=("y",), constants=None):
    """A model from `x` to its outputs, with a kernel, a padding of one and three channels."""
    arrays = {
        "kernel": KERNEL,
        "one": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        **CHANNELS,
        **(constants or {}),
    }
    used = {name for each in nodes for name in each.input}
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, IMAGE.shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items() if name in used],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=IR_VERSION
    )


def operators(model):
    return [each.op_type for each in model.graph.node]


def run(model, images):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, images)


def assert_the_same(one, other):
    results, same = (run(model, {"x": IMAGE}) for model in (one, other))
    for result, again in zip(results, same, strict=True):
        np.testing.assert_allclose(again, result, atol=1e-5)


NORMALIZED = (
    node("Sub", "a mean", "b"),
    node("Mul", "b factor", "c"),
    node("Add", "c shift", "y"),
)


def test_a_convolution_pads_and_normalizes():
    model = model_of(
        node("Pad", "x one", "padded"),
        node("Cast", "padded", "still", to=TensorProto.FLOAT),
        node("Conv", "still kernel", "convolved", strides=[2, 2]),
        node("Cast", "convolved", "a", to=TensorProto.FLOAT),
        *NORMALIZED,
    )
    before = model.SerializeToString()
    lean = make_lean(model)
    assert operators(lean) == ["Conv"]
    assert len(lean.graph.initializer) == 2, "a kernel and a bias, nothing else"
    assert_the_same(model, lean)
    assert model.SerializeToString() == before


def test_its_own_bias_and_margins_count_too():
    model = model_of(
        node("Pad", "x one nothing", "padded"),
        node("Conv", "padded kernel bias", "a", pads=[1, 0, 2, 1]),
        *NORMALIZED,
        constants={
            "bias": np.array([1, -2, 3], np.float32),
            "nothing": np.zeros((), np.float32),
        },
    )
    lean = make_lean(model)
    assert operators(lean) == ["Conv"]
    assert helper.get_attribute_value(lean.graph.node[0].attribute[0]) == [2, 1, 3, 2]
    assert_the_same(model, lean)


@pytest.mark.parametrize(
    ("mode", "amounts", "value"),
    [
        ("constant", [0, 0, 1, 1, 0, 0, 1, 1], 1.0),
        ("reflect", [0, 0, 1, 1, 0, 0, 1, 1], 0.0),
        ("constant", [0, 0, -1, 0, 0, 0, 0, 0], 0.0),
        ("constant", [0, 1, 0, 0, 0, 0, 0, 0], 0.0),
    ],
)
def test_other_paddings_stay(mode, amounts, value):
    channels = 2 + amounts[1]
    kernel = RNG.normal(size=(3, channels, 3, 3)).astype(np.float32)
    model = model_of(
        node("Pad", "x amounts value", "padded", mode=mode),
        node("Conv", "padded wide", "y"),
        constants={
            "amounts": np.array(amounts),
            "value": np.array(value, np.float32),
            "wide": kernel,
        },
    )
    lean = make_lean(model)
    assert operators(lean) == ["Pad", "Conv"]
    assert_the_same(model, lean)


@pytest.mark.parametrize(
    ("nodes", "outputs"),
    [
        # The padded image and the convolved one are needed elsewhere too.
        (
            (
                node("Pad", "x one", "padded"),
                node("Conv", "padded kernel", "a"),
                node("Add", "a shift", "b"),
                node("ReduceSum", "padded", "c"),
                node("ReduceSum", "a", "d"),
            ),
            ("b", "c", "d"),
        ),
        # So they are where they are outputs.
        ((node("Conv", "x kernel", "a"), node("Add", "a shift", "b")), ("a", "b")),
        # What is added comes from the image, or is another number for each pixel.
        (
            (
                node("Conv", "x kernel", "a"),
                node("ReduceMean", "x", "mean_of_all"),
                node("Add", "a mean_of_all", "y"),
            ),
            ("y",),
        ),
        ((node("Conv", "x kernel", "a"), node("Add", "a plane", "y")), ("y",)),
        # Taken away from something is not something taken away.
        ((node("Conv", "x kernel", "a"), node("Sub", "shift a", "y")), ("y",)),
        # A division is no multiplication.
        ((node("Conv", "x kernel", "a"), node("Div", "a factor", "y")), ("y",)),
    ],
)
def test_nothing_is_joined_that_is_not_the_convolutions_alone(nodes, outputs):
    plane = RNG.normal(size=(1, 3, 4, 5)).astype(np.float32)
    model = model_of(*nodes, outputs=outputs, constants={"plane": plane})
    lean = make_lean(model)
    assert operators(lean) == [each.op_type for each in nodes]
    assert_the_same(model, lean)


def test_what_no_image_changes_is_calculated_beforehand():
    model = model_of(
        node("Constant", "", "six", value=numpy_helper.from_array(np.array([6]))),
        node("Concat", "six seven", "reversed", axis=0),
        node("Cast", "reversed", "sides", to=TensorProto.INT64),
        node("Concat", "batch sides", "shape", axis=0),
        node("Identity", "x", "copy"),
        node("Reshape", "copy shape", "y"),
        constants={"seven": np.array([7]), "batch": np.array([1, 2])},
    )
    lean = make_lean(model)
    assert operators(lean) == ["Reshape"]
    assert_the_same(model, lean)


def test_casts_that_change_something_stay_and_so_do_names_of_outputs():
    model = model_of(
        node("Cast", "x", "whole", to=TensorProto.INT32),
        node("Cast", "whole", "floats", to=TensorProto.FLOAT),
        node("Cast", "floats", "y", to=TensorProto.FLOAT),
    )
    lean = make_lean(model)
    assert operators(lean) == ["Cast", "Cast", "Cast"]
    assert_the_same(model, lean)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only torch's exporter needs it")
@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("mobilenet_v2", 3, width=4, decoder_convs=1, shortcut=True, context=True),
        ModelSpec("unet", 2, width=4, depth=2, normalization="batch", stem_stride=2),
    ],
)
def test_an_exported_network_becomes_lean(spec, shuffle_weights, monkeypatch):
    core = shuffle_weights(build(spec, "channels_first"))
    lean, _ = core_model(core, spec, 64)
    monkeypatch.setattr(export, "make_lean", lambda model: model)
    as_it_was, _ = core_model(core, spec, 64)
    few, many = Counter(operators(lean)), Counter(operators(as_it_was))
    assert few["Conv"] == many["Conv"]
    assert (few["Cast"], few["Constant"]) == (0, 0)
    assert few["Pad"] <= 1, "of the first convolution, whose padding depends on the size"
    assert few.total() < 0.6 * many.total()
    convolved = {each.output[0] for each in lean.graph.node if each.op_type == "Conv"}
    behind = [each.op_type for each in lean.graph.node if set(each.input) & convolved]
    assert not {"Sub", "Mul"} & set(behind)
    picture = RNG.integers(0, 256, (2, 3, 64, 64)).astype(np.float32)
    (logits,), (same,) = (run(model, {"picture": picture}) for model in (as_it_was, lean))
    assert np.ptp(logits) > 0.01
    np.testing.assert_allclose(same, logits, atol=1e-4)
