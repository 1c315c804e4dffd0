"""Saves a model for Keras in a file that any Keras opens, fewmask installed or not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.errors import ModelError
from fewmask.files import whole_file
from fewmask.models.backend import keras
from fewmask.models.spec import ModelSpec, build
from fewmask.models.whole import copy_core, predict_whole, whole_model

MEMBER = "fewmask.json"
"""Member of the archive with the bundle and, under `model`, the spec of the core."""


def save_keras(core: Any, spec: ModelSpec, bundle: Bundle, path: str | Path) -> None:
    """Writes a model as a `.keras` file, whole or not at all.

    The file holds the whole model: raw pixels of any size in, probability maps out. With Keras
    alone it is opened by `keras.saving.load_model(path)`.

    Args:
        core: The trained core, in any layout and dtype policy.
        spec: What it was built from.
        bundle: What travels with it.
        path: The file to be; its name ends in `.keras`.

    Raises:
        FewmaskError: If it cannot be written.
    """
    model = whole_model(copy_core(core, spec, "channels_last"), bundle)
    facts = {**json.loads(bundle.to_json()), "model": spec.to_json()}
    with whole_file(path) as beside:
        model.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr(MEMBER, json.dumps(facts, ensure_ascii=False, indent=1))


class KerasModel:
    """A `model.keras` with the facts that travel with it, ready to be called.

    It is called as `inference.runtime.OnnxModel` is, where there is no ONNX file.

    Args:
        path: The file.

    Attributes:
        bundle: Classes, scale and pixel range of the model.

    Raises:
        ModelError: If the file is missing, damaged, or not made by fewmask.
    """

    def __init__(self, path: str | Path) -> None:
        self.bundle, _ = _read_facts(Path(path))
        self._model = _load_model(Path(path))

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Predicts the class of every pixel, and how probable each class is.

        Args:
            image: Shape `(H, W, C)`, uint8, with the C of the bundle.

        Returns:
            The label map, `(H, W)` uint8, and the probability map, `(H, W, K)` float32 in [0, 1].
        """
        return predict_whole(self._model, image)


def load_core(path: str | Path) -> tuple[Any, ModelSpec, Bundle]:
    """Takes the core out of a saved model again, to train it further or export it.

    Args:
        path: A file of `save_keras`.

    Returns:
        The core in `channels_last`, what it was built from, and what travels with it.

    Raises:
        ModelError: If the file is missing, damaged, or not made by fewmask.
    """
    bundle, spec = _read_facts(Path(path))
    core = build(spec)
    # All that the frame adds to a core is arithmetic: the whole model has no other weights.
    core.set_weights(_load_model(Path(path)).get_weights())
    return core, spec, bundle


def _read_facts(path: Path) -> tuple[Bundle, ModelSpec]:
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(MEMBER).decode("utf-8")
        return Bundle.from_json(text, path), ModelSpec.from_json(json.loads(text)["model"])
    except FileNotFoundError:
        raise ModelError(
            path, "a saved model", "no such file", "Give the model.keras of a run."
        ) from None
    except (OSError, zipfile.BadZipFile):
        raise _damaged(path) from None
    except (KeyError, ValueError, TypeError):
        raise ModelError(
            path,
            "a model that fewmask saved",
            f"an archive without a readable {MEMBER}",
            "Open it with keras.saving.load_model, or give the model.keras of a run.",
        ) from None


def _load_model(path: Path) -> Any:
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(
        path,
        "a model in Keras' file format",
        "a file that cannot be read",
        "Copy it again from where it was made, or train again.",
    )
