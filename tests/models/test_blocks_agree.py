"""Blocks cut around a model file say what the file says of the whole image."""

import numpy as np
import pytest

from fewmask.inference.blocks import cut_stretches, predict_blocks
from fewmask.inference.runtime import OnnxModel
from fewmask.models.export import export_onnx
from fewmask.models.saving import KerasModel, save_keras
from fewmask.scale import Pixels

SCALES = {
    "1": Pixels(tile=32, overlap=8, block=48, block_in_image=48),
    "0.37": Pixels(tile=64, overlap=32, block=64, block_in_image=173),
    "1.5": Pixels(tile=64, overlap=32, block=96, block_in_image=64),
}
"""Blocks of two or three tiles, so small that an image of 300 pixels has many."""


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", ["onnx", "keras"])
def test_blocks_say_what_one_pass_says(scale, kind, make_core, picture, tmp_path):
    rule = SCALES[scale]
    # A group normalisation sees all of a tile, so that nothing but equal tiles give equal answers.
    core, spec, bundle = make_core(scale=rule, num_classes=3, normalization="group")
    if kind == "onnx":
        export_onnx(core, spec, bundle, tmp_path / "model.onnx")
        model = OnnxModel(tmp_path / "model.onnx")
    else:
        save_keras(core, spec, bundle, tmp_path / "model.keras")
        model = KerasModel(tmp_path / "model.keras")
    assert model.bundle.scale == rule
    image = picture(*(round(side / rule.scale) for side in (140, 300)))
    assert len(cut_stretches(image.shape[1], rule)) > 2
    expected_labels, expected = model(image)
    labels, maps = predict_blocks(model, image, rule, 3)
    # Scaling would read a pixel beyond the edge of a block that the block has not.
    tolerance = 1e-5 if rule.scale == 1 else 0.05
    np.testing.assert_allclose(maps, expected, atol=tolerance)
    assert np.abs(maps - expected).mean() < 1e-3
    assert np.ptp(expected) > 0.1
    first, second = np.sort(expected, axis=2)[..., -2:].transpose(2, 0, 1)
    clear = second - first > 2 * tolerance
    np.testing.assert_array_equal(labels[clear], expected_labels[clear])
    assert (labels == expected_labels).mean() > 0.99
