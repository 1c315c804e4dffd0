"""Networks with frozen batch normalisations learn the same, folded or not."""

import numpy as np
import pytest

from fewmask.models.backend import keras
from fewmask.models.folding import FoldedConvolution, fold
from fewmask.models.native import order_for_torch
from fewmask.models.spec import ModelSpec, build
from fewmask.models.straight import _follow, straighten

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(keras.config.backend() != "torch", reason="is about torch")

first = {"data_format": "channels_first"}


def frozen(**options):
    normalization = keras.layers.BatchNormalization(axis=1, **options)
    normalization.trainable = False
    return normalization


@pytest.mark.parametrize(
    "convolution",
    [
        keras.layers.Conv2D(5, 1, use_bias=False, **first),
        keras.layers.Conv2D(5, 3, padding="same", **first),
        keras.layers.Conv2D(5, 3, strides=2, padding="same", **first),
        keras.layers.Conv2D(6, (5, 2), strides=(3, 2), padding="same", groups=3, **first),
        keras.layers.Conv2D(5, 7, strides=2, padding="valid", **first),
        keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, **first),
        keras.layers.DepthwiseConv2D(3, strides=2, padding="valid", **first),
        keras.layers.DepthwiseConv2D(5, strides=2, padding="same", **first),
    ],
    ids=lambda layer: f"{layer.name} {layer.kernel_size} {layer.strides} {layer.padding}",
)
@pytest.mark.parametrize(
    "options", [{}, {"scale": False, "epsilon": 0.5}, {"center": False}], ids=str
)
@pytest.mark.parametrize("ceiling", [None, float("inf"), 2.0])
def test_values_and_slopes_are_those_of_keras(
    convolution, options, ceiling, shuffle_weights, picture
):
    image = keras.Input((3, 13, 16))
    normalization = frozen(**options)
    x = normalization(convolution(image))
    folded = fold(convolution, normalization)
    if ceiling is not None:
        relu = keras.layers.ReLU(None if ceiling == float("inf") else ceiling)
        x, folded = relu(x), fold(folded, relu)
    core = shuffle_weights(keras.Model(image, x))
    pixels = picture(13, 16).transpose(2, 0, 1)[None].astype(np.float32) / 100
    compare(core, folded.call, pixels)


def compare(core, call, pixels):
    """Checks what `call` makes of `pixels`, and every slope, against `core`."""
    pull, found = None, []
    for network in (core, call):
        core.zero_grad()
        given = torch.tensor(pixels, requires_grad=True)
        made = network(given)
        if pull is None:
            pull = torch.tensor(np.random.default_rng(0).normal(size=made.shape), dtype=made.dtype)
        (made * pull).sum().backward()
        slopes = [variable.value.grad.numpy() for variable in core.trainable_variables]
        found.append([made.detach().numpy(), given.grad.numpy(), *map(np.array, slopes)])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("ceiling", [None, 0.5])
@pytest.mark.parametrize("padding", [((0, 1), (0, 1)), ((2, 0), (1, 3))])
def test_a_padding_is_part_of_it(ceiling, padding, shuffle_weights, picture):
    image = keras.Input((3, 13, 16))
    convolution, normalization = keras.layers.Conv2D(5, 1, **first), frozen()
    relu, pad = keras.layers.ReLU(ceiling), keras.layers.ZeroPadding2D(padding, **first)
    core = shuffle_weights(keras.Model(image, pad(relu(normalization(convolution(image))))))
    folded = fold(fold(fold(convolution, normalization), relu), pad)
    pixels = picture(13, 16).transpose(2, 0, 1)[None].astype(np.float32) / 100
    compare(core, folded.call, pixels)
    assert fold(folded, pad) is None
    wide = fold(keras.layers.Conv2D(5, 3, padding="same", **first), normalization)
    assert fold(fold(wide, relu), pad) is None


def learn(core, images, pull):
    """Takes one step of gradient descent; returns the logits and all slopes."""
    core.zero_grad()
    logits = core(images, training=True)
    (logits * pull).mean().backward()
    slopes = [variable.value.grad.clone() for variable in core.trainable_variables]
    optimizer = keras.optimizers.AdamW(1e-3)
    optimizer.build(core.trainable_variables)
    with torch.no_grad():
        optimizer.apply(slopes, core.trainable_variables)
    return logits.detach().numpy(), [slope.numpy() for slope in slopes]


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("mobilenet_v3_small", "efficientnet_v2_b0", "resnet50")
        ),
    ],
)
def test_a_network_takes_the_same_step(name, shuffle_weights, picture):
    # A pixel within rounding of a ReLU's corner would change its slope; here none is.
    keras.utils.set_random_seed(0)
    spec = ModelSpec(name, 3, width=4, decoder_convs=1, weights="imagenet")
    images = np.stack([picture(64, 96, seed=seed) for seed in range(2)]).transpose(0, 3, 1, 2)
    images = torch.tensor(images.astype(np.float32))
    pull = torch.tensor(np.random.default_rng(0).normal(size=(2, 3, 64, 96)).astype(np.float32))
    core, other = (shuffle_weights(build(spec, "channels_first")) for _ in range(2))
    # The seeds of what is dropped are among the variables.
    for mine, their in zip(other.variables, core.variables, strict=True):
        mine.assign(their)
    straight = straighten(other)
    order_for_torch(straight.variables)
    joined = [step for step in encoder_steps(straight) if isinstance(step, FoldedConvolution)]
    assert len(joined) > 30
    # No frozen normalisation is left over to take a walk of its own.
    left = [step for step in encoder_steps(straight) if "BatchNormalization" in type(step).__name__]
    assert not left
    if name == "mobilenet_v2":
        assert not any(
            isinstance(step, keras.layers.ZeroPadding2D) for step in encoder_steps(straight)
        )
    before = core.get_weights()
    theirs, slopes = learn(core, images, pull)
    ours, our_slopes = learn(straight, images, pull)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    for mine, their in zip(our_slopes, slopes, strict=True):
        # Some slopes are nothing but rounding: a bias in front of a normalisation has none.
        norm = np.linalg.norm(their)
        assert np.linalg.norm(mine - their) < 1e-4 * norm + 1e-6 * mine.size**0.5
    moved = 0
    for old, mine, their in zip(before, straight.get_weights(), core.get_weights(), strict=True):
        moved += not np.array_equal(old, their)
        # Adam makes full steps of slopes that are all but zero, so nearly all must agree.
        assert np.quantile(np.abs(mine - their), 0.99) < 1e-4
    assert moved > 30


def encoder_steps(straight):
    return [step.layer for step in _follow(straight.core.get_layer("encoder"), "float32").steps]


def test_what_learns_or_is_used_twice_is_not_folded():
    convolution = keras.layers.Conv2D(3, 1, **first)
    learning = keras.layers.BatchNormalization(axis=1)
    assert fold(convolution, learning) is None
    assert fold(convolution, keras.layers.ReLU()) is None
    assert fold(keras.layers.Conv2D(3, 1, activation="relu", **first), frozen()) is None
    assert fold(keras.layers.Conv2D(3, 1, dilation_rate=2, **first), frozen()) is None
    folded = fold(convolution, frozen())
    assert fold(folded, keras.layers.ReLU(negative_slope=0.1)) is None
    assert fold(folded, keras.layers.Activation("swish")) is None
    image = keras.Input((3, None, None))
    x = convolution(image)
    both = keras.layers.Add()([x, frozen()(x)])
    pixels = torch.rand((1, 3, 4, 4))
    core = keras.Model(image, both)
    assert (straighten(core)(pixels) == core(pixels)).all()


def test_weights_that_come_later_are_seen():
    convolution, normalization = keras.layers.Conv2D(3, 1, **first), frozen()
    image = keras.Input((3, None, None))
    core = keras.Model(image, normalization(convolution(image)))
    straight, pixels = straighten(core), torch.rand((1, 3, 4, 4))
    straight(pixels)
    core.set_weights([np.full(each.shape, 2.0, np.float32) for each in core.get_weights()])
    np.testing.assert_allclose(
        straight(pixels).detach().numpy(), core(pixels).detach().numpy(), rtol=1e-5
    )
