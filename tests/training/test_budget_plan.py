import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.fingerprint import Fingerprint
from fewmask.errors import ArgumentError
from fewmask.scale import Frame
from fewmask.training.budget_plan import (
    FEWEST_STEPS,
    learning_rate_for,
    plan_for_budget,
)
from fewmask.training.clock import Clock
from fewmask.training.ending import A_FILE, A_PIXEL, A_PIXEL_READ, Ending
from fewmask.training.machine import SHARE_OF_STEPS
from fewmask.training.plan import Plan
from fewmask.training.probe import OutOfMemory, Probe, Speed
from fewmask.training.recipe import Recipe, make_recipe
from fewmask.training.usual_plan import make_plan


def fingerprint(
    thickness: Sequence[float] = (200.0,) * 77, sides: tuple[int, int] = (480, 640)
) -> Fingerprint:
    return Fingerprint(
        num_images=77,
        sizes=((*sides, 77),),
        channels=((3, 77),),
        dtype="uint8",
        value_range=(0, 255),
        mean=(100.0,) * 3,
        standard_deviation=(50.0,) * 3,
        class_pixels=(9, 1),
        class_images=(77, 77),
        ignored_pixels=0,
        class_ids=((0, 1),) * 77,
        sha256="0" * 64,
        thickness=tuple((each,) for each in thickness),
    )


@pytest.fixture(autouse=True)
def hands(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Where the time stands; probing lets it pass."""
    stands = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: stands[0])
    return stands


class Machine:
    """A machine that needs so many seconds for a step at 256 pixels, and more for larger ones, and
    whose memory has room for so many images a step."""

    def __init__(
        self,
        hands: list[float],
        step: float,
        building: float = 1.0,
        room: int = 8,
        first_step: float = 0.0,
        hiccup: float = 1.0,
        threads: int = 0,
    ) -> None:
        self.hands = hands
        self.step = step
        self.building = building
        self.room = room
        self.first_step = first_step
        self.hiccup = hiccup
        self.threads = threads
        self.measured: list[int] = []

    def probe_of(self, plan: Plan) -> tuple[Probe, float]:
        self.hands[0] += self.building

        def probe(size: int) -> Speed:
            if plan.batch_size > self.room:
                raise OutOfMemory
            self.measured.append(size)
            speed = self.step * (size / 256) ** 2 * self.hiccup
            self.hiccup = 1.0
            self.hands[0] += self.first_step + 4 * speed
            return Speed(speed, speed / 20, self.threads)

        return probe, self.building

    def plan(
        self,
        budget: float,
        seen: Fingerprint | None = None,
        test_images: Sequence[tuple[int, int]] = ((480, 640),) * 20,
        judged_by: Sequence[tuple[int, int]] = ((480, 640),) * 8,
        groups: int = 77,
        held_out: Sequence[tuple[int, int]] = (),
        **asked: Any,
    ) -> tuple[Plan, Clock]:
        seen = seen or fingerprint()
        asked.setdefault("batch_size", 8)

        def make(recipe: Recipe) -> Plan:
            return make_plan(
                recipe,
                seen,
                num_train=77,
                num_classes=2,
                weights_at_hand=True,
                data_format="channels_first",
            )

        return plan_for_budget(
            make_recipe(budget=budget, **asked),
            make,
            seen,
            Clock(budget, began=self.hands[0]),
            Ending(test_images, held_out, ((480, 640),) * 77),
            judged_by,
            self.probe_of,
            groups,
        )


@pytest.mark.parametrize("threads", [0, 3])
def test_learns_with_as_many_threads_as_were_fastest(hands: list[float], threads: int) -> None:
    plan, _ = Machine(hands, step=0.4, threads=threads).plan(300.0)
    assert plan.threads == threads
    said = [reason for reason in plan.reasons if reason.startswith("3 threads: ")]
    assert len(said) == (threads > 0)


def test_a_machine_whose_first_steps_take_long_is_not_measured_for_long(
    hands: list[float],
) -> None:
    # As fast as this, the largest size shows enough; but each size takes four seconds to build.
    machine = Machine(hands, step=0.004, first_step=4.0)
    plan, _ = machine.plan(60.0)
    assert machine.measured == [256, 320]
    assert plan.size == 320
    quick = Machine(hands, step=0.004)
    quick.plan(60.0)
    assert quick.measured == [256, 320, 384]


def test_a_usual_machine_by_hand(hands: list[float]) -> None:
    machine = Machine(hands, step=0.4)
    plan, clock = machine.plan(180.0)
    # The score looks at 20 images; the comparison at one, as two would have more than 512² pixels,
    # which takes the model for Keras three times as long.
    # 256 shows enough, 2,667 and more; 320 would show two thirds of it where half as many again
    # would be enough, which is too little to be worth a measurement.
    assert machine.measured == [256]
    assert (plan.size, plan.batch_size, plan.scale) == (256, 8, Frame(256))
    read = 77 * 480 * 640 * A_PIXEL_READ
    assert clock.reserve == pytest.approx(8 + (20 + 1 + 3 * 1) * 0.02 + 118 * A_FILE + read)
    assert clock.spent == pytest.approx(1 + 4 * 0.4)
    assert plan.pace.last_step == round(SHARE_OF_STEPS * clock.left / 0.4)
    # 3,184 images are 41.4 times 77; 0.001 · 45 / 41.4
    assert plan.learning_rate == 0.00109
    assert (
        "learning rate 0.00109: each image comes about 41 times; the less often, the more is "
        "learnt from it at once."
    ) in plan.reasons
    assert plan.reasons[-2:] == (
        "size 256: this machine learns from 20 at 256 pixels a side, in images a second; "
        "3,184 of them fit into the budget.",
        "budget 3 min 0 s: 3 s are spent, 10 s are kept for model files, scores and report.",
    )


def test_mirror_images_are_left_out_where_they_take_much_of_the_budget(hands: list[float]) -> None:
    flips = Augmentation().horizontal_flip
    assert flips > 0
    asked: dict[str, Any] = {"held_out": ((480, 640),) * 8, "size": 256}
    # 200 test images, one piece for both files, each 0.02 s; mirrored they are as many again, and
    # two forms are tried on 8 validation images, of which one looks twice: 24. 5.2 s in all.
    twice, its_clock = Machine(hands, 0.4).plan(180.0, test_images=((480, 640),) * 200, **asked)
    once, clock = Machine(hands, 0.4).plan(60.0, test_images=((480, 640),) * 200, **asked)
    assert (twice.try_mirrored, once.try_mirrored) == (True, False)
    more = (204 + 24) * 0.02 + 2 * 8 * A_FILE + 2 * 8 * 480 * 640 * A_PIXEL
    assert its_clock.reserve - clock.reserve == pytest.approx(more)
    assert [why for why in once.reasons if why.startswith("each image is looked at once: ")]
    assert not [why for why in twice.reasons if why.startswith("each image is looked at once: ")]


@pytest.mark.parametrize(("step", "size"), [(0.02, 384), (0.3, 320), (2.0, 192), (30.0, 64)])
def test_the_faster_the_machine_the_larger_the_size(
    hands: list[float], step: float, size: int
) -> None:
    plan, _ = Machine(hands, step).plan(300.0, groups=0)
    assert plan.size == size


def test_a_larger_size_is_measured_where_it_may_show_enough(hands: list[float]) -> None:
    machine = Machine(hands, step=0.21)
    plan, _ = machine.plan(180.0)
    assert (machine.measured, plan.size) == ([256, 320], 256)
    assert "learns from 38 at 256, 24 at 320 pixels a side" in plan.reasons[-2]


def test_a_machine_that_was_busy_for_a_moment_is_not_taken_for_a_slow_one(
    hands: list[float],
) -> None:
    # Alone it would be 256 pixels, as above. The first measurement says 3 times as long.
    machine = Machine(hands, step=0.4, hiccup=3.0)
    plan, _ = machine.plan(180.0)
    assert machine.measured == [256, 192, 224]
    assert plan.size == 224


def test_a_slow_machine_does_not_spend_its_budget_on_being_measured(hands: list[float]) -> None:
    machine = Machine(hands, step=30.0)
    machine.plan(300.0)
    assert machine.measured == [256, 64]


def test_nothing_is_gained_beyond_the_size_of_the_images(hands: list[float]) -> None:
    machine = Machine(hands, step=0.01)
    plan, _ = machine.plan(300.0, fingerprint((60.0,) * 77, (90, 150)))
    assert (plan.size, machine.measured) == (160, [160])


def test_a_size_that_is_asked_for_is_taken_whatever_it_costs(hands: list[float]) -> None:
    machine = Machine(hands, step=0.5)
    plan, _ = machine.plan(300.0, size=512)
    assert (plan.size, machine.measured) == (512, [512])


def test_sizes_are_what_the_network_can_take(hands: list[float]) -> None:
    machine = Machine(hands, step=0.4)
    plan, _ = machine.plan(600.0, model="unet", depth=5)
    assert all(size % plan.model.stride == 0 for size in machine.measured)
    assert plan.size % plan.model.stride == 0
    assert not any("is no multiple of" in reason for reason in plan.reasons)


def test_so_is_a_batch(hands: list[float]) -> None:
    assert Machine(hands, 0.5).plan(300.0, batch_size=3)[0].batch_size == 3


@pytest.mark.parametrize("budget", [600.0, 3600.0])
def test_the_rest_of_the_plan_fits_its_steps(hands: list[float], budget: float) -> None:
    plan, clock = Machine(hands, step=0.4).plan(budget, groups=0)
    steps = plan.pace.last_step
    step = 0.4 * (plan.size / 256) ** 2
    assert steps * step == pytest.approx(SHARE_OF_STEPS * clock.left, rel=0.01)
    assert plan.warm_up_steps == round(steps / 20)
    assert plan.average_horizon == round(steps / 12)
    assert 1 <= plan.epochs <= 41


@pytest.mark.parametrize("budget", [60.0, 600.0])
def test_a_network_that_learns_from_nothing_keeps_its_rate_however_often_images_come(
    budget: float, hands: list[float]
) -> None:
    plan, _ = Machine(hands, step=0.05).plan(budget, model="unet")
    assert plan.learning_rate == 3e-3
    assert [why for why in plan.reasons if why.startswith("learning rate ")] == [
        "learning rate 0.003: what learns from nothing learns more in large steps."
    ]


def test_enough_time_for_several_networks_by_hand(hands: list[float]) -> None:
    machine = Machine(hands, step=0.1)
    plan, clock = machine.plan(1800.0)
    # Five of everything that the end does, and a look at each training image: of the forms that
    # could be tried there are none, since nothing is held out.
    step = 0.1 * (plan.size / 256) ** 2
    looks = 5 * (20 + 1 + 3 * 1) + 77
    files = 1 + 2 * 20 + 3 * 77
    read = 77 * 480 * 640 * A_PIXEL_READ
    assert clock.reserve == pytest.approx(5 * 8 + looks * step / 20 + files * A_FILE + read)
    seconds = SHARE_OF_STEPS * (clock.left - 4 * 1.0) / 5
    assert plan.pace.last_step == round(seconds / step)
    assert plan.later_paces == (plan.pace,) * 4
    passes = plan.pace.last_step * 8 / (77 * 4 / 5)
    assert plan.learning_rate == learning_rate_for(passes)
    assert plan.reasons[1] == (
        f"5 networks: 30 min 0 s are enough for each of them to see its images about {passes:.0f} "
        "times; each leaves out another part of the training images and is judged by it."
    )
    assert plan.reasons[-2].endswith("of them fit into the budget for each network.")


def test_less_time_is_enough_where_images_are_soon_known_by_heart(hands: list[float]) -> None:
    plan, _ = Machine(hands, step=0.05).plan(600.0)
    assert plan.networks == 5
    assert plan.pace.last_step * 8 > 60 * 77 * 4 / 5


def test_what_begins_with_nothing_needs_more_time_for_several_networks(hands: list[float]) -> None:
    plan, _ = Machine(hands, step=0.05).plan(600.0, pretrained=False)
    assert (plan.model.name, plan.networks) == ("unet", 1)
    plan, _ = Machine(hands, step=0.01).plan(1100.0, pretrained=False)
    assert plan.networks == 5
    assert plan.pace.last_step * 8 > 480 * 77 * 4 / 5


def test_what_begins_with_nothing_sees_smaller_images_more_often(hands: list[float]) -> None:
    plan, _ = Machine(hands, step=0.2).plan(600.0, groups=0)
    scratch, _ = Machine(hands, step=0.2).plan(600.0, groups=0, pretrained=False)
    assert (plan.size, scratch.size) == (384, 256)
    # Enough are 8 × 1,500 of 192 pixels, and as many more as their area is larger.
    assert scratch.pace.last_step * 8 > 8 * 1500 * (256 / 192) ** 2


@pytest.mark.parametrize(
    ("step", "budget", "groups"),
    [
        (0.001, 299.0, 77),  # too little time
        (1.0, 600.0, 77),  # too slow a machine for each to see its images 60 times
        (60.0, 1800.0, 77),  # or 15 times, with more time
        (0.1, 1800.0, 9),  # too few groups to leave out a fifth of
    ],
)
def test_one_network_where_several_would_learn_too_little(
    hands: list[float], step: float, budget: float, groups: int
) -> None:
    plan, _ = Machine(hands, step).plan(budget, groups=groups)
    assert plan.networks == 1


def test_a_plateau_waits_without_a_warm_up(hands: list[float]) -> None:
    plan, _ = Machine(hands, 0.4).plan(300.0, plateau=3, average=False)
    assert (plan.schedule, plan.warm_up_steps, plan.average_every) == ("constant", 0, 0)


@pytest.mark.parametrize("step", [0.05, 0.8, 12.0])
def test_too_short_a_budget_names_one_that_suffices(hands: list[float], step: float) -> None:
    with pytest.raises(ArgumentError) as error:
        Machine(hands, step).plan(6.0)
    found = re.fullmatch(
        r"--budget: expected at least (\d+)s for these images on this machine, found 6s, of "
        r"which 0 are left for learning\. Try --budget \1s\.",
        str(error.value),
    )
    assert found
    plan, clock = Machine(hands, step).plan(float(found[1]))
    assert plan.pace.last_step >= FEWEST_STEPS
    assert clock.left > 0


def test_many_tiles_of_test_images_enlarge_what_is_kept(hands: list[float]) -> None:
    thin = fingerprint((8.0,) * 77, (2000, 2000))
    few = Machine(hands, 0.4).plan(600.0, thin, [(500, 500)] * 4)
    many = Machine(hands, 0.4).plan(600.0, thin, [(4000, 4000)] * 4)
    assert few[0].pixels is not None
    assert many[1].reserve > few[1].reserve + 5
    assert many[0].pace.last_step < few[0].pace.last_step


def test_epochs_are_long_beside_the_judging_of_many_windows(hands: list[float]) -> None:
    thin = fingerprint((8.0,) * 77, (2000, 2000))
    small, large = (
        Machine(hands, 2.0).plan(900.0, thin, judged_by=[(side, side)] * 8)[0]
        for side in (200, 2000)
    )
    assert small.size == large.size
    assert large.steps_per_epoch > small.steps_per_epoch


def test_thin_things_are_learnt_from_patches(hands: list[float]) -> None:
    plan, _ = Machine(hands, 0.4).plan(600.0, fingerprint((8.0,) * 77, (2000, 2000)))
    assert plan.pixels is not None
    assert plan.pixels.scale == 1.0
    assert plan.reasons[0] == (
        "patches: things are about 8 pixels thick, and the thin ones only 1 where the longest "
        "side of a whole image is 256; --size keeps whole images."
    )
    assert "in patches a second" in plan.reasons[-2]
    # 4 megapixels are 61 patches of 256 pixels a side, so an image is hardly covered once.
    assert (plan.learning_rate, plan.encoder_rate) == (0.003, 0.1)
    assert Machine(hands, 0.4).plan(600.0, fingerprint((8.0,) * 77), size=256)[0].pixels is None


def test_where_memory_is_short_batches_are_smaller_and_it_goes_on(hands: list[float]) -> None:
    plan, _ = Machine(hands, 0.4, room=3).plan(300.0)
    assert plan.batch_size == 2
    assert plan.reasons[1:3] == (
        "batch size 4: 8 do not fit into the memory.",
        "batch size 2: 4 do not fit into the memory.",
    )
    assert plan.model.normalization == "group"


def test_no_room_for_a_single_image_is_a_sentence(hands: list[float]) -> None:
    with pytest.raises(ArgumentError) as error:
        Machine(hands, 0.4, room=0).plan(300.0)
    assert str(error.value) == (
        "memory: expected room for one image a step, found none left. Try a smaller --size or "
        "--width."
    )


def test_a_learning_rate_that_was_asked_for_is_taken(hands: list[float]) -> None:
    plan, _ = Machine(hands, 0.4).plan(180.0, learning_rate=2e-3)
    assert plan.learning_rate == 2e-3
    assert not [reason for reason in plan.reasons if reason.startswith("learning rate")]


@given(passes=st.floats(0.01, 1e6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_learning_rates_fall_as_passes_rise(passes: float) -> None:
    assert 1e-3 <= learning_rate_for(passes) <= 3e-3
    assert learning_rate_for(passes) >= learning_rate_for(2 * passes)
