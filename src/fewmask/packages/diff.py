"""What changed from one version of a dataset to another: rows, and pixels of masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.masks.encoding import IGNORED
from fewmask.packages.features import OUR_KEY
from fewmask.packages.hubfolder import SUFFIX
from fewmask.packages.manifest import Manifest, PackagedFile
from fewmask.packages.opening import open_manifest
from fewmask.packages.parquet import read_shape
from fewmask.packages.progress import Progress
from fewmask.packages.reading import Reading
from fewmask.packages.store import Store

KEPT, ADDED, REMOVED, OTHER = 1, 2, 3, 4
"""What became of a pixel: the same class; new foreground; gone foreground; another class.
Background that stays is 0."""


@dataclass(frozen=True)
class Change:
    """What changed in one row.

    Args:
        sample: The id of the row.
        before: Its place in the older dataset.
        after: Its place in the newer one.
        what: Some of `image`, `mask`, `part` and the names of other columns, of images too.
        added: Pixels of the mask that became foreground.
        removed: Pixels that became background, or are ignored now.
        other: Pixels that became another class.
    """

    sample: str
    before: int
    after: int
    what: tuple[str, ...]
    added: int = 0
    removed: int = 0
    other: int = 0

    @property
    def pixels(self) -> int:
        """Pixels of the mask that changed."""
        return self.added + self.removed + self.other


@dataclass(frozen=True)
class Difference:
    """What changed from one version to another.

    Args:
        old: What the older one does not share with the newer one.
        new: Likewise.
        added: Ids of new rows.
        removed: Ids of rows that are gone.
        changed: Rows that are in both and differ, those with the most changed pixels first.
        classes: What changed in the classes, a sentence each.
        columns: Which columns are new or gone, a sentence each.
    """

    old: Dataset
    new: Dataset
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Change, ...]
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def compare(
    store: Store,
    old: Manifest,
    new: Manifest,
    progress: Progress | None = None,
    reading: Reading | None = None,
) -> Difference:
    """Compares two versions. Shards that they share are not even opened.

    Args:
        store: Where both are installed.
        old: The older version.
        new: The newer one; may be of another name.
        progress: Called with the rows compared, then the rows of all.
        reading: How to read those of the two that somebody else has made.

    Returns:
        The difference.

    Raises:
        DataError: If a shard is missing or damaged.
        DecisionNeeded: If columns or masks of somebody else's can be understood in several ways.
    """
    # Of the same path too: a shard does not say its part, its path does.
    shared = {*old.files} & {*new.files}
    before = _open_rest(store, old, shared, reading or Reading())
    after = _open_rest(store, new, shared, reading or Reading())
    old_rows, new_rows = _rows(before), _rows(after)
    common = [sample for sample in new_rows if sample in old_rows]
    changes = []
    for done, sample in enumerate(common, start=1):
        change = _compare_row(before, old_rows[sample], after, new_rows[sample])
        if change.what:
            changes.append(change)
        if progress is not None:
            progress(done, len(common))
    return Difference(
        before,
        after,
        tuple(sample for sample in new_rows if sample not in old_rows),
        tuple(sample for sample in old_rows if sample not in new_rows),
        tuple(sorted(changes, key=lambda change: (-change.pixels, change.sample))),
        _compare_classes(old.classes, new.classes),
        _compare_columns(before, after),
    )


def _open_rest(
    store: Store, manifest: Manifest, shared: set[PackagedFile], reading: Reading
) -> Dataset:
    """Opens the shards that are not shared."""
    # Only in ours does a shard name its rows whatever others there are, and say what they mean.
    if _is_ours(store, manifest):
        dataset = open_manifest(manifest, store, Reading(), shared)
    else:
        dataset = open_manifest(manifest, store, reading)
    return dataset if dataset is not None else Dataset(str(manifest.dataset), store.root, (), ())


def _is_ours(store: Store, manifest: Manifest) -> bool:
    """Whether a version was written by `build`, as its shards say themselves."""
    shards = [file for file in manifest.files if file.path.endswith(SUFFIX) and store.has(file)]
    return bool(shards) and OUR_KEY in read_shape(store.object_path(shards[0].sha256)).notes


def _rows(dataset: Dataset) -> dict[str, int]:
    return {dataset.sample_id(index): index for index in range(len(dataset))}


def _compare_row(old: Dataset, before: int, new: Dataset, after: int) -> Change:
    what, sample = [], new.sample_id(after)
    if old.image_path(before).read_bytes() != new.image_path(after).read_bytes():
        what.append("image")
    states = None
    if old.mask_column is not None and new.mask_column is not None:
        same = old.mask_path(before).read_bytes() == new.mask_path(after).read_bytes()
        if not same or old.classes != new.classes:
            states = pixel_states(old, before, new, after)
            if states is None or (states > KEPT).any():
                what.append("mask")
    elif old.mask_column != new.mask_column:
        what.append("mask")
    kept, now = _values(old, before), _values(new, after)
    what += [name for name in now if name in kept and kept[name] != now[name]]
    if states is None:
        return Change(sample, before, after, tuple(what))
    counts = np.bincount(states.ravel(), minlength=5).tolist()
    return Change(sample, before, after, tuple(what), counts[ADDED], counts[REMOVED], counts[OTHER])


def _values(dataset: Dataset, row: int) -> dict[str, Any]:
    """Returns what a row holds beside its image and its mask; of further images the bytes."""
    return {
        column.name: dataset.file(value).read_bytes() if column.kind == "image" else value
        for column, value in zip(dataset.columns, dataset.rows[row], strict=True)
        if column.name not in (dataset.image_column, dataset.mask_column)
    }


def pixel_states(old: Dataset, before: int, new: Dataset, after: int) -> NDArray[np.uint8] | None:
    """Says what became of each pixel of a mask.

    Classes are the same if their names are, whatever their numbers.

    Args:
        old: The older version, with masks.
        before: The row in it.
        new: The newer version, with masks.
        after: The row in it.

    Returns:
        Shape `(H, W)`, uint8: 0, `KEPT`, `ADDED`, `REMOVED` or `OTHER`; None where the masks are
        of different sizes.
    """
    old_mask, new_mask = old.read_mask(before), new.read_mask(after)
    if old_mask.shape != new_mask.shape:
        return None
    old_ids, new_ids = _alike(old.classes, new.classes)
    old_mask, new_mask = old_ids[old_mask], new_ids[new_mask]
    was, is_now = _is_something(old_mask), _is_something(new_mask)
    states = np.zeros(old_mask.shape, np.uint8)
    states[was & is_now] = OTHER
    states[was & is_now & (old_mask == new_mask)] = KEPT
    states[~was & is_now] = ADDED
    states[was & ~is_now] = REMOVED
    # From background to ignored and back: nothing appeared, but what counts has changed.
    states[~was & ~is_now & (old_mask != new_mask)] = OTHER
    return states


def _is_something(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((mask != 0) & (mask != IGNORED))


def _alike(old: Classes | None, new: Classes | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns tables that give classes of one name one number."""
    old_names, new_names = (list(c.names) if c else [] for c in (old, new))
    # The background is the background, whatever it is called.
    names = ["", *old_names[1:], *(name for name in new_names[1:] if name not in old_names[1:])]
    tables = []
    for listed in (old_names, new_names):
        table = np.arange(256, dtype=np.uint8)
        for class_id, name in enumerate(listed[1:], start=1):
            table[class_id] = names.index(name, 1)
        tables.append(table)
    return tables[0], tables[1]


def _compare_columns(old: Dataset, new: Dataset) -> tuple[str, ...]:
    if not (old.columns and new.columns):
        return ()  # every shard of one of them is shared, and shards of one dataset are alike
    before, after = ([column.name for column in each.columns] for each in (old, new))
    sentences = [f"Column {name} is new." for name in after if name not in before]
    return (*sentences, *(f"Column {name} is gone." for name in before if name not in after))


def _compare_classes(old: Classes | None, new: Classes | None) -> tuple[str, ...]:
    if old is None or new is None or old.names == new.names:
        return ()
    added = [name for name in new.names if name not in old.names]
    removed = [name for name in old.names if name not in new.names]
    sentences = [f"Class {name} is new." for name in added]
    sentences += [f"Class {name} is gone." for name in removed]
    return tuple(sentences) or ("The classes have another order.",)
