"""What the values of a plan may be, since its file may be edited."""

from __future__ import annotations

from typing import Any, NoReturn

from fewmask.errors import ArgumentError
from fewmask.models.names import PRECISIONS
from fewmask.models.spec import ModelSpec
from fewmask.scale.pixels import Pixels
from fewmask.training.recipe import LOSSES

_LEAST = {
    "size": 1,
    "steps_per_epoch": 1,
    "batch_size": 1,
    "warm_up_steps": 0,
    "average_every": 0,
    "average_horizon": 1,
    "plateau": 0,
    "early_stopping": 0,
    "seed": 0,
    "threads": 0,
}
_CHOICES = {
    "schedule": ("trapezoid", "constant"),
    "loss": LOSSES,
    "data_format": ("channels_first", "channels_last"),
    "precision": PRECISIONS,
}


def check_values(values: dict[str, Any]) -> None:
    """Makes sure that what stands in a plan outside its tables can be followed.

    Args:
        values: The parsed text of a plan, with all of the keys that have no default.

    Raises:
        ArgumentError: If a value is of another kind or out of its range; it names the key.
    """
    for name, least in _LEAST.items():
        # Of these, what a plan need not have is the least when it is missing.
        value = values.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            _refuse(name, f"a whole number from {least}", value)
    for name, choices in _CHOICES.items():
        # And of these the first choice.
        if values.get(name, choices[0]) not in choices:
            _refuse(name, f"one of {', '.join(choices)}", values[name])
    for name in ("learning_rate", "encoder_rate"):
        if not 0 < _number(values[name]) <= 1:
            _refuse(name, "a number above 0, up to 1", values[name])
    if not _number(values["weight_decay"]) >= 0:
        _refuse("weight_decay", "a number from 0", values["weight_decay"])
    if not 0 <= _number(values.get("foreground_share", 0)) <= 1:
        _refuse("foreground_share", "a number from 0 to 1", values["foreground_share"])
    for name in ("try_mirrored", "tensorboard"):
        if not isinstance(values.get(name, False), bool):
            _refuse(name, "true or false", values[name])
    if not isinstance(values.get("later_paces", []), list):
        _refuse("later_paces", "a list of paces", values["later_paces"])
    reasons = values.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(each, str) for each in reasons):
        _refuse("reasons", "a list of sentences", reasons)


def check_network(model: ModelSpec, size: int, pixels: Pixels | None) -> None:
    """Makes sure that the network of a plan can take its pictures, and sees them alike later.

    Args:
        model: The network.
        size: Side of the squares that it learns from.
        pixels: How it will see pictures, where it learns from patches.

    Raises:
        ArgumentError: If it cannot, or the model would predict in other squares; names the key.
    """
    if model.networks != 1:
        _refuse(
            "[model] networks",
            "1, since later_paces holds a pace for each further one",
            model.networks,
        )
    if size % model.stride:
        _refuse("size", f"a multiple of {model.stride}, the network's stride", size)
    if pixels is not None and pixels.tile != size:
        _refuse("size", f"{pixels.tile}, the tile of [pixels]: the two are one", size)


def _number(value: object) -> float:
    """Returns the value where it is a number, and one that fulfils no condition where not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else float("nan")  # type: ignore[arg-type]


def _refuse(name: str, expected: str, found: object) -> NoReturn:
    raise ArgumentError(name, expected, repr(found), "Change it in the file, or plan again.")
