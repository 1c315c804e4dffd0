"""Runs a `model.onnx` with ONNX Runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.ahead import count_cores
from fewmask.errors import ModelError

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""Where a model may run, the quickest first; ONNX Runtime takes those it was built with."""


class OnnxModel:
    """A `model.onnx` and the facts that travel with it, ready to be called.

    It takes pictures of any height and width: the resampling to the model's own scale and back
    is inside the file. One object may be called by several threads at once.

    Args:
        path: The file.
        threads: CPU threads that one call may use; when left out, one a physical core, or one a
            core that this process may use where these are not all.

    Attributes:
        bundle: Classes, scale and pixel range of the model.

    Raises:
        ModelError: If the file is missing, is no ONNX model, was not made by fewmask, or by a
            newer one.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        self._path = Path(path)
        self._session = _open_session(self._path, threads or _usual_threads())
        self.bundle = _read_bundle(self._path, self._session)

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Predicts the class of every pixel, and how probable each class is.

        Args:
            image: Shape `(H, W, C)`, uint8, with the C of the bundle.

        Returns:
            The label map, `(H, W)` uint8, and the probability map, `(H, W, K)` float32 in [0, 1].

        Raises:
            ModelError: If ONNX Runtime gives up: the memory is full, say.
        """
        labels, probabilities = self._run(["labels", "probabilities"], image)
        return labels, probabilities

    def label_map(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Predicts the class of every pixel; saves the time and memory of the probabilities.

        Args:
            image: Shape `(H, W, C)`, uint8, with the C of the bundle.

        Returns:
            The label map, `(H, W)` uint8.

        Raises:
            ModelError: If ONNX Runtime gives up: the memory is full, say.
        """
        (labels,) = self._run(["labels"], image)
        return labels

    def _run(self, outputs: list[str], image: NDArray[np.uint8]) -> list[NDArray[Any]]:
        try:
            batches = self._session.run(outputs, {"image": np.ascontiguousarray(image[None])})
        except Exception as error:  # ONNX Runtime's errors share no other base
            height, width, channels = image.shape
            raise ModelError(
                self._path,
                f"to predict an image of {height} × {width} pixels and {channels} channels",
                f"that ONNX Runtime gave up: {_first_line(error)}",
                "Try a smaller image; if that fails too, train again.",
            ) from error
        return [batch[0] for batch in batches]


def _usual_threads() -> int:
    """Returns how many threads to use, 0 for one a physical core.

    ONNX Runtime counts the cores of the machine and binds a thread to each. Where a process may
    use a part of them, several threads would share one, and a prediction take twice as long.
    """
    cores = count_cores()
    return cores if cores < (os.cpu_count() or 1) else 0


def _open_session(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise ModelError(
            path, "an ONNX model", "no such file", "Give the folder of a run or its model.onnx."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Its warnings are for people who write graphs, and what is an error is raised as well.
    options.log_severity_level = 4
    available = set(onnxruntime.get_available_providers())
    providers = [name for name in PROVIDERS if name in available]
    try:
        return onnxruntime.InferenceSession(path, options, providers)
    except Exception as error:  # ONNX Runtime's errors share no other base
        raise ModelError(
            path,
            "an ONNX model",
            f"a file that ONNX Runtime cannot open: {_first_line(error)}",
            "Copy it again from where it was made, or train again.",
        ) from error


def _read_bundle(path: Path, session: Any) -> Bundle:
    text = session.get_modelmeta().custom_metadata_map.get("fewmask")
    if text is None:
        raise ModelError(
            path,
            "a model that fewmask exported",
            "an ONNX model that does not tell its classes and scale",
            "Give the model.onnx of a run.",
        )
    return Bundle.from_json(text, path)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    # "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from ..." says all of it last.
    return text.splitlines()[0].rpartition(" : ")[2].rstrip(".")
