import numpy as np

from fewmask.models.backend import keras
from fewmask.training.schedule import WarmUpThenCosine


def rates(warm_up_steps: int, total_steps: int) -> list[float]:
    rate = WarmUpThenCosine(0.5, warm_up_steps, [(total_steps, 1.0)])
    return [float(rate(step)) for step in range(total_steps + 2)]


def test_rises_along_a_line_then_falls_to_zero_and_stays() -> None:
    values = rates(warm_up_steps=5, total_steps=50)
    np.testing.assert_allclose(values[:6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.5], rtol=1e-6)
    assert all(np.diff(values[5:51]) < 0)
    assert values[50:] == [0.0, 0.0]


def test_half_way_down_the_rate_is_half() -> None:
    np.testing.assert_allclose(rates(warm_up_steps=10, total_steps=30)[20], 0.25, rtol=1e-6)


def test_a_training_of_one_step_learns_something() -> None:
    assert rates(warm_up_steps=1, total_steps=1)[0] == 0.5


def test_keras_saves_and_loads_it() -> None:
    rate = WarmUpThenCosine(0.5, 5, [(20, 0.5), (50, 1.0)])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert again.get_config() == rate.get_config()
    assert [float(again(step)) for step in (0, 7)] == [float(rate(step)) for step in (0, 7)]
