"""The columns of a dataset: what each is called, what kind of value it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

from fewmask.errors import ArgumentError

Kind = Literal[
    "image",
    "mask",
    "integer",
    "float",
    "category",
    "string",
    "integer array",
    "float array",
    "category array",
    "string array",
]
KINDS: tuple[str, ...] = get_args(Kind)
"""Every kind of column there is."""


@dataclass(frozen=True, repr=False)
class Column:
    """One column of a dataset.

    Images and masks are held as paths relative to the root of the dataset, written with `/` on
    every system; the pixels are read when they are asked for. An array is a tuple of values, of
    any length.

    Args:
        name: What the column is called, and `row.name` reads.
        kind: One of `KINDS`.
        categories: The values that a category, or a category array, can take; else empty.

    Raises:
        ArgumentError: If the kind is unknown, or categories are missing or out of place.

    Example:

    >>> Column("part", "category", ("train", "test"))
    part: category (train, test)
    """

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"column '{self.name}'"
        if not self.name or self.name.startswith("_"):
            raise ArgumentError(
                where, "a name that does not start with '_'", repr(self.name), "Rename the column."
            )
        if self.kind not in KINDS:
            raise ArgumentError(
                where, f"a kind out of {', '.join(KINDS)}", repr(self.kind), "Choose one of them."
            )
        if bool(self.categories) != self.kind.startswith("category"):
            raise ArgumentError(
                where,
                "categories for a category column, for no other",
                f"{len(self.categories)} categories for kind '{self.kind}'",
                "Name every category there is, or change the kind.",
            )

    def __repr__(self) -> str:
        categories = f" ({', '.join(self.categories)})" if self.categories else ""
        return f"{self.name}: {self.kind}{categories}"

    @property
    def is_array(self) -> bool:
        """Whether each value is a tuple of values."""
        return self.kind.endswith(" array")

    def convert(self, value: Any, where: object) -> Any:
        """Brings one value to the type that this column holds.

        Args:
            value: What a row is to hold.
            where: The row it is for, as the reader would name it.

        Returns:
            An int, a float or a str; for an array a tuple of them.

        Raises:
            ArgumentError: If the value is of another kind, or no category of this column.

        Example:

        >>> Column("ages", "float array").convert([1, 2.5], "row 0")
        (1.0, 2.5)
        """
        if not self.is_array:
            return self._convert_one(value, where)
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise self._refusal(value, where)
        return tuple(self._convert_one(item, where) for item in value)

    def _convert_one(self, value: Any, where: object) -> int | float | str:
        kind = self.kind.removesuffix(" array")
        # True is a number for Python and a slip for whoever reads the table.
        is_number = isinstance(value, Real) and value is not True and value is not False
        if kind == "integer" and is_number and isinstance(value, Integral) and _has_room(value):
            return int(value)
        if kind == "float" and is_number:
            return float(value)
        if kind in ("image", "mask", "string") and isinstance(value, str):
            return value
        if kind == "category" and value in self.categories:
            return str(value)
        raise self._refusal(value, where)

    def _refusal(self, value: Any, where: object) -> ArgumentError:
        choices = f" out of {', '.join(self.categories)}" if self.categories else ""
        return ArgumentError(
            f"{where}, column '{self.name}'",
            f"a value of kind {self.kind}{choices}",
            repr(value),
            "Change the value or the kind of the column.",
        )

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into an equal column."""
        return {"name": self.name, "kind": self.kind, "categories": list(self.categories)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Column:
        """Rebuilds a column from what `to_json` returned."""
        return cls(values["name"], values["kind"], tuple(values["categories"]))


def _has_room(value: Integral) -> bool:
    return -(2**63) <= int(value) < 2**63  # what shards hold


def check_unique(columns: Sequence[Column]) -> None:
    """Refuses two columns of one name.

    Args:
        columns: The columns of one dataset.

    Raises:
        ArgumentError: If a name stands twice.
    """
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ArgumentError("columns", "different names", f"'{twice[0]}' twice", "Rename one.")
