from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.training.averaging import AveragedWeights


class FakeModel:
    def __init__(self, value: float) -> None:
        self.values = [np.array([value], np.float32)]

    def get_weights(self) -> list[NDArray[Any]]:
        return self.values  # the very memory, as torch gives it on a CPU

    def set_weights(self, values: list[NDArray[Any]]) -> None:
        for mine, value in zip(self.values, values, strict=True):
            mine[...] = value


def averaged(values: list[float], every: int = 1, horizon: int = 10**9) -> AveragedWeights:
    average = AveragedWeights(every, horizon)
    average.set_model(FakeModel(0.0))
    average.on_epoch_begin(0)
    for step, value in enumerate(values):
        average.model.values[0][...] = value
        average.on_train_batch_end(step)
    return average


def test_is_the_plain_mean_as_long_as_it_forgets_nothing() -> None:
    assert averaged([1, 2, 6]).values[0].tolist() == [3.0]


def test_forgets_along_its_horizon() -> None:
    # keep: 0, 1/2, then 1 - 1/3 at most
    # 9; 9/2 + 0 = 4.5; 4.5 · 2/3 + 0 = 3; 3 · 2/3 + 9/3 = 5
    assert averaged([9, 0, 0, 9], horizon=3).values[0].tolist() == pytest.approx([5.0])


def test_looks_at_every_nth_step_of_an_epoch() -> None:
    average = averaged([1, 2, 3, 4, 5], every=2)
    assert average.updates == 2
    assert average.values[0].tolist() == [3.0]
    average.on_epoch_begin(1)  # the fifth step is forgotten: an epoch always counts alike
    average.on_train_batch_end(0)
    assert average.updates == 2


def test_keeps_none_where_none_is_wanted() -> None:
    average = averaged([1, 2], every=0)
    with average.in_place():
        assert average.model.values[0].tolist() == [2.0]
    assert average.values == []


def test_puts_the_trained_weights_back() -> None:
    average = averaged([1, 2, 6])

    def look_and_fail() -> None:
        with average.in_place():
            assert average.model.values[0].tolist() == [3.0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_and_fail()
    assert average.model.values[0].tolist() == [6.0]


def test_a_horizon_shorter_than_a_look_is_the_latest_model() -> None:
    assert averaged([1, 2, 3, 4], every=2, horizon=1).values[0].tolist() == [4.0]


def test_kernels_in_another_order_of_memory_are_averaged_alike() -> None:
    average = AveragedWeights(1, 10**9)
    plain = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    turned = np.ascontiguousarray(plain.transpose(2, 0, 1)).transpose(1, 2, 0)
    average.update([plain])
    average.update([turned + 2])
    average.update([plain + 1])
    np.testing.assert_allclose(average.values[0], plain + 1)
