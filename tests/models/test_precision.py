import numpy as np
import pytest

from fewmask.models.backend import keras
from fewmask.models.folding import fold
from fewmask.models.names import ENCODERS
from fewmask.models.precision import fast_precision, shorten
from fewmask.models.spec import ModelSpec, build
from fewmask.models.straight import straighten

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "torch", reason="only torch trains this way"
)


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": False, "avx512_bf16": True}, "float32"),
        ({"architecture": "aarch64"}, "float32"),
    ],
)
def test_short_numbers_are_for_processors_with_a_unit_for_them(
    capabilities, precision, monkeypatch
):
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert fast_precision() == precision


def test_a_torch_that_does_not_tell_learns_in_32_bits(monkeypatch):
    import torch

    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert fast_precision() == "float32"


def distance(expected, found):
    return np.linalg.norm(expected - found) / np.linalg.norm(expected)


@pytest.mark.parametrize("name", ["unet", *ENCODERS])
def test_every_network_learns(name):
    core = build(ModelSpec(name, num_classes=3), "channels_first")
    made = straighten(core, "bfloat16")(keras.ops.ones((2, 3, 64, 64)), training=True)
    made.square().mean().backward()
    assert all(each.value.grad.isfinite().all() for each in core.trainable_variables)


@pytest.mark.parametrize("name", ["unet", "mobilenet_v2"])
def test_a_network_gives_and_learns_nearly_the_same(name):
    keras.utils.set_random_seed(0)
    core = build(ModelSpec(name, num_classes=3), "channels_first")
    if name != "unet":
        for layer in core.get_layer("encoder").layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    image = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64)).astype(np.float32)
    logits, slopes = [], []
    for precision in ("float32", "bfloat16"):
        network = straighten(core, precision)
        core.zero_grad()
        made = network(keras.ops.convert_to_tensor(image), training=True)
        made.square().mean().backward()
        logits.append(made.detach().numpy())
        slopes.append([each.value.grad.numpy().copy() for each in core.trainable_variables])
    assert all(each.dtype == np.float32 for each in (*logits, *slopes[0], *slopes[1]))
    assert 0 < distance(*logits) < 0.05
    assert distance(*[np.concatenate([each.ravel() for each in some]) for some in slopes]) < 0.3


@pytest.mark.parametrize(
    ("kind", "width", "stride", "gives"),
    [
        (keras.layers.Conv2D, {"filters": 4, "kernel_size": 1}, 1, "bfloat16"),
        (keras.layers.DepthwiseConv2D, {"kernel_size": 3}, 1, "bfloat16"),
        (keras.layers.DepthwiseConv2D, {"kernel_size": 3}, 2, "float32"),
    ],
    ids=["pixel by pixel", "depthwise", "depthwise, striding"],
)
@pytest.mark.parametrize("given", ["float32", "bfloat16"])
def test_what_passes_between_is_short_where_both_multiply_so(kind, width, stride, gives, given):
    layer = kind(**width, strides=stride, data_format="channels_first")
    norm = keras.layers.BatchNormalization(axis=1)
    norm.trainable = False
    layer.build((None, 4, 9, 9))
    norm.build((None, 4, 7, 7))
    both = fold(layer, norm)
    array = keras.ops.cast(np.random.default_rng(0).normal(size=(2, 4, 9, 9)), given)
    made = shorten(both, both.call)(array)
    assert keras.backend.standardize_dtype(made.dtype) == gives
    expected = both.call(array.float()).detach().numpy()
    assert distance(expected, made.float().detach().numpy()) < 0.01


def test_what_does_not_multiply_is_given_all_bits():
    both = keras.layers.Concatenate(axis=1)
    arrays = [keras.ops.ones((1, 2, 3, 3), each) for each in ("bfloat16", "float32")]
    made = shorten(both, both.call)(arrays)
    assert keras.backend.standardize_dtype(made.dtype) == "float32"


def test_logits_are_not_rounded():
    core = build(ModelSpec("unet", num_classes=2), "channels_first")
    image = keras.ops.convert_to_tensor(np.full((1, 3, 64, 64), 99, np.float32))
    logits = straighten(core, "bfloat16")(image, training=False).detach()
    assert not (logits == logits.bfloat16().float()).all()
