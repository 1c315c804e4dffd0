"""Finds the images that a prediction is asked for."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fewmask.data.folders.walking import walk_files, walk_pictures
from fewmask.data.imageio import IMAGE_SUFFIXES
from fewmask.errors import ArgumentError, typed
from fewmask.files import expanded


@dataclass(frozen=True)
class Inputs:
    """The images to predict.

    Args:
        paths: The files, in the order in which they were asked for, each once.
        root: The folder that all sources share, absolute.
    """

    paths: tuple[Path, ...]
    root: Path

    def place(self, path: Path) -> Path:
        """Returns where one of the images lies below the root; its results lie there too."""
        return _absolute(path).relative_to(self.root)


def find_images(sources: str | Path | Sequence[str | Path], out: str | Path) -> Inputs:
    """Finds the images that files, folders or patterns name.

    A folder stands for every image in it and below it. In a pattern `*` and `?` stand for parts
    of a name and `**` for any folders. Hidden files and folders are passed over, in a folder what
    trainings wrote too, and so are earlier results: the folder `out`, where it lies inside such a
    source.

    Args:
        sources: Files, folders, patterns; or one of them.
        out: The folder of the results.

    Returns:
        The images, at least one.

    Raises:
        ArgumentError: If a source names no image, an image lies in the folder of the results, or
            the sources share no folder.
        DataError: If a folder may not be read.
    """
    if isinstance(sources, str | Path):
        sources = [sources]
    results = _real(out)
    found: dict[Path, Path] = {}
    bases = []
    for source in sources:
        path = expanded(source)
        # A name with brackets in it is first of all a name.
        if path.is_file():
            base, images = path.parent, [path]
        else:
            base, images = _expand(path, source)
            if _real(base) in results.parents:
                images = [image for image in images if results not in _real(image).parents]
        if not images:
            raise _no_image(source, path, base)
        bases.append(_absolute(base))
        for image in images:
            found.setdefault(_absolute(image), image)
    if not found:
        raise ArgumentError("sources", "at least one image", "none", "Name a file or a folder.")
    _check_apart(found.values(), out)
    return Inputs(tuple(found.values()), _shared_folder(bases))


def _absolute(path: str | Path) -> Path:
    # Unlike resolve() this leaves links alone: a linked photo keeps the place where it was named.
    return Path(os.path.abspath(path))


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _expand(path: Path, source: str | Path) -> tuple[Path, list[Path]]:
    """Returns the folder that a folder or pattern speaks of, and the images it names."""
    if path.is_dir():
        return path, sorted(walk_pictures(path))
    if not glob.has_magic(str(path)):
        raise _nothing_there(source)
    # As far as there are folders of these very names, brackets in them are no pattern.
    base = path
    while glob.has_magic(str(base)) and not base.is_dir():
        base = base.parent
    pattern = Path(glob.escape(str(base)), path.relative_to(base))
    images: list[Path] = []
    for match in sorted(map(Path, glob.glob(str(pattern), recursive=True))):
        if match.is_dir():
            images += sorted(walk_pictures(match))
        elif match.suffix.lower() in IMAGE_SUFFIXES:
            images.append(match)
    return base, images


def _nothing_there(source: str | Path) -> ArgumentError:
    from fewmask.packages.load import is_dataset  # what reads datasets is imported when needed

    found, remedy = "nothing of that name", "Check the spelling; a name with spaces needs quotes."
    if is_dataset(str(source)):
        found = "the name of a dataset"
        remedy = f"Write its images into a folder first: {typed('fewmask', 'convert', source)}"
    return ArgumentError(source, "an image, a folder of images or a pattern", found, remedy)


def _no_image(source: str | Path, path: Path, base: Path) -> ArgumentError:
    if base == path:
        files = list(walk_files(base))
    else:  # all that lies below may be a whole disk
        files = [Path(name) for _, _, names in islice(os.walk(base), 1) for name in names]
    shown = (file for file in files if not file.name.startswith("."))
    suffixes = Counter(file.suffix.lower() or "without suffix" for file in shown)
    there = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(3))
    return ArgumentError(
        source,
        "at least one image",
        f"none ({base} holds {there or 'no files'})",
        "Name images, a folder of images, or a pattern such as '*.jpg'.",
    )


def _check_apart(images: Iterable[Path], out: str | Path) -> None:
    """Refuses results among the images: they could replace one, and would be read next time."""
    results = _real(out)
    for image in images:
        if results in _real(image).parents:
            raise ArgumentError(
                f"--out {out}",
                "a folder with no images to predict in it",
                str(image),
                "Choose another folder for the results with --out.",
            )


def _shared_folder(folders: Sequence[Path]) -> Path:
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # Windows has a tree of folders for each drive
        raise ArgumentError(
            "sources",
            "images on one drive",
            " and ".join(sorted({folder.drive for folder in folders})),
            "Predict the images of each drive by themselves.",
        ) from None
