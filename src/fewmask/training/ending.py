"""How long the end of a training takes: model files, their comparison, the score, the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fewmask.scale.pixels import pixels_placement
from fewmask.training.comparing import choose_pieces, most_tried
from fewmask.training.plan import Plan
from fewmask.training.probe import Speed

EXPORT = 8.0
"""Seconds of writing and opening the model files, per second of building the network: 6 to 8, for
a small network from nothing as for one with an encoder."""
SLOWER = 3
"""Times as long as the network in training takes the model for Keras to look at a square."""
A_FILE = 0.01
"""Seconds of reading an image or a mask, and of what else is done with each."""
A_PIXEL = 1.5e-7
"""Seconds of telling the class of a pixel at the image's own size when forms of the model are
tried, beside the looks: 0.7e-7 for two classes, twice that for seven."""
A_PIXEL_AGAIN = 0.2e-7
"""Seconds of leaving out what covers too little, and of scoring that too."""
A_PIXEL_OF_A_CLASS = 0.42e-7
"""Seconds, for each class, of predicting and scoring a pixel of a large image, beside the looks:
photographs of five megapixels with five classes take most of a second each."""
LARGE = 10**6
"""Pixels of an image up to which they take next to nothing: they fit into a processor's cache."""
A_PIXEL_RESAMPLED = 1.5e-7
"""Seconds of one of these on its way to tiles of another scale and back, for five classes."""
A_PIXEL_READ = 0.08e-7
"""Seconds of reading a pixel of a training mask, beside opening its file."""


@dataclass(frozen=True)
class Ending:
    """What the end of a training has to do.

    Args:
        sizes: `(height, width)` of the test images.
        held_out: `(height, width)` of the validation images, which say whether mirror images
            and the mean of several networks help.
        learnt_from: `(height, width)` of the training images. One of the baselines reads their
            masks, and several networks are scored on those that each of them left out.
        may_leave_out: Whether classes may be left out where they cover too little: the validation
            images have a say in that too.
    """

    sizes: Sequence[tuple[int, int]]
    held_out: Sequence[tuple[int, int]]
    learnt_from: Sequence[tuple[int, int]]
    may_leave_out: bool = False

    def seconds(self, plan: Plan, speed: Speed, building: float, networks: int = 1) -> float:
        """Estimates how long it takes to write the model and to score it.

        Args:
            plan: The plan.
            speed: How fast the network is at the plan's size.
            building: Seconds that building the network took.
            networks: How many of it the model may hold.
        """
        pieces = choose_pieces(self.sizes).values()
        # Both model files look at the pieces; one of them scores whole images.
        compared = (1 + SLOWER) * sum(_squares(plan, *size) for size in pieces)
        squares = networks * (compared + sum(_squares(plan, *size) for size in self.sizes))
        files = len(pieces) + 2 * len(self.sizes) + len(self.learnt_from)
        # Forms that are tried: single networks and all of them together, each with and without
        # mirror images.
        tried = 1 if networks == 1 else 2 * networks
        forms = 1 if networks == 1 else networks + 1
        if networks > 1:
            squares += sum(_squares(plan, *size) for size in self.learnt_from)
            files += 2 * len(self.learnt_from)
        scored = [*self.sizes, *(self.learnt_from if networks > 1 else ())]
        telling = A_PIXEL_OF_A_CLASS * plan.model.num_classes * (_pixels(scored) - _small(scored))
        telling += A_PIXEL_READ * _pixels(self.learnt_from)
        if plan.pixels is not None and plan.pixels.scale != 1:
            telling += A_PIXEL_RESAMPLED * _small(scored)
        if plan.mirrored_too and self.held_out:
            # As mirror images mostly help, the model will look at them wherever it looks.
            squares, tried, forms = 2 * squares, 3 * tried, 2 * forms
        if self.held_out and (tried > 1 or self.may_leave_out):
            held_out = choose_pieces(self.held_out, most_tried(plan)).values()
            squares += tried * sum(_squares(plan, *size) for size in held_out)
            files += 2 * len(held_out)
            a_pixel = A_PIXEL + (A_PIXEL_AGAIN if self.may_leave_out else 0.0)
            telling += forms * a_pixel * _pixels(held_out)
        work = squares * speed.look + files * A_FILE + telling
        return networks * EXPORT * building + work


def _pixels(sizes: Iterable[tuple[int, int]]) -> int:
    return sum(height * width for height, width in sizes)


def _small(sizes: Iterable[tuple[int, int]]) -> int:
    return sum(min(height * width, LARGE) for height, width in sizes)


def _squares(plan: Plan, height: int, width: int) -> int:
    """Counts the squares that the network sees of an image of this size."""
    if plan.pixels is None:
        return 1
    rows, columns = (pixels_placement(side, plan.pixels)[1] for side in (height, width))
    return rows * columns
