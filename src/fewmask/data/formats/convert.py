"""Converts labels in any known format to a dataset, and a dataset to any of them."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fewmask.data.dataset import Dataset
from fewmask.data.folders.folder import read_folder
from fewmask.data.formats.cityscapes import read_cityscapes, write_cityscapes
from fewmask.data.formats.coco import read_coco, write_coco, write_coco_rle
from fewmask.data.formats.cvat import read_cvat, write_cvat
from fewmask.data.formats.evidence import describe_formats, find_formats
from fewmask.data.formats.fields import read_json, read_xml
from fewmask.data.formats.kaggle import read_kaggle, write_kaggle
from fewmask.data.formats.label_studio import (
    read_label_studio,
    write_label_studio,
    write_label_studio_brush,
)
from fewmask.data.formats.labelme import read_labelme, write_labelme
from fewmask.data.formats.labels import FOLDER, TITLES, Labels
from fewmask.data.formats.pictures import write_folder, write_tiff
from fewmask.data.formats.source import Source, source_of_dataset
from fewmask.data.formats.supervisely import META, read_supervisely, write_supervisely
from fewmask.data.formats.voc import read_voc, write_voc
from fewmask.data.formats.writing import Progress
from fewmask.data.formats.yolo import read_yolo, write_yolo
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.masks.decisions import MaskDecisions
from fewmask.errors import ArgumentError, DataError, DecisionNeeded, typed
from fewmask.files import expanded, whole_folder

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")

READERS: dict[str, Callable[[Labels], Source]] = {
    "coco": read_coco,
    "labelme": read_labelme,
    "yolo": read_yolo,
    "voc": read_voc,
    "cvat": read_cvat,
    "label-studio": read_label_studio,
    "cityscapes": read_cityscapes,
    "kaggle": read_kaggle,
    "supervisely": read_supervisely,
}
"""What reads each format; `folder` is read as every dataset is."""

WRITERS: dict[str, Callable[[Source, Path, Progress | None], None]] = {
    FOLDER: write_folder,
    "coco": write_coco,
    "coco-rle": write_coco_rle,
    "labelme": write_labelme,
    "yolo": write_yolo,
    "voc": write_voc,
    "cvat": write_cvat,
    "label-studio": write_label_studio,
    "label-studio-brush": write_label_studio_brush,
    "cityscapes": write_cityscapes,
    "kaggle": write_kaggle,
    "supervisely": write_supervisely,
    "tiff": write_tiff,
}
"""What writes each format into an empty folder."""

_KEEP_GROUPS = (FOLDER, "tiff")


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Args:
        out: The new folder.
        source: Name of the format that was read; `dataset` for a dataset that was loaded.
        to: Name of the format that was written.
        num_images: Number of images.
        classes: Names of the classes, the background first.
        findings: What was believed about the files, in sentences.
        lost: What could not be kept, in one sentence with counts, or None.
    """

    out: Path
    source: str
    to: str
    num_images: int
    classes: tuple[str, ...]
    findings: tuple[str, ...]
    lost: str | None


def convert(
    source: str | Path | Dataset,
    images: str | Path | None = None,
    *,
    to: str = FOLDER,
    out: str | Path | None = None,
    read_as: str | None = None,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    reading: Progress | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Converts labels in any known format to a folder of images and masks, or to another format.

    The new folder has its own copies of the images, byte for byte, and is there whole or not
    at all.

    Args:
        source: A file or folder of labels, a folder of images and masks, or a loaded dataset.
        images: The folder of the images, if it is not that of the labels.
        to: A key of `WRITERS`; `folder` is what every command here reads.
        out: The new folder; a name made of that of the source when left out.
        read_as: A key of `READERS` or `folder`, where the source could be in several formats.
        masks: As for `load_dataset`, if the source is a folder of images and masks.
        classes: Likewise.
        ignore_index: Likewise.
        threshold: Likewise.
        max_pixels: Larger pictures are refused.
        reading: Called with the work done so far and all of it, while masks are looked at.
        progress: Called with the number of images converted, then of all.

    Returns:
        What was done.

    Raises:
        DataError: If the labels cannot be read, or do not fit the images.
        DecisionNeeded: If the labels could be in several formats.
        ArgumentError: If there is no such format, the new folder exists already, or a loaded
            dataset comes with what is for labels.
    """
    _check_name("--to", to, WRITERS)
    if isinstance(source, Dataset):
        for argument, given in (("IMAGES", images), ("--from", read_as)):
            if given is not None:
                raise ArgumentError(
                    f"{argument} {given}",
                    "labels in files of their own",
                    f"{source.name}, a dataset that knows its images and masks",
                    "Leave it out.",
                )
        format_name, content = "dataset", source_of_dataset(source)
        name = source.name.rpartition("/")[2].partition("@")[0]
        target = _new_folder(out, name, to, [source.root])
    else:
        path = _existing(source)
        folder = path if path.is_dir() else path.parent
        where = folder if images is None else expanded(images)
        target = _new_folder(out, where.resolve().name, to, [path, where])
        decisions = MaskDecisions(classes, ignore_index, threshold)
        labels = _recognise(path, where, read_as, masks, max_pixels)
        format_name = labels.format
        content = _read(labels, masks, decisions, reading)
    if to not in _KEEP_GROUPS:
        content.losses.add("group", len({image.group for image in content.images} - {None}))
    with whole_folder(target) as beside:
        WRITERS[to](content, beside, progress)
    return Conversion(
        target,
        format_name,
        to,
        len(content.images),
        content.classes.names,
        content.findings,
        content.losses.sentence(),
    )


def _check_name(argument: str, name: str, names: Collection[str]) -> None:
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise ArgumentError(
            argument,
            f"one of {', '.join(names)}",
            repr(name),
            f"Did you mean {near[0]}?" if near else "Choose one of them.",
        )


def _existing(source: str | Path) -> Path:
    path = expanded(source)
    if not path.exists():
        raise DataError(
            source, "a file or folder of labels", "nothing there", "Check the path for a slip."
        )
    if path.is_file() and not path.stat().st_size:
        raise DataError(path, "labels", "an empty file", "Export it again.")
    return path


def _new_folder(out: str | Path | None, name: str, to: str, sources: Sequence[Path]) -> Path:
    """Returns the new folder: a free one, outside those that are read.

    Raises:
        ArgumentError: If the one that was asked for is not.
    """
    target = Path(f"{name}-{'dataset' if to == FOLDER else to}")
    target = target if out is None else expanded(out)
    for source in sources:
        if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
            beside = source.resolve().with_name(target.name or name)
            if out is not None:
                raise ArgumentError(
                    f"--out {out}",
                    "a place outside the source",
                    "one inside, where it would be taken for a part of it",
                    f"Try: {typed('--out', _numbered(beside))}",
                )
            target = beside
    if os.path.lexists(target):
        raise ArgumentError(
            f"--out {target}",
            "a folder that does not exist yet",
            "one that does",
            f"Try: {typed('--out', _numbered(target))}",
        )
    return target


def _numbered(path: Path) -> Path:
    """Returns the name itself if it is free, else the first free one with a number."""
    if not os.path.lexists(path):
        return path
    numbers = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(name for name in numbers if not os.path.lexists(name))


def _recognise(
    path: Path,
    images: Path,
    read_as: str | None,
    masks: str | Path | None,
    max_pixels: int,
) -> Labels:
    """Finds out which format the labels are in.

    Raises:
        DecisionNeeded: If there are several.
        DataError: If there is none.
        ArgumentError: If the one that was asked for is none.
    """
    if read_as is not None:
        _check_name("--from", read_as, TITLES)
    # These two list classes only: the labels lie in files beside them.
    if path.suffix.lower() in (".yaml", ".yml") and path.is_file():
        path, read_as = path.parent, read_as or "yolo"
    elif path.name == META and path.is_file():
        path, read_as = path.parent, read_as or "supervisely"
    found = find_formats(path)
    if masks is not None or (not found and path.is_dir() and images != path):
        found = {FOLDER: [path]}
    if read_as is not None:
        found = {name: files for name, files in found.items() if name == read_as}
    if not found:
        raise _none(path, read_as)
    if len(found) > 1:
        choices = " or ".join(f"--from {name}" for name in found)
        raise DecisionNeeded(
            path, "labels in one format", describe_formats(found), f"Choose with {choices}."
        )
    ((name, files),) = found.items()
    return Labels(name, path, tuple(files), images, max_pixels)


def _none(path: Path, read_as: str | None) -> DataError:
    if path.suffix.lower() == ".json":
        read_json(path)  # which tells the line where it is broken, if it is
    if path.suffix.lower() == ".xml":
        read_xml(path)
    if path.suffix.lower() in _ARCHIVES:
        return DataError(path, "labels", "an archive", "Unpack it and name the folder.")
    if read_as is not None:
        return DataError(
            path,
            f"labels as {TITLES[read_as]}",
            "none",
            "Check the path, or leave --from out to have the format recognised.",
        )
    titles = ", ".join(title for name, title in TITLES.items() if name != FOLDER)
    return DataError(
        path,
        f"labels in a format that is read ({titles}) or images beside masks",
        "none",
        "Export the labels in one of these, and name the file or its folder.",
    )


def _read(
    labels: Labels,
    masks: str | Path | None,
    decisions: MaskDecisions,
    reading: Progress | None,
) -> Source:
    if labels.format == FOLDER:
        apart = labels.images != labels.root
        dataset = read_folder(
            labels.images,
            masks=masks if masks is not None or not apart else labels.path.absolute(),
            decisions=decisions,
            max_pixels=labels.max_pixels,
            progress=reading,
        )
        return source_of_dataset(dataset)
    if decisions != MaskDecisions():
        raise ArgumentError(
            "--classes, --ignore-index and --threshold",
            "masks that are pictures, whose values they explain",
            f"{TITLES[labels.format]}, which names its classes",
            "Leave them out.",
        )
    return READERS[labels.format](labels)
