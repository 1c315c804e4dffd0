import numpy as np
import pytest

from fewmask.models.backend import keras
from fewmask.models.names import ENCODERS
from fewmask.models.spec import ModelSpec, build
from fewmask.models.straight import StraightNetwork, straighten

torch_only = pytest.mark.skipif(
    keras.config.backend() != "torch", reason="only torch trains this way"
)


def draw(side=64):
    image = np.random.default_rng(0).integers(0, 256, (2, 3, side, side)).astype(np.float32)
    return keras.ops.convert_to_tensor(image)


@torch_only
@pytest.mark.parametrize("name", ["unet", *ENCODERS])
def test_every_network_is_followed_and_gives_the_same(name):
    scratch = name == "unet"
    spec = ModelSpec(
        name,
        num_classes=3,
        stem_stride=2 if scratch else 1,
        shortcut=True,
        context=not scratch,
        outlines=True,
    )
    core = build(spec, "channels_first")
    straight = straighten(core)
    assert isinstance(straight, StraightNetwork)
    seeds = [variable for variable in core.variables if "seed" in variable.path]
    for training in (False, True):
        before = [keras.ops.copy(seed) for seed in seeds]
        expected = core(draw(), training=training)
        for seed, value in zip(seeds, before, strict=True):
            seed.assign(value)
        assert (straight(draw(), training=training) == expected).all()


@torch_only
def test_weights_are_the_very_same_in_the_same_order():
    core = build(
        ModelSpec("unet", 2, depth=2, normalization="batch", dropout=0.5), "channels_first"
    )
    straight = straighten(core)
    for kind in ("weights", "trainable_variables", "variables"):
        pairs = zip(getattr(straight, kind), getattr(core, kind), strict=True)
        assert all(mine is theirs for mine, theirs in pairs)


@torch_only
def test_slopes_are_the_same():
    core = build(ModelSpec("unet", 2, depth=2, width=8, shortcut=True), "channels_first")
    slopes = []
    for network in (core, straighten(core)):
        core.zero_grad()
        network(draw(), training=True).square().mean().backward()
        slopes.append([variable.value.grad.clone() for variable in core.trainable_variables])
    for mine, theirs in zip(*slopes, strict=True):
        assert (mine == theirs).all()


class Scaled(keras.layers.Layer):
    def call(self, inputs, scale):
        return inputs * scale


@torch_only
def test_what_is_not_foreseen_stays_as_it_is():
    image = keras.Input((3, None, None))
    layer = keras.layers.Conv2D(3, 1, data_format="channels_first")
    twice = keras.Model(image, layer(layer(image)))
    assert straighten(twice) is twice
    half = keras.layers.Conv2D(3, 1, data_format="channels_first", dtype="mixed_float16")
    mixed = keras.Model(image, half(image))
    assert straighten(mixed) is mixed
    by_name = keras.Model(image, Scaled()(image, scale=image))
    assert straighten(by_name) is by_name
