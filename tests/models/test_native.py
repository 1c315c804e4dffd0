"""Torch's own kernels must do what Keras' layers do: only these are saved."""

import numpy as np
import pytest

from fewmask.models import native
from fewmask.models.backend import keras

pytestmark = pytest.mark.skipif(keras.config.backend() != "torch", reason="is about torch")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (native.GroupNormalization(2, axis=1), keras.layers.GroupNormalization(2, axis=1)),
        (
            native.UpSampling2D(2, data_format="channels_first"),
            keras.layers.UpSampling2D(2, data_format="channels_first"),
        ),
    ],
    ids=["normalization", "upsampling"],
)
def test_values_and_slopes_are_those_of_keras(ours, theirs):
    import torch

    rng = np.random.default_rng(0)
    pixels = rng.normal(3, 2, (2, 6, 4, 5)).astype(np.float32)
    pull = None
    found = []
    for layer in (ours, theirs):
        layer.build(pixels.shape)
        layer.set_weights([np.linspace(0.5, 1.5, len(weight)) for weight in layer.get_weights()])
        x = torch.tensor(pixels, requires_grad=True)
        made = layer(x)
        pull = rng.normal(size=made.shape).astype(np.float32) if pull is None else pull
        (made * torch.tensor(pull)).sum().backward()
        found.append((made.detach().numpy(), x.grad.numpy()))
    for our_array, their_array in zip(*found, strict=True):
        np.testing.assert_allclose(our_array, their_array, atol=1e-4)
