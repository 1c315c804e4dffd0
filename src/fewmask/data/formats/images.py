"""Finds the images that a file of outlines names."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fewmask.data.folders.names import plain, read_name, role_of_folder
from fewmask.data.folders.walking import walk_pictures
from fewmask.data.wording import counted, some
from fewmask.errors import ArgumentError, DataError

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:|file:", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """An image that was found.

    Args:
        path: The file.
        name: Its path from the folder of the images on, without the suffix, with `/`.
        part: The part that its folders name, if any.
    """

    path: Path
    name: str
    part: str | None


class ImageFinder:
    """The images in a folder, found by the names that a file has for them.

    No path in a file leads out of the folder: names are only compared with what lies in it.

    Args:
        folder: The folder, with all below it.
        source: The file or folder that names the images, for errors.
        masks: Pictures that are known to be masks.

    Raises:
        ArgumentError: If there is no such folder.
    """

    def __init__(self, folder: Path, source: Path, masks: Collection[Path] = ()) -> None:
        if not folder.is_dir():
            raise ArgumentError(
                folder,
                "the folder of the images",
                "a single file" if folder.exists() else "nothing there",
                "Check the path.",
            )
        self.folder, self.source = folder, source
        self._by_name: dict[str, list[Found]] = defaultdict(list)
        self._used: dict[Path, str] = {}
        self._missing: list[str] = []
        images, others = list[Found](), list[Found]()
        for path in walk_pictures(folder):
            relative = path.relative_to(folder).as_posix()
            picture = read_name(relative)
            found = Found(path, relative[: -len(path.suffix)], picture.part)
            if path not in masks:
                (others if picture.role in ("mask", "other") else images).append(found)
        self.images = images or others
        """All that lie in the folder, without masks beside them."""
        for found in self.images:
            self._by_name[plain(found.path.name)].append(found)
            self._by_name[plain(found.path.stem)].append(found)

    def find(
        self,
        name: str,
        where: str,
        beside: Path | None = None,
        part: str | None = None,
        optional: bool = False,
    ) -> Found | None:
        """Finds an image, or notes it as missing and returns None.

        Args:
            name: What the file calls it: its path from the folder on, the end of that, or the
                bare name, with or without the suffix.
            where: The place in the file, for errors.
            beside: The folder that the name starts from, if not that of the images.
            part: The part that it is known to be in, which tells images of one name apart.
            optional: Whether it is not to be noted where there is none.

        Raises:
            DataError: If the name leads out of the folder, several images could be meant, or
                another place in the file has named this image already.
        """
        text = name.replace("\\", "/")
        start = self.folder if beside is None else beside
        try:
            inner = os.path.relpath(os.path.join(start, text), self.folder).split(os.sep)
        except ValueError:  # another drive of Windows, to which no way leads from the folder
            inner = [".."]
        if _ABSOLUTE.match(name) or (inner[0] == ".." and ".." in text.split("/")):
            raise DataError(
                where,
                f"the path of an image from the folder {self.folder} on",
                f"'{name}', which leads out of it",
                "Write what follows the folder.",
            )
        found = self._match(inner) or self._match(os.path.normpath(text).split(os.sep))
        if len(found) > 1 and part is not None:
            found = [each for each in found if each.part == part] or found
        if len(found) > 1:
            raise DataError(
                where,
                f"one image named '{name}' in {self.folder}",
                " and ".join(each.path.relative_to(self.folder).as_posix() for each in found[:2]),
                "Rename one of them, or name the folder that holds only those meant.",
            )
        if not found:
            self._missing += [] if optional else [name]
            return None
        path = found[0].path
        if path in self._used:
            raise DataError(
                where,
                "each image once",
                f"{path.relative_to(self.folder).as_posix()}, which {self._used[path]} names too",
                "Remove one of the two, or put both images into the folder.",
            )
        self._used[path] = where
        return found[0]

    def finish(self) -> list[str]:
        """Refuses images that are missing; returns a sentence on those that nobody named.

        Raises:
            DataError: If an image was not found.
        """
        if self._missing:
            count, all_of_them = len(self._missing), len(self._missing) + len(self._used)
            raise DataError(
                self.source,
                f"its images in {self.folder}",
                f"{count} of {all_of_them} missing: {some(self._missing)}",
                "Add them, or name the folder that holds them after the file.",
            )
        rest = len(self.images) - len(self._used)
        if not rest:
            return []
        return [f"Left out: {counted(rest, 'picture')} that {self.source.name} does not name."]

    def _match(self, names: Sequence[str]) -> list[Found]:
        """Returns the images of which a path is the end, or who are the end of it."""
        wanted = [plain(name) for name in names]
        fitting = []
        for found in self._by_name.get(wanted[-1], []):
            there = plain(found.name).split("/")[:-1] + wanted[-1:]
            length = min(len(there), len(wanted))
            if there[-length:] == wanted[-length:]:
                fitting.append((there == wanted, found))
        exact = [found for same, found in fitting if same]
        return exact or [found for _, found in fitting]


def common_name(path: str) -> tuple[str, ...]:
    """Returns what the paths of an image and of its labels have in common.

    Args:
        path: Without the suffix, with `/`.

    Returns:
        The folders that say neither image nor label, and the name.

    Example:

    >>> common_name("train/labels/a"), common_name("leftImg8bit/train/a")
    (('train', 'a'), ('train', 'a'))
    """
    *folders, name = path.split("/")
    kept = [folder for folder in folders if role_of_folder(folder) == "unnamed"]
    return tuple(plain(each) for each in (*kept, name))
