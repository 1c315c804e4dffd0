"""The plan: every number that a training uses, as its file holds it."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from typing import Any

import tomli_w

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError
from fewmask.models.spec import ModelSpec
from fewmask.run import Run
from fewmask.scale import Frame, Pixels, ScaleRule
from fewmask.training.pace import Pace
from fewmask.training.plan_values import check_network, check_values

_OF_THEIR_OWN = ("model", "pace", "later_paces", "augmentation", "pixels", "reasons")
"""Values of a plan that its file holds in another form."""
_RESTORE = "Restore the file as it was written, or plan again."


@dataclass(frozen=True)
class Plan:
    """Every number of one training, as `plan.toml` holds it.

    Args:
        model: The network.
        size: Side of the square that the model sees, in pixels: of a frame or of a patch.
        pace: Which share of the schedule each step has reached; its last step ends the training.
        steps_per_epoch: Updates of the weights in an epoch, after which the model is judged and
            kept; without a budget one pass over the training images, or over as many patches as
            are called one.
        batch_size: Images or patches in a step.
        learning_rate: Highest learning rate.
        encoder_rate: Learning rate of a pretrained encoder, as a share of the other.
        warm_up_steps: Steps over which it rises from zero.
        schedule: `"trapezoid"` stays for three quarters and is zero at the last step, `"constant"`
            stays.
        weight_decay: Decay of AdamW; biases and normalisation are exempt.
        loss: Name of the loss.
        augmentation: How training images are changed.
        average_every: Steps between two updates of the averaged weights; 0 averages nothing.
        average_horizon: Steps after which the average has forgotten two thirds.
        plateau: Patience in epochs of the learning-rate cut; 0 for none.
        early_stopping: Patience in epochs of the early end; 0 for none.
        seed: Seed of everything that is drawn.
        data_format: Layout of the arrays in training.
        precision: In what convolutions multiply in training, `"float32"` or, on torch,
            `"bfloat16"`; all else, and every model that is saved, is float32.
        threads: Over how many threads the operations of the training are spread, on torch; 0 for
            as many as there are cores.
        try_mirrored: Whether the trained model is tried on mirror images too, if it has learnt from
            them; where that is better, every prediction takes twice as long.
        tensorboard: Whether curves are also written for TensorBoard.
        pixels: The scale of patches and the tiles of prediction; None where the model sees each
            image as a whole.
        foreground_share: Share of the patches that are centred on foreground; None likewise.
        reasons: Why the plan is what it is, a sentence each.
        later_paces: The paces of further networks, one each, if there are any. Each of all leaves
            out another fold of the training images and has a seed of its own, higher by one than
            that of the one before.
    """

    model: ModelSpec
    size: int
    pace: Pace
    steps_per_epoch: int
    batch_size: int
    learning_rate: float
    encoder_rate: float
    warm_up_steps: int
    schedule: str
    weight_decay: float
    loss: str
    augmentation: Augmentation
    average_every: int
    average_horizon: int
    plateau: int
    early_stopping: int
    seed: int
    data_format: str
    # What plans need not have. A value that is added here has what was done without it as its
    # default, so that the plan of an older run is followed as it was.
    precision: str = "float32"
    threads: int = 0
    try_mirrored: bool = True
    tensorboard: bool = False
    pixels: Pixels | None = None
    foreground_share: float | None = None
    reasons: tuple[str, ...] = ()
    later_paces: tuple[Pace, ...] = ()

    @property
    def networks(self) -> int:
        """How many networks are trained, one after the other."""
        return 1 + len(self.later_paces)

    @property
    def mirrored_too(self) -> bool:
        """Whether the trained model is tried on mirror images too."""
        return self.try_mirrored and self.augmentation.horizontal_flip > 0

    @property
    def epochs(self) -> int:
        """Epochs until the last step; the last one may be shorter."""
        return math.ceil(self.pace.last_step / self.steps_per_epoch)

    @property
    def scale(self) -> ScaleRule:
        """The rule by which the model sees images."""
        return self.pixels or Frame(self.size)

    def summary(self) -> str:
        """Puts the plan into a sentence.

        Returns:
            `unet at 64 × 64 pixels: 40 epochs of 3 steps with 4 images.`
        """
        model = f"{self.model.name}{', pretrained,' if self.model.weights else ''}"
        epochs, steps = counted(self.epochs, "epoch"), counted(self.steps_per_epoch, "step")
        images = counted(self.batch_size, "image")
        if self.pixels is not None:
            images = "1 patch" if self.batch_size == 1 else f"{self.batch_size} patches"
        times = f"{self.networks} networks, " if self.networks > 1 else ""
        return (
            f"{times}{model} at {self.size} × {self.size} pixels: "
            f"{epochs} of {steps} with {images}."
        )

    def to_toml(self) -> str:
        """Returns the text of `plan.toml`."""
        values: dict[str, Any] = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in _OF_THEIR_OWN
        }
        values["pace"] = _legs(self.pace)
        if self.later_paces:
            values["later_paces"] = [_legs(pace) for pace in self.later_paces]
        # TOML has no null: what is None is left out, and stays None when it is read.
        values = {name: value for name, value in values.items() if value is not None}
        values["reasons"] = list(self.reasons)
        if self.pixels is not None:
            values["pixels"] = self.pixels.to_json()
        values["model"] = {k: v for k, v in self.model.to_json().items() if v is not None}
        values["augmentation"] = self.augmentation.to_json()
        return tomli_w.dumps(values, multiline_strings=False)

    @classmethod
    def of_run(cls, run: Run) -> Plan:
        """Reads the plan of a run.

        Args:
            run: The run.

        Raises:
            RunError: If its file is missing or no TOML.
            ArgumentError: If it is no plan.
        """
        return cls.from_values(run.plan(), run.folder / "plan.toml")

    @classmethod
    def from_values(cls, values: dict[str, Any], where: object = "plan.toml") -> Plan:
        """Rebuilds a plan from the parsed text of `to_toml`.

        Args:
            values: What stands in it.
            where: The file it stands in, for the error.

        Raises:
            ArgumentError: If a key is missing that has no default, or unknown, or a value cannot
                be.
        """
        wanted = {
            each.name for each in fields(cls) if each.default is MISSING or each.name in values
        }
        if odd := wanted ^ set(values):
            raise ArgumentError(
                where,
                f"the keys {', '.join(sorted(wanted))}",
                f"{', '.join(sorted(odd))} missing or unknown",
                _RESTORE,
            )
        try:
            check_values(values)
            read = _read_tables(values)
            check_network(read["model"], values["size"], read["pixels"])
            read["pace"] = _pace(values["pace"])
            read["later_paces"] = tuple(_pace(legs) for legs in values.get("later_paces", []))
        except ArgumentError as error:
            name = f"{where}, {error.where}"
            raise ArgumentError(name, error.expected, error.found, error.remedy) from error
        read["reasons"] = tuple(values.get("reasons", []))
        return cls(**{**values, **read})


def _read_tables(values: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, from_json in (
        ("model", ModelSpec.from_json),
        ("pixels", Pixels.from_json),
        ("augmentation", Augmentation.from_json),
    ):
        try:
            read[name] = from_json(values[name]) if name in values else None
        except ArgumentError:
            raise  # a ValueError too, but it says already what is wrong
        except (KeyError, TypeError, ValueError) as error:
            raise ArgumentError(
                f"[{name}]", "the table as it was written", str(error), _RESTORE
            ) from error
    return read


def _legs(pace: Pace) -> list[list[int]]:
    return [list(leg) for leg in pace.legs]


def _pace(legs: Any) -> Pace:
    pairs = isinstance(legs, list) and all(
        isinstance(leg, list) and [type(step) for step in leg] == [int, int] for leg in legs
    )
    if not pairs:
        raise ArgumentError(
            "pace", "a list of pairs [step, last step] of whole numbers", repr(legs), _RESTORE
        )
    return Pace(tuple((begin, end) for begin, end in legs))
