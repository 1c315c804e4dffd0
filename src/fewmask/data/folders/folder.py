"""Reads a folder of images and masks as a dataset."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fewmask.data import imageio
from fewmask.data.dataset import Dataset
from fewmask.data.folders.names import PART_WORDS, read_name
from fewmask.data.folders.pairing import Pair, Pairing, left_out, pair_pictures
from fewmask.data.folders.refusals import no_masks, to_be_converted, with_command
from fewmask.data.folders.settings import Settings, read_settings
from fewmask.data.folders.sorting import natural_key
from fewmask.data.folders.table import FILE_NAME as TABLE_NAME
from fewmask.data.folders.table import Entry, other_part, read_table
from fewmask.data.folders.walking import check_encoding, walk_pictures
from fewmask.data.masks import understand_masks
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.data.masks.legend import find_legend
from fewmask.data.schema import Column
from fewmask.data.sizes import check_sizes
from fewmask.data.wording import counted, some
from fewmask.errors import DataError, DecisionNeeded
from fewmask.files import expanded

Progress = Callable[[int, int], None]


def read_folder(
    path: str | Path,
    *,
    masks: str | Path | None = None,
    decisions: MaskDecisions | None = None,
    max_pixels: int = imageio.DEFAULT_MAX_PIXELS,
    progress: Progress | None = None,
) -> Dataset:
    """Reads a folder of images and masks as a dataset.

    Which pictures are masks, and whose, is found by evidence (see `pair_pictures`) or read from
    `split.csv` beside them; what the values of the masks mean is found likewise (see
    `understand_masks`). What was believed stands in `findings` of the dataset. A `fewmask.toml`
    in the folder decides what the arguments leave open.

    Every header is read, so that a picture that is broken or of another size than its mask is
    refused here, not in the middle of a training.

    Args:
        path: The folder.
        masks: The folder of the masks, as it is reached from `path` or from here.
        decisions: What is known about the values of the masks.
        max_pixels: Larger pictures are refused.
        progress: Called with the work done so far, then all of it.

    Returns:
        A dataset with columns `image` and `mask`; `part` and `group` where they are known. Its
        rows are in the order of the paths, 2 before 10.

    Raises:
        DataError: If there is no such folder, it has no masks, images and masks do not match, or
            a name is not in UTF-8.
        DecisionNeeded: If the masks can be understood in more than one way.
        ArgumentError: If `fewmask.toml` holds something that means nothing.
    """
    root = check_folder(path)
    decisions = decisions or MaskDecisions()
    settings = read_settings(root).beside(decisions)
    paths, from_masks = _list_pictures(root, *_masks_folder(root, masks, settings))
    if not paths:
        raise to_be_converted(root) or DataError(
            root,
            "pictures (PNG, JPEG, TIFF, BMP, GIF or WebP)",
            "none",
            "Name the folder that holds the images and their masks.",
        )
    table = read_table(root, paths, from_masks)
    if table and table[0].mask is not None:
        pairing = _pairs_of_table(paths, table)
    else:
        try:
            found = pair_pictures(root, paths, from_masks)
        except DecisionNeeded:
            raise
        except DataError as error:
            raise to_be_converted(root, ("cityscapes",)) or error from None
        if found is None:
            raise to_be_converted(root) or no_masks(root, len(paths))
        pairing = _narrowed(root, found, table) if table else found

    pairs = sorted(pairing.pairs, key=lambda pair: natural_key(pair.image))
    findings = [*pairing.findings, *settings.findings()]
    columns, rows = _columns_and_rows(root, pairs, table)
    findings.extend(_describe_parts(columns, rows))
    _check_names_differ([pair.image for pair in pairs])
    _check_all_sizes(root, pairs, max_pixels, progress)

    count = len(pairs)
    decided = decide(decisions, settings)
    try:
        understanding = understand_masks(
            [root / pair.mask for pair in pairs],
            decided,
            find_legend(root, decided.classes),
            max_pixels,
            None if progress is None else lambda done, total: progress(count + done, count + total),
        )
    except DecisionNeeded as error:
        raise with_command(root, error) from None
    return Dataset(
        name=root.resolve().name or str(root),
        root=root,
        columns=columns,
        rows=rows,
        classes=understanding.classes,
        encoding=understanding.encoding,
        findings=(*findings, *understanding.findings),
        max_pixels=max_pixels,
    )


def _check_names_differ(images: Sequence[str]) -> None:
    """Refuses images that differ in the suffix alone: a sample is named by what is before it."""
    first: dict[str, str] = {}
    for image in images:
        name = image.rpartition(".")[0]
        if name in first:
            raise DataError(
                image,
                "a name that differs before the suffix",
                f"{first[name]} too",
                "Rename one of them.",
            )
        first[name] = image


def check_folder(path: str | Path) -> Path:
    """Returns the folder with `~` written out.

    Raises:
        DataError: If there is nothing of this name, or it is no folder.
    """
    root = expanded(path)
    if not root.exists():
        raise DataError(
            root, "a folder of images and masks", "nothing there", "Check the path for a slip."
        )
    if not root.is_dir():
        raise to_be_converted(root) or DataError(
            root,
            "a folder of images and masks",
            "a single file",
            "Name the folder that it lies in; an archive must be unpacked before.",
        )
    return root


def _masks_folder(
    root: Path, masks: str | Path | None, settings: Settings
) -> tuple[Path | None, str | None]:
    """Returns the folder of the masks where it is one, and else the name that was given."""
    if masks is not None:
        here = expanded(masks)
        # Whoever types `--masks masks` means the one in the data, whatever lies here beside it.
        for folder in (root / here, here):
            if folder.is_dir():
                return folder, None
        return None, here.as_posix()
    if settings.masks is not None:
        folder = root / expanded(settings.masks)
        return (folder, None) if folder.is_dir() else (None, settings.masks)
    return None, None


def _list_pictures(
    root: Path, masks: Path | None, name: str | None
) -> tuple[list[str], str | None]:
    """Lists the pictures of the data, and names the folder of masks as their paths begin."""
    paths = [relative_path(file, root) for file in walk_pictures(root)]
    if masks is not None:
        name = relative_path(masks, root)
        if Path(name).is_absolute() or name.split("/")[0] == "..":
            paths.extend(f"{name}/{relative_path(file, masks)}" for file in walk_pictures(masks))
    check_encoding(root, paths)
    return sorted(paths, key=natural_key), name


def relative_path(path: Path, root: Path) -> str:
    """Returns the path from `root` on with `/`, through `..` if need be."""
    try:
        below = Path(os.path.relpath(path, root))
        if below.parts[:1] == ("..",):
            # The system follows links before it takes `..`, so only places without any will do.
            below = Path(os.path.relpath(os.path.realpath(path), os.path.realpath(root)))
        return below.as_posix()
    except ValueError:  # another drive of Windows, to which no way leads from here
        return path.absolute().as_posix()


def _pairs_of_table(paths: Sequence[str], table: Sequence[Entry]) -> Pairing:
    pairs = tuple(Pair(entry.image, entry.mask or "", entry.part) for entry in table)
    used = {path for pair in pairs for path in (pair.image, pair.mask)}
    others = [read_name(path) for path in paths if path not in used]
    findings = [f"{counted(len(pairs), 'image')} paired with masks by {TABLE_NAME}."]
    return Pairing(pairs, (*findings, left_out(others)) if others else tuple(findings))


def _narrowed(root: Path, pairing: Pairing, table: Sequence[Entry]) -> Pairing:
    """Keeps the pairs that the table lists, with the parts that it or the folders name."""
    _check_listed(root, pairing, table)
    entries = {entry.image: entry for entry in table}
    pairs = []
    for pair in pairing.pairs:
        entry = entries.get(pair.image)
        if entry is None:
            continue
        if entry.part and pair.part and entry.part != pair.part:
            where = f"{root / TABLE_NAME}, line {entry.line}"
            raise other_part(where, pair.mask, pair.part, entry.part)
        pairs.append(replace(pair, part=entry.part or pair.part))
    missing = len(pairing.pairs) - len(pairs)
    note = f"Left out: {counted(missing, 'image')} that {TABLE_NAME} does not list."
    return Pairing(tuple(pairs), (*pairing.findings, note) if missing else pairing.findings)


def _check_listed(root: Path, pairing: Pairing, table: Sequence[Entry]) -> None:
    """Refuses lines that name no image of a pair."""
    images = {pair.image for pair in pairing.pairs}
    masks = {pair.mask for pair in pairing.pairs}
    parts = {pair.part for pair in pairing.pairs}
    for entry in table:
        part = read_name(entry.image).part
        # That nobody drew masks for a whole part, its test images say, is no slip.
        if entry.image not in images and (part is None or part in parts):
            raise DataError(
                f"{root / TABLE_NAME}, line {entry.line}",
                "an image that has a mask",
                f"{entry.image}, which {'is a mask' if entry.image in masks else 'has none'}",
                "Correct the line or remove it.",
            )


def _columns_and_rows(
    root: Path, pairs: Sequence[Pair], table: Sequence[Entry] | None
) -> tuple[list[Column], list[tuple[Any, ...]]]:
    columns = [Column("image", "image"), Column("mask", "mask")]
    values: list[list[str]] = [[pair.image for pair in pairs], [pair.mask for pair in pairs]]
    parts = [pair.part for pair in pairs if pair.part is not None]
    if parts:
        if len(parts) < len(pairs):
            outside = [pair.image for pair in pairs if pair.part is None]
            raise DataError(
                root,
                "every image in a folder train, validation or test, or none",
                f"{len(parts)} that are and {len(outside)} that are not: {some(outside)}",
                "Move all of them into the folders, or out.",
            )
        known = [part for part in dict.fromkeys(PART_WORDS.values()) if part in parts]
        columns.append(Column("part", "category", tuple(known)))
        values.append(parts)
    groups = {entry.image: entry.group for entry in table or () if entry.group is not None}
    if groups:
        columns.append(Column("group", "string"))
        # An image without a group belongs to nobody else.
        values.append([groups.get(pair.image) or pair.image for pair in pairs])
    return columns, list(zip(*values, strict=True))


def _describe_parts(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    findings = []
    for place, column in enumerate(columns):
        counts = Counter(row[place] for row in rows)
        if column.name == "part":
            parts = ", ".join(f"{counts[part]} {part}" for part in column.categories)
            findings.append(f"Its images come in parts: {parts}.")
        if column.name == "group":
            findings.append(
                f"Its images come in {counted(len(counts), 'group')}, each kept together."
            )
    return findings


def _check_all_sizes(
    root: Path, pairs: Sequence[Pair], max_pixels: int, progress: Progress | None
) -> None:
    for done, pair in enumerate(pairs, start=1):
        image, mask = root / pair.image, root / pair.mask
        size = imageio.read_size(image, max_pixels)
        check_sizes(image, size, mask, imageio.read_size(mask, max_pixels))
        if progress is not None:
            progress(done, 2 * len(pairs))


def decide(decisions: MaskDecisions, settings: Settings) -> MaskDecisions:
    """Takes each decision from the call, else from the file.

    Args:
        decisions: What was typed.
        settings: What `fewmask.toml` says.
    """
    index, threshold = decisions.ignore_index, decisions.threshold
    return MaskDecisions(
        decisions.classes or settings.classes,
        settings.ignore_index if index is None else index,
        settings.threshold if threshold is None else threshold,
    )
