"""Datasets whose images already hold the prediction: their red channel is the label map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import MaskValues, write_png
from fewmask.data.schema import Column
from fewmask.evaluation.evaluate import evaluate
from fewmask.evaluation.results import Evaluation
from fewmask.inference.predict import Predictor
from fewmask.scale import Frame

Pair = tuple[Any, Any]  # truth, prediction: nested lists or arrays of class ids


class StoredIds:
    """Reads masks whose values are class ids already."""

    def decode(self, values: MaskValues, where: object) -> NDArray[np.uint8]:
        return values.values.astype(np.uint8)


class Maker:
    """Makes datasets below one folder, predictors for them, evaluations of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def dataset(
        self,
        pairs: Sequence[Pair],
        classes: Classes,
        names: Sequence[str] = (),
        name: str = "things",
    ) -> Dataset:
        root = self.folder / name
        rows = []
        for place, (truth, prediction) in enumerate(pairs):
            sample = names[place] if names else f"sample {place}"
            image = np.repeat(np.array(prediction, np.uint8)[..., None], 3, axis=2)
            image[..., 1:] = 90
            write_png(root / f"{sample}.png", image)
            write_png(root / "masks" / f"{sample}.png", np.array(truth, np.uint8))
            rows.append((f"{sample}.png", f"masks/{sample}.png"))
        columns = [Column("image", "image"), Column("mask", "mask")]
        return Dataset(name, root, columns, rows, classes, StoredIds())  # type: ignore[arg-type]

    def predictor(self, classes: Classes) -> Predictor:
        def read_red(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
            return image[..., 0], np.zeros((*image.shape[:2], classes.num_classes), np.float32)

        return Predictor(Bundle(classes, Frame(64)), read_red)

    def evaluation(
        self,
        pairs: Sequence[Pair],
        classes: Classes,
        names: Sequence[str] = (),
        part: str | None = None,
    ) -> Evaluation:
        dataset = self.dataset(pairs, classes, names)
        return evaluate(self.predictor(classes), dataset, part=part)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
def chair() -> Classes:
    return Classes(("background", "chair"))


@pytest.fixture
def furniture() -> Classes:
    return Classes(("background", "chair", "ghế bành", "table"), ignore_index=255)
