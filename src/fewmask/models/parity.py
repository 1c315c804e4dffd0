"""Whether two forms of one model say the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.errors import ModelError

LEAST_EQUAL = 0.999
"""Share of pixels that must get the same class: sums in another order move the last digit, which
turns pixels that stand exactly between two classes, and no others."""


def check_parity(
    labels_first: Iterable[NDArray[Any]], labels_second: Iterable[NDArray[Any]], where: object
) -> float:
    """Compares the label maps that two forms of a model make of the same images.

    Both are taken one map at a time, so that they can be made on the way.

    Args:
        labels_first: Label maps of the form that is trusted, each `(H, W)` integers.
        labels_second: Those of the form that is tried, in the same order.
        where: The file of the form that is tried, for the error.

    Returns:
        The share of pixels with equal labels, in [0.999, 1].

    Raises:
        ModelError: If fewer than 99.9 % of all pixels are equal, or there was none to compare.

    Example:

    >>> check_parity([np.array([[0, 1]])], [np.array([[0, 1]])], "model.onnx")
    1.0
    """
    equal = total = 0
    for first, second in zip(labels_first, labels_second, strict=True):
        if first.shape != second.shape:
            raise ModelError(
                where,
                f"a label map of {first.shape[0]} × {first.shape[1]} pixels",
                f"{second.shape[0]} × {second.shape[1]}",
                "Please report it: the exported model is wrong, and was not kept.",
            )
        equal += int(np.count_nonzero(first == second))
        total += first.size
    share = equal / total if total else 0.0
    if share < LEAST_EQUAL:
        raise ModelError(
            where,
            f"{LEAST_EQUAL * 100:.1f} % of the pixels labelled as by the trained model",
            f"{_rounded_down(share)} of {total} pixels",
            "Please report it: the exported model is wrong, and was not kept.",
        )
    return share


def _rounded_down(share: float) -> str:
    """Writes a share so that one below the limit never reads as the limit."""
    return f"{np.floor(share * 1000) / 10:.1f} %"
