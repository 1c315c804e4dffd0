"""The size of pictures or patches from which a training of some minutes learns most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from fewmask.data.fingerprint import Fingerprint
from fewmask.training.plan import Plan

SIZES = (64, 96, 128, 160, 192, 224, 256, 320, 384)
FIRST_SIZE = 256
"""The size that is measured first; most budgets of minutes end near it."""

ENOUGH, OF_SIZE = 1500, 192
"""Images or patches of this size that a training should show, the same ones changed again and
again; of larger ones as many more as their area is larger. A larger size is not worth fewer:
benchmarks/budget_choices.py."""

WORTH_MEASURING = 0.8
"""Share of these that a larger size must promise by its area; it may be faster than its area."""


def sizes_for(first: Plan, fingerprint: Fingerprint) -> list[int]:
    """Lists the sizes worth measuring, smallest first.

    Args:
        first: A plan of any size.
        fingerprint: What was measured of the training part.
    """
    longest = max(max(height, width) for height, width, _ in fingerprint.sizes)
    seen = math.ceil(longest * (first.pixels.scale if first.pixels else 1.0))
    # Up to the first size that holds the whole image: nothing is gained beyond.
    fitting = [size for size in SIZES if size < seen]
    fitting += [size for size in SIZES if size >= seen][:1]
    stride = first.model.stride
    return sorted({math.ceil(size / stride) * stride for size in fitting})


def enough(size: int) -> float:
    """Returns how many images or patches of a size a training should show.

    Example:

    >>> enough(192), enough(384)
    (1500.0, 6000.0)
    """
    return ENOUGH * float(size / OF_SIZE) ** 2


def choose_size(
    sizes: Sequence[int], shown: Callable[[int], float], has_time: Callable[[], bool]
) -> int:
    """Finds the largest size at which a training shows enough, or else what comes nearest to it.

    A step takes about as long as its area is large. That tells which sizes are worth measuring;
    on a slow machine measuring all of them would use up the budget.

    Args:
        sizes: The sizes, smallest first.
        shown: Measures a size, and says how many images or patches a training would show.
        has_time: Says whether there is time to measure a larger one.
    """
    place = max(0, sum(size <= FIRST_SIZE for size in sizes) - 1)
    measured = {sizes[place]: shown(sizes[place])}
    many, above = measured[sizes[place]], len(sizes)
    while many < enough(sizes[place]) and place > 0:
        # Half the side shows four times as many, of which a quarter is enough.
        fitting = sizes[place] * math.sqrt(math.sqrt(max(0.0, many) / enough(sizes[place])))
        above, place = place, max(0, sum(size <= fitting for size in sizes[:place]) - 1)
        many = measured[sizes[place]] = shown(sizes[place])
    # Up from there: a machine that was busy for a moment looks slow at the size measured then, and
    # small patches take so long to predict that larger ones can leave more time to learn.
    size, share = sizes[place], many / enough(sizes[place])
    for larger in sizes[place + 1 : above]:
        promised = many * (size / larger) ** 2 / enough(larger)
        if not has_time() or (share >= 1 and promised < WORTH_MEASURING):
            break
        many_of_larger = measured[larger] = shown(larger)
        its_share = many_of_larger / enough(larger)
        if its_share < 1 and its_share <= share:
            break
        size, many, share = larger, many_of_larger, its_share
    # What was measured and shows as many at a larger size shows more of everything.
    return max(each for each, its_many in measured.items() if its_many >= many)
