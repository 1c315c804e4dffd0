import json
import re
import zipfile

import numpy as np
import pytest

from fewmask.bundle import Bundle
from fewmask.errors import ModelError
from fewmask.models.backend import keras
from fewmask.models.saving import KerasModel, load_core, save_keras


@pytest.fixture
def saved(make_core, tmp_path):
    path = tmp_path / "mô hình 1.keras"
    core, spec, bundle = make_core(num_classes=3)
    save_keras(core, spec, bundle, path)
    return path, core, spec, bundle


def test_the_bundle_travels_in_the_archive(saved):
    path, _, spec, bundle = saved
    with zipfile.ZipFile(path) as archive:
        text = archive.read("fewmask.json").decode("utf-8")
    assert Bundle.from_json(text) == bundle
    assert json.loads(text)["model"] == spec.to_json()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_core_comes_back_as_it_was(saved, picture, outputs):
    path, core, spec, bundle = saved
    again, its_spec, its_bundle = load_core(path)
    assert (its_spec, its_bundle) == (spec, bundle)
    image = picture(32, 48)[None]
    np.testing.assert_allclose(outputs(again, image), outputs(core, image), atol=1e-4)


def test_a_saved_model_is_called_as_an_onnx_model_is(saved, picture):
    model = KerasModel(saved[0])
    image = picture(37, 51)
    labels, maps = model(image)
    assert model.bundle == saved[3]
    assert (labels.shape, labels.dtype) == ((37, 51), np.uint8)
    assert (maps.shape, maps.dtype) == ((37, 51, 3), np.float32)
    np.testing.assert_array_equal(labels, maps.argmax(axis=-1))


def test_what_cannot_be_opened_is_named(tmp_path, saved):
    nothing, garbage, foreign, cut = (
        tmp_path / f"{name}.keras" for name in ("nothing", "garbage", "foreign", "cut")
    )
    garbage.write_bytes(b"no archive")
    x = keras.Input((2,))
    keras.Model(x, keras.layers.Dense(1)(x)).save(foreign)
    with zipfile.ZipFile(cut, "w") as archive, zipfile.ZipFile(saved[0]) as whole:
        archive.writestr("fewmask.json", whole.read("fewmask.json"))
    sentences = {
        nothing: "expected a saved model, found no such file. Give the model.keras of a run.",
        garbage: "expected a model in Keras' file format, found a file that cannot be read. "
        "Copy it again from where it was made, or train again.",
        foreign: "expected a model that fewmask saved, found an archive without a readable "
        "fewmask.json. Open it with keras.saving.load_model, or give the model.keras of a run.",
        cut: "expected a model in Keras' file format, found a file that cannot be read. "
        "Copy it again from where it was made, or train again.",
    }
    for path, sentence in sentences.items():
        for read in (KerasModel, load_core):
            with pytest.raises(ModelError, match=f"^{re.escape(f'{path}: {sentence}')}$"):
                read(path)


def test_a_failed_save_leaves_the_old_file(saved, make_core, monkeypatch):
    path = saved[0]
    before = path.read_bytes()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", lambda *_: (_ for _ in ()).throw(KeyError()))
    with pytest.raises(KeyError):
        save_keras(*make_core(), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
