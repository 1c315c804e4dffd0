import tomllib
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from fewmask.training.clock import Clock
from fewmask.training.events import Event, Said
from fewmask.training.pace import Pace
from fewmask.training.pacemaker import Course, Pacemaker
from fewmask.training.plan import Plan
from fewmask.training.schedule import Trapezoid

MakePlan = Callable[..., Plan]


class Hands(Clock):
    """A clock whose time is set by the test."""

    now = 0.0

    @property
    def spent(self) -> float:
        return Hands.now


class Drive:
    """Calls a pacemaker as Keras does, on a machine that takes so many seconds a step."""

    def __init__(self, plan: Plan, clock: Clock | None, done: int = 0) -> None:
        self.course = Course(plan)
        self.kept: list[Plan] = []
        self.heard: list[Event] = []
        self.pacemaker = Pacemaker(self.course, clock, done, self.kept.append, self.heard.append)
        self.model = SimpleNamespace(
            stop_training=False,
            optimizer=SimpleNamespace(learning_rate=plan.learning_rate),
            made_anew=0,
            make_train_function=self._make_train_function,
        )
        self.pacemaker.set_model(self.model)

    def _make_train_function(self, force: bool) -> None:
        assert force
        self.model.made_anew += 1

    def epoch(self, seconds_a_step: float, judging: float = 0.0) -> int:
        """Drives one epoch; returns the steps that it had."""
        self.pacemaker.on_epoch_begin(0)
        for batch in range(self.course.plan.steps_per_epoch):
            Hands.now += seconds_a_step
            self.pacemaker.on_train_batch_end(batch)
            if self.model.stop_training:
                break
        Hands.now += judging
        self.pacemaker.on_epoch_end(0)
        return batch + 1

    @property
    def sentences(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Said)]


@pytest.fixture(autouse=True)
def midnight() -> None:
    Hands.now = 0.0


@pytest.fixture
def hundred(make_tiny_plan: MakePlan) -> Plan:
    """A hundred steps in epochs of ten, planned for a second each."""
    return plan_of(make_tiny_plan)


def plan_of(make_tiny_plan: MakePlan, **asked: Any) -> Plan:
    plan = make_tiny_plan(**asked)
    return replace(plan, pace=Pace.even(100), steps_per_epoch=10)


def test_on_time_nothing_changes(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    assert [drive.epoch(1.0) for _ in range(10)] == [10] * 10
    assert drive.model.stop_training
    assert (drive.course.plan, drive.kept, drive.heard) == (hundred, [], [])


def test_a_slower_machine_has_fewer_steps_and_ends_on_time(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    drive.epoch(2.0)
    # 80 seconds are left, at 2 each; 10 steps are done.
    assert drive.course.plan.pace == Pace(((0, 100), (10, 50)))
    assert drive.kept == [drive.course.plan]
    assert drive.sentences == [
        "A step takes 2 s, slower than planned: it ends after step 50 instead of 100, in "
        "1 min 20 s."
    ]
    assert [drive.epoch(2.0) for _ in range(4)] == [10] * 4
    assert drive.model.stop_training
    assert Hands.now == 100.0


def test_where_steps_take_longer_the_end_is_given_more_time(hundred: Plan) -> None:
    # Planned for 0.95 seconds a step and 0.05 for the judging.
    drive = Drive(hundred, Hands(110.0, reserve=10.0, step=0.95))
    drive.epoch(2.0)
    # 90 seconds are left; at half the pace 20 of them are for the end, not 10.
    assert drive.course.plan.pace == Pace(((0, 100), (10, 45)))


def test_judging_is_not_taken_for_a_slow_machine(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0, step=1.0))
    drive.epoch(1.0, judging=9.0)
    # Nine steps and their judging took 18 seconds, so the 81 that are left hold 40 more. At twice
    # the time a step, the end would have been given ten of these.
    assert drive.course.plan.pace == Pace(((0, 100), (10, 50)))
    drive.epoch(1.0, judging=9.0)
    assert drive.course.plan.pace.last_step == 53


def test_in_a_long_first_epoch_every_quarter_is_looked_at(hundred: Plan) -> None:
    drive = Drive(replace(hundred, steps_per_epoch=100), Hands(110.0, reserve=10.0))
    drive.epoch(2.0)
    # After 25 steps 50 seconds are left. At 2 each, and a twentieth for the judging, there are
    # 24 more; none would be left had it waited for the end of the epoch.
    assert drive.course.plan.pace == Pace(((0, 100), (25, 49)))
    assert drive.model.stop_training
    assert Hands.now == 98.0
    assert drive.model.made_anew == 1


def test_short_epochs_are_looked_at_as_a_whole(hundred: Plan) -> None:
    drive = Drive(replace(hundred, steps_per_epoch=19), Hands(110.0, reserve=10.0))
    drive.epoch(2.0)
    assert len(drive.kept) == 1


def test_a_faster_machine_has_more_steps_and_ends_on_time(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    drive.epoch(0.5)
    assert drive.course.plan.pace == Pace(((0, 100), (10, 200)))
    assert drive.sentences[0].startswith("A step takes 0.5 s, faster than planned: it ends after")
    while not drive.model.stop_training:
        drive.epoch(0.5)
    assert Hands.now == 100.0


def test_the_learning_rate_follows_to_the_new_end(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    drive.epoch(2.0)
    rate = drive.model.optimizer.learning_rate
    assert isinstance(rate, Trapezoid)
    assert float(rate(50)) == 0.0
    assert drive.model.made_anew == 1


def test_a_constant_rate_stays_what_the_plateau_has_made_of_it(make_tiny_plan: MakePlan) -> None:
    drive = Drive(plan_of(make_tiny_plan, plateau=3), Hands(110.0, reserve=10.0))
    drive.model.optimizer.learning_rate = 1e-5
    drive.epoch(2.0)
    assert drive.course.plan.pace.last_step == 50
    assert (drive.model.optimizer.learning_rate, drive.model.made_anew) == (1e-5, 0)


def test_what_was_kept_is_the_plan_that_is_followed(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    for seconds in (2.0, 1.0, 1.5):
        drive.epoch(seconds)
    assert len(drive.kept) == 3
    assert Plan.from_values(tomllib.loads(drive.kept[-1].to_toml())) == drive.course.plan


def test_the_first_step_builds_things_and_is_no_measure(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(210.0, reserve=10.0))
    Hands.now = 50.0
    drive.epoch(1.0)
    # The other nine took a second each: 140 seconds are left for as many steps.
    assert drive.course.plan.pace.last_step == 150


def test_what_the_machine_does_now_counts_not_what_it_once_did(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(160.0, reserve=10.0))
    drive.epoch(5.0)  # something else was at work: 100 s are left, for 20 steps
    assert drive.course.plan.pace.last_step == 30
    drive.epoch(1.0)
    # Steps 11 to 20 took a second each: 90 seconds are left for as many.
    assert drive.course.plan.pace.last_step == 110


def test_a_small_change_is_made_and_not_told(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    drive.epoch(1.02)
    assert drive.course.plan.pace.last_step == 98
    assert drive.heard == []


def test_without_any_time_left_one_more_step_ends_it(hundred: Plan) -> None:
    drive = Drive(hundred, Hands(110.0, reserve=10.0))
    drive.epoch(20.0)
    assert drive.course.plan.pace.last_step == 11
    assert drive.epoch(20.0) == 1
    assert drive.model.stop_training


def test_the_last_step_ends_an_epoch_in_its_middle(hundred: Plan) -> None:
    drive = Drive(hundred, None, done=93)
    assert drive.epoch(1.0) == 7
    assert drive.model.stop_training


def test_without_a_budget_nothing_is_measured(hundred: Plan) -> None:
    drive = Drive(hundred, None)
    drive.epoch(99.0)
    assert (drive.course.plan, drive.kept, drive.heard) == (hundred, [], [])
