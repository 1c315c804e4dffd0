import json
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from fewmask.errors import ModelError
from fewmask.inference import runtime
from fewmask.inference.runtime import OnnxModel


def sentence(text):
    return f"^{re.escape(text)}$"


def test_labels_and_probabilities_by_hand(tmp_path, write_model):
    model = OnnxModel(write_model(tmp_path / "model.onnx"))
    labels, probabilities = model(np.array([[[51, 9, 9], [204, 0, 0]]], np.uint8))
    # red 51 of 255 is a probability of 0.2 for class 1, red 204 one of 0.8
    assert labels.tolist() == [[0, 1]]
    np.testing.assert_allclose(probabilities, [[[0.8, 0.2], [0.2, 0.8]]], rtol=1e-6)
    assert (labels.dtype, probabilities.dtype) == (np.uint8, np.float32)


def test_the_label_map_alone_is_the_same(tmp_path, write_model):
    model = OnnxModel(write_model(tmp_path / "model.onnx"))
    image = np.random.default_rng(0).integers(256, size=(31, 33, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model.label_map(image), model(image)[0])


def test_a_view_of_an_image_is_taken(tmp_path, write_model):
    model = OnnxModel(write_model(tmp_path / "model.onnx"))
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :2, 0] = 255
    np.testing.assert_array_equal(model.label_map(image[:, ::-1]), model.label_map(image)[:, ::-1])


def test_the_bundle_travels_in_the_file(tmp_path, write_model):
    model = OnnxModel(write_model(tmp_path / "model.onnx", channels=1, value_range=(3, 4095)))
    assert model.bundle.classes.names == ("background", "red thing")
    assert (model.bundle.channels, model.bundle.value_range) == (1, (3, 4095))


def test_threads_are_limited(tmp_path, write_model):
    model = OnnxModel(write_model(tmp_path / "model.onnx"), threads=1)
    assert model.label_map(np.full((2, 2, 3), 255, np.uint8)).all()


@pytest.mark.parametrize(("cores", "threads"), [(3, 3), (8, 0)])
def test_a_process_that_may_use_a_part_of_the_cores_has_as_many_threads(
    tmp_path, write_model, monkeypatch, cores, threads
):
    monkeypatch.setattr(runtime.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(runtime, "count_cores", lambda: cores)
    model = OnnxModel(write_model(tmp_path / "model.onnx"))
    assert model._session.get_session_options().intra_op_num_threads == threads


def test_a_missing_file(tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(
        ModelError,
        match=sentence(
            f"{path}: expected an ONNX model, found no such file. "
            "Give the folder of a run or its model.onnx."
        ),
    ):
        OnnxModel(path)


@pytest.mark.parametrize("content", [b"", b"no model" * 99])
def test_a_damaged_file(tmp_path, content):
    path = tmp_path / "mô hình.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        OnnxModel(path)
    found = str(caught.value)
    assert found.startswith(f"{path}: expected an ONNX model, found a file that ONNX Runtime")
    assert found.endswith(". Copy it again from where it was made, or train again.")
    assert "\n" not in found


def test_a_model_of_somebody_else(tmp_path, write_model):
    path = write_model(tmp_path / "model.onnx")
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    with pytest.raises(
        ModelError,
        match=sentence(
            f"{path}: expected a model that fewmask exported, found an ONNX model that does not "
            "tell its classes and scale. Give the model.onnx of a run."
        ),
    ):
        OnnxModel(path)


def with_facts(path: Path, text: str) -> Path:
    model = onnx.load(path)
    model.metadata_props[0].value = text
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": "one"}'])
def test_facts_that_cannot_be_read(tmp_path, write_model, text):
    path = with_facts(write_model(tmp_path / "model.onnx"), text)
    with pytest.raises(ModelError, match="expected the facts that fewmask writes into a model"):
        OnnxModel(path)


def test_a_model_of_a_newer_fewmask(tmp_path, write_model):
    path = with_facts(write_model(tmp_path / "model.onnx"), json.dumps({"format": 99}))
    with pytest.raises(
        ModelError,
        match=sentence(
            f"{path}: expected a model in format 2 or older, found format 99, made by a newer "
            "fewmask. Upgrade: pip install --upgrade fewmask"
        ),
    ):
        OnnxModel(path)


def test_what_stops_the_model_is_said_in_one_sentence(tmp_path, write_model):
    path = write_model(tmp_path / "model.onnx")
    with pytest.raises(ModelError) as caught:
        OnnxModel(path).label_map(np.zeros((2, 3, 5), np.uint8))
    found = str(caught.value)
    assert found.startswith(f"{path}: expected to predict an image of 2 × 3 pixels and 5 channels")
    assert "\n" not in found


def test_the_quickest_place_comes_first(tmp_path, write_model, monkeypatch):
    asked = []
    session = onnxruntime.InferenceSession

    def note(path, options, providers):
        asked.append(providers)
        return session(path, options, ["CPUExecutionProvider"])

    available = ["CPUExecutionProvider", "AzureExecutionProvider", "CUDAExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "InferenceSession", note)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: available)
    OnnxModel(write_model(tmp_path / "model.onnx"))
    assert asked == [["CUDAExecutionProvider", "CPUExecutionProvider"]]


def test_a_scale_that_makes_no_sense(tmp_path, write_model):
    path = write_model(tmp_path / "model.onnx")
    facts = json.loads(onnx.load(path).metadata_props[0].value)
    facts["scale"] = {
        "rule": "pixels",
        "tile": 64,
        "overlap": 64,
        "block": 48,
        "block_in_image": 48,
    }
    with_facts(path, json.dumps(facts))
    with pytest.raises(
        ModelError,
        match=sentence(
            f"{path}: expected tiles that overlap by at most half of their side, found tiles of "
            "64 with 64 pixels of overlap. Copy it again from where it was made, or train again."
        ),
    ):
        OnnxModel(path)
