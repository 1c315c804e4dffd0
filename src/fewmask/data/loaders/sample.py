"""One sample as torch code takes it: its values by attribute, by key and in order."""

from __future__ import annotations

import operator
from functools import cache
from typing import Any


class Sample(tuple[Any, ...]):
    """The values of one sample, in the order of the dataset's columns.

    Torch takes it for a named tuple: a `DataLoader` makes a sample of batches of many samples.
    `sample_of` makes one; all of equal columns are of one class.

    Example:

    >>> sample = sample_of({"image": "a.jpg", "part": 1}, "a")
    >>> sample.image, sample["part"], sample._replace(image="b.jpg")
    ('a.jpg', 1, Sample(image='b.jpg', part=1))
    """

    _fields: tuple[str, ...] = ()
    _id: str = ""
    """What the sample is called in messages."""

    def __new__(cls, *values: Any) -> Sample:
        """Takes the values one by one, as named tuples do."""
        return super().__new__(cls, values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"This sample has no '{name}'; it has {', '.join(self._fields)}.")

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key in self._fields:
            return super().__getitem__(self._fields.index(key))
        raise KeyError(f"This sample has no '{key}'; it has {', '.join(self._fields)}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return sample_of, (self._asdict(), self._id)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"Sample({values})"

    def _asdict(self) -> dict[str, Any]:
        """Returns a dictionary from column name to value."""
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **changes: Any) -> Sample:
        """Returns a sample with other values in some columns."""
        if strangers := changes.keys() - set(self._fields):
            raise ValueError(f"This sample has no {', '.join(sorted(strangers))}.")
        return sample_of(self._asdict() | changes, self._id)


def sample_of(values: dict[str, Any], sample_id: str = "") -> Sample:
    """Makes a sample.

    Args:
        values: Values by the names of their columns.
        sample_id: What it is called in messages.
    """
    sample = _type_of(tuple(values))(*values.values())
    sample._id = sample_id
    return sample


@cache
def _type_of(names: tuple[str, ...]) -> type[Sample]:
    # A tuple has attributes of its own, count and index, that a column may be called too.
    values = {name: property(operator.itemgetter(place)) for place, name in enumerate(names)}
    return type("Sample", (Sample,), {"_fields": names, **values})
