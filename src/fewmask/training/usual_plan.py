"""The usual plan: every number of a training, derived from the recipe and the data."""

from __future__ import annotations

import math

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError
from fewmask.models.names import ENCODERS, FCN_STRIDES
from fewmask.models.spec import ModelSpec
from fewmask.training.pace import Pace
from fewmask.training.patch_plan import PatchPlan, augmentation_of_patches, plan_patches
from fewmask.training.plan import Plan
from fewmask.training.recipe import Recipe, option
from fewmask.training.scale_choice import are_thin

EPOCHS = 40
SIZE = 256
SMALLEST_SIZE = 64
ENCODER = "mobilenet_v2"
"""The encoder that `--model auto` takes."""
# At half the resolution a step takes a third of the time, and each pixel still predicts 2 × 2:
# in the same minutes the same network learns more from larger pictures.
STEM_STRIDE = 2
DEPTH = 4
# Below that the deepest level sees everything at once, and there is hardly a place left in it.
LEAST_AT_THE_BOTTOM = 4
WIDTH = 16
# The statistics of four images are poor, but the averaged weights average them too, and a network
# that learns from nothing learns faster so. Below four they are no statistics.
FEWEST_FOR_BATCH_NORMALIZATION = 4
# Four images are enough for group normalisation and frozen statistics; more would only
# mean fewer steps in the same time.
BATCH_SIZE = 4
LEARNING_RATE = 1e-3
# A network that learns from nothing has nothing to forget, and finds more by larger steps.
RATE_FROM_NOTHING = 3e-3
# What has seen a million photographs is to be adapted, not learnt anew, however fast the rest
# learns.
ENCODER_RATE = 3e-4
SHARE_OF_WARM_UP = 0.05
# The average forgets over the last twelfth of the training: long enough to smooth the steps,
# short enough to have forgotten the beginning when the schedule ends.
SHARE_OF_AVERAGE = 1 / 12
_WHY_OUTLINES = (
    "outlines: things are so thin that the network sees the image once more at its full resolution."
)
_WHY_SHORT = (
    "bfloat16: this processor has a unit for products of such matrices (AMX). All sums, and the "
    "model, are float32."
)
# What cannot be chosen of a network, beside the depth of any encoder.
_FIXED = dict.fromkeys(FCN_STRIDES, ("depth", "width", "normalization"))


def make_plan(
    recipe: Recipe,
    fingerprint: Fingerprint,
    *,
    num_train: int,
    num_classes: int,
    weights_at_hand: bool,
    data_format: str,
    precision: str = "float32",
) -> Plan:
    """Derives every number of a training.

    Args:
        recipe: What the user asks.
        fingerprint: What was measured of the dataset.
        num_train: Number of training images.
        num_classes: Number of classes K.
        weights_at_hand: Whether the pretrained weights of the encoder are on this machine.
        data_format: `"channels_first"` where the backend trains faster so.
        precision: `"bfloat16"` where this machine trains faster so.

    Returns:
        The plan, with a reason for everything that was chosen.

    Raises:
        ArgumentError: If an encoder is asked for pictures that it cannot take.
    """
    channels = fingerprint.num_channels
    longest_side = max(max(height, width) for height, width, _ in fingerprint.sizes)
    name, pretrained, why_model = choose_model(recipe, channels, weights_at_hand)
    size, why_size = usual_size(recipe, name, math.ceil(longest_side * (recipe.scale or 1)))
    depth, why_depth = choose_depth(recipe, name, size)
    epochs = recipe.epochs or EPOCHS
    batch_size = recipe.batch_size or BATCH_SIZE
    normalization, why_normalization = choose_normalization(
        recipe, name, batch_size, in_patches=recipe.scale is not None
    )
    learning_rate, why_rate = choose_learning_rate(recipe, name, normalization)
    outlines = (
        recipe.scale is not None and name not in FCN_STRIDES and are_thin(fingerprint, recipe.scale)
    )
    model = ModelSpec(
        name=name,
        num_classes=num_classes,
        channels=channels,
        depth=depth,
        width=recipe.width or WIDTH,
        normalization=normalization,
        stem_stride=STEM_STRIDE if name == "unet" else 1,
        dropout=recipe.dropout,
        shortcut=name not in FCN_STRIDES,
        # A patch is no whole picture: what surrounds it would be missing from the mean.
        context=name in ENCODERS and recipe.scale is None,
        outlines=outlines,
        weights="imagenet" if pretrained else None,
        mean=tuple(round(value, 3) for value in fingerprint.mean),
        std=tuple(round(value, 3) for value in fingerprint.standard_deviation),
    )
    patches: PatchPlan | None = None
    why_patches: tuple[str, ...] = ()
    if recipe.scale is not None:
        patches = plan_patches(recipe.scale, fingerprint, size, batch_size)
        why_patches = patches.reasons
        if outlines:
            why_patches = (*why_patches, _WHY_OUTLINES)
        if recipe.budget is None:
            why_patches = (*why_patches, patches.why_epoch)
    steps = patches.steps_per_epoch if patches else math.ceil(num_train / batch_size)
    total = steps * epochs
    horizon = max(1, round(total * SHARE_OF_AVERAGE))
    augmentation = augmentation_of_patches() if patches else Augmentation()
    return Plan(
        model=model,
        size=size,
        pace=Pace.even(total),
        steps_per_epoch=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        encoder_rate=share_of_encoder(learning_rate) if pretrained else 1.0,
        warm_up_steps=max(1, round(total * SHARE_OF_WARM_UP)) if recipe.plateau is None else 0,
        schedule="trapezoid" if recipe.plateau is None else "constant",
        weight_decay=1e-2,
        loss=recipe.loss,
        augmentation=augmentation if recipe.augment else Augmentation.none(),
        # A look every fourth step costs 2 % of the time; more often the average is no better.
        average_every=min(4, steps, horizon) if recipe.average else 0,
        average_horizon=horizon,
        plateau=recipe.plateau or 0,
        early_stopping=recipe.early_stopping or 0,
        seed=recipe.seed,
        data_format=data_format,
        precision=precision,
        tensorboard=recipe.tensorboard,
        pixels=patches.pixels if patches else None,
        foreground_share=patches.foreground_share if patches else None,
        reasons=(
            *why_model,
            *why_normalization,
            *why_rate,
            *why_size,
            *why_depth,
            *why_patches,
            *([_WHY_SHORT] if precision == "bfloat16" else []),
        ),
    )


def share_of_encoder(learning_rate: float) -> float:
    """Returns the learning rate of a pretrained encoder as a share of the others'.

    Args:
        learning_rate: The highest learning rate of the others.

    Example:

    >>> share_of_encoder(1e-3), share_of_encoder(3e-3), share_of_encoder(1e-4)
    (0.3, 0.1, 1.0)
    """
    return min(1.0, float(f"{ENCODER_RATE / learning_rate:.3g}"))


def choose_model(
    recipe: Recipe, channels: int, weights_at_hand: bool
) -> tuple[str, bool, list[str]]:
    """Chooses the network.

    Args:
        recipe: What the user asks.
        channels: Channels of the images.
        weights_at_hand: Whether the pretrained weights are on this machine.

    Returns:
        Its name, whether it starts pretrained, and why.

    Raises:
        ArgumentError: If something is asked that the network does not let one choose.
    """
    name = recipe.model
    fits = channels in (1, 3)
    if name == "unet":
        return name, False, []
    for given in () if name == "auto" else _FIXED.get(name, ("depth",)):
        if (value := getattr(recipe, given)) is not None:
            raise ArgumentError(
                f"{option(given)} {value}",
                f"a network whose {given} can be chosen",
                f"--model {name}, which has its own",
                f"Leave {option(given)} out, or take --model unet.",
            )
    if name != "auto" and recipe.pretrained and not weights_at_hand:
        reason = (
            f"model {name}: its pretrained weights are neither on this machine nor to be had, "
            "so it learns from nothing."
        )
        return name, False, [reason]
    if name != "auto":
        return name, recipe.pretrained, []
    if recipe.depth is not None:
        reason = "model unet: --depth was asked for, which a pretrained encoder has of its own."
    elif not fits:
        reason = f"model unet: the images have {channels} channels, pretrained encoders take 3."
    elif not recipe.pretrained:
        reason = "model unet: pretrained weights were not wanted."
    elif not weights_at_hand:
        reason = (
            f"model unet: the pretrained weights of {ENCODER} are neither on this machine nor to "
            "be had, so it learns from nothing."
        )
    else:
        reason = (
            f"model {ENCODER}: on photographs an encoder that has seen a million of them is "
            "worth more than anything else; --model unet learns from nothing."
        )
        return ENCODER, True, [reason]
    return "unet", False, [reason]


def choose_normalization(
    recipe: Recipe, name: str, batch_size: int, *, in_patches: bool
) -> tuple[str, list[str]]:
    """Chooses what follows each convolution that learns from nothing.

    Args:
        recipe: What the user asks.
        name: The network.
        batch_size: Images a step.
        in_patches: Whether it learns from patches.

    Returns:
        Its name, and why where the data had a say.
    """
    if recipe.normalization is not None or name != "unet":
        return recipe.normalization or "group", []
    if batch_size < FEWEST_FOR_BATCH_NORMALIZATION:
        many = counted(batch_size, "image")
        return "group", [f"normalization group: statistics need more than {many} at a time."]
    if in_patches:
        return "group+batch", [
            "normalization group+batch: by batch alone, images lit unlike the others can be lost."
        ]
    return "batch", []


def choose_learning_rate(recipe: Recipe, name: str, normalization: str) -> tuple[float, list[str]]:
    """Chooses the highest learning rate, as far as the number of steps has no say in it.

    Args:
        recipe: What the user asks.
        name: The network.
        normalization: What follows each of its convolutions; without any, large steps diverge.

    Returns:
        It, and why where it is not the usual one.
    """
    if recipe.learning_rate is not None:
        return float(recipe.learning_rate), []
    # Where nothing but a plateau brings it down, it stays high for too long.
    if name != "unet" or normalization == "none" or recipe.plateau is not None:
        return LEARNING_RATE, []
    return RATE_FROM_NOTHING, [
        f"learning rate {RATE_FROM_NOTHING:g}: what learns from nothing learns more in large steps."
    ]


def choose_depth(recipe: Recipe, name: str, size: int) -> tuple[int, list[str]]:
    """Chooses how often a U-Net halves its finest level.

    Args:
        recipe: What the user asks.
        name: The network.
        size: Side of the squares that it sees.

    Returns:
        Its depth, and why where there is not room for the usual one.
    """
    room = int(math.log2(max(2.0, size / STEM_STRIDE / LEAST_AT_THE_BOTTOM)))
    if recipe.depth is not None or name != "unet" or room >= DEPTH:
        return recipe.depth or DEPTH, []
    side = size // STEM_STRIDE // 2 ** (room + 1)
    return room, [f"depth {room}: one more level would hold {side} × {side} pixels of {size}."]


def usual_size(recipe: Recipe, name: str, longest_side: int) -> tuple[int, list[str]]:
    """Chooses the side of the square that the model sees.

    Args:
        recipe: What the user asks.
        name: The network.
        longest_side: Longest side of all images, in pixels at the scale that was asked for.

    Returns:
        A multiple of the network's stride, and why.
    """
    stride = STEM_STRIDE * 2 ** (recipe.depth or DEPTH) if name == "unet" else 32
    # A patch of a small image would hold nothing more than its reflections.
    smallest = SMALLEST_SIZE if recipe.scale is None else 1
    wanted = recipe.size or min(SIZE, max(longest_side, smallest))
    size = math.ceil(wanted / stride) * stride
    reasons = []
    if recipe.size is not None and size != wanted:
        reasons.append(
            f"size {size}: {wanted} is no multiple of {stride}, the network's stride; the next is."
        )
    if size < longest_side and recipe.scale is None:
        reasons.append(
            f"size {size}: images up to {longest_side} pixels are seen with their longest side at "
            f"{size}; --size changes it."
        )
    return size, reasons
