import math
import re

import numpy as np
import pytest

from fewmask.errors import ArgumentError
from fewmask.models.backend import keras
from fewmask.models.losses import (
    LOSSES,
    CombinedLoss,
    CrossEntropy,
    Focal,
    SoftDice,
    Tversky,
    make_loss,
)


def value(loss, truth, logits):
    return float(loss(np.asarray(truth), np.asarray(logits, np.float32)))


def value_and_slopes(loss, truth, logits):
    """Returns a loss and its slope in each logit, by the means of the backend."""
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        found, slopes = jax.value_and_grad(lambda x: loss(truth, x))(logits)
    elif backend == "tensorflow":
        import tensorflow

        x = tensorflow.constant(logits)
        with tensorflow.GradientTape() as tape:
            tape.watch(x)
            found = loss(truth, x)
        slopes = tape.gradient(found, x)
    else:
        import torch

        x = torch.tensor(logits, requires_grad=True)
        found = loss(truth, x)
        found.backward()
        found, slopes = found.detach(), x.grad
    return float(found), np.asarray(slopes)


def logit(probability):
    return math.log(probability / (1 - probability))


def draw(num_classes, shape=(2, 3, 4), seed=0):
    """A truth with some pixels to ignore, and logits for it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(num_classes, size=shape).astype(np.uint8)
    truth[rng.random(shape) < 0.2] = 255
    depth = 1 if num_classes == 2 else num_classes
    return truth, rng.normal(0, 2, (*shape, depth)).astype(np.float32)


def by_formula(name, truth, logits):
    """The losses once more, in plain NumPy and double precision."""
    logits = logits.reshape(-1, logits.shape[-1]).astype(np.float64)
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    counted = truth.ravel() != 255
    p, ids = p[counted], truth.ravel()[counted]
    right = p[np.arange(len(ids)), ids]
    weights = {"dice": (0.5, 0.5), "tversky": (0.3, 0.7)}.get(name)
    if name == "cross-entropy+dice":
        return by_formula("cross-entropy", truth, logits) + by_formula("dice", truth, logits)
    if weights is None:
        gamma = 2 if name == "focal" else 0
        return float(np.mean(-((1 - right) ** gamma) * np.log(right)))
    overlaps = []
    for k in range(1, p.shape[1]):
        tp = p[ids == k, k].sum()
        fp = p[ids != k, k].sum()
        fn = (1 - p[ids == k, k]).sum()
        overlaps.append((tp + 0.5) / (tp + weights[0] * fp + weights[1] * fn + 0.5))
    return float(1 - np.mean(overlaps))


@pytest.mark.parametrize("num_classes", [2, 4])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_its_formula_in_both_layouts(name, num_classes):
    truth, logits = draw(num_classes)
    expected = by_formula(name, truth, logits)
    assert value(make_loss(name), truth, logits) == pytest.approx(expected, abs=1e-5)
    first = np.ascontiguousarray(np.moveaxis(logits, -1, 1))
    assert value(make_loss(name, "channels_first"), truth, first) == pytest.approx(
        expected, abs=1e-5
    )


def test_cross_entropy_by_hand():
    # p(foreground) is 3/4 at both pixels, the first is foreground: mean of ln 4/3 and ln 4.
    loss = value(CrossEntropy(), [[[1, 0]]], [[[[logit(0.75)], [logit(0.75)]]]])
    assert loss == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_dice_by_hand():
    # TP = 3/4, FP = 3/4, FN = 1/4, and one pixel of smoothing above and below.
    loss = value(SoftDice(), [[[1, 0]]], [[[[logit(0.75)], [logit(0.75)]]]])
    assert loss == pytest.approx(1 - (1.5 + 1) / (1.5 + 0.75 + 0.25 + 1))


def test_focal_by_hand():
    loss = value(Focal(gamma=2.0), [[[1]]], [[[[logit(0.75)]]]])
    assert loss == pytest.approx(math.log(4 / 3) / 16)


def test_focal_without_focus_is_the_cross_entropy():
    truth, logits = draw(3)
    focal = value(Focal(gamma=0.0, ignore_index=255), truth, logits)
    assert focal == pytest.approx(value(CrossEntropy(ignore_index=255), truth, logits))


def test_tversky_counts_missed_pixels_more():
    sure = 20.0
    missed = value(Tversky(), [[[1, 1, 0, 0]]], [[[[sure], [-sure], [-sure], [-sure]]]])
    in_vain = value(Tversky(), [[[1, 0, 0, 0]]], [[[[sure], [sure], [-sure], [-sure]]]])
    assert missed == pytest.approx(1 - 1.5 / 2.2)
    assert in_vain == pytest.approx(1 - 1.5 / 1.8)


def test_a_class_that_is_nowhere_costs_only_where_it_is_predicted():
    nothing = np.zeros((1, 4, 4), np.uint8)
    assert value(SoftDice(), nothing, np.full((1, 4, 4, 1), -30.0)) == pytest.approx(0, abs=1e-6)
    assert value(SoftDice(), nothing, np.full((1, 4, 4, 1), 30.0)) == pytest.approx(16 / 17)


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_ignoring_pixels_is_deleting_them(name, num_classes):
    truth, logits = draw(num_classes, shape=(1, 6, 8))
    kept = truth != 255
    alone = value(make_loss(name), truth[kept][None, None], logits[kept][None, None])
    assert value(make_loss(name), truth, logits) == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_of_pixels_and_of_foreground_classes_does_not_matter(name):
    truth, logits = draw(4)
    before = value(make_loss(name), truth, logits)
    assert value(make_loss(name), truth[::-1, :, ::-1], logits[::-1, :, ::-1]) == pytest.approx(
        before, abs=1e-6
    )
    order = np.array([0, 3, 1, 2])
    renamed = np.where(truth == 255, 255, np.argsort(order)[truth % 255])
    assert value(make_loss(name), renamed, logits[..., order]) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_two_classes_by_one_logit_or_by_two(name):
    truth, logits = draw(2)
    two = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    assert value(make_loss(name), truth, logits) == pytest.approx(
        value(make_loss(name), truth, two), abs=1e-6
    )


@pytest.mark.parametrize("extreme", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_slopes_are_finite(name, extreme):
    logits = np.full((1, 2, 2, 1), extreme, np.float32)
    for truth in (np.full((1, 2, 2), 255), np.array([[[0, 1], [1, 255]]])):
        found, slopes = value_and_slopes(make_loss(name), truth, logits)
        assert math.isfinite(found)
        assert np.isfinite(slopes).all()
        # A probability of one half is far from either class, wherever a pixel counts.
        assert extreme or slopes.any() == (truth != 255).any()


def test_where_every_pixel_is_ignored_nothing_is_lost():
    assert (
        value(make_loss("cross-entropy+dice"), np.full((1, 2, 2), 255), np.ones((1, 2, 2, 3))) == 0
    )


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_survives_its_configuration(name):
    loss = make_loss(name, "channels_first", ignore_index=7)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    truth, logits = draw(3)
    truth[truth == 255] = 7
    first = np.ascontiguousarray(np.moveaxis(logits, -1, 1))
    assert value(again, truth, first) == value(loss, truth, first)


def test_parts_of_a_sum_are_kept_with_their_arguments():
    loss = CombinedLoss([Focal(gamma=3.0), Tversky(0.1, 0.9)])
    again = CombinedLoss.from_config(loss.get_config())
    assert again.parts[0].gamma == 3.0
    assert (again.parts[1].false_positives, again.parts[1].false_negatives) == (0.1, 0.9)


def test_a_model_is_fitted_with_it():
    x = keras.Input((None, None, 2))
    model = keras.Model(x, keras.layers.Conv2D(1, 1)(x))
    model.compile("sgd", make_loss("cross-entropy+dice"), jit_compile=False)
    truth, _ = draw(2)
    batch = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)
    losses = [float(model.train_on_batch(batch, truth)) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: make_loss("hinge"),
            "loss: expected one of cross-entropy+dice, cross-entropy, dice, focal, tversky, "
            "found hinge. Choose one of these.",
        ),
        (
            lambda: Focal(gamma=0.5),
            "gamma: expected 0, or 1 and above, found 0.5. 2 is the usual choice.",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
        make()
