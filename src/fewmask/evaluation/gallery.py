"""Pictures of the predictions: image, truth, prediction, errors, the worst first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.evaluation.pictures import Pictures, draw_pictures
from fewmask.evaluation.results import Evaluation, ImageScores, show_score

Look = Callable[[str], tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]]
"""Sample id → its image `(H, W, C)`, truth `(H, W)`, prediction `(H, W)`, all uint8."""

NUM_WORST, NUM_BEST = 40, 20
"""What is shown of a set with more images than both together."""


@dataclass(frozen=True)
class Selection:
    """Which samples are shown, in which order.

    Args:
        rows: Their scores, the worst first; those with nothing to score last.
        total: How many samples there are in all.
    """

    rows: tuple[ImageScores, ...]
    total: int

    def sentence(self) -> str:
        """Says what is shown and what is not."""
        if len(self.rows) == self.total:
            return f"All {self.total} images, the worst first."
        scored = sum(not math.isnan(row.mean_dice) for row in self.rows)
        if scored == len(self.rows):
            which = f"the {NUM_WORST} worst, then the {NUM_BEST} best, the worst first"
        elif scored:
            # Those with nothing to score only fill the room that is left.
            which = f"all {scored} with a score, the worst first, then some with nothing to score"
        else:
            which = "none has anything to score"
        return f"{len(self.rows)} of {self.total} images: {which}. The table below lists all."


def select_samples(evaluation: Evaluation) -> Selection:
    """Chooses the samples worth looking at.

    Args:
        evaluation: The scores of all samples.

    Returns:
        All of them, or of more than 60 the 40 worst and the 20 best.
    """
    ranked = evaluation.worst_first
    if len(ranked) > NUM_WORST + NUM_BEST:
        unscored = sum(math.isnan(row.mean_dice) for row in ranked)
        # Images without a score are neither good nor bad, and shown only where there is room.
        scored = ranked[: len(ranked) - unscored]
        room = max(0, NUM_WORST + NUM_BEST - len(scored))
        best = scored[max(NUM_WORST, len(scored) - NUM_BEST) :]
        ranked = [*scored[:NUM_WORST], *best, *ranked[len(scored) :][:room]]
    return Selection(tuple(ranked), evaluation.num_images)


def anchor(place: int) -> str:
    """Returns the name by which the sample at one place of a selection is linked to."""
    return f"sample-{place + 1}"


def draw_gallery(selection: Selection, look: Look, classes: Classes) -> str:
    """Draws the chosen samples as list items.

    The pictures of one sample at a time are in memory; what stays are their compressed bytes.

    Args:
        selection: Which samples, in which order.
        look: Makes what is drawn of a sample, when it is needed.
        classes: Names and colours of the class ids.

    Returns:
        HTML list items.
    """
    return "".join(
        _list_item(place, row, draw_pictures(*look(row.sample), classes), classes)
        for place, row in enumerate(selection.rows)
    )


def _list_item(place: int, row: ImageScores, pictures: Pictures, classes: Classes) -> str:
    name = escape(row.sample)
    dice = " ".join(f"{value:.4f}" for value in row.scores.dice)  # "nan" included
    views = (
        ("image", ""),
        ("truth", _layer(pictures.truth)),
        ("prediction", _layer(pictures.prediction)),
        ("errors", "".join(_layer(layer, of) for of, layer in pictures.errors.items())),
    )
    panels = "".join(
        f'<button type="button" class="panel" data-view="{view}" '
        f'aria-label="Enlarge: {view} of {name}"><span class="picture {view}">'
        f'<span class="photo"></span>{layers}</span><span class="view-name">{view}</span></button>'
        for view, layers in views
    )
    return (
        f'<li class="sample" id="{anchor(place)}" data-mean="{row.mean_dice:.4f}" '
        f'data-dice="{dice}" style="--ratio:{pictures.width}/{pictures.height};'
        f'--picture:url({pictures.image})"><div class="sample-head"><h3>{name}</h3>'
        f'<p class="sample-score">{_score_text(row, classes)}</p></div>'
        f'<div class="panels">{panels}</div></li>'
    )


def _layer(address: str, class_id: int | None = None) -> str:
    if class_id is None:
        return f'<img class="layer" alt="" src="{address}">'
    hidden = "" if class_id == -1 else " hidden"
    return f'<img class="layer" alt="" data-class="{class_id}"{hidden} src="{address}">'


def _score_text(row: ImageScores, classes: Classes) -> str:
    """Tells the score of the image, and where there are several classes those it involves."""
    text = f"Dice <b>{show_score(row.mean_dice)}</b>"
    if classes.num_classes > 2:
        text += "".join(
            f' <span class="part-score" data-class="{class_id}">{escape(classes.names[class_id])} '
            f"{show_score(value, 2)}</span>"
            for class_id, value in list(enumerate(row.scores.dice))[1:]
            if not math.isnan(value)
        )
    return text
