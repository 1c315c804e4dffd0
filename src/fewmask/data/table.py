"""A table: rows of typed columns, which can be chosen from, sorted and divided."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, Self, TypeVar, overload

from fewmask.data.row import Row
from fewmask.data.schema import Column, check_unique
from fewmask.data.split import (
    Seed,
    complete_shares,
    divide,
    sizes_of_folds,
    sizes_of_shares,
    with_rest,
)
from fewmask.errors import ArgumentError

T = TypeVar("T")


class Split(NamedTuple, Generic[T]):
    """Three parts that share no image and no group; those not asked for are empty."""

    train: T
    validation: T
    test: T


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Rows of typed columns; what a `Dataset` is before anybody opens a picture.

    Nothing changes a table. What selects from it returns a new one of the same kind, which
    shares everything but rows and columns.

    Args:
        name: What to call it: the name of its folder, or `owner/name`.
        root: The folder that the paths in its rows start from.
        columns: The columns; see `Column`.
        rows: One tuple of values a sample, in the order of the columns.

    Raises:
        ArgumentError: If two columns share a name, or a value is of another kind than its column.

    Example:

    >>> part = Column("part", "category", ("train", "test"))
    >>> rows = [("a.jpg", "train"), ("b.jpg", "train"), ("c.jpg", "test")]
    >>> table = Table("three", Path("three"), [Column("image", "image"), part], rows)
    >>> table[-1].part, len(table.filter(lambda row: row.part == "train"))
    ('test', 2)
    """

    name: str
    root: Path
    columns: Sequence[Column]
    rows: Sequence[tuple[Any, ...]]

    def __post_init__(self) -> None:
        check_unique(self.columns)
        rows = []
        for number, values in enumerate(self.rows):
            where = f"{self.name}, row {number}"
            if len(values) != len(self.columns):
                raise ArgumentError(
                    where,
                    f"{len(self.columns)} values, one a column",
                    str(len(values)),
                    "Give every row a value for each column.",
                )
            pairs = zip(self.columns, values, strict=True)
            rows.append(tuple(column.convert(value, where) for column, value in pairs))
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(rows))
        object.__setattr__(self, "root", Path(self.root))

    # --- rows -------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (self._row(index) for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Row | Self:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        return self._row(self._place(index))

    def _place(self, index: int) -> int:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"{self.name} has {len(self)} rows, there is no row {place}.")
        return place % len(self)

    def _row(self, place: int) -> Row:
        return Row(tuple(column.name for column in self.columns), self.rows[place])

    def take(self, indices: Sequence[int]) -> Self:
        """Returns the rows at these indices, in this order."""
        return replace(self, rows=[self.rows[self._place(index)] for index in indices])

    def column(self, name: str) -> Column:
        """Returns the column of this name.

        Raises:
            ArgumentError: If there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(column.name for column in self.columns)
        raise ArgumentError(
            f"column '{name}'", f"a column of {self.name}", "no such column", f"There are: {names}."
        )

    def has_column(self, name: str) -> bool:
        """Whether there is a column of this name."""
        return any(column.name == name for column in self.columns)

    def values(self, name: str) -> list[Any]:
        """Returns the values of one column, in the order of the rows.

        Raises:
            ArgumentError: If there is no such column.
        """
        place = list(self.columns).index(self.column(name))
        return [row[place] for row in self.rows]

    # --- selecting --------------------------------------------------------------------------

    def filter(self, keep: Callable[[Row], bool]) -> Self:
        """Returns the rows for which `keep` says True."""
        return self.take([place for place, row in enumerate(self) if keep(row)])

    def select(self, names: Sequence[str]) -> Self:
        """Returns the rows with only these columns, in this order.

        Raises:
            ArgumentError: If there is no column of a name.
        """
        if isinstance(names, str):
            names = [names]
        columns = [self.column(name) for name in names]
        places = [list(self.columns).index(column) for column in columns]
        rows = [tuple(row[place] for place in places) for row in self.rows]
        return replace(self, columns=columns, rows=rows)

    def sort(self, key: str | Callable[[Row], Any], reverse: bool = False) -> Self:
        """Returns the rows in another order; rows of equal keys keep theirs.

        Args:
            key: Name of a column, or a function of the row.
            reverse: Whether the largest comes first.

        Raises:
            ArgumentError: If there is no column of that name.
        """
        if isinstance(key, str):
            name = self.column(key).name
            keys = self.values(name)
        else:
            keys = [key(row) for row in self]
        return self.take(sorted(range(len(self)), key=keys.__getitem__, reverse=reverse))

    # --- dividing ---------------------------------------------------------------------------

    def create_folds(
        self, sizes: Sequence[int], shuffle: bool = False, seed: Seed = None
    ) -> list[Self]:
        """Divides the rows into folds of given sizes, with the rest in a last one.

        If there is a column `group`, groups are kept whole, and a fold may be off by less than
        the largest group. Within a fold the rows keep their order.

        Args:
            sizes: Numbers of images.
            shuffle: Whether to draw; without, folds are cut off in the order of the rows.
            seed: Equal seeds draw equal folds; None draws anew each time.

        Returns:
            One fold for each size, then one with the rest, which may be empty.

        Raises:
            ArgumentError: If the sizes are no numbers of images, or ask for more than there is.

        Example:

        >>> rows = [(f"{number}.jpg",) for number in range(97)]
        >>> chairs = Table("chairs", Path(), [Column("image", "image")], rows)
        >>> [len(fold) for fold in chairs.create_folds((20,), shuffle=True, seed=0)]
        [20, 77]
        """
        folds = divide(with_rest(len(self), sizes), self._groups(None), None, shuffle, seed)
        return [self.take(fold) for fold in folds]

    def split(
        self,
        train: float = 0.8,
        validation: float | None = None,
        test: float | None = None,
        group_by: str | None = None,
        stratify_by: str | None = None,
        seed: Seed = 0,
    ) -> Split[Self]:
        """Divides the rows at random into training, validation and test images.

        Args:
            train: Share of the images to train from, in (0, 1].
            validation: Share to choose by; left out, none.
            test: Share to report on; left out, the rest.
            group_by: Column whose equal values must not be separated; left out, the column
                `group` where there is one.
            stratify_by: Column of categories of which each part gets its share.
            seed: Equal seeds draw equal parts; None draws anew each time.

        Returns:
            `Split(train, validation, test)`; a part of share 0 is empty.

        Raises:
            ArgumentError: If the shares do not add up to 1, or there are too few groups.

        Example:

        >>> rows = [(f"{number}.jpg",) for number in range(97)]
        >>> chairs = Table("chairs", Path(), [Column("image", "image")], rows)
        >>> train, validation, test = chairs.split(0.7, validation=0.1)
        >>> len(train), len(validation), len(test)
        (68, 10, 19)
        """
        sizes = sizes_of_shares(len(self), complete_shares(train, validation, test))
        parts = divide(sizes, self._groups(group_by), self._strata(stratify_by), True, seed)
        return Split(*(self.take(part) for part in parts))

    def k_folds(
        self,
        k: int,
        group_by: str | None = None,
        stratify_by: str | None = None,
        shuffle: bool = True,
        seed: Seed = 0,
    ) -> list[tuple[Self, Self]]:
        """Divides the rows k times so that each image is held out once.

        Args:
            k: Number of folds, at least 2.
            group_by: As in `split`.
            stratify_by: As in `split`.
            shuffle: Whether to draw; without, folds are cut off in the order of the rows.
            seed: Equal seeds draw equal folds; None draws anew each time.

        Returns:
            k pairs: images to train from, images held out.

        Raises:
            ArgumentError: If there are fewer groups than folds.
        """
        sizes = sizes_of_folds(len(self), k)
        groups, strata = self._groups(group_by), self._strata(stratify_by)
        folds = divide(sizes, groups, strata, shuffle, seed)
        held_out = [set(fold) for fold in folds]
        everything = range(len(self))
        return [
            (self.take([i for i in everything if i not in out]), self.take(sorted(out)))
            for out in held_out
        ]

    def _groups(self, group_by: str | None) -> Sequence[Hashable]:
        """Returns the group of each row; its number where every row is on its own."""
        if group_by is None and not self.has_column("group"):
            return range(len(self))
        return self.values(group_by or "group")

    def _strata(self, stratify_by: str | None) -> Sequence[Hashable] | None:
        return None if stratify_by is None else self.values(stratify_by)
