"""Opens installed datasets, and folders of Parquet files, as datasets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from fewmask.data.dataset import Dataset
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.wording import counted
from fewmask.errors import DataError
from fewmask.packages.card import CARD, encoding_of_card
from fewmask.packages.foreign import possible_masks
from fewmask.packages.hubfolder import SUFFIX, find_shards, list_parquet, read_card
from fewmask.packages.manifest import Manifest, PackagedFile
from fewmask.packages.names import DatasetName
from fewmask.packages.parquet import read_shape
from fewmask.packages.reading import Reading, ShardFile, read_shards
from fewmask.packages.store import Store


def open_installed(name: DatasetName, store: Store, reading: Reading) -> Dataset:
    """Opens an installed dataset; its images are read from the store when they are asked for.

    Args:
        name: With a version, or without to get the newest that is installed.
        store: Where it is installed.
        reading: How to read it.

    Raises:
        DataError: If it is not installed, or not whole.
    """
    manifest = store.manifest(name)
    dataset = open_manifest(manifest, store, reading)
    if dataset is None:
        raise DataError(
            manifest.dataset, "shards with samples", "none", "Ask whoever publishes the dataset."
        )
    images = counted(manifest.rows, "image")
    if len(manifest.parts) > 1:
        images = ", ".join(f"{count} {part}" for part, count in manifest.parts.items())
    said = f"{manifest.dataset} is installed: {images}; licence {manifest.licence}."
    return replace(dataset, findings=(said, *dataset.findings))


def open_manifest(
    manifest: Manifest, store: Store, reading: Reading, skipped: Collection[PackagedFile] = ()
) -> Dataset | None:
    """Opens the shards of an installed version.

    Args:
        manifest: The version.
        store: Where it is installed.
        reading: How to read it.
        skipped: Shards to leave out.

    Returns:
        The dataset; None where no shard is left.

    Raises:
        DataError: If files are missing or damaged.
    """
    name = str(manifest.dataset)
    missing = [file.path for file in manifest.files if not store.has(file)]
    if missing:
        raise DataError(
            name,
            "all its files in the store",
            f"{len(missing)} missing or cut off, {missing[0]} for one",
            f"Run: fewmask install {name}",
        )
    files = {file.path: file for file in manifest.files}
    paths = [path for path in files if path.endswith(SUFFIX)]
    found = find_shards(paths, _card(manifest, store), name)
    shards = [
        ShardFile(path, store.object_path(files[path].sha256), part)
        for path, part in found.shards
        if files[path] not in skipped
    ]
    if not shards:
        return None
    if manifest.encoding is not None:
        reading = replace(reading, painted=MaskEncoding.from_json(dict(manifest.encoding)))
    dataset = read_shards(name, store.root, shards, reading)
    return replace(dataset, findings=(*found.findings, *dataset.findings))


def masks_to_choose(manifest: Manifest, store: Store) -> list[str]:
    """Lists the columns that could hold the masks of a dataset that lacks a mask column.

    Args:
        manifest: An installed version.
        store: Where it is installed.
    """
    shards = [file for file in manifest.files if file.path.endswith(SUFFIX)]
    leaves = read_shape(store.object_path(shards[0].sha256)).leaves
    return possible_masks([leaf.name for leaf in leaves if leaf.kind == "file"])


def _card(manifest: Manifest, store: Store) -> str:
    file = manifest.file(CARD)
    return "" if file is None else store.object_path(file.sha256).read_text("utf-8", "replace")


def open_parquet_folder(folder: Path, reading: Reading) -> Dataset | None:
    """Opens a folder of Parquet files as a dataset, ours or somebody else's.

    Args:
        folder: The folder.
        reading: How to read it.

    Returns:
        The dataset; None where the folder has no Parquet files with images in them.

    Raises:
        DataError: If the files are damaged, or cannot be understood.
    """
    if not holds_images(folder):
        return None
    card = read_card(folder)
    found = find_shards(list_parquet(folder), card, folder)
    shards = [ShardFile(path, folder / path, part) for path, part in found.shards]
    reading = replace(reading, painted=encoding_of_card(card, f"{folder}:{CARD}"))
    dataset = read_shards(folder.resolve().name or str(folder), folder, shards, reading)
    return replace(dataset, findings=(*found.findings, *dataset.findings))


def holds_images(folder: Path) -> bool:
    """Whether a folder has Parquet files with images in them.

    Args:
        folder: The folder.

    Raises:
        DataError: If the files are damaged.
    """
    paths = list_parquet(folder)
    shards = find_shards(paths, read_card(folder), folder).shards if paths else ()
    leaves = read_shape(folder / shards[0][0]).leaves if shards else ()
    return any(leaf.kind == "file" for leaf in leaves)
