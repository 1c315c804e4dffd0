"""The way to Keras for a run that has no ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewmask.inference.predict import BundledModel


def load_keras_model(path: Path) -> BundledModel:
    """Opens a model for Keras: the only one of a run whose backend exports no ONNX.

    Args:
        path: A `model.keras`.

    Raises:
        MissingPackage: If Keras is not installed.
    """
    from fewmask.models.saving import KerasModel

    return KerasModel(path)
