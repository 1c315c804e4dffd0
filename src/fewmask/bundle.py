"""What travels with a model: classes, scale, pixel range, provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from fewmask.data.classes import Classes
from fewmask.data.least_areas import LeastAreas
from fewmask.errors import ArgumentError, ModelError
from fewmask.scale import Frame, ScaleRule, rule_from_json

FORMAT = 2
"""Version of the facts as written; a model with a higher one was made by a newer fewmask. The
rule `pixels` came with 2; models by the rule `frame` are still written as 1, for older ones."""

_AGAIN = "Copy it again from where it was made, or train again."


@dataclass(frozen=True)
class Bundle:
    """Everything a model needs to be used right, beside its weights.

    It is written into `model.keras` (the member `fewmask.json` of the archive) and into
    `model.onnx` (the metadata entry `fewmask`), as JSON.

    Args:
        classes: The classes of the label maps that the model makes.
        scale: The rule by which the model sees images.
        channels: Number of image channels C the model takes.
        value_range: Stored pixel values that the model sees as 0 and 255: `(0, 255)` for
            8-bit pictures, the darkest and brightest of the training images for 16-bit ones.
        provenance: Where the model comes from: names and versions, for people to read.
        mirrored: Whether the model looks at the mirror image too, and predicts the mean of both.
        least_areas: What a class must cover of an image to be in its label map; None where any
            pixel will do. The model itself knows nothing of it.
    """

    classes: Classes
    scale: ScaleRule
    channels: int = 3
    value_range: tuple[int, int] = (0, 255)
    provenance: dict[str, str] = field(default_factory=dict)
    mirrored: bool = False
    least_areas: LeastAreas | None = None

    def to_json(self) -> str:
        """Returns the facts as a JSON text."""
        facts: dict[str, Any] = {
            "format": 1 if isinstance(self.scale, Frame) else FORMAT,
            "classes": self.classes.to_json(),
            "scale": self.scale.to_json(),
            "channels": self.channels,
            "value_range": list(self.value_range),
            "mirrored": self.mirrored,
            "least_areas": None if self.least_areas is None else self.least_areas.to_json(),
            "provenance": self.provenance,
        }
        return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: object = "model") -> Bundle:
        """Rebuilds a bundle from what `to_json` returned.

        Args:
            text: The JSON text.
            where: The file it stands in, for the error.

        Raises:
            ModelError: If the facts were written by a newer fewmask, make no sense, or are none.
        """
        try:
            facts = json.loads(text)
            if facts["format"] > FORMAT:
                raise ModelError(
                    where,
                    f"a model in format {FORMAT} or older",
                    f"format {facts['format']}, made by a newer fewmask",
                    "Upgrade: pip install --upgrade fewmask",
                )
            low, high = facts["value_range"]
            # Models that were saved before these were thought of look once, and believe any pixel.
            least = facts.get("least_areas")
            return cls(
                Classes.from_json(facts["classes"]),
                rule_from_json(facts["scale"]),
                int(facts["channels"]),
                (int(low), int(high)),
                dict(facts["provenance"]),
                bool(facts.get("mirrored", False)),
                None if least is None else LeastAreas.from_json(least),
            )
        except ArgumentError as error:
            raise ModelError(where, error.expected, error.found, _AGAIN) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                where,
                "the facts that fewmask writes into a model",
                "some that cannot be read",
                _AGAIN,
            ) from error
