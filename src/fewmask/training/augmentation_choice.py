"""Chooses how training images are changed, by what the data was measured to allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fewmask.data.augmentation.augment import Augmentation
from fewmask.evaluation.sketch.symmetry import Symmetries, Verdict

FLIP = 0.5
"""Probability of a flip that the labels allow: the image and its mirror image alike."""
TURN = 0.75
"""Probability of a turn by one, two or three right angles: all four directions alike."""
ANY_HUE = 90.0
"""Degrees by which colours turn where any colour will do."""


def choose_augmentation(
    augmentation: Augmentation, symmetries: Symmetries, whole_images: bool
) -> tuple[Augmentation, tuple[str, ...]]:
    """Adds the flips, turns and colours that leave the labels true, and takes away the others.

    Whole images mostly show things that stand upright. A quick model that sees pixels and their
    surroundings notices little of that; so there, a loss that is certain is enough to refuse
    turning them over, however small it is.

    Args:
        augmentation: How images would be changed without a look at them.
        symmetries: What was measured.
        whole_images: Whether the network sees images as a whole.

    Returns:
        The augmentation, and why, a sentence each.
    """
    over = {
        name: verdict.allowed and not (whole_images and verdict.loss.low > 0)
        for name, verdict in (
            ("upside_down", symmetries.upside_down),
            ("quarter_turns", symmetries.quarter_turns),
        )
    }
    # Two turns put an image upside down and exchange left and right at once.
    turns = over["quarter_turns"] and symmetries.left_right.allowed == over["upside_down"]
    chosen = replace(
        augmentation,
        horizontal_flip=FLIP if symmetries.left_right.allowed else 0.0,
        vertical_flip=FLIP if over["upside_down"] else 0.0,
        quarter_turn=TURN if turns else 0.0,
        hue=ANY_HUE if symmetries.hue.allowed else augmentation.hue,
    )
    return chosen, tuple(_reasons(symmetries, over["upside_down"], turns))


def _reasons(symmetries: Symmetries, upside_down: bool, turns: bool) -> Iterator[str]:
    yield symmetries.left_right.sentence
    for verdict, done, what in (
        (symmetries.upside_down, upside_down, "put upside down"),
        (symmetries.quarter_turns, turns, "turned by right angles"),
    ):
        yield verdict.sentence if done == verdict.allowed else _withdrawn(verdict, what)
    yield symmetries.hue.sentence


def _withdrawn(verdict: Verdict, what: str) -> str:
    if verdict.loss.low > 0:
        return (
            f"Whole images are not {what}: that costs even a quick model something, "
            f"{verdict.score - verdict.changed_score:.3f} mean Dice."
        )
    return f"Images are not {what}: two turns would put them upside down."
