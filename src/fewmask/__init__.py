"""From a handful of labelled images to a segmentation model that you can trust, look at and ship.

Importing this starts neither Keras nor NumPy: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fewmask.data.dataset import Dataset as Dataset
    from fewmask.data.formats.convert import convert as convert
    from fewmask.errors import FewmaskError as FewmaskError
    from fewmask.evaluation.evaluate import evaluate as evaluate
    from fewmask.inference.predict import load as load
    from fewmask.models.convolutionalize import convolutionalize as convolutionalize
    from fewmask.models.encoders import unet_with_encoder as unet_with_encoder
    from fewmask.models.fcn import fcn as fcn
    from fewmask.models.unet import unet as unet
    from fewmask.packages.build import build as build
    from fewmask.packages.install import install as install
    from fewmask.packages.load import load_dataset as load_dataset
    from fewmask.packages.push import push as push
    from fewmask.run import Run as Run
    from fewmask.run import open_run as open_run
    from fewmask.training.preparation import plan as plan
    from fewmask.training.train import resume as resume
    from fewmask.training.train import train as train

_HOMES = {
    "Dataset": "fewmask.data.dataset",
    "FewmaskError": "fewmask.errors",
    "Run": "fewmask.run",
    "build": "fewmask.packages.build",
    "convert": "fewmask.data.formats.convert",
    "convolutionalize": "fewmask.models.convolutionalize",
    "evaluate": "fewmask.evaluation.evaluate",
    "fcn": "fewmask.models.fcn",
    "install": "fewmask.packages.install",
    "load": "fewmask.inference.predict",
    "load_dataset": "fewmask.packages.load",
    "open_run": "fewmask.run",
    "plan": "fewmask.training.preparation",
    "push": "fewmask.packages.push",
    "resume": "fewmask.training.train",
    "train": "fewmask.training.train",
    "unet": "fewmask.models.unet",
    "unet_with_encoder": "fewmask.models.encoders",
}

__all__ = [
    "Dataset",
    "FewmaskError",
    "Run",
    "build",
    "convert",
    "convolutionalize",
    "evaluate",
    "fcn",
    "install",
    "load",
    "load_dataset",
    "open_run",
    "plan",
    "push",
    "resume",
    "train",
    "unet",
    "unet_with_encoder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fewmask' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
