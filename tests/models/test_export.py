import importlib
import re
import sys
import warnings

import numpy as np
import onnx
import pytest

from fewmask.bundle import Bundle
from fewmask.errors import MissingPackage, ModelError
from fewmask.inference.runtime import OnnxModel
from fewmask.models.backend import keras
from fewmask.models.export import convert_to_onnx, export_onnx, exported_onnx
from fewmask.models.parity import check_parity
from fewmask.models.saving import KerasModel, save_keras


def test_the_file_tells_what_it_takes_and_gives(make_core, tmp_path):
    core, spec, bundle = make_core(num_classes=3, channels=1)
    export_onnx(core, spec, bundle, tmp_path / "mô hình.onnx")
    model = onnx.load_model(tmp_path / "mô hình.onnx")
    onnx.checker.check_model(model, full_check=True)

    def describe(item):
        tensor = item.type.tensor_type
        sides = [side.dim_param or side.dim_value for side in tensor.shape.dim]
        return item.name, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name, sides

    assert [describe(item) for item in model.graph.input] == [
        ("image", "uint8", [1, "height", "width", 1])
    ]
    assert [describe(item) for item in model.graph.output] == [
        ("labels", "uint8", [1, "height", "width"]),
        ("probabilities", "float32", [1, "height", "width", 3]),
    ]
    assert {entry.key: Bundle.from_json(entry.value) for entry in model.metadata_props} == {
        "fewmask": bundle
    }
    # ONNX Runtime 1.20 reads up to IR version 10.
    assert model.ir_version <= 10
    assert model.producer_name == "fewmask"


def test_an_export_changes_neither_the_core_nor_the_process(make_core, tmp_path, picture, outputs):
    core, spec, bundle = make_core(dropout=0.5)
    image = picture(32, 32)[None]
    before = outputs(core, image)
    filters = list(warnings.filters)
    export_onnx(core, spec, bundle, tmp_path / "model.onnx")
    assert warnings.filters == filters
    assert keras.config.image_data_format() == "channels_last"
    np.testing.assert_array_equal(outputs(core, image), before)


def test_equal_probabilities_are_background(make_core, tmp_path, picture):
    core, spec, bundle = make_core()
    core.get_layer("logits").set_weights(
        [np.zeros_like(weight) for weight in core.get_layer("logits").get_weights()]
    )
    export_onnx(core, spec, bundle, tmp_path / "model.onnx")
    labels, maps = OnnxModel(tmp_path / "model.onnx")(picture(20, 30))
    np.testing.assert_allclose(maps, 0.5, atol=1e-6)
    np.testing.assert_array_equal(labels, maps.argmax(axis=-1))


def test_a_wrong_export_is_never_put_in_place(make_core, tmp_path, picture):
    core, spec, bundle = make_core(num_classes=3)
    path = tmp_path / "model.onnx"
    path.write_text("the old one")
    save_keras(core, spec, bundle, tmp_path / "model.keras")
    trusted = KerasModel(tmp_path / "model.keras")
    # As a mistake of the export would: other logits than those of the file.
    logits = core.get_layer("logits")
    logits.set_weights([-weight for weight in logits.get_weights()])
    images = [picture(37, 51, seed=seed) for seed in range(2)]

    def export_checked():
        with exported_onnx(core, spec, bundle, path) as beside:
            tried = OnnxModel(beside)
            check_parity(
                (trusted(image)[0] for image in images),
                (tried(image)[0] for image in images),
                path,
            )

    sentence = f"{path}: expected 99.9 % of the pixels labelled as by the trained model, found "
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}"):
        export_checked()
    assert path.read_text() == "the old one"
    assert {file.name for file in tmp_path.iterdir()} == {"model.onnx", "model.keras"}


def test_a_right_export_passes_the_same_gate(make_core, tmp_path, picture):
    core, spec, bundle = make_core(num_classes=3)
    save_keras(core, spec, bundle, tmp_path / "model.keras")
    trusted = KerasModel(tmp_path / "model.keras")
    with exported_onnx(core, spec, bundle, tmp_path / "model.onnx") as beside:
        tried = OnnxModel(beside)
        image = picture(37, 51)
        assert check_parity([trusted(image)[0]], [tried(image)[0]], "model.onnx") > 0.999
    assert (tmp_path / "model.onnx").exists()


def test_a_saved_model_is_converted_later(make_core, tmp_path, picture):
    core, spec, bundle = make_core("channels_last")
    save_keras(core, spec, bundle, tmp_path / "model.keras")
    convert_to_onnx(tmp_path / "model.keras", tmp_path / "model.onnx")
    image = picture(10, 20)
    expected, found = (
        model(image)[1]
        for model in (KerasModel(tmp_path / "model.keras"), OnnxModel(tmp_path / "model.onnx"))
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_says_at_the_start_that_onnx_is_missing(monkeypatch):
    # None stands for a package that is not there.
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "fewmask.models.export")
    with pytest.raises(MissingPackage) as error:
        importlib.import_module("fewmask.models.export")
    assert str(error.value) == (
        "onnx: expected to be installed for training, found no such package. "
        'Run: pip install "fewmask[torch]"'
    )
