"""The three realisations of one model say the same, for pictures of every size."""

import subprocess
import sys
import textwrap

import numpy as np
import onnxruntime
import pytest

from fewmask.models.backend import keras
from fewmask.models.export import export_onnx
from fewmask.models.saving import save_keras
from fewmask.models.whole import copy_core, whole_model
from fewmask.scale import Frame, Pixels, into_frame, into_pixels, out_of_frame, out_of_pixels

SIZES = [(1, 1), (31, 33), (37, 51), (640, 480)]


@pytest.fixture
def by_reference(outputs):
    """Probability maps by the arithmetic of `fewmask.scale` around the trained core."""

    def predict(core, image, bundle):
        rule = bundle.scale
        whole = isinstance(rule, Frame)
        seen = into_frame(image, rule.size) if whole else into_pixels(image, rule)
        squares = seen.reshape(-1, *seen.shape[-3:])
        logits = outputs(core, squares)
        if bundle.mirrored:
            logits = (logits + outputs(core, squares[:, :, ::-1])[:, :, ::-1]) / 2
        if logits.shape[-1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
        maps = np.exp(logits - logits.max(axis=-1, keepdims=True))
        maps /= maps.sum(axis=-1, keepdims=True)
        maps = maps.reshape(*seen.shape[:-1], -1)
        sides = image.shape[:2]
        return out_of_frame(maps, *sides) if whole else out_of_pixels(maps, *sides, rule)

    return predict


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"num_classes": 4, "channels": 1, "normalization": "batch"},
        {"stem_stride": 2, "num_classes": 3, "channels": 5, "shortcut": True},
        {"scale": Pixels.near(1.0, size=32)},
        {"mirrored": True, "num_classes": 3},
        {"mirrored": True, "scale": Pixels.near(1.0, size=32)},
        {"scale": Pixels.near(0.37, size=32), "stem_stride": 2, "outlines": True},
        {"scale": Pixels.near(1.3, size=64), "normalization": "none", "channels": 1},
        pytest.param(
            {"name": "mobilenet_v2", "decoder": "pyramid", "num_classes": 3, "context": True},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"name": "mobilenet_v3_small", "size": 64, "weights": "imagenet"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"name": "mobilenet_v2", "scale": Pixels.near(0.5, size=64), "shortcut": True},
            marks=pytest.mark.slow,
        ),
    ],
    ids=str,
)
def test_three_realisations_are_one_model(fields, make_core, by_reference, picture, tmp_path):
    core, spec, bundle = make_core(**fields)
    save_keras(core, spec, bundle, tmp_path / "mô hình.keras")
    saved = keras.saving.load_model(tmp_path / "mô hình.keras")
    export_onnx(core, spec, bundle, tmp_path / "mô hình.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "mô hình.onnx")
    for height, width in SIZES:
        image = picture(height, width, spec.channels)
        expected = by_reference(core, image, bundle)
        assert expected.shape == (height, width, spec.num_classes)
        maps = np.asarray(saved.predict_on_batch(image[None]))
        np.testing.assert_allclose(maps[0], expected, atol=1e-4)
        labels, maps = session.run(["labels", "probabilities"], {"image": image[None]})
        np.testing.assert_allclose(maps[0], expected, atol=1e-4)
        np.testing.assert_array_equal(labels, maps.argmax(axis=-1))
    assert np.ptp(expected) > 0.001


def test_a_batch_of_any_numbers_is_its_pictures_one_by_one(make_core, picture):
    core, _, bundle = make_core("channels_last")
    model = whole_model(core, bundle)
    batch = np.stack([picture(20, 45, seed=seed) for seed in range(3)])
    alone = [np.asarray(model.predict_on_batch(image[None]))[0] for image in batch]
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        together = np.asarray(model.predict_on_batch(batch.astype(dtype)))
        assert together.dtype == np.float32
        np.testing.assert_allclose(together, alone, atol=1e-5)


def test_probabilities_add_up_to_one(make_core, picture):
    core, _, bundle = make_core("channels_last", num_classes=3)
    maps = np.asarray(whole_model(core, bundle).predict_on_batch(picture(50, 20)[None]))
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)


def test_a_copy_is_float32_whatever_the_core_was_trained_in(make_core, picture, outputs):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        core, spec, bundle = make_core()
        copy = copy_core(core, spec, "channels_last")
        model = whole_model(copy, bundle)
    finally:
        keras.config.set_dtype_policy(before)
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    assert model.compute_dtype == "float32"
    image = picture(32, 32)[None]
    logits = outputs(copy, image)
    difference = np.abs(outputs(core, image) - logits)
    # Each backend draws weights of its own, and bfloat16 rounds what is larger by more.
    assert 0 < difference.max() < 0.06 * np.ptp(logits)


def test_a_machine_without_fewmask_opens_the_file(make_core, picture, tmp_path):
    core, spec, bundle = make_core(normalization="group")
    save_keras(core, spec, bundle, tmp_path / "model.keras")
    image = picture(37, 51)
    np.save(tmp_path / "image.npy", image)
    code = """
        import sys
        import numpy as np
        sys.modules["fewmask"] = None  # from here on an import of it fails
        import keras
        model = keras.saving.load_model("model.keras")
        maps = np.asarray(model.predict(np.load("image.npy")[None], verbose=0))
        np.save("maps.npy", maps)
    """
    subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(code)], cwd=tmp_path, check=True)
    here = keras.saving.load_model(tmp_path / "model.keras").predict_on_batch(image[None])
    np.testing.assert_allclose(np.load(tmp_path / "maps.npy"), np.asarray(here), atol=1e-6)
