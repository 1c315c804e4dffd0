"""What a processing function gets and gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.data.loaders.memory import LoanedMemory
from fewmask.errors import ArgumentError

Sample: TypeAlias = tuple[Any, Any]
"""An image and what is to be learnt of it, or None."""

ProcessingFunction: TypeAlias = Callable[[Sample], Sample]
"""Gets a sample and returns it changed; both are one tuple."""


def as_floats(stored: Any, memory: LoanedMemory) -> Any:
    """Turns a stored image or mask into what a processing function gets.

    Args:
        stored: Shape `(H, W, C)`, uint8 or uint16; anything else is returned as it is.
        memory: Where the result is made.

    Returns:
        The same values as a new array of float32, which may be written to and kept.
    """
    if np.ndim(stored) != 3:
        return stored
    floats = memory.empty(stored.shape, np.float32)
    floats[:] = stored
    return floats


def process(
    function: ProcessingFunction, sample: Sample, names: tuple[str, str | None], sample_id: str
) -> Sample:
    """Calls a processing function and checks what it returns.

    Args:
        function: What the user wrote.
        sample: What it gets.
        names: The columns that the two values come from, None without a second.
        sample_id: Which sample it is.

    Returns:
        Two arrays of numbers; the second may be None where no second column was asked for.

    Raises:
        ArgumentError: If it returns anything else.
    """
    in_words = f"({names[0]}, {names[1]})"
    try:
        returned = function(sample)
    except Exception as error:
        error.add_note(
            "This happened in processing_function, which was called with one tuple "
            f"{in_words} of the sample {sample_id!r}."
        )
        raise
    where = f"processing_function, called for the sample {sample_id!r}"
    remedy = f"End the function with: return {names[0]}, {names[1]}"
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise ArgumentError(where, f"a tuple {in_words} back", describe(returned), remedy)
    x, y = (_as_array(value) for value in returned)
    if x is None:
        expected = f"an array of numbers for {names[0]}, first in its tuple"
        raise ArgumentError(where, expected, describe(returned[0]), remedy)
    if y is None and not (names[1] is None and returned[1] is None):
        wanted = f"an array of numbers for {names[1]}" if names[1] else "None, or an array"
        raise ArgumentError(where, f"{wanted}, second in its tuple", describe(returned[1]), remedy)
    return x, y


def _as_array(value: Any) -> NDArray[Any] | None:
    """Returns the numbers as an array, or None if there is something else."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def describe(value: Any) -> str:
    """Says what something is, without its numbers, for a message.

    Example:

    >>> describe((1, 2))
    'a tuple of 2'
    """
    if value is None:
        return "None"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    return f"a value of type {type(value).__name__}"
