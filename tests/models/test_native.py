"""Torch's own kernels must do what Keras' layers do: only these are saved."""

import numpy as np
import pytest

from fewmask.models import native
from fewmask.models.backend import keras
from fewmask.models.losses import make_loss
from fewmask.models.spec import ModelSpec, build
from fewmask.models.straight import straighten

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(keras.config.backend() != "torch", reason="is about torch")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (native.GroupNormalization(2, axis=1), keras.layers.GroupNormalization(2, axis=1)),
        (
            native.UpSampling2D(2, data_format="channels_first"),
            keras.layers.UpSampling2D(2, data_format="channels_first"),
        ),
        (
            native.UpSampling2D((3, 2), data_format="channels_first"),
            keras.layers.UpSampling2D((3, 2), data_format="channels_first"),
        ),
        (
            native.Conv2D(5, 3, padding="same", data_format="channels_first"),
            keras.layers.Conv2D(5, 3, padding="same", data_format="channels_first"),
        ),
        (
            native.Conv2D(5, 3, strides=2, padding="same", data_format="channels_first"),
            keras.layers.Conv2D(5, 3, strides=2, padding="same", data_format="channels_first"),
        ),
    ],
    ids=["normalization", "upsampling", "uneven upsampling", "convolution", "striding convolution"],
)
def test_values_and_slopes_are_those_of_keras(ours, theirs):
    rng = np.random.default_rng(0)
    pixels = rng.normal(3, 2, (2, 6, 4, 5)).astype(np.float32)
    pull = None
    found = []
    for layer in (ours, theirs):
        layer.build(pixels.shape)
        layer.set_weights(
            [
                np.linspace(0.5, 1.5, weight.size).reshape(weight.shape)
                for weight in layer.get_weights()
            ]
        )
        x = torch.tensor(pixels, requires_grad=True)
        made = layer(x)
        pull = rng.normal(size=made.shape).astype(np.float32) if pull is None else pull
        (made * torch.tensor(pull)).sum().backward()
        found.append((made.detach().numpy(), x.grad.numpy()))
    for our_array, their_array in zip(*found, strict=True):
        np.testing.assert_allclose(our_array, their_array, atol=1e-4)


def test_batch_normalization_learns_and_remembers_as_keras_does():
    rng = np.random.default_rng(1)
    pull = rng.normal(size=(3, 4, 5, 6)).astype(np.float32)
    ours, theirs = native.BatchNormalization(axis=1), keras.layers.BatchNormalization(axis=1)
    for layer in (ours, theirs):
        layer.build((3, 4, 5, 6))
    for step in range(3):
        pixels = np.random.default_rng(step).normal(step, 2, pull.shape).astype(np.float32)
        found = []
        for layer in (ours, theirs):
            x = torch.tensor(pixels, requires_grad=True)
            made = layer(x, training=True)
            (made * torch.tensor(pull)).sum().backward()
            found.append((made.detach().numpy(), x.grad.numpy()))
        for our_array, their_array in zip(*found, strict=True):
            np.testing.assert_allclose(our_array, their_array, atol=1e-4)
    for our_weight, their_weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(our_weight, their_weight, rtol=1e-4)
    made = [layer(torch.tensor(pull)).detach().numpy() for layer in (ours, theirs)]
    np.testing.assert_allclose(*made, atol=1e-5)


def test_frozen_batch_normalization_forgets_nothing():
    layer = native.BatchNormalization(axis=1)
    layer.build((2, 3, 4, 4))
    layer.trainable = False
    before = layer.get_weights()
    layer(torch.ones((2, 3, 4, 4)) * 7, training=True)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_kernels_in_another_order_keep_their_values_and_shape():
    layer = native.Conv2D(5, 3, padding="same", data_format="channels_first")
    layer.build((2, 6, 4, 5))
    before = [np.array(weight) for weight in layer.get_weights()]
    native.order_for_torch(layer.variables)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    as_torch_sees_it = layer.kernel.value.permute(3, 2, 0, 1)
    assert as_torch_sees_it.shape == (5, 6, 3, 3)
    assert as_torch_sees_it.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "unet", "normalization": "batch", "stem_stride": 2},
        {"name": "unet", "normalization": "group", "depth": 2, "dropout": 0.5},
        {"name": "mobilenet_v2", "weights": "imagenet"},
        {"name": "mobilenet_v2", "weights": "imagenet", "decoder": "pyramid"},
    ],
    ids=str,
)
def test_channels_stay_side_by_side_through_the_whole_step(fields):
    from torch.utils._python_dispatch import TorchDispatchMode

    core = straighten(build(ModelSpec(num_classes=2, width=8, **fields), "channels_first"))
    native.order_for_torch(core.variables)
    odd, even = [], []
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.uniform(0, 255, (7, 64, 64, 3)).astype(np.float32))
    masks = torch.tensor(rng.integers(0, 2, (7, 64, 64)).astype(np.uint8))

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, arguments=(), options=None):
            made = operation(*arguments, **(options or {}))
            for array in made if isinstance(made, list | tuple) else [made]:
                # Seven images tell activations and their slopes from kernels.
                if getattr(array, "ndim", 0) == 4 and len(array) == 7 and array.shape[1] > 1:
                    kept = array.stride(1) == 1 and "clone" not in str(operation)
                    (even if kept else odd).append(f"{operation} {tuple(array.shape)}")
            return made

    with Watch():
        loss = make_loss("cross-entropy+dice", "channels_first")
        loss(masks, core(images.permute(0, 3, 1, 2), training=True)).backward()
    assert not odd
    assert len(even) > 50


def test_a_relu_in_place_is_a_relu():
    pixels = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32)
    found = []
    for relu in (native.ReLU(), keras.layers.ReLU()):
        x = torch.tensor(pixels, requires_grad=True)
        made = relu(x * 2)
        made.square().sum().backward()
        found.append((made.detach().numpy(), x.grad.numpy()))
    for our_array, their_array in zip(*found, strict=True):
        np.testing.assert_array_equal(our_array, their_array)
