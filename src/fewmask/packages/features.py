"""What the columns of a dataset are called in Parquet files and by the library `datasets`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fewmask.data.classes import Classes
from fewmask.data.schema import Column
from fewmask.errors import DataError
from fewmask.packages.checks import Check
from fewmask.packages.described import read_classes, read_columns

HUB_KEY, OUR_KEY = "huggingface", "fewmask"
"""Keys of the texts in a shard's schema: for `datasets`, and for us."""
PART = "part"
"""The column that no shard holds, because the shard's name says it."""

_TYPES = {"integer": "int64", "float": "float64", "string": "string"}
_NOTES_FORMAT = 1


def stored_columns(columns: Sequence[Column]) -> list[Column]:
    """Returns the columns that shards hold: all but the part."""
    return [column for column in columns if column.name != PART]


def write_notes(columns: Sequence[Column], classes: Classes | None) -> dict[str, str]:
    """Makes the texts that the schema of every shard carries.

    They change with columns and classes only, so that shards of all versions can be equal.

    Args:
        columns: The columns of the dataset.
        classes: The classes of its masks, if it has any.

    Returns:
        Texts by key: what `datasets` needs to show images and names of categories, and what
        makes a shard on its own a dataset here.
    """
    features = {column.name: _feature(column) for column in stored_columns(columns)}
    ours = {
        "format": _NOTES_FORMAT,
        "columns": [column.to_json() for column in columns],
        "classes": classes and classes.to_json(),
    }
    texts = {HUB_KEY: {"info": {"features": features}}, OUR_KEY: ours}
    return {
        key: json.dumps(values, ensure_ascii=False, sort_keys=True) for key, values in texts.items()
    }


def read_notes(
    notes: Mapping[str, str], where: object
) -> tuple[tuple[Column, ...], Classes | None] | None:
    """Reads what `write_notes` wrote.

    Args:
        notes: The texts of a schema.
        where: The shard, for the error.

    Returns:
        Columns and classes; None for a file that somebody else has made.

    Raises:
        DataError: If our text is damaged, or of a newer format.
    """
    if OUR_KEY not in notes:
        return None
    check = Check(where)
    try:
        values = json.loads(notes[OUR_KEY])
    except (ValueError, RecursionError) as error:
        raise check.refusal(f"JSON under the key {OUR_KEY} of its schema", str(error)) from error
    check.that(isinstance(values, dict), f"an object under the key {OUR_KEY}", values)
    number = values.get("format")
    if type(number) is int and number > _NOTES_FORMAT:
        raise DataError(
            where,
            f"a shard of format {_NOTES_FORMAT} or older",
            f"format {number}, made by a newer fewmask",
            "Update: pip install --upgrade fewmask",
        )
    check.keys(values, f"the key {OUR_KEY} of its schema", ("format", "columns", "classes"))
    return read_columns(values, check), read_classes(values["classes"], check)


def hub_feature_list(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Describes the stored columns as the front matter of a card does.

    Example:

    >>> hub_feature_list([Column("image", "image"), Column("kind", "category", ("a", "b"))])[1]
    {'name': 'kind', 'dtype': {'class_label': {'names': {'0': 'a', '1': 'b'}}}}
    """
    listed = []
    for column in stored_columns(columns):
        kind = column.kind.removesuffix(" array")
        dtype: Any = "image" if kind in ("image", "mask") else _TYPES.get(kind)
        if kind == "category":
            names = {str(number): name for number, name in enumerate(column.categories)}
            dtype = {"class_label": {"names": names}}
        listed.append({"name": column.name, "sequence" if column.is_array else "dtype": dtype})
    return listed


def _feature(column: Column) -> dict[str, Any]:
    kind = column.kind.removesuffix(" array")
    feature: dict[str, Any] = {"_type": "Image"}
    if kind == "category":
        feature = {"_type": "ClassLabel", "names": list(column.categories)}
    elif kind in _TYPES:
        feature = {"_type": "Value", "dtype": _TYPES[kind]}
    # The older of two names that `datasets` reads here.
    return {"_type": "Sequence", "feature": feature} if column.is_array else feature
