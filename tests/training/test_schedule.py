import numpy as np

from fewmask.models.backend import keras
from fewmask.training.schedule import WarmUpThenCosine


def rates(warm_up_steps: int, total_steps: int) -> list[float]:
    rate = WarmUpThenCosine(0.5, warm_up_steps, [(0, total_steps)])
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


def test_a_change_of_course_touches_no_step_before_it() -> None:
    plain = WarmUpThenCosine(0.5, 5, [(0, 70)])
    turned = WarmUpThenCosine(0.5, 5, [(0, 70), (33, 47)])
    assert [float(turned(step)) for step in range(34)] == [float(plain(step)) for step in range(34)]
    assert float(turned(34)) < float(plain(34))
    assert float(turned(47)) == float(plain(70)) == 0.0


def test_the_rest_of_the_fall_is_spread_over_the_steps_that_are_left() -> None:
    # Step 60 is halfway from 40 to 80, so it has the share that step 70 was to have.
    plain = WarmUpThenCosine(1.0, 1, [(0, 100)])
    turned = WarmUpThenCosine(1.0, 1, [(0, 100), (40, 80)])
    np.testing.assert_allclose(float(turned(60)), float(plain(70)), rtol=1e-5)


def test_a_change_in_the_warm_up_leaves_the_rise_alone() -> None:
    turned = WarmUpThenCosine(1.0, 10, [(0, 100), (4, 30)])
    values = [float(turned(step)) for step in range(31)]
    np.testing.assert_allclose(values[:11], [*np.arange(1, 11) / 10, 1.0], rtol=1e-6)
    assert values[30] == 0.0


def test_keras_saves_and_loads_it() -> None:
    rate = WarmUpThenCosine(0.5, 5, [(0, 60), (20, 50)])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert again.get_config() == rate.get_config()
    assert [float(again(step)) for step in (0, 7)] == [float(rate(step)) for step in (0, 7)]
