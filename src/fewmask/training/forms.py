"""Which form of what was trained becomes the model: one network or the mean of several, looking
at each image once or at its mirror image too, with classes left out that cover too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.evaluation.scores import confusion_matrix, mean_dice, mean_where_scored
from fewmask.inference.blocks import Model
from fewmask.models.spec import ModelSpec, build
from fewmask.training.comparing import middle, most_tried, take_pieces
from fewmask.training.looking import look_by, model_by
from fewmask.training.plan import Plan

Piece = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""A piece of an image `(H, W, C)` and of its mask `(H, W)`."""


@dataclass(frozen=True)
class Form:
    """One way to predict with what was trained.

    Args:
        core: The network, or the one that holds them all.
        spec: What it was built from.
        bundle: What travels with the model in this form.
        dice: Mean Dice on pieces of images that no network has learnt from; NaN where there is
            nothing to find, or nothing to choose from. Of one network, where there are several, it
            is the mean of what each of them reaches: the first may be the luckiest.
        dice_of_all: The same, if no class is left out for covering too little.
    """

    core: Any
    spec: ModelSpec
    bundle: Bundle
    dice: float = float("nan")
    dice_of_all: float = float("nan")

    @property
    def words(self) -> str:
        """What a reader should know of it: `is the mean of 5 networks and looks at each ...`."""
        mirrored = self.bundle.mirrored
        looks = "each image and at its mirror image" if mirrored else "each image once"
        if self.spec.networks == 1:
            return f"looks at {looks}"
        return f"is the mean of {self.spec.networks} networks and looks at {looks}"


def choose_form(
    networks: Sequence[Any],
    plan: Plan,
    bundle: Bundle,
    held_out: Dataset | None,
    progress: Callable[[int, int], None],
) -> tuple[Form, Form]:
    """Finds the form that predicts held-out images best.

    The forms are tried from the plainest on, and a later one must be better than all before.
    All predict pieces of images at their own size, see `most_tried`. In each of them classes that
    cover too little are left out, unless held-out images lose by it: that the masks speak for it
    is a reason even where no held-out image does.

    Args:
        networks: The networks that were trained.
        plan: Their plan. Mirror images are tried where it flips images left and right, unless it
            says otherwise.
        bundle: What travels with the model, with the least areas that the masks suggest.
        held_out: Images that none has learnt from, with masks; without them the plainest form
            is taken.
        progress: Is told `(done, total)` forms.

    Returns:
        The best form, and the plainest.
    """
    mirrored = (False, True) if plan.mirrored_too else (False,)
    cores = {1: networks}
    if len(networks) > 1:
        cores[len(networks)] = [_together(networks, plan)]
    forms = [
        Form(each[0], replace(plan.model, networks=count), replace(bundle, mirrored=twice))
        for count, each in cores.items()
        for twice in mirrored
    ]
    if held_out is None or (len(forms) == 1 and bundle.least_areas is None):
        return forms[0], forms[0]
    pieces = [
        (pixels, middle(held_out.read_mask(index), *pixels.shape[:2]))
        for index, pixels in take_pieces(held_out, bundle, most=most_tried(plan))
    ]
    first = plan.data_format == "channels_first"
    looks = {count: [look_by(core, first) for core in each] for count, each in cores.items()}
    scored = []
    for done, form in enumerate(forms):
        models = [model_by(look, form.bundle) for look in looks[form.spec.networks]]
        dice, dice_of_all = np.mean([_score(model, pieces, bundle) for model in models], axis=0)
        form = replace(form, dice=float(dice), dice_of_all=float(dice_of_all))
        scored.append(_with_all_classes(form) if form.dice < form.dice_of_all else form)
        progress(done + 1, len(forms))
    best = scored[0]
    for form in scored[1:]:
        if form.dice > best.dice:  # NaN is no gain
            best = form
    return best, scored[0]


def _together(networks: Sequence[Any], plan: Plan) -> Any:
    """Builds the network that holds all of them."""
    core = build(replace(plan.model, networks=len(networks)), plan.data_format)
    core.set_weights([each for network in networks for each in network.get_weights()])
    return core


def _with_all_classes(form: Form) -> Form:
    bundle = replace(form.bundle, least_areas=None)
    return replace(form, bundle=bundle, dice=form.dice_of_all)


def _score(model: Model, pieces: Sequence[Piece], bundle: Bundle) -> tuple[float, float]:
    """Scores a model, once with classes left out that cover too little, and once with all."""
    classes, least = bundle.classes, bundle.least_areas

    def dice(truth: NDArray[np.uint8], label_map: NDArray[np.uint8]) -> float:
        counts = confusion_matrix(truth, label_map, classes.num_classes, classes.ignore_index)
        return float(mean_dice(counts))

    scores = []
    for pixels, truth in pieces:
        whole = model(pixels)[0]
        left = whole if least is None else least.leave_out(whole)
        of_whole = dice(truth, whole)
        scores.append((of_whole if left is whole else dice(truth, left), of_whole))
    left_out, of_all = (float(mean_where_scored(each)) for each in np.array(scores).T)
    return left_out, of_all
