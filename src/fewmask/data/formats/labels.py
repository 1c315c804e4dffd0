"""The files that hold the labels of a dataset, in one format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fewmask.data.imageio import DEFAULT_MAX_PIXELS

FOLDER = "folder"
"""Name of the ordinary format: images beside masks that are pictures."""

TITLES = {
    FOLDER: "masks as pictures",
    "coco": "COCO JSON",
    "labelme": "LabelMe JSON",
    "yolo": "YOLO text files",
    "voc": "Pascal VOC",
    "cvat": "CVAT XML",
    "label-studio": "Label Studio JSON",
    "cityscapes": "Cityscapes",
    "kaggle": "Kaggle's tables of runs (CSV)",
    "supervisely": "Supervisely",
}
"""The formats that are read: what is typed for each, and what people call it."""


@dataclass(frozen=True)
class Labels:
    """Files in one format, and where their images lie.

    Args:
        format: Name of the format: `coco`.
        path: What was named: a file, or a folder that holds the files.
        files: The files; for formats of pictures those that show which format it is.
        images: The folder of the images, with all below it.
        max_pixels: Larger pictures are refused.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    images: Path
    max_pixels: int = DEFAULT_MAX_PIXELS

    @property
    def root(self) -> Path:
        """The folder that was named, or that the file lies in."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def name(self) -> str:
        """What to call the dataset."""
        path = self.path.resolve()
        return path.name if path.is_dir() else path.stem
