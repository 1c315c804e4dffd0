"""The rules by which a model sees images, of either kind."""

from __future__ import annotations

from typing import Any, TypeAlias

from fewmask.errors import ArgumentError
from fewmask.scale.frame import Frame
from fewmask.scale.pixels import Pixels

ScaleRule: TypeAlias = Frame | Pixels


def rule_from_json(values: dict[str, Any]) -> ScaleRule:
    """Rebuilds a rule of either kind from what its `to_json` returned.

    Raises:
        ArgumentError: If there is no such rule, or its numbers make no sense.
    """
    rules: dict[str, type[Frame] | type[Pixels]] = {"frame": Frame, "pixels": Pixels}
    if values["rule"] not in rules:
        raise ArgumentError("scale", "the rule frame or pixels", repr(values["rule"]), "Name one.")
    return rules[values["rule"]].from_json(values)
