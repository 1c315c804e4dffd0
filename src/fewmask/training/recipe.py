"""The recipe: what the user asks of a training."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any, NoReturn

from fewmask.errors import ArgumentError
from fewmask.models.names import NAMES, NORMALIZATIONS
from fewmask.scale.pixels import LARGEST_SCALE
from fewmask.training.clock import parse_budget

MODELS = ("auto", *NAMES)
LOSSES = ("cross-entropy+dice", "cross-entropy", "dice", "focal", "tversky")
"""Names in `models.losses`, which cannot be asked here without starting Keras."""

_WHOLE_NUMBERS: dict[str, tuple[int, int | None]] = {
    "epochs": (1, None),
    "size": (32, 4096),
    "batch_size": (1, None),
    "width": (4, 512),
    "depth": (1, 7),
    "plateau": (1, None),
    "early_stopping": (1, None),
    "seed": (0, 2**31 - 1),
}


_CHOICES = {"model": MODELS, "loss": LOSSES, "normalization": NORMALIZATIONS}


@dataclass(frozen=True)
class Recipe:
    """What the user asks for; everything else follows from the data and stands in the plan.

    Args:
        model: `"unet"` learns from nothing; the name of an encoder puts a light decoder on a
            network that has already seen a million photographs; `"fcn8"`, `"fcn16"` and
            `"fcn32"` put nothing but a score a class on `mobilenet_v2`; `"auto"` takes
            `mobilenet_v2` for images with 1 or 3 channels if its weights are to be had.
        pretrained: Whether an encoder starts from its ImageNet weights.
        budget: Seconds that everything may take, from the start of the process to the report;
            the plan then decides what is not said here. `make_recipe` also reads `"10m"`.
        epochs: Passes over the training images; 40 when left out. Without a budget.
        size: Side of the square that the model sees, in pixels (longest side of an image);
            256 when left out, less where no image is that large, or as the budget allows. With
            `scale` it is the side of the patches.
        scale: Left out, the model sees each image as a whole, its longest side at `size`
            pixels; with a budget and no `size` it may learn from patches all the same, where
            things are thin. With it, it learns from patches of images that are scaled by
            this factor, above 0 and at most 2: 1 is their own scale.
        batch_size: Images a step; 4 when left out.
        learning_rate: Highest learning rate; when left out 3e-3 for a U-Net, else 1e-3, with a
            budget up to 3e-3. A pretrained encoder learns with 3e-4 at most.
        width: Channels of the finest level of the U-Net, or of the decoder on an encoder; 16
            when left out. An FCN has neither this nor a normalisation of its own.
        depth: Times a U-Net halves its finest level; when left out 4, and less where the deepest
            level would have less than four pixels a side. An encoder has its own.
        normalization: One of `NORMALIZATIONS`. Left out: `"group"` in the decoder on an encoder and
            where batches have fewer than four images; else `"batch"` in a U-Net that sees whole
            images, `"group+batch"` in one that learns from patches.
        dropout: Share of features dropped in training, 0 to below 1.
        loss: One of `LOSSES`.
        augment: Whether training images are flipped, turned, scaled and recoloured.
        plateau: Epochs without a better validation loss after which the learning rate is cut
            to a tenth, as in 2017; left out, it warms up and falls to zero at the end.
        early_stopping: Epochs without a better validation Dice after which training ends.
        average: Whether the model to use is the running average of the weights.
        seed: Seed of everything that is drawn.
        tensorboard: Whether curves are also written for TensorBoard.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    model: str = "auto"
    pretrained: bool = True
    budget: float | None = None
    epochs: int | None = None
    size: int | None = None
    scale: float | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    width: int | None = None
    depth: int | None = None
    normalization: str | None = None
    dropout: float = 0.0
    loss: str = LOSSES[0]
    augment: bool = True
    plateau: int | None = None
    early_stopping: int | None = None
    average: bool = True
    seed: int = 0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices and not (value is None and name == "normalization"):
                near = difflib.get_close_matches(str(value), choices, 1) or [choices[0]]
                _refuse(name, f"one of {', '.join(choices)}", value, near[0])
        for name, (low, high) in _WHOLE_NUMBERS.items():
            value = getattr(self, name)
            if value is None:
                continue
            limit = f"{low} or more" if high is None else f"{low} to {high}"
            if isinstance(value, bool) or not isinstance(value, int):
                _refuse(name, f"a whole number, {limit}", value, low)
            if value < low:
                _refuse(name, f"a whole number, {limit}", value, low)
            if high is not None and value > high:
                _refuse(name, f"a whole number, {limit}", value, high)
        if not _is_number(self.dropout) or not 0 <= self.dropout < 1:
            _refuse("dropout", "a number from 0 to below 1", self.dropout, 0.1)
        rate = self.learning_rate
        if rate is not None and (not _is_number(rate) or not 0 < rate <= 1):
            _refuse("learning_rate", "a number above 0, up to 1", rate, 0.001)
        scale = self.scale
        if scale is not None and (not _is_number(scale) or not 0 < scale <= LARGEST_SCALE):
            _refuse("scale", f"a number above 0, up to {LARGEST_SCALE:g}", scale, 1)
        if self.budget is not None:
            parse_budget(self.budget)
        if self.budget is not None and self.epochs is not None:
            raise ArgumentError(
                "--budget",
                "either a budget or a number of epochs",
                f"both, and {self.epochs} epochs take as long as they take",
                "Leave --epochs out.",
            )
        for name in ("pretrained", "augment", "average", "tensorboard"):
            if not isinstance(getattr(self, name), bool):
                _refuse(name, "True or False", getattr(self, name), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(name: str, expected: str, found: object, instead: object) -> NoReturn:
    where = option(name) if instead is not None else name
    remedy = f"Try {where} {instead}." if instead is not None else "Give one of the two."
    raise ArgumentError(where, expected, repr(found), remedy)


def option(name: str) -> str:
    """Returns the command-line spelling of a recipe field; its name if Python alone has it."""
    spelling = {"pretrained": "--scratch", "augment": "--no-augment", "average": "average"}
    return spelling.get(name, "--" + name.replace("_", "-"))


def make_recipe(**asked: Any) -> Recipe:
    """Makes a recipe of keyword arguments; None means "as you think best".

    Args:
        asked: Fields of `Recipe`.

    Raises:
        ArgumentError: If a name is no field, or a value is out of its range.

    Example:

    >>> make_recipe(budget="10m").budget
    600.0
    """
    names = [field.name for field in fields(Recipe)]
    for name in asked:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1) or names[:1]
            raise ArgumentError(
                name, f"one of {', '.join(names)}", "no such field", f"Did you mean {near[0]}?"
            )
    given = {name: value for name, value in asked.items() if value is not None}
    if "budget" in given:
        given["budget"] = parse_budget(given["budget"])
    return Recipe(**given)
