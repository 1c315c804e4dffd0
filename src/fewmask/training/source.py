"""How the dataset of a training was read, so that a resumed training reads it alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fewmask.data.dataset import Dataset
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
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
        masks: Folder with the masks, if it was named.
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
        """Notes how a dataset is read; folders in full, so that it can be resumed anywhere.

        Args:
            dataset: Folder, or name.
            masks: Folder with the masks, as it is reached from the dataset or from here.
            classes: Class specifications.
            ignore_index: Mask value to leave out.
            threshold: Grey value from which on a mask is foreground.
            max_pixels: Largest picture that is opened.
        """
        folder = expanded(dataset)
        path = str(folder.absolute()) if str(dataset) and folder.exists() else str(dataset)
        if masks is not None:
            here = expanded(masks)
            reached_from_here = here.is_dir() and not (folder / here).is_dir()
            masks = str(here.absolute()) if reached_from_here else str(masks)
        return cls(path, masks, tuple(classes), ignore_index, threshold, max_pixels)

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
        """Returns the source with the version that was read, so that a newer one changes nothing.

        Args:
            dataset: What `read` returned.
        """
        # Folders have no `/` in their names.
        by_name = dataset.packed and looks_like_name(dataset.name)
        return replace(self, path=dataset.name) if by_name else self

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
