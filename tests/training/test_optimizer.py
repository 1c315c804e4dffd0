from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fewmask.models.backend import keras
from fewmask.models.native import order_for_torch
from fewmask.training.optimizer import FusedAdamW, TwoRatesAdamW, make_optimizer
from fewmask.training.plan import Plan

MakePlan = Callable[..., Plan]


def test_biases_and_normalisation_do_not_decay(make_tiny_plan: MakePlan) -> None:
    optimizer = make_optimizer(replace(make_tiny_plan(), weight_decay=0.5, schedule="constant"))
    layer = keras.layers.Dense(2, bias_initializer="ones")
    layer.build((None, 3))
    optimizer.build(layer.trainable_variables)
    before = [np.array(value) for value in layer.get_weights()]
    optimizer.apply([keras.ops.zeros(value.shape) for value in layer.trainable_variables])
    kernel, bias = layer.get_weights()
    assert (np.abs(kernel) < np.abs(before[0])).all()
    np.testing.assert_array_equal(bias, before[1])


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only torch has this kernel")
@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 4, 2)])
def test_takes_the_same_steps_as_keras(shape: tuple[int, ...]) -> None:
    numbers = np.random.default_rng(0)
    start = numbers.normal(size=shape).astype(np.float32)
    slopes = numbers.normal(size=(6, *shape)).astype(np.float32)
    slopes[1] = 0
    ends = []
    for kind in (keras.optimizers.AdamW, FusedAdamW):
        # Keras' arrays may share the memory of what they are made from, and be changed in place.
        variable = keras.Variable(start.copy(), name="kernel")
        optimizer = kind(0.1, weight_decay=0.3, epsilon=1e-2)
        optimizer.build([variable])
        if kind is FusedAdamW:
            order_for_torch([variable, *optimizer.variables])
        for slope in slopes:
            optimizer.apply([keras.ops.convert_to_tensor(slope.copy())], [variable])
        ends.append(keras.ops.convert_to_numpy(variable))
        assert int(optimizer.iterations) == len(slopes)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-4, atol=1e-5)


def test_an_encoder_takes_smaller_steps() -> None:
    kind = FusedAdamW if keras.config.backend() == "torch" else TwoRatesAdamW
    fast, slow = (keras.Variable(np.zeros(4, np.float32), name="kernel") for _ in range(2))
    optimizer = kind(0.1, weight_decay=0.0, slow=[slow], slow_share=0.25)
    optimizer.build([fast, slow])
    slope = keras.ops.convert_to_tensor(np.array([1, -2, 3, -4], np.float32))
    for _ in range(3):
        optimizer.apply([slope, slope], [fast, slow])
    moved, less = (keras.ops.convert_to_numpy(variable) for variable in (fast, slow))
    # The first steps of Adam are as long as the learning rate, whatever the slope.
    np.testing.assert_allclose(moved, [-0.3, 0.3, -0.3, 0.3], rtol=1e-4)
    np.testing.assert_allclose(less, moved / 4, rtol=1e-4)


def test_an_encoder_is_forgotten_as_slowly_as_it_learns() -> None:
    kind = FusedAdamW if keras.config.backend() == "torch" else TwoRatesAdamW
    fast, slow = (keras.Variable(np.ones(4, np.float32), name="kernel") for _ in range(2))
    bias = keras.Variable(np.ones(4, np.float32), name="bias")
    optimizer = kind(0.1, weight_decay=0.5, slow=[slow], slow_share=0.2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build([fast, slow, bias])
    optimizer.apply([keras.ops.zeros(4)] * 3, [fast, slow, bias])
    left = [keras.ops.convert_to_numpy(variable)[0] for variable in (fast, slow, bias)]
    np.testing.assert_allclose(left, [1 - 0.05, 1 - 0.01, 1.0], rtol=1e-6)
    assert optimizer.weight_decay == 0.5
