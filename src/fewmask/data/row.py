"""One row of a dataset, read by attribute, by key or in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex


class Row:
    """The values of one sample, in the order of the dataset's columns.

    Args:
        names: Names of the columns.
        values: One value a column.
        show: Makes the HTML that a notebook shows for this row; None lets it show the text.

    Example:

    >>> row = Row(("image", "part"), ("images/a.jpg", "train"))
    >>> row.image, row["part"], row[-1]
    ('images/a.jpg', 'train', 'train')
    >>> row
    Row(image='images/a.jpg', part='train')
    """

    __slots__ = ("_names", "_show", "_values")

    _names: tuple[str, ...]
    _values: tuple[Any, ...]
    _show: Callable[[], str] | None

    def __init__(
        self,
        names: tuple[str, ...],
        values: tuple[Any, ...],
        show: Callable[[], str] | None = None,
    ) -> None:
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_show", show)

    def __getattr__(self, name: str) -> Any:
        # Names with an underscore are never columns; copying and pickling look for some.
        if not name.startswith("_") and name in self._names:
            return self._values[self._names.index(name)]
        raise AttributeError(f"This row has no column '{name}'; it has {', '.join(self._names)}.")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A row cannot be changed; '{name}' stays as it is.")

    def __getitem__(self, key: str | SupportsIndex | slice) -> Any:
        if not isinstance(key, str):
            return self._values[key]
        if key in self._names:
            return self._values[self._names.index(key)]
        raise KeyError(f"This row has no column '{key}'; it has {', '.join(self._names)}.")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return Row, (self._names, self._values, self._show)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return self._names == other._names and self._values == other._values

    def __hash__(self) -> int:
        return hash((self._names, self._values))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"Row({values})"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names]

    def _asdict(self) -> dict[str, Any]:
        """Returns a dictionary from column name to value."""
        return dict(zip(self._names, self._values, strict=True))

    def _repr_html_(self) -> str | None:
        """Returns the image, the image with its mask outlined, the values."""
        return None if self._show is None else self._show()
