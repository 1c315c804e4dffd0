"""The way to Keras for a run that has no ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fewmask.inference.predict import BundledModel


def load_keras_model(path: Path) -> BundledModel:
    """Opens the model of a run that has not ended, or whose backend exports no ONNX.

    Args:
        path: A `best/weights.npz` or a `model.keras`.

    Raises:
        MissingPackage: If Keras is not installed.
    """
    click.echo("Starting Keras", err=True)
    from fewmask.training.best import BestModel, open_model

    model = open_model(path)
    if isinstance(model, BestModel):
        run = path.parent.parent
        click.echo(f"Taking the best model so far of {run}, of epoch {model.epoch}.", err=True)
    return model
