"""What the path of a picture says about it: image or mask, which part, whose mask."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Role = Literal["image", "mask", "other", "unnamed"]

PART_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Words for the parts of a dataset, as people write them, and our name for each."""

_IMAGE_WORDS = frozenset(
    {"image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "input", "inputs"}
    | {"raw", "original", "originals", "rgb", "frames"}
)
_MASK_WORDS = frozenset(
    {"mask", "masks", "label", "labels", "labelmap", "labelmaps", "target", "targets"}
    | {"annotation", "annotations", "annot", "gt", "gts", "truth", "groundtruth"}
    | {"seg", "segs", "segmentation", "segmentations"}
)
# Drawings for the eye, and one number an object instead of one a class: neither is a mask.
_OTHER_WORDS = frozenset(
    {"overlay", "overlays", "preview", "previews", "thumbnail", "thumbnails", "viz", "vis"}
    | {"visualization", "visualizations", "visualisation", "visualisations"}
    | {"object", "objects", "instance", "instances", "scribbles"}
)
_MASK = r"masks?|labels?|seg|segmentation|gt|ground_?truth|annotation"
_IMAGE = r"images?|imgs?|photos?|pictures?|frame|raw"


def _affix(words: str) -> re.Pattern[str]:
    """Matches one of the words at either end, cut off by a sign or, in front, by a number."""
    return re.compile(rf"^({words})([\s_.-]+|(?=\d)|$)|(?<=.)[\s_.-]+({words})$")


_MASK_AFFIX, _IMAGE_AFFIX = _affix(_MASK), _affix(_IMAGE)


def plain(name: str) -> str:
    """Makes names equal that differ in case, or in how their accents are stored.

    Args:
        name: Name of a file or folder.

    Returns:
        The name in NFC (macOS writes NFD) and without capitals.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def part_named(word: str) -> str | None:
    """Returns `train`, `validation` or `test` if the word means one of them.

    Example:

    >>> part_named("Val"), part_named("fold1")
    ('validation', None)
    """
    return PART_WORDS.get(plain(word).strip())


def words_of(name: str) -> list[str]:
    """Cuts a name where a word ends, a capital begins or a number stands.

    Example:

    >>> words_of("SegmentationClass"), words_of("JPEGImages"), words_of("train_masks2")
    (['segmentation', 'class'], ['jpeg', 'images'], ['train', 'masks', '2'])
    """
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.findall(r"[^\W\d_]+|\d+", name.casefold())


def role_of_folder(name: str) -> Role:
    """Says what a folder of this name holds; `unnamed` if the name does not tell.

    Example:

    >>> role_of_folder("train_masks"), role_of_folder("SegmentationObject"), role_of_folder("a")
    ('mask', 'other', 'unnamed')
    """
    words = set(words_of(name))
    if words & _OTHER_WORDS:
        return "other"
    if words & _MASK_WORDS:
        return "mask"
    return "image" if words & _IMAGE_WORDS else "unnamed"


@dataclass(frozen=True)
class Picture:
    """A picture file as its path describes it.

    Args:
        path: Path from the root of the dataset, with `/`.
        role: What the folders say that it is.
        folder: The folder that says so, as it is written; for an unnamed picture the first
            folder that names no part, and empty at the root.
        family: The same without a part and without capitals: `masks` for `train_masks`.
        part: The part that the folders name, if any.
        place: The folders that name neither role nor part.
    """

    path: str
    role: Role
    folder: str
    family: str
    part: str | None
    place: tuple[str, ...]

    @cached_property
    def stem(self) -> str:
        """Name of the file without its suffix, capitals and ways to store an accent."""
        name = self.path.rpartition("/")[2]
        return plain(name.rpartition(".")[0] or name)

    @cached_property
    def suffix(self) -> str:
        """Suffix of the file with its dot, in small letters."""
        return "." + self.path.rpartition(".")[2].lower()

    @property
    def says_mask(self) -> bool:
        """Whether the file's own name says that it is a mask, as `cell_mask.png` does."""
        return _MASK_AFFIX.search(self.stem) is not None

    @cached_property
    def bare_of_mask(self) -> str:
        """The stem without a word for mask at either end."""
        return _MASK_AFFIX.sub("", self.stem, count=1)

    @cached_property
    def bare_of_image(self) -> str:
        """The stem without a word for image at either end."""
        return _IMAGE_AFFIX.sub("", self.stem, count=1)


def read_name(path: str, masks: str | None = None) -> Picture:
    """Reads what a path says.

    Args:
        path: Path from the root of the dataset, with `/`.
        masks: The folder that is known to hold the masks, likewise; what its own name and the
            names inside it say of roles no longer matters.

    Example:

    >>> read_name("train/images/a.jpg").family, read_name("images/val/a.jpg").part
    ('images', 'validation')
    """
    if masks is not None and path.startswith(masks + "/"):
        inner = path.removeprefix(masks + "/").split("/")[:-1]
        parts = [part for part in map(part_named, [masks.rpartition("/")[2], *inner]) if part]
        place = tuple(plain(folder) for folder in inner if not part_named(folder))
        return Picture(path, "mask", masks, masks, parts[-1] if parts else None, place)

    role: Role = "unnamed"
    speaker, part, place_names = "", None, list[str]()
    for folder in path.split("/")[:-1]:
        words = words_of(folder)
        says = role_of_folder(folder)
        if part_named(folder):
            part = part_named(folder)
        elif says == "unnamed":
            place_names.append(folder)
        else:
            # The folder nearest to the file knows best: `label_project/images/a.jpg` is an image.
            if role != "unnamed":
                place_names.append(speaker)
            role, speaker = says, folder
            named = [PART_WORDS[word] for word in words if word in PART_WORDS]
            part = named[-1] if named else part
    if role == "unnamed":
        speaker = place_names[0] if place_names else ""
    family = "_".join(word for word in words_of(speaker) if word not in PART_WORDS)
    return Picture(path, role, speaker, family, part, tuple(map(plain, place_names)))
