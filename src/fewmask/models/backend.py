"""The door to Keras: chooses the backend where nobody has, before Keras is imported.

Importing this file imports Keras. Everything else takes it from here
(`from fewmask.models.backend import keras`), so that the choice is always made first.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from fewmask.errors import MissingPackage, ModelError

DataFormat = Literal["channels_first", "channels_last"]

BACKENDS = ("torch", "jax", "tensorflow")
"""Packages that can train, the one we take first where several are installed in front."""

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
        ModelError: If the backend that was chosen elsewhere is not installed.
    """
    if importlib.util.find_spec("keras") is None:
        raise MissingPackage("keras", "training", 'pip install "fewmask[torch]"')
    # A Keras whose import failed leaves its choice of backend behind in `keras.src`.
    if "keras.src.backend.config" not in sys.modules and not _chosen_elsewhere():
        _choose_backend()
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        name = _backend_of_loaded_keras()
        raise ModelError(
            "keras",
            f"its backend {name} to be installed",
            f"that it cannot be imported: {str(error).rstrip('.')}",
            "Start again with KERAS_BACKEND set to an installed one of torch, jax and tensorflow, "
            'or run: pip install "fewmask[torch]"',
        ) from error


def backend_notice() -> str | None:
    """Returns one sentence about the backend that was chosen here, or None if others chose it."""
    return _notices[0] if _notices else None


def keras_home() -> Path:
    """Returns the folder where Keras keeps its settings and what it downloads, by its own rule."""
    named = os.environ.get("KERAS_HOME")
    if named is not None:
        return Path(named).expanduser()
    home = Path.home()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"


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
    raise MissingPackage("torch, jax or tensorflow", "training", 'pip install "fewmask[torch]"')


def _backend_of_loaded_keras() -> str:
    config = sys.modules.get("keras.src.backend.config")
    return str(config.backend()) if config is not None else os.environ.get("KERAS_BACKEND", "")


keras: Any = load_keras()


@contextmanager
def keras_settings(data_format: str, dtype_policy: str | None = None) -> Iterator[None]:
    """Sets what Keras keeps for the whole process; puts it back when the block ends.

    `keras.applications` takes the layout of its arrays from nowhere else.

    Args:
        data_format: `"channels_first"` or `"channels_last"`.
        dtype_policy: Name of the policy of layers made in the block, `"float32"` say; left as
            it is when None.
    """
    format_before = keras.config.image_data_format()
    policy_before = keras.config.dtype_policy()
    keras.config.set_image_data_format(data_format)
    if dtype_policy is not None:
        keras.config.set_dtype_policy(dtype_policy)
    try:
        yield
    finally:
        keras.config.set_image_data_format(format_before)
        keras.config.set_dtype_policy(policy_before)


def fast_data_format() -> DataFormat:
    """Returns the layout that this backend trains faster in.

    On a processor torch is a third faster in `channels_first`; the others, and Keras'
    own layers on them, are made for `channels_last`.
    """
    return "channels_first" if keras.config.backend() == "torch" else "channels_last"
