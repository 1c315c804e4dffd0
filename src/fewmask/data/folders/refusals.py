"""What to say of a folder that cannot be read as images and masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fewmask.data.folders.names import role_of_folder
from fewmask.data.wording import counted
from fewmask.errors import DataError, DecisionNeeded, typed


def to_be_converted(path: Path, among: Sequence[str] = ()) -> DataError | None:
    """Says how to read labels that are no pictures of classes.

    Args:
        path: A folder without masks, or a file.
        among: The formats to look for; all when left out.

    Returns:
        The error, or None if there are no such labels.
    """
    labels = _other_labels(path, among)
    if labels is None:
        return None
    what, command = labels
    return DataError(
        path,
        "images beside masks that are pictures",
        f"labels as {what}",
        f"Convert them: {command}",
    )


def with_command(root: Path, error: DecisionNeeded) -> DecisionNeeded:
    """Adds to a question about masks the command that answers it, if their layout does.

    Args:
        root: The folder of the data.
        error: The question.
    """
    labels = _other_labels(root, ("voc", "cityscapes"))
    if labels is None:
        return error
    what, command = labels
    remedy = f"{error.remedy} Or, as these are {what}: {command}"
    return DecisionNeeded(error.where, error.expected, error.found, remedy)


def no_masks(root: Path, count: int) -> DataError:
    """Says what to do with images alone: name the folder above, or draw masks.

    Args:
        root: The folder of the data.
        count: Number of pictures in it.
    """
    found = f"{counted(count, 'picture')} and no masks"
    above = root.resolve().parent
    try:
        roles = {role_of_folder(folder.name) for folder in above.iterdir() if folder.is_dir()}
    except OSError:  # folders above may be passed through that must not be listed
        roles = set()
    if role_of_folder(root.resolve().name) in ("image", "mask") and {"image", "mask"} <= roles:
        remedy = f"Name the folder above, which holds both: {above}"
    else:
        remedy = (
            "Draw masks with LabelMe, CVAT or Label Studio and export them as PNG masks, which "
            "are read: put them into a folder masks/ beside the images, under the same names."
        )
    return DataError(root, "images and their masks", found, remedy)


def _other_labels(path: Path, among: Sequence[str] = ()) -> tuple[str, str] | None:
    """Looks for labels in formats that `fewmask convert` reads.

    Args:
        path: A folder, or a file.
        among: The formats to look for; all when left out.

    Returns:
        What they are, and the command that converts them; None if there are none.
    """
    # Imported here: it knows every format, and is needed only where something is amiss.
    from fewmask.data.formats.evidence import describe_formats, find_formats
    from fewmask.data.formats.labels import FOLDER

    found = find_formats(path)
    seen = {name: files for name, files in found.items() if name in (among or found.keys())}
    seen.pop(FOLDER, None)
    if not seen:
        return None
    choice = ["--from", next(iter(seen))] if len(found) > 1 else []
    return describe_formats(seen), typed("fewmask", "convert", path, *choice)
