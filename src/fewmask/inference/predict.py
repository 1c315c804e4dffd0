"""Predicts the label map of an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.errors import RunError, typed
from fewmask.files import expanded
from fewmask.inference.blocks import Model, Progress, needs_blocks, predict_blocks
from fewmask.inference.intake import Image, take_in
from fewmask.inference.outputs import Prediction
from fewmask.inference.runtime import OnnxModel
from fewmask.run import BEST, Run, open_run
from fewmask.scale import Pixels

LabelModel: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Image `(H, W, C)` uint8 → label map `(H, W)` uint8."""


class BundledModel(Protocol):
    """A model that brings its own facts: `OnnxModel` is one, and `models` has one for Keras."""

    bundle: Bundle

    def __call__(
        self, image: NDArray[np.uint8], /
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Predicts as every `Model` does."""


class Predictor:
    """A model with all it needs to be used right.

    Args:
        bundle: The facts that travel with the model.
        model: What makes label map and probability map of an image.
        label_model: What makes the label map alone, where that is quicker.

    Example:

    >>> from fewmask.data.classes import Classes
    >>> from fewmask.scale import Frame
    >>> def find_bright(image):
    ...     bright = image.mean(axis=2) > 127
    ...     return bright.astype(np.uint8), np.stack([~bright, bright], axis=2).astype(np.float32)
    >>> predictor = Predictor(Bundle(Classes(("dark", "bright")), Frame(256)), find_bright)
    >>> predictor.predict(np.array([[0, 255, 200]], np.uint8)).label_map
    array([[0, 1, 1]], dtype=uint8)
    """

    def __init__(self, bundle: Bundle, model: Model, label_model: LabelModel | None = None) -> None:
        self.bundle = bundle
        self._model = model
        self._label_model = label_model

    def predict(
        self,
        image: Image,
        /,
        *,
        probabilities: bool = True,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Prediction:
        """Predicts one image, at its own size.

        Args:
            image: A file; stored pixel values `(H, W, C)` or `(H, W)`, uint8 or uint16; or a
                Pillow image.
            probabilities: Whether the probability of each class is wanted too.
            max_pixels: Files with more pixels are refused before they fill the memory.

        Returns:
            The prediction, of the image's height and width.

        Raises:
            DataError: If the file cannot be read, or it holds other channels or values than
                the model was trained on.
            ArgumentError: If the array is no image.
            ModelError: If the model gives up.
        """
        pixels = take_in(image, self.bundle, max_pixels)
        source = Path(image) if isinstance(image, str | Path) else None
        return self.predict_pixels(pixels, source, probabilities=probabilities)

    def predict_pixels(
        self,
        pixels: NDArray[np.uint8],
        source: Path | None = None,
        *,
        probabilities: bool = True,
        progress: Progress | None = None,
    ) -> Prediction:
        """Predicts what `intake.take_in` made of an image.

        Args:
            pixels: Shape `(H, W, C)`, uint8, with the C of the bundle.
            source: The file it was read from.
            probabilities: Whether the probability of each class is wanted too.
            progress: Called with the blocks done and the blocks in all, if the image is cut up.

        Returns:
            The prediction.

        Raises:
            ModelError: If the model gives up.
        """
        classes, rule, least = self.bundle.classes, self.bundle.scale, self.bundle.least_areas
        maps: NDArray[np.float32] | None = None
        if isinstance(rule, Pixels) and needs_blocks(pixels, rule):
            label_map, maps = predict_blocks(
                self._model,
                pixels,
                rule,
                classes.num_classes,
                probabilities=probabilities,
                progress=progress,
            )
        elif self._label_model is not None and not probabilities:
            label_map = self._label_model(pixels)
        else:
            label_map, maps = self._model(pixels)
        if least is not None:
            label_map = least.leave_out(label_map)
        return Prediction(pixels, label_map, classes, maps if probabilities else None, source)


def load(
    run: str | Path | Run,
    threads: int | None = None,
    keras_model: Callable[[Path], BundledModel] | None = None,
) -> Predictor:
    """Loads the model of a run.

    Args:
        run: The folder of the run, its name in `runs/`, or a model file from anywhere.
        threads: CPU threads that one prediction may use; one a physical core when left out.
        keras_model: What opens the `model.keras` or else the `best/weights.npz` of a run that
            has no `model.onnx` (yet): `fewmask.training.best.open_model`. It needs Keras, which
            nothing else here does.

    Returns:
        The model, ready to predict.

    Raises:
        RunError: If there is no such run, it has no model (yet) that can be opened, or a newer
            fewmask made it.
        ModelError: If the model file is damaged or not made by fewmask.
    """
    path = _model_file(run)
    if path.suffix in (".keras", ".npz"):
        if keras_model is None:
            raise RunError(
                path,
                "model.onnx beside it, which needs no Keras",
                "none",
                "Predict with it by load(..., keras_model=fewmask.training.best.open_model).",
            )
        for_keras = keras_model(path)
        return Predictor(for_keras.bundle, for_keras)
    model = OnnxModel(path, threads)
    return Predictor(model.bundle, model, model.label_map)


def _model_file(run: str | Path | Run) -> Path:
    if not isinstance(run, Run):
        path = expanded(run)
        if path.is_file():
            return path
        run = open_run(run)
    for name in ("model.onnx", "model.keras", BEST):
        if (run.folder / name).exists():
            return run.folder / name
    raise RunError(
        run.folder,
        "a run with a model",
        "a training whose first epoch has not ended",
        f"Wait for it, or go on with it: fewmask train --resume {typed(run.folder)}",
    )
