"""What images and masks are called inside a package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from fewmask.data.dataset import Dataset
from fewmask.errors import DataError
from fewmask.packages.checks import NEVER_IN_PATHS, plain_path, what_is_wrong_with


def packed_paths(dataset: Dataset) -> tuple[dict[str, str], ...]:
    """Says what the images and masks of each row are called in a package.

    They keep their paths, made safe for every system; masks, which become PNG files, change
    their suffix.

    Args:
        dataset: What is to be packed.

    Returns:
        For each row the path of each column of images or masks.

    Raises:
        DataError: If two rows have one image, or images that differ in the suffix alone.
    """
    kinds = {column.name: column.kind for column in dataset.columns}
    names = [name for name, kind in kinds.items() if kind in ("image", "mask")]
    places = [list(kinds).index(name) for name in names]
    rows = []
    for values in dataset.rows:
        paths = {name: clean_path(values[place]) for name, place in zip(names, places, strict=True)}
        for name in names:
            if kinds[name] == "mask":
                paths[name] = str(PurePosixPath(paths[name]).with_suffix(".png"))
        rows.append(paths)
    _check_ids(dataset, [id_of(paths[dataset.image_column]) for paths in rows])
    if _any_twice(path for paths in rows for path in paths.values()):
        # An image and its mask of one name, as `a.png` in two folders outside of the dataset.
        rows = [{name: f"{name}/{path}" for name, path in paths.items()} for paths in rows]
    if _any_twice(path for paths in rows for path in paths.values()):
        # One mask of several images. Each row gets its own, under the name of its image.
        rows = [_named_by_image(paths, dataset.image_column) for paths in rows]
    return tuple(rows)


def _named_by_image(paths: dict[str, str], image_column: str) -> dict[str, str]:
    """Names what else a row has as its image is named, in a folder for each column."""
    image = id_of(paths[image_column]).removeprefix(f"{image_column}/")
    return {
        name: path if name == image_column else f"{name}/{image}{PurePosixPath(path).suffix}"
        for name, path in paths.items()
    }


def id_of(path: str) -> str:
    """Returns the id of a row: the path of its image without the suffix.

    Example:

    >>> id_of("images/a.tar.jpg"), id_of("images/a")
    ('images/a.tar', 'images/a')
    """
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def clean_path(path: str) -> str:
    """Makes a path safe on every system.

    Example:

    >>> clean_path("../more: photos/a.jpg"), clean_path("C:\\\\scans\\\\1.png")
    ('more_ photos/a.jpg', 'C_/scans/1.png')
    """
    parts = []
    for part in path.replace("\\", "/").split("/"):
        clean = re.sub(NEVER_IN_PATHS, "_", part)
        if clean in ("", ".", ".."):
            continue
        clean = clean if clean[-1] not in ". " else clean[:-1] + "_"
        clean = _shortened(clean)
        parts.append(clean if what_is_wrong_with(clean) is None else f"_{clean}")
    return "/".join(parts) or "_"


def _shortened(name: str) -> str:
    """Cuts a name that has too many bytes; two that begin alike stay two."""
    content = name.encode("utf-8")
    if len(content) <= 255:
        return name
    suffix = content[content.rfind(b".") :] if b"." in content[-20:] else b""
    mark = hashlib.sha256(content).hexdigest()[:8]
    return f"{content[:200].decode('utf-8', 'ignore')}-{mark}{suffix.decode('utf-8')}"


def _check_ids(dataset: Dataset, ids: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, sample in enumerate(ids):
        if sample in seen:
            first, second = (dataset.image_path(row) for row in (seen[sample], index))
            raise DataError(
                dataset.name,
                "each image once, by a name that differs before the suffix",
                f"{first}, and again {second}" if str(first) != str(second) else f"{first} twice",
                "Remove one of the rows, or rename a file.",
            )
        seen[sample] = index


def _any_twice(paths: Iterable[str]) -> bool:
    listed = [plain_path(path) for path in paths]
    return len(set(listed)) < len(listed)
