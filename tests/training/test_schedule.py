import numpy as np

from fewmask.models.backend import keras
from fewmask.training.schedule import Trapezoid


def rates(warm_up_steps: int, total_steps: int) -> list[float]:
    rate = Trapezoid(0.5, warm_up_steps, [(0, total_steps)])
    return [float(rate(step)) for step in range(total_steps + 2)]


def test_rises_along_a_line_holds_then_falls_to_zero_and_stays() -> None:
    values = rates(warm_up_steps=5, total_steps=40)
    np.testing.assert_allclose(values[:6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.5], rtol=1e-6)
    assert values[5:31] == [0.5] * 26
    np.testing.assert_allclose(values[30:41], np.arange(10, -1, -1) / 20, rtol=1e-6, atol=1e-7)
    assert values[40:] == [0.0, 0.0]


def test_a_rise_longer_than_there_is_time_for_still_ends_at_zero() -> None:
    values = rates(warm_up_steps=10, total_steps=10)
    assert max(values) < 0.5
    assert values[10:] == [0.0, 0.0]


def test_a_training_of_one_step_learns_something() -> None:
    assert rates(warm_up_steps=1, total_steps=1)[0] == 0.5


def test_a_change_of_course_touches_no_step_before_it() -> None:
    plain = Trapezoid(0.5, 5, [(0, 70)])
    turned = Trapezoid(0.5, 5, [(0, 70), (33, 47)])
    assert [float(turned(step)) for step in range(34)] == [float(plain(step)) for step in range(34)]
    assert float(turned(45)) < float(plain(45))
    assert float(turned(47)) == float(plain(70)) == 0.0


def test_the_rest_of_the_fall_is_spread_over_the_steps_that_are_left() -> None:
    # Step 70 is three quarters on the way from 40 to 80, so it has the share that step 85 was to
    # have.
    plain = Trapezoid(1.0, 1, [(0, 100)])
    turned = Trapezoid(1.0, 1, [(0, 100), (40, 80)])
    np.testing.assert_allclose(float(turned(70)), float(plain(85)), rtol=1e-5)
    assert 0.0 < float(turned(70)) < 1.0


def test_a_change_in_the_warm_up_leaves_the_rise_alone() -> None:
    turned = Trapezoid(1.0, 10, [(0, 100), (4, 30)])
    values = [float(turned(step)) for step in range(31)]
    np.testing.assert_allclose(values[:11], [*np.arange(1, 11) / 10, 1.0], rtol=1e-6)
    assert values[30] == 0.0


def test_keras_saves_and_loads_it() -> None:
    rate = Trapezoid(0.5, 5, [(0, 60), (20, 50)])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert again.get_config() == rate.get_config()
    assert [float(again(step)) for step in (0, 7)] == [float(rate(step)) for step in (0, 7)]
