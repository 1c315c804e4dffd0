"""How the dataset of a training was read, so that a resumed training reads it alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fewmask.data.dataset import Dataset
from fewmask.data.folders.walking import check_encoding
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.masks import MaskDecisions
from fewmask.errors import RunError
from fewmask.files import expanded
from fewmask.packages.load import load_dataset
from fewmask.packages.names import looks_like_name
from fewmask.run import Run


@dataclass(frozen=True)
class Source:
    """The arguments of `load_dataset`, as `run.json` keeps them.

    Args:
        path: Folder or name; None for a dataset that was made in Python.
        masks: Folder or column with the masks, if it was named.
        classes: Class specifications, if they were given.
        ignore_index: Mask value to leave out, if it was given.
        threshold: Grey value from which on a mask is foreground, if it was given.
        max_pixels: Largest picture that is opened.
    """

    path: str | None
    masks: str | None = None
    classes: tuple[str, ...] = ()
    ignore_index: int | None = None
    threshold: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS

    @classmethod
    def of(
        cls,
        dataset: str | Path,
        masks: str | Path | None,
        classes: Sequence[str],
        ignore_index: int | None,
        threshold: int | None,
        max_pixels: int,
    ) -> Source:
        """Notes how a dataset is to be read; its folder in full, so that it is found from anywhere.

        Args:
            dataset: Folder, or name.
            masks: Folder with the masks, as it is reached from the dataset or from here; or column.
            classes: Class specifications.
            ignore_index: Mask value to leave out.
            threshold: Grey value from which on a mask is foreground.
            max_pixels: Largest picture that is opened.

        Raises:
            DataError: If the folder, or one that it lies in, has a name that is no text.
        """
        folder = expanded(dataset)
        path = str(folder.absolute()) if str(dataset) and folder.exists() else str(dataset)
        check_encoding(folder, [path])
        masks = None if masks is None else str(masks)
        items = tuple(MaskDecisions(classes).classes)
        return cls(path, masks, items, ignore_index, threshold, max_pixels)

    @classmethod
    def from_json(cls, values: dict[str, Any], run: Run) -> Source:
        """Rebuilds a source from its entry in `run.json`.

        Args:
            values: The entry.
            run: The run, for the error.

        Raises:
            RunError: If the dataset was made in Python, so that nobody but its maker has it.
        """
        source = cls(**{**values, "classes": tuple(values["classes"])})
        if source.path is None:
            raise RunError(
                run.folder,
                "a run whose dataset was read from a folder",
                "one that was made in Python",
                "Resume it there: fewmask.resume(run, dataset).",
            )
        return source

    def pinned(self, dataset: Dataset) -> Source:
        """Returns the source as it reads the same from anywhere and later on.

        That is the version of an installed dataset, and a folder of masks in full.

        Args:
            dataset: What `read` returned.
        """
        if dataset.packed:  # the masks are those of a column, whatever folder is called like it
            # Folders have no `/` in their names.
            return replace(self, path=dataset.name) if looks_like_name(dataset.name) else self
        here = expanded(self.masks or "")
        if self.masks is None or not here.is_dir() or (dataset.root / here).is_dir():
            return self
        return replace(self, masks=str(here.absolute()))

    def read(self, progress: Callable[[int, int], None] | None = None) -> Dataset:
        """Reads the dataset.

        Args:
            progress: Called with the work done so far, then all of it.
        """
        return load_dataset(
            self.path or "",
            masks=self.masks,
            classes=self.classes,
            ignore_index=self.ignore_index,
            threshold=self.threshold,
            max_pixels=self.max_pixels,
            progress=progress,
        )
