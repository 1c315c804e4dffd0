"""Builds a version of a dataset: samples in, a package in the store out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fewmask import __version__
from fewmask.data.contact_sheet import compose_contact_sheet
from fewmask.data.dataset import Dataset
from fewmask.data.folders.names import part_named
from fewmask.data.imageio import encode_jpeg
from fewmask.errors import ArgumentError, DataError
from fewmask.files import cannot_write
from fewmask.packages.card import CARD, text_of_folder, write_card
from fewmask.packages.checking import check_pixels
from fewmask.packages.features import PART, write_notes
from fewmask.packages.licences import check_licence
from fewmask.packages.load import load_dataset
from fewmask.packages.manifest import PARTS, Manifest, PackagedFile
from fewmask.packages.names import DatasetName, parse_name
from fewmask.packages.overview import SHEET, sheet_file
from fewmask.packages.packing import Packing, write_shards
from fewmask.packages.progress import Progress
from fewmask.packages.rows import packed_paths
from fewmask.packages.store import Store, default_store

RESERVED = "demo"
"""Owner of the dataset that fewmask draws itself."""


@dataclass(frozen=True)
class Built:
    """A version that was built.

    Args:
        manifest: What it holds.
        is_new: False where the newest version before holds the same, which is returned then.
        sheet: A sheet of its samples, for looking at; a JPEG file.
        shared: Bytes of it that the version before holds too.
    """

    manifest: Manifest
    is_new: bool
    sheet: Path | None
    shared: int


def build(
    name: str,
    source: Dataset | str | Path,
    *,
    license: str,
    description: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
    **reading: Any,
) -> Built:
    """Builds a version of a dataset from a folder, as `fewmask build` does.

    Args:
        name: `owner/name`; the next free version is taken, unless there is an `@version`.
        source: A dataset, or what `load_dataset` takes.
        license: Identifier of the licence, such as `CC-BY-4.0`, or `unknown`.
        description: What it shows, in Markdown; the `README.md` of the folder when left out.
        store: Where to put it; your own store when left out.
        progress: Called with the work done so far, then all of it, for one step after the other.
        reading: For `load_dataset`: `classes`, `masks` and so on.

    Returns:
        The version, and a sheet of its samples to look at.

    Raises:
        FewmaskError: As `load_dataset` and `build_package` do.
    """
    dataset = (
        source
        if isinstance(source, Dataset)
        else load_dataset(source, store=store, progress=progress, **reading)
    )
    if description is None:
        description = "" if isinstance(source, Dataset) else text_of_folder(source)
    masks = {"masks": dataset.encoding.describe()} if dataset.encoding else {}
    return build_package(
        name,
        dataset,
        license=license,
        description=description,
        made_from={"dataset": dataset.name, **masks},
        store=store,
        checking=progress,
        packing=progress,
    )


def build_package(
    name: str,
    dataset: Dataset,
    *,
    license: str,
    description: str = "",
    made_from: Mapping[str, Any] | None = None,
    store: Store | None = None,
    checking: Progress | None = None,
    packing: Progress | None = None,
) -> Built:
    """Builds a version of a dataset and puts it into the store.

    Every image and mask is decoded first, so that nothing broken is published. Images are
    packed as the bytes of their files; masks as PNG files of class ids. Nothing is visible
    before all of it is there, and a process that is killed leaves the store as it was.

    Args:
        name: `owner/name`; the next free version is taken, unless there is an `@version`.
        dataset: Samples with an image each, at most one column of masks.
        license: Identifier of the licence, such as `CC-BY-4.0`, or `unknown`.
        description: What it shows, in Markdown.
        made_from: Where it comes from, for the manifest.
        store: Where to put it; your own store when left out.
        checking: Called with the rows whose pixels have been read, then the rows of all.
        packing: Called with the rows packed, then the rows of all.

    Returns:
        The version.

    Raises:
        ArgumentError: If the name, the licence or the columns will not do.
        DataError: If an image or a mask cannot be used.
        FewmaskError: If the store cannot be written to.
    """
    asked, licence = parse_name(name), check_licence(license)
    store = store or default_store()
    _check(asked, dataset, store)
    parts, paths = _parts(dataset), packed_paths(dataset)
    draft = Manifest(
        name=asked.path,
        version=asked.version or 1,
        licence=licence,
        files=(PackagedFile(CARD, "0" * 64, 0, len(dataset)),),
        columns=tuple(dataset.columns),
        parts={part: len(rows) for part, rows in parts.items()},
        classes=dataset.classes,
        encoding=_encoding_before(dataset),
        description=description,
        made_from=dict(made_from or {"dataset": dataset.name}),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        made_by=f"fewmask {__version__}",
    )
    # Read back before the work: whatever a manifest may not hold is refused now.
    remedy = "Change it, and build again."
    try:
        content = draft.to_bytes()
    except ValueError as error:
        found = error.reason if isinstance(error, UnicodeEncodeError) else str(error)
        expected = "texts and numbers that JSON in UTF-8 can hold"
        raise DataError(dataset.name, expected, found, remedy) from error
    Manifest.from_bytes(content, dataset.name, remedy)
    with store.staging() as folder:
        try:
            checked = check_pixels(dataset, folder / "masks", checking)
            sheet = encode_jpeg(compose_contact_sheet(dataset))
        except OSError as error:
            raise cannot_write(folder, error) from error
        before = _newest(store, asked)
        notes = write_notes(dataset.columns, dataset.classes)
        plan = Packing(dataset, checked, paths, notes, folder)
        shards = write_shards(plan, parts, before, packing)
        sizes = {part: sum(checked.sizes[row] for row in rows) for part, rows in parts.items()}
        card = write_card(draft, checked.statistics, sizes)
        files = [_write(folder, CARD, card.encode("utf-8")), _write(folder, SHEET, sheet)]
        files += [
            PackagedFile(path, shard.sha256, shard.size, shard.rows)
            for path, shard in shards.items()
        ]
        sources = {CARD: folder / CARD, SHEET: folder / SHEET}
        sources |= {path: shard.path for path, shard in shards.items()}
        manifest = replace(
            draft, files=tuple(sorted(files)), statistics=checked.statistics.to_json()
        )
        return _publish(store, asked, manifest, sources)


def _check(name: DatasetName, dataset: Dataset, store: Store) -> None:
    """Refuses what can be refused before any work is done."""
    if name.owner.lower() == RESERVED:
        raise ArgumentError(
            name,
            "a name of your own",
            f"the owner '{RESERVED}', whose datasets fewmask draws itself",
            "Choose another owner.",
        )
    _check_free(name, store)
    if len(dataset) == 0:
        raise DataError(dataset.name, "at least one image", "none", "Choose more rows.")
    masks = [column.name for column in dataset.columns if column.kind == "mask"]
    if len(masks) > 1:
        raise ArgumentError(
            dataset.name,
            "one column of masks at most",
            f"{len(masks)}: {', '.join(masks)}",
            "Choose one of them with select().",
        )


def _check_free(name: DatasetName, store: Store) -> None:
    store.check_case(name)
    if name.version is not None and store.version_path(name).exists():
        raise DataError(
            name,
            "a version that is not there yet",
            "one of this number in the store",
            f"Leave out @{name.version} to take the next one.",
        )


def _parts(dataset: Dataset) -> dict[str, list[int]]:
    """Returns the rows of each part, all of them in `train` where no parts are declared."""
    if not dataset.has_column(PART):
        return {"train": list(range(len(dataset)))}
    parts: dict[str, list[int]] = {}
    for index, word in enumerate(dataset.values(PART)):
        part = part_named(str(word))
        if part is None or part != word:
            raise DataError(
                f"{dataset.name}, row {index}",
                f"a part named {', '.join(PARTS)}",
                repr(word),
                "Rename it, or leave the column out with select().",
            )
        parts.setdefault(part, []).append(index)
    return {part: parts[part] for part in PARTS if part in parts}


def _encoding_before(dataset: Dataset) -> dict[str, Any] | None:
    """Says how the owner's mask files told the classes, if not by class ids."""
    encoding = dataset.encoding
    if encoding is not None and encoding.is_plain:
        encoding = dataset.painted  # they were packed before, and it is known from then
    return None if encoding is None else encoding.to_json()


def _newest(store: Store, name: DatasetName) -> Manifest | None:
    return store.manifest(name.at(None)) if store.versions(name) else None


def _write(folder: Path, path: str, content: bytes) -> PackagedFile:
    try:
        (folder / path).write_bytes(content)
    except OSError as error:
        raise cannot_write(folder / path, error) from error
    return PackagedFile(path, hashlib.sha256(content).hexdigest(), len(content))


def _publish(
    store: Store, asked: DatasetName, manifest: Manifest, sources: Mapping[str, Path]
) -> Built:
    """Moves the files among the objects and writes the manifest last."""
    with store.lock():
        before = _newest(store, asked)
        if before is not None:
            same = replace(
                manifest,
                version=before.version,
                made_from=before.made_from,
                created=before.created,
                made_by=before.made_by,
            )
            if same == before and asked.version in (None, before.version):
                return Built(before, False, sheet_file(store, before), before.size)
            manifest = replace(manifest, version=asked.version or before.version + 1)
        # Others may have built meanwhile; what is refused now leaves nothing among the objects.
        _check_free(asked, store)
        there = {file.sha256 for file in before.files} if before else set()
        for file in manifest.files:
            store.adopt(sources[file.path], file.sha256)
        store.add_version(manifest.to_bytes())
    shared = sum(file.size for file in manifest.files if file.sha256 in there)
    return Built(manifest, True, sheet_file(store, manifest), shared)
