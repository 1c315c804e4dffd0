"""The best model so far of a training, which can be used before the training ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.models.saving import KerasModel
from fewmask.models.spec import build
from fewmask.models.whole import predict_whole, whole_model
from fewmask.run import BUNDLE, Run
from fewmask.training.checkpoint import epoch_of_weights, load_weights
from fewmask.training.plan import Plan


class BestModel:
    """The best model so far, ready to be called; it is called as `KerasModel` is.

    Args:
        path: The `best/weights.npz` of a run.

    Attributes:
        bundle: Classes, scale and pixel range of the model.
        epoch: The epoch after which it was such.

    Raises:
        FewmaskError: If a file of the run is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        run = Run(path.parent.parent)
        self.bundle = Bundle.from_json(json.dumps(run.read_json(BUNDLE)), run.folder / BUNDLE)
        self.epoch = epoch_of_weights(path)
        core = build(Plan.of_run(run).model)
        core.set_weights(load_weights(path))
        self._model = whole_model(core, self.bundle)

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Predicts the class of every pixel, and how probable each class is.

        Args:
            image: Shape `(H, W, C)`, uint8, with the C of the bundle.

        Returns:
            The label map, `(H, W)` uint8, and the probability map, `(H, W, K)` float32 in [0, 1].
        """
        return predict_whole(self._model, image)


def open_model(path: Path) -> BestModel | KerasModel:
    """Opens whatever model for Keras a run has, for `inference.predict.load`.

    Args:
        path: A `model.keras`, or a `best/weights.npz`.

    Raises:
        FewmaskError: If it is missing, damaged, or not made by fewmask.
    """
    return BestModel(path) if path.suffix == ".npz" else KerasModel(path)
