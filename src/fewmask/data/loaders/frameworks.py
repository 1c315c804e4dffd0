"""Finds Keras and torch; chooses the backend of Keras where nobody has.

This lies as low as the loaders because they are the first that may need a framework. Nothing
here imports one before it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from fewmask.errors import MissingPackage, ModelError
from fewmask.files import expanded

BACKENDS = ("torch", "jax", "tensorflow")
"""Packages that can train, the one we take first where several are installed in front."""

INSTALL = 'pip install "fewmask[torch]"'
"""What brings Keras and torch."""

_notices: list[str] = []


def load_keras() -> Any:
    """Imports Keras with a backend that is there.

    Keras' own order holds: what is loaded already, the environment variable KERAS_BACKEND, the
    file `keras.json`. Only where none of them decides, the first installed backend of torch, jax
    and tensorflow is taken, and `backend_notice` says so.

    Returns:
        The module `keras`.

    Raises:
        MissingPackage: If Keras or every backend is missing.
        ModelError: If the backend that was chosen elsewhere is not installed or unknown.
    """
    if importlib.util.find_spec("keras") is None:
        raise MissingPackage("keras", "training", INSTALL)
    # A Keras whose import failed leaves its choice of backend behind in `keras.src`.
    if "keras.src.backend.config" not in sys.modules and not _chosen_elsewhere():
        _choose_backend()
    try:
        return importlib.import_module("keras")
    except (ImportError, ValueError) as error:  # not installed, or of a name that there is not
        name = _backend_of_loaded_keras()
        raise ModelError(
            "keras",
            f"its backend {name} to be installed",
            f"that it cannot be imported: {str(error).rstrip('.')}",
            "Start again with KERAS_BACKEND set to an installed one of torch, jax and tensorflow, "
            f"or run: {INSTALL}",
        ) from error


def backend_notice() -> str | None:
    """Returns one sentence about the backend that was chosen here, or None if others chose it."""
    return _notices[0] if _notices else None


def keras_home() -> Path:
    """Returns the folder where Keras keeps its settings and what it downloads, by its own rule."""
    named = os.environ.get("KERAS_HOME")
    if named is not None:
        return expanded(named)
    home = Path.home()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"


def load_torch(module: str = "torch.utils.data") -> Any:
    """Imports torch.

    Args:
        module: Which part of it is needed too.

    Returns:
        The module `torch`.

    Raises:
        MissingPackage: If it is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingPackage("torch", "to_pytorch", INSTALL)
    importlib.import_module(module)
    return importlib.import_module("torch")


def _chosen_elsewhere() -> bool:
    if os.environ.get("KERAS_BACKEND"):
        return True
    try:
        choice = json.loads((keras_home() / "keras.json").read_text("utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # Keras writes "tensorflow" into a fresh keras.json before it looks at anyone's wish, so that
    # a backend named there counts as a choice only where it is installed.
    return choice not in BACKENDS or importlib.util.find_spec(choice) is not None


def _choose_backend() -> None:
    for name in BACKENDS:
        if importlib.util.find_spec(name) is not None:
            os.environ["KERAS_BACKEND"] = name
            _notices[:] = [
                f"Keras runs on {name}, the first installed of {', '.join(BACKENDS)}; "
                "set KERAS_BACKEND to take another."
            ]
            return
    raise MissingPackage("torch, jax or tensorflow", "training", INSTALL)


def _backend_of_loaded_keras() -> str:
    config = sys.modules.get("keras.src.backend.config")
    return str(config.backend()) if config is not None else os.environ.get("KERAS_BACKEND", "")
