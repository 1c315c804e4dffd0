"""What a training tells whoever watches it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One sentence: a decision with its reason, or a result.

    Args:
        text: The sentence.
    """

    text: str


@dataclass(frozen=True)
class Working:
    """How far a long piece of work has come.

    Args:
        what: The work, a phrase: `"reading the images"`.
        done: Pieces done.
        total: Pieces in all.
    """

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class StepDone:
    """One update of the weights.

    Args:
        epoch: Epoch it belongs to, from 1.
        epochs: Epochs planned.
        step: Step inside the epoch, from 1.
        steps: Steps of the epoch.
        loss: Mean loss of the epoch so far.
        images_per_second: Speed of training in this epoch so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    images_per_second: float


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training images.

    Args:
        row: The epoch's row of `epochs.csv`.
        epochs: Epochs planned.
        better: Whether the model is the best so far.
        seconds_left: What training this network will probably still take; of a budget all that is
            left, the score and the report included.
    """

    row: dict[str, float]
    epochs: int
    better: bool
    seconds_left: float


Event = Said | Working | StepDone | EpochDone
Listener = Callable[[Event], None]


def working(listener: Listener, what: str) -> Callable[[int, int], None]:
    """Turns calls of `progress(done, total)` into events.

    Args:
        listener: Is told.
        what: The work, a phrase.
    """
    return lambda done, total: listener(Working(what, done, total))


def print_events(event: Event) -> None:
    """Prints a line for every sentence and every epoch: the listener when nobody else listens."""
    if isinstance(event, Said):
        print(event.text, flush=True)
    elif isinstance(event, EpochDone):
        print(epoch_line(event), flush=True)


def epoch_line(event: EpochDone) -> str:
    """Puts an epoch in one line, for people and for log files.

    Example:

    >>> row = {"epoch": 3.0, "loss": 0.5, "validation_dice": 0.81, "images_per_second": 9.13}
    >>> epoch_line(EpochDone(row, 40, better=True, seconds_left=130.0))
    'epoch  3/40  loss 0.5000  validation Dice 0.810 (best)  9.1 images/s  2 min 10 s left'
    """
    row = event.row
    parts = [f"epoch {int(row['epoch']):2d}/{event.epochs}", f"loss {row['loss']:.4f}"]
    dice = row.get("validation_dice", float("nan"))
    loss = row.get("validation_loss", float("nan"))
    best = " (best)" if event.better else ""
    if not math.isnan(dice):
        parts.append(f"validation Dice {dice:.3f}{best}")
    elif not math.isnan(loss):
        parts.append(f"validation loss {loss:.4f}{best}")
    parts.append(f"{row['images_per_second']:.1f} images/s")
    parts.append(f"{duration(event.seconds_left)} left")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """Writes a time span for people.

    Example:

    >>> [duration(5.4), duration(130), duration(7500)]
    ['5 s', '2 min 10 s', '2 h 5 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
