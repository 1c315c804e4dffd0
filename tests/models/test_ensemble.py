"""Several networks as one: what it says, what it weighs, what its files say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.inference.runtime import OnnxModel
from fewmask.models.export import export_onnx
from fewmask.models.saving import KerasModel, load_core, save_keras
from fewmask.models.spec import ModelSpec, build
from fewmask.models.straight import straighten
from fewmask.scale import Frame

ALONE = ModelSpec("unet", num_classes=3, depth=1, width=4, shortcut=True)
TOGETHER = replace(ALONE, networks=2)


@pytest.mark.parametrize("name", ["unet", "mobilenet_v2"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_it_says_the_mean_of_what_its_networks_say(name: str, data_format: str) -> None:
    alone = replace(ALONE, name=name)
    networks = [build(alone, data_format) for _ in range(3)]
    together = build(replace(alone, networks=3), data_format)
    together.set_weights([each for network in networks for each in network.get_weights()])
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 32, 3)).astype(np.float32)
    if data_format == "channels_first":
        images = images.transpose(0, 3, 1, 2)
    mean = np.mean([network.predict_on_batch(images) for network in networks], axis=0)
    np.testing.assert_allclose(together.predict_on_batch(images), mean, atol=1e-5)
    np.testing.assert_allclose(straighten(together).predict_on_batch(images), mean, atol=1e-4)


def test_its_files_say_the_same(tmp_path: Path) -> None:
    core = build(TOGETHER)
    rng = np.random.default_rng(1)
    core.set_weights([rng.normal(0, 0.3, each.shape) for each in core.get_weights()])
    bundle = Bundle(Classes(("a", "b", "c")), Frame(32), mirrored=True)
    image = rng.integers(0, 256, (40, 56, 3)).astype(np.uint8)
    save_keras(core, TOGETHER, bundle, tmp_path / "model.keras")
    label_map, maps = KerasModel(tmp_path / "model.keras")(image)
    again, spec, _ = load_core(tmp_path / "model.keras")
    assert spec == TOGETHER
    for one, other in zip(core.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    export_onnx(core, TOGETHER, bundle, tmp_path / "model.onnx")
    exported, exported_maps = OnnxModel(tmp_path / "model.onnx")(image)
    np.testing.assert_allclose(exported_maps, maps, atol=1e-4)
    assert (exported == label_map).mean() > 0.99


def test_half_a_network_is_none() -> None:
    with pytest.raises(ValueError, match="networks: expected a whole number from 1, found 0"):
        replace(ALONE, networks=0)
