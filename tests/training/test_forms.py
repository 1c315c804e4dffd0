"""Which form of the trained networks becomes the model, by networks whose answers are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fewmask
from fewmask.bundle import Bundle
from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import write_png
from fewmask.data.least_areas import LeastAreas
from fewmask.models.spec import build
from fewmask.scale import Frame
from fewmask.training import forms
from fewmask.training.forms import choose_form
from fewmask.training.plan import Plan

BUNDLE = Bundle(Classes(("nothing", "thing")), Frame(32))
LEFT, RIGHT = slice(4, 10), slice(22, 28)


@pytest.fixture
def bright_things(tmp_path: Path) -> Callable[..., Dataset]:
    """Images of one bright thing each on black, at columns that are chosen."""

    def make(*things: slice) -> Dataset:
        for number, columns in enumerate(things):
            mask = np.zeros((32, 32), np.uint8)
            mask[8:24, columns] = 1
            write_png(tmp_path / "images" / f"{number}.png", np.stack([mask * 200] * 3, axis=2))
            write_png(tmp_path / "masks" / f"{number}.png", mask)
        return fewmask.load_dataset(tmp_path, classes=["nothing=0", "thing=1"])

    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    return make


def seeing(left: float, right: float) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """A network by hand: calls what is bright a thing with such shares, by the half it is in."""

    def look(squares: NDArray[Any]) -> NDArray[np.float32]:
        shares = np.full(squares.shape[1:3], right)
        shares[:, :16] = left
        shares = np.where(squares[..., 0] > 100, shares, 0.001)
        return np.log(shares / (1 - shares)).astype(np.float32)[..., None]

    return look


@pytest.fixture
def choose(
    make_tiny_plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, bool, float, float]]:
    """Chooses a form of networks by hand: how many, whether mirrored, its Dice, the plainest's."""

    def choose(
        looks: list[Any], held_out: Dataset | None, flips: float = 0.5, try_mirrored: bool = True
    ) -> tuple[int, bool, float, float]:
        plan = replace(make_tiny_plan(), try_mirrored=try_mirrored)
        plan = replace(plan, augmentation=replace(plan.augmentation, horizontal_flip=flips))

        singles = iter(looks)

        def look_by(core: Any, channels_first: bool) -> Any:
            assert channels_first
            if core.name != "ensemble":
                return next(singles)
            return lambda squares: np.mean([look(squares) for look in looks], axis=0)

        monkeypatch.setattr(forms, "look_by", look_by)
        networks = [build(plan.model, plan.data_format) for _ in looks]
        done: list[tuple[int, int]] = []
        form, plainest = choose_form(
            networks, plan, BUNDLE, held_out, lambda *each: done.append(each)
        )
        assert (plainest.spec.networks, plainest.bundle.mirrored) == (1, False)
        assert [one for one, _ in done] == list(range(1, len(done) + 1))
        return form.spec.networks, form.bundle.mirrored, form.dice, plainest.dice

    return choose


def test_a_model_that_is_blind_on_one_side_gains_by_the_mirror_image(
    choose: Any, bright_things: Any
) -> None:
    held_out = bright_things(LEFT, RIGHT)
    assert choose([seeing(0.9, 0.3)], held_out) == (1, True, 1.0, 0.5)
    assert choose([seeing(0.9, 0.3)], held_out, try_mirrored=False)[1] is False


def test_a_model_that_mirror_images_confuse_looks_once(choose: Any, bright_things: Any) -> None:
    assert choose([seeing(0.2, 0.6)], bright_things(RIGHT, RIGHT)) == (1, False, 1.0, 1.0)


def test_networks_that_know_different_halves_are_better_together(
    choose: Any, bright_things: Any
) -> None:
    looks = [seeing(0.9, 0.3), seeing(0.3, 0.9)]
    held_out = bright_things(LEFT, RIGHT)
    assert choose(looks, held_out, flips=0.0) == (2, False, 1.0, 0.5)
    # Where images may be mirrored, one network that looks twice is as good, and half as slow.
    assert choose(looks, held_out) == (1, True, 1.0, 0.5)


def test_networks_that_mislead_each_other_are_not_put_together(
    choose: Any, bright_things: Any
) -> None:
    # Two of three are just right, but the third is so sure of the opposite that the mean is wrong.
    looks = [seeing(0.6, 0.6), seeing(0.6, 0.6), seeing(0.01, 0.01)]
    networks, mirrored, dice, plainest = choose(looks, bright_things(LEFT, RIGHT))
    assert (networks, mirrored) == (1, False)
    assert dice == plainest == pytest.approx(2 / 3)


def test_the_luck_of_the_first_does_not_count(choose: Any, bright_things: Any) -> None:
    # Alone it would be as good as the mean; the others are not, and any could have been first.
    looks = [seeing(0.9, 0.9), seeing(0.9, 0.3), seeing(0.3, 0.9)]
    form = choose(looks, bright_things(LEFT, RIGHT), flips=0.0)
    assert form == (3, False, 1.0, pytest.approx(2 / 3))


def test_without_anything_to_choose_by_the_form_is_the_plainest(
    choose: Any, bright_things: Any
) -> None:
    form = choose([seeing(0.9, 0.3), seeing(0.3, 0.9)], None)
    assert form[:2] == (1, False)
    # Nothing to be found: no score, no gain.
    nothing = bright_things(LEFT, slice(0, 0)).take([1])
    assert choose([seeing(0.9, 0.9), seeing(0.9, 0.9)], nothing)[:2] == (1, False)


def test_forms_in_words(make_tiny_plan: Callable[..., Plan]) -> None:
    spec = make_tiny_plan().model
    form = forms.Form(None, spec, replace(BUNDLE, mirrored=True))
    assert form.words == "looks at each image and at its mirror image"
    several = forms.Form(None, replace(spec, networks=5), BUNDLE)
    assert several.words == "is the mean of 5 networks and looks at each image once"


def test_no_flips_no_mirror_images(make_tiny_plan: Callable[..., Plan]) -> None:
    plan = replace(make_tiny_plan(), augmentation=Augmentation.none())
    form, plainest = choose_form(
        [build(plan.model, plan.data_format)], plan, BUNDLE, None, lambda *_: None
    )
    assert form is plainest


@pytest.mark.parametrize(
    ("least", "kept", "dice"),
    [
        (0.24, True, 1.0),  # the speck goes, the thing stays
        (0.04, True, 0.5),  # nothing goes: the masks' word is enough
        (0.48, False, 0.5),  # the thing would go too, and held-out images lose by it
        (None, False, 0.5),
    ],
)
def test_what_covers_too_little_is_left_out_unless_held_out_images_lose(
    least: float | None,
    kept: bool,
    dice: float,
    make_tiny_plan: Callable[..., Plan],
    bright_things: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It finds a thing of 16 x 16 pixels, a quarter of the image, and in half of the images a
    # speck of an eighth where nothing is.
    held_out = bright_things(slice(8, 24), slice(8, 24), slice(0, 0), slice(0, 0))
    specks = iter([0, 0, 8, 8])

    def model(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], None]:
        found = (image[..., 0] > 100).astype(np.uint8)
        found[8:24, : next(specks)] = 1
        return found, None

    monkeypatch.setattr(forms, "look_by", lambda core, channels_first: None)
    monkeypatch.setattr(forms, "model_by", lambda look, bundle: model)
    plan = replace(make_tiny_plan(), augmentation=Augmentation.none())
    areas = None if least is None else LeastAreas((0.0, least))
    form, _ = choose_form(
        [build(plan.model, plan.data_format)],
        plan,
        replace(BUNDLE, least_areas=areas),
        held_out,
        lambda *_: None,
    )
    assert (form.bundle.least_areas is not None) == kept
    if least is not None:
        assert (form.dice, form.dice_of_all) == (dice, 0.5)
