import numpy as np
import onnx
import onnxruntime
import pytest

from fewmask.models.graph import Graph
from fewmask.models.onnx_frame import FrameSide as Side
from fewmask.models.onnx_resampling import resample
from fewmask.scale import into_frame, weights_into_frame, weights_out_of_frame


def run(model, **inputs):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)


def test_numbers_become_constants_of_the_fitting_type():
    graph = Graph("sums")
    whole = graph.input("whole", np.int64, ["n"])
    real = graph.input("real", np.float32, ["n"])
    graph.output("first", graph.add("Add", whole, 2), np.int64, ["n"])
    graph.output("second", graph.add("Mul", real, 0.5), np.float32, ["n"])
    first, second = run(
        graph.model(opset=17), whole=np.array([1, 2]), real=np.array([1, 2], np.float32)
    )
    assert first.tolist() == [3, 4]
    assert second.tolist() == [0.5, 1.0]


def test_a_broken_graph_is_not_handed_out():
    graph = Graph("broken")
    graph.output("y", graph.add("Relu", "nowhere"), np.float32, ["n"])
    with pytest.raises(onnx.checker.ValidationError, match="nowhere"):
        graph.model(opset=17)


def test_the_metadata_travel_with_the_model():
    graph = Graph("texts")
    graph.output("y", graph.input("x", np.float32, ["n"]), np.float32, ["n"])
    model = graph.model(opset=17, metadata={"fewmask": "ghế"})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert session.get_modelmeta().custom_metadata_map == {"fewmask": "ghế"}


@pytest.fixture(scope="module")
def matrices():
    """A model that takes the lengths of a side and of the longest one, and gives both matrices."""
    sessions = {}

    def run(length, longest, size):
        if size not in sessions:
            graph = Graph("matrices")
            side = Side(
                graph,
                graph.input("length", np.int64, []),
                graph.input("longest", np.int64, []),
                size,
            )
            graph.output("into", side.into_frame(), np.float32, [size, "length"])
            graph.output("out", side.out_of_frame(), np.float32, ["length", size])
            sessions[size] = onnxruntime.InferenceSession(graph.model(17).SerializeToString())
        return sessions[size].run(None, {"length": np.array(length), "longest": np.array(longest)})

    return run


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize(
    ("length", "longest"),
    [(1, 1), (1, 5000), (2, 3), (31, 33), (32, 32), (33, 33), (480, 640), (639, 641), (4000, 4000)],
)
def test_both_matrices_are_those_of_the_reference(matrices, length, longest, size):
    into, out = matrices(length, longest, size)
    np.testing.assert_allclose(into, weights_into_frame(length, longest, size), atol=2e-4)
    np.testing.assert_allclose(out, weights_out_of_frame(length, longest, size), atol=2e-4)


def test_every_small_side_is_placed_as_in_the_reference(matrices):
    for longest in range(1, 40):
        for length in range(1, longest + 1):
            into, out = matrices(length, longest, 32)
            np.testing.assert_allclose(into, weights_into_frame(length, longest, 32), atol=1e-5)
            np.testing.assert_allclose(out, weights_out_of_frame(length, longest, 32), atol=1e-5)


def test_two_products_lay_a_picture_into_its_frame(picture):
    image = picture(20, 45).astype(np.float32)
    graph = Graph("resampled")
    planes = graph.input("planes", np.float32, [1, 3, 20, 45])
    rows = graph.constant(weights_into_frame(20, 45, 32))
    columns = graph.constant(weights_into_frame(45, 45, 32))
    graph.output("framed", resample(graph, planes, rows, columns), np.float32, [1, 3, 32, 32])
    (framed,) = run(graph.model(17), planes=image.transpose(2, 0, 1)[None])
    np.testing.assert_allclose(framed[0].transpose(1, 2, 0), into_frame(image, 32), atol=1e-3)
