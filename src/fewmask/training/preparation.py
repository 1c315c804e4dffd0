"""What comes before a training: the data read and measured, the plan made."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint, take_fingerprint
from fewmask.data.imageio import DEFAULT_MAX_PIXELS, read_size
from fewmask.data.parts import Parts, assign_parts, groups_of
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError
from fewmask.files import expanded
from fewmask.models.backend import backend_notice, fast_data_format
from fewmask.models.precision import fast_precision
from fewmask.models.pretrained import find_weights
from fewmask.models.spec import encoder_of
from fewmask.training.augmentation_choice import choose_augmentation
from fewmask.training.budget_plan import plan_for_budget
from fewmask.training.clock import Clock
from fewmask.training.ending import Ending
from fewmask.training.events import Listener, Said, print_events, working
from fewmask.training.first_look import take_first_look
from fewmask.training.plan import Plan
from fewmask.training.probe import Probe, make_probe
from fewmask.training.recipe import Recipe, make_recipe
from fewmask.training.source import Source
from fewmask.training.usual_plan import ENCODER, make_plan

WORTH_A_LOOK = 120.0
"""Seconds of a budget from which on a few of them are well spent on a first look."""


@dataclass(frozen=True)
class Prepared:
    """All that a training needs to begin.

    Args:
        dataset: The dataset.
        source: How it was read, so that it can be read again.
        parts: What each of its samples is used for.
        fingerprint: What was measured of the training part.
        plan: Every number of the training.
        weights_file: Pretrained weights of the encoder, if it begins with any.
        clock: The budget, if there is one.
    """

    dataset: Dataset
    source: Source
    parts: Parts
    fingerprint: Fingerprint
    plan: Plan
    weights_file: Path | None
    clock: Clock | None


def plan(
    dataset: Dataset | str | Path,
    *,
    listener: Listener = print_events,
    began: float | None = None,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    **asked: Any,
) -> Plan:
    """Plans a training without doing it.

    Args:
        dataset: A dataset, or the folder or name of one.
        listener: Is told what happens; prints it when left out.
        began: Where `time.monotonic` stood when the budget began to run; now when left out.
        masks: See `load_dataset`, as what follows.
        classes: What the masks' values mean.
        ignore_index: Mask value whose pixels do not count.
        threshold: Grey value from which on a mask is foreground.
        max_pixels: Most pixels of a picture that is opened.
        asked: Fields of `Recipe`: `budget`, `model`, `size` and so on.

    Returns:
        The plan, for `train(dataset, plan=...)`; its `reasons` say why it is what it is.

    Raises:
        FewmaskError: If the data or an argument will not do; it says which.
    """
    prepared = prepare(
        dataset,
        make_recipe(**asked),
        None,
        time.monotonic() if began is None else began,
        listener,
        masks=masks,
        classes=classes,
        ignore_index=ignore_index,
        threshold=threshold,
        max_pixels=max_pixels,
    )
    return prepared.plan


def prepare(
    dataset: Dataset | str | Path,
    recipe: Recipe,
    given: Plan | None,
    began: float,
    listener: Listener,
    *,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Prepared:
    """Reads and measures a dataset, and plans its training.

    Args:
        dataset: A dataset, or the folder or name of one.
        recipe: What the user asks.
        given: A plan to follow as it is; the recipe then decides nothing.
        began: Where `time.monotonic` stood when the budget began to run.
        listener: Is told what happens.
        masks: See `load_dataset`, as what follows.
        classes: What the masks' values mean.
        ignore_index: Mask value whose pixels do not count.
        threshold: Grey value from which on a mask is foreground.
        max_pixels: Most pixels of a picture that is opened.

    Raises:
        FewmaskError: If the data, the recipe or the plan will not do; it says which.
    """
    source = Source(None)
    if isinstance(dataset, Dataset):
        limit = None if max_pixels == DEFAULT_MAX_PIXELS else max_pixels
        _check_read_already(dataset, masks, classes, ignore_index, threshold, limit)
    else:
        source = Source.of(dataset, masks, classes, ignore_index, threshold, max_pixels)
        dataset = source.read(working(listener, "reading the dataset"))
        source = source.pinned(dataset)
    seed = recipe.seed if given is None else given.seed
    parts = assign_parts(dataset, seed, progress=working(listener, "reading the masks"))
    if given is None:
        waits = ("--early-stopping", recipe.early_stopping), ("--plateau", recipe.plateau)
    else:
        waits = ("early_stopping", given.early_stopping), ("plateau", given.plateau)
        _check_networks(parts, given)
    _check_patience(parts, *waits)
    # Measured on the training part alone: what is tested on takes no part in anything.
    fingerprint = take_fingerprint(parts.train, working(listener, "measuring the images"))
    for sentence in (*dataset.findings, *parts.findings, _in_a_sentence(parts)):
        listener(Said(sentence))
    clock = None if recipe.budget is None else Clock(recipe.budget, began=began)
    if given is not None:
        plan, weights_file = given, _weights_for(given, fingerprint)
    else:
        plan, weights_file, clock = _plan(recipe, parts, fingerprint, clock, listener)
    notice = backend_notice()
    for sentence in (*([notice] if notice else []), *plan.reasons, plan.summary()):
        listener(Said(sentence))
    return Prepared(dataset, source, parts, fingerprint, plan, weights_file, clock)


def read_plan(path: str | Path) -> Plan:
    """Reads a plan that `fewmask plan` or a training wrote, and that may have been edited.

    Args:
        path: The file.

    Raises:
        ArgumentError: If it is no file, or no plan.
    """
    try:
        values = tomllib.loads(expanded(path).read_text("utf-8"))
    except OSError as error:
        raise ArgumentError(
            f"--plan {path}",
            "a plan.toml",
            error.strerror or str(error),
            "Make one: fewmask plan FOLDER --budget 10m",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(
            f"--plan {path}", "TOML", str(error), "Undo the last change to the file."
        ) from error
    return Plan.from_values(values, f"--plan {path}")


def _plan(
    recipe: Recipe,
    parts: Parts,
    fingerprint: Fingerprint,
    clock: Clock | None,
    listener: Listener,
) -> tuple[Plan, Path | None, Clock | None]:
    """Derives the plan, with a look at this machine where there is a budget to keep."""
    encoder = encoder_of(recipe.model)
    if recipe.model == "auto" and recipe.depth is None:
        encoder = ENCODER  # a depth can be asked of a U-Net alone
    weights_file = None
    if recipe.pretrained and encoder is not None and fingerprint.num_channels in (1, 3):
        listener(Said(f"Looking for the pretrained weights of {encoder}: here, else fetched once."))
        weights_file = find_weights(encoder)

    def make(asked: Recipe) -> Plan:
        return make_plan(
            asked,
            fingerprint,
            num_train=len(parts.train),
            num_classes=len(fingerprint.class_pixels),
            weights_at_hand=weights_file is not None,
            data_format=fast_data_format(),
            precision=fast_precision(),
        )

    if clock is None:
        return make(recipe), weights_file, None
    looked = None
    if clock.budget >= WORTH_A_LOOK:
        progress = working(listener, "looking at the images")
        looked = take_first_look(parts.train, fingerprint, recipe.seed, progress)
    progress = working(listener, "measuring this machine")

    def probe_of(plan: Plan) -> tuple[Probe, float]:
        progress(0, 2)
        began = time.monotonic()
        probe = make_probe(plan, weights_file if plan.model.weights else None)
        progress(1, 2)
        return probe, time.monotonic() - began

    judged_by: list[tuple[int, int]] = []
    groups = 0
    if parts.validation is not None:
        judged_by = _sizes(parts.validation)
        groups = len(set(groups_of(parts.train, range(len(parts.train)))))
    plan, clock = plan_for_budget(
        recipe,
        make,
        fingerprint,
        clock,
        Ending(
            _sizes(parts.test),
            judged_by,
            _sizes(parts.train),
            fingerprint.least_areas(at_own_scale=False) is not None,
        ),
        judged_by,
        probe_of,
        groups,
    )
    progress(2, 2)
    if looked is not None:
        why: tuple[str, ...] = ()
        augmentation = plan.augmentation
        if recipe.augment:
            whole_images = plan.pixels is None
            augmentation, why = choose_augmentation(augmentation, looked.symmetries, whole_images)
        reasons = (*plan.reasons, *why, *looked.sentences)
        plan = replace(plan, augmentation=augmentation, reasons=reasons)
    return plan, weights_file, clock


def _sizes(dataset: Dataset) -> list[tuple[int, int]]:
    """Reads height and width of the images of a part."""
    paths = (dataset.image_path(index) for index in range(len(dataset)))
    return [read_size(path, dataset.max_pixels) for path in paths]


def _weights_for(plan: Plan, fingerprint: Fingerprint) -> Path | None:
    """Makes sure that a plan that was given fits the data; finds the weights it begins with."""
    for name, planned, found in (
        ("channels", plan.model.channels, fingerprint.num_channels),
        ("num_classes", plan.model.num_classes, len(fingerprint.class_pixels)),
    ):
        if planned != found:
            raise ArgumentError(
                "--plan", f"{name} = {found}, as in these images", str(planned), "Plan again."
            )
    encoder = plan.model.encoder
    if encoder is None or plan.model.weights is None:
        return None
    weights_file = find_weights(encoder)
    if weights_file is None:
        raise ArgumentError(
            "--plan",
            f"the pretrained weights of {encoder}, which it begins with",
            "neither a copy on this machine nor a network to fetch them from",
            "Train with a network, or plan again with --scratch.",
        )
    return weights_file


def _in_a_sentence(parts: Parts) -> str:
    classes = ", ".join(parts.train.classes.names) if parts.train.classes else "none"
    counts = [f"Training on {counted(len(parts.train), 'image')}"]
    if parts.validation is not None:
        counts.append(f"choosing by {len(parts.validation)}")
    return f"{', '.join([*counts, f'testing on {len(parts.test)}'])}; classes: {classes}."


def _check_patience(parts: Parts, *asked: tuple[str, int | None]) -> None:
    """Refuses to wait for better validation scores where there will be none."""
    for name, epochs in asked:
        if epochs and parts.validation is None:
            raise ArgumentError(
                name,
                "validation images to judge the epochs by",
                f"{counted(len(parts.train), 'training image')}, too few to spare any",
                f"Leave {name} out, or add images.",
            )


def _check_networks(parts: Parts, plan: Plan) -> None:
    """Refuses several networks where there are too few images for each to leave some out."""
    groups = len(set(groups_of(parts.train, range(len(parts.train)))))
    if plan.networks > 1 and (parts.validation is None or groups < plan.networks):
        raise ArgumentError(
            "--plan",
            f"validation images, and a group of training images for each of {plan.networks} "
            "networks to leave out",
            f"{counted(groups, 'group')} of {counted(len(parts.train), 'training image')}",
            "Leave later_paces out of the plan, or add images.",
        )


def _check_read_already(dataset: Dataset, *decisions: object) -> None:
    """Refuses decisions about how to read a dataset that was read before."""
    if any(decision not in (None, (), []) for decision in decisions):
        raise ArgumentError(
            "dataset",
            "masks, classes, ignore_index, threshold and max_pixels with a folder alone",
            f"them beside {dataset.name}, which has been read already",
            "Give them to load_dataset.",
        )
