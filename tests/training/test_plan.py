import tomllib
from dataclasses import replace
from typing import Any

import pytest

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.fingerprint import Fingerprint
from fewmask.errors import ArgumentError
from fewmask.scale import Frame, Pixels
from fewmask.training.plan import Plan
from fewmask.training.recipe import Recipe, make_recipe
from fewmask.training.usual_plan import choose_model, make_plan, usual_size


def fingerprint(channels: int = 3, longest: int = 640, thickness: float = 200.0) -> Fingerprint:
    return Fingerprint(
        num_images=77,
        sizes=((480, longest, 77),),
        channels=((channels, 77),),
        dtype="uint8",
        value_range=(0, 255),
        mean=(100.00049,) * channels,
        standard_deviation=(50.0,) * channels,
        class_pixels=(9, 1),
        class_images=(77, 77),
        ignored_pixels=0,
        class_ids=((0, 1),) * 77,
        sha256="0" * 64,
        thickness=((thickness,),) * 77,
    )


def plan_for(channels: int = 3, longest: int = 640, thickness: float = 200.0, **asked: Any) -> Plan:
    return make_plan(
        make_recipe(**asked),
        fingerprint(channels, longest, thickness),
        num_train=77,
        num_classes=2,
        weights_at_hand=True,
        data_format="channels_first",
    )


def test_every_number_of_the_default() -> None:
    plan = plan_for()
    assert (plan.model.name, plan.model.weights, plan.size) == ("mobilenet_v2", "imagenet", 256)
    assert (plan.epochs, plan.steps_per_epoch, plan.batch_size) == (40, 20, 4)
    assert (plan.learning_rate, plan.encoder_rate) == (1e-3, 0.3)
    assert (plan.schedule, plan.warm_up_steps) == ("trapezoid", 40)
    assert (plan.average_every, plan.average_horizon) == (4, 67)
    assert (plan.plateau, plan.early_stopping) == (0, 0)
    assert plan.model.mean == (100.0,) * 3
    assert plan.summary() == (
        "mobilenet_v2, pretrained, at 256 × 256 pixels: 40 epochs of 20 steps with 4 images."
    )


def test_a_network_that_learns_from_nothing_measures_each_image_of_patches_by_itself() -> None:
    def chosen(**asked: Any) -> tuple[str, list[str]]:
        plan = plan_for(model="unet", **asked)
        said = [reason for reason in plan.reasons if reason.startswith("normalization ")]
        return plan.model.normalization, said

    for asked, name, reason in (
        ({"scale": 1}, "group+batch", "images lit unlike the others can be lost"),
        ({"batch_size": 3}, "group", "3 images at a time"),
        ({"scale": 1, "batch_size": 3}, "group", "3 images at a time"),
    ):
        given, (said,) = chosen(**asked)
        assert given == name
        assert said.startswith(f"normalization {name}: ")
        assert reason in said
    assert chosen() == ("batch", [])
    assert chosen(scale=1, normalization="batch") == ("batch", [])


@pytest.mark.parametrize(
    ("asked", "rate"),
    [
        ({"model": "unet"}, 3e-3),
        ({"pretrained": False}, 3e-3),
        ({"model": "unet", "learning_rate": 0.01}, 0.01),
        # Large steps diverge without a normalisation, and must become small ones by themselves.
        ({"model": "unet", "normalization": "none"}, 1e-3),
        ({"model": "unet", "plateau": 5}, 1e-3),
        ({"model": "mobilenet_v2", "pretrained": False}, 1e-3),
        ({"model": "fcn32"}, 1e-3),
    ],
)
def test_a_unet_learns_from_nothing_in_large_steps(asked: dict[str, Any], rate: float) -> None:
    plan = plan_for(**asked)
    assert plan.learning_rate == rate
    said = [why for why in plan.reasons if why.startswith("learning rate ")]
    assert len(said) == (rate == 3e-3)


@pytest.mark.parametrize(("precision", "says"), [("float32", 0), ("bfloat16", 1)])
def test_says_why_convolutions_multiply_in_16_bits(precision: str, says: int) -> None:
    plan = make_plan(
        make_recipe(),
        fingerprint(),
        num_train=77,
        num_classes=2,
        weights_at_hand=True,
        data_format="channels_first",
        precision=precision,
    )
    assert plan.precision == precision
    assert len([why for why in plan.reasons if why.startswith("bfloat16: ")]) == says


def test_few_long_epochs_are_averaged_as_finely_as_many_short_ones() -> None:
    long = plan_for(scale=1, epochs=1, batch_size=1)
    assert long.steps_per_epoch > 100
    assert long.average_every == 4 < long.average_horizon
    # The average never forgets all of what it knew.
    short = plan_for(epochs=1)
    assert short.average_every <= short.average_horizon


def test_a_high_learning_rate_does_not_freeze_the_encoder() -> None:
    plan = plan_for(learning_rate=0.9)
    assert plan.encoder_rate == 0.000333
    assert Plan.from_values(tomllib.loads(plan.to_toml())) == plan


@pytest.mark.parametrize(
    ("asked", "depth", "reason"),
    [
        ({"size": 128}, 4, None),
        ({"size": 96}, 3, "depth 3: one more level would hold 3 × 3 pixels of 96."),
        ({"size": 64, "scale": 1}, 3, "depth 3: one more level would hold 2 × 2 pixels of 64."),
        ({"size": 32}, 2, "depth 2: one more level would hold 2 × 2 pixels of 32."),
        ({"size": 64, "depth": 4}, 4, None),
        ({"size": 64, "depth": 2}, 2, None),
        ({"size": 64, "model": "mobilenet_v2"}, 4, None),
    ],
)
def test_the_deepest_level_has_room_for_four_pixels_a_side(
    asked: dict[str, Any], depth: int, reason: str | None
) -> None:
    plan = plan_for(**{"model": "unet", **asked})
    assert plan.model.depth == depth
    assert [why for why in plan.reasons if why.startswith("depth ")] == ([reason] if reason else [])
    assert plan.size % plan.model.stride == 0


def test_the_way_of_2017() -> None:
    plan = plan_for(model="unet", plateau=5, early_stopping=10, average=False, augment=False)
    assert (plan.schedule, plan.warm_up_steps, plan.learning_rate) == ("constant", 0, 1e-3)
    assert (plan.plateau, plan.early_stopping, plan.average_every) == (5, 10, 0)
    assert plan.augmentation == Augmentation.none()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"model": "unet", "dropout": 0.1, "learning_rate": 1, "tensorboard": True},
        {"scale": 0.37, "batch_size": 7},
    ],
)
def test_its_file_gives_the_same_plan(asked: dict[str, Any]) -> None:
    plan = plan_for(**asked)
    assert Plan.from_values(tomllib.loads(plan.to_toml())) == plan
    strange = replace(plan, reasons=('a "quoted" reason\nof two lines, ghế',))
    assert Plan.from_values(tomllib.loads(strange.to_toml())) == strange


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda values: values.pop("size"), "size missing or unknown"),
        (lambda values: values.update(pixel={}), "pixel missing or unknown"),
        (lambda values: values.update(speed=3), "speed missing or unknown"),
    ],
)
def test_refuses_a_file_with_other_keys(change: Any, found: str) -> None:
    values = tomllib.loads(plan_for().to_toml())
    change(values)
    with pytest.raises(ArgumentError) as error:
        Plan.from_values(values)
    assert str(error.value).startswith("plan.toml: expected the keys augmentation, average_every,")
    assert str(error.value).endswith(
        f"found {found}. Restore the file as it was written, or plan again."
    )


def test_follows_the_plan_of_an_older_run_as_it_was_followed_then() -> None:
    values = tomllib.loads(plan_for().to_toml())
    for name in ("precision", "threads", "try_mirrored", "tensorboard", "reasons"):
        del values[name]
    # Mirror images were always tried before a plan could say no, and all was in 32 bits.
    assert Plan.from_values(values) == replace(plan_for(), try_mirrored=True, reasons=())


def test_refuses_a_file_with_another_network() -> None:
    values = tomllib.loads(plan_for().to_toml())
    values["model"]["hight"] = 3
    with pytest.raises(ArgumentError, match=r"plan\.toml, \[model\]: expected the table as it was"):
        Plan.from_values(values)


@pytest.mark.parametrize(
    ("asked", "channels", "weights", "name", "pretrained", "reason"),
    [
        ({}, 3, True, "mobilenet_v2", True, "worth more than anything else"),
        ({}, 1, True, "mobilenet_v2", True, "worth more than anything else"),
        ({}, 4, True, "unet", False, "the images have 4 channels"),
        ({"pretrained": False}, 3, True, "unet", False, "were not wanted"),
        ({}, 3, False, "unet", False, "neither on this machine nor to be had"),
        ({"model": "unet"}, 3, True, "unet", False, None),
        ({"model": "resnet50"}, 3, True, "resnet50", True, None),
        ({"model": "resnet50"}, 3, False, "resnet50", False, "so it learns from nothing"),
        ({"model": "resnet50", "pretrained": False}, 3, True, "resnet50", False, None),
        ({"model": "fcn8"}, 3, True, "fcn8", True, None),
        ({"model": "fcn8"}, 1, False, "fcn8", False, "so it learns from nothing"),
    ],
)
def test_chooses_the_network_and_says_why(
    asked: dict[str, Any],
    channels: int,
    weights: bool,
    name: str,
    pretrained: bool,
    reason: str | None,
) -> None:
    chosen, starts_pretrained, reasons = choose_model(make_recipe(**asked), channels, weights)
    assert (chosen, starts_pretrained) == (name, pretrained)
    assert (reason in reasons[0]) if reason else (reasons == [])


def test_refuses_an_encoder_for_other_channels() -> None:
    with pytest.raises(ArgumentError) as error:
        plan_for(channels=4, model="resnet50")
    assert str(error.value) == (
        "--model resnet50: expected images with 1 or 3 channels, found 4 channels. "
        "Take --model unet, which takes any number."
    )


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"model": "mobilenet_v2", "depth": 3},
            "--depth 3: expected a network whose depth can be chosen, found --model mobilenet_v2, "
            "which has its own. Leave --depth out, or take --model unet.",
        ),
        (
            {"model": "fcn8", "width": 8},
            "--width 8: expected a network whose width can be chosen, found --model fcn8, "
            "which has its own. Leave --width out, or take --model unet.",
        ),
        (
            {"model": "fcn32", "normalization": "batch"},
            "--normalization batch: expected a network whose normalization can be chosen, found "
            "--model fcn32, which has its own. Leave --normalization out, or take --model unet.",
        ),
    ],
)
def test_refuses_what_a_network_does_not_let_one_choose(
    asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        plan_for(**asked)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("asked", "name", "longest", "size", "reasons"),
    [
        ({}, "unet", 640, 256, 1),
        ({}, "unet", 256, 256, 0),
        ({}, "unet", 100, 128, 0),  # the next multiple of 2 · 2⁴
        ({}, "resnet50", 100, 128, 0),
        ({}, "fcn16", 100, 128, 0),
        ({}, "unet", 2, 64, 0),
        ({"size": 300}, "resnet50", 320, 320, 1),
        ({"size": 100}, "unet", 640, 128, 2),
        ({"size": 33, "depth": 1}, "unet", 20, 36, 1),
        ({"scale": 1.0}, "unet", 640, 256, 0),
        ({"scale": 1.0}, "unet", 20, 32, 0),
        ({"scale": 1.0, "size": 100}, "unet", 640, 128, 1),
    ],
)
def test_chooses_a_size_that_the_network_can_take(
    asked: dict[str, Any], name: str, longest: int, size: int, reasons: int
) -> None:
    chosen, why = usual_size(make_recipe(**asked), name, longest)
    assert (chosen, len(why)) == (size, reasons)


def test_says_what_became_of_the_size() -> None:
    assert usual_size(Recipe(size=100), "unet", 640)[1] == [
        "size 128: 100 is no multiple of 32, the network's stride; the next is.",
        "size 128: images up to 640 pixels are seen with their longest side at 128; "
        "--size changes it.",
    ]


def test_every_number_of_patches() -> None:
    plan = plan_for(scale=1)
    assert (plan.size, plan.scale) == (256, Pixels.near(1, 256))
    # 77 images of 480 × 640 hold 361 patches of 256 × 256
    assert (plan.steps_per_epoch, plan.batch_size, plan.foreground_share) == (91, 4, 0.5)
    assert plan.augmentation.shift_probability == 0
    # What lies in a patch may stand any way; and a part tells nothing of the whole.
    assert plan.augmentation.rotation > plan_for().augmentation.rotation
    assert (plan.model.context, plan_for().model.context) == (False, True)
    assert plan.summary() == (
        "mobilenet_v2, pretrained, at 256 × 256 pixels: 40 epochs of 91 steps with 4 patches."
    )
    assert plan.reasons[-3:] == (
        "scale 1: patches of 256 pixels at the images' own scale; large images are predicted in "
        "tiles of 256 with 64 pixels of overlap.",
        "50 % of the patches are centred on foreground.",
        "An epoch is 364 patches, as many as cover the training images once.",
    )
    # With a budget an epoch is as long as it takes to be worth judging.
    assert plan_for(scale=1, budget="10m").reasons == plan.reasons[:-1]


@pytest.mark.parametrize(
    ("asked", "outlines"),
    [
        ({"scale": 1, "thickness": 12.0}, True),
        ({"scale": 1, "thickness": 12.0, "model": "unet"}, True),
        ({"scale": 1, "thickness": 12.0, "model": "fcn8"}, False),
        ({"scale": 1, "thickness": 20.0}, False),
        ({"thickness": 12.0}, False),
    ],
    ids=str,
)
def test_outlines_are_drawn_where_patches_hold_thin_things(
    asked: dict[str, Any], outlines: bool
) -> None:
    plan = plan_for(**asked)
    assert plan.model.outlines == outlines
    assert any(reason.startswith("outlines: ") for reason in plan.reasons) == outlines


def test_the_scale_of_whole_images_is_their_frame() -> None:
    plan = plan_for()
    assert (plan.scale, plan.pixels, plan.foreground_share) == (Frame(256), None, None)
    assert not {"pixels", "foreground_share"} & set(tomllib.loads(plan.to_toml()))


def test_a_file_with_half_a_scale_is_refused() -> None:
    values = tomllib.loads(plan_for(scale=1).to_toml())
    del values["pixels"]["tile"]
    with pytest.raises(ArgumentError, match=r"plan\.toml, \[pixels\]: expected the table as it w"):
        Plan.from_values(values)
