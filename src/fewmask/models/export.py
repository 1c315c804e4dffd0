"""Exports a model to ONNX: raw pixels of any height and width in, class ids out.

Keras exports the core; the way to the scale that it sees and back stands around it as ONNX
operators, written here. `fewmask.scale` is the reference of that arithmetic.
"""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fewmask.bundle import Bundle
from fewmask.data.loaders.frameworks import INSTALL
from fewmask.errors import MissingPackage, ModelError
from fewmask.files import whole_file
from fewmask.models.backend import keras

try:
    import onnx
except ModuleNotFoundError as error:
    # Keras and torch may be there without what our extra brings beside them.
    raise MissingPackage("onnx", "training", INSTALL) from error
from fewmask.models.graph import Graph
from fewmask.models.lean import make_lean
from fewmask.models.onnx_frame import OnnxFrame
from fewmask.models.onnx_pixels import OnnxPixels
from fewmask.models.saving import load_core
from fewmask.models.spec import ModelSpec
from fewmask.models.whole import copy_core
from fewmask.scale import Frame

OPSET = 17
"""Version of the ONNX operators: read by every runtime since 2022, with all that is needed."""


def missing_exporter() -> str | None:
    """Says why this process cannot write an ONNX file; None where it can."""
    backend = keras.config.backend()
    if backend == "tensorflow" and importlib.util.find_spec("tf2onnx") is None:
        return (
            "Keras on tensorflow exports to ONNX through tf2onnx, which is not installed. "
            'To get the file, run: pip install "fewmask[tensorflow]", and resume the run.'
        )
    if backend in ("torch", "tensorflow"):
        return None
    return (
        f"Keras on {backend} cannot export to ONNX. To get the file, install torch and run: "
        'KERAS_BACKEND=torch python -c "from fewmask.models.export import convert_to_onnx; '
        "convert_to_onnx('model.keras', 'model.onnx')\""
    )


def export_onnx(core: Any, spec: ModelSpec, bundle: Bundle, path: str | Path) -> None:
    """Writes a model as an ONNX file, whole or not at all.

    Args:
        core: The trained core.
        spec: What it was built from.
        bundle: What travels with it; becomes the metadata entry `fewmask`.
        path: The file to be.

    Raises:
        ModelError: If the backend cannot export.
    """
    with exported_onnx(core, spec, bundle, path):
        pass


@contextmanager
def exported_onnx(core: Any, spec: ModelSpec, bundle: Bundle, path: str | Path) -> Iterator[Path]:
    """Lends an ONNX file to be tried; it becomes `path` when the block ends well.

    If the block raises, as `parity.check_parity` does, the file is gone, and one that was at
    `path` before is as it was.

    Args:
        core: The trained core.
        spec: What it was built from.
        bundle: What travels with it.
        path: The file to be.

    Raises:
        ModelError: If the backend cannot export.
    """
    model = onnx_model(core, spec, bundle)
    with whole_file(path) as beside:
        onnx.save_model(model, beside)
        yield beside


def convert_to_onnx(source: str | Path, destination: str | Path) -> None:
    """Writes the ONNX file of a saved `model.keras`, trained on whatever backend.

    Args:
        source: A `model.keras` of fewmask.
        destination: The ONNX file to be.

    Raises:
        ModelError: If the source cannot be read, or this backend cannot export.
    """
    export_onnx(*load_core(source), destination)


def onnx_model(core: Any, spec: ModelSpec, bundle: Bundle) -> Any:
    """Makes the ONNX model: input `image`, outputs `labels` and `probabilities`.

    `image` is uint8 of shape `(1, H, W, C)`, `labels` uint8 of shape `(1, H, W)`, and
    `probabilities` float32 of shape `(1, H, W, K)`. The label of a pixel is its most probable
    class, of equals the lowest class id: at exactly 0.5 a pixel is background.

    Args:
        core: The trained core.
        spec: What it was built from.
        bundle: What travels with it.

    Returns:
        An `onnx.ModelProto`.

    Raises:
        ModelError: If the backend cannot export.
    """
    rule = bundle.scale
    size = rule.size if isinstance(rule, Frame) else rule.tile
    inner, core_is_channels_first = core_model(core, spec, size)
    graph = Graph("fewmask")
    image = graph.input("image", np.uint8, [1, "height", "width", spec.channels])
    planes = graph.add("Cast", graph.add("Transpose", image, perm=[0, 3, 1, 2]), to=np.float32)
    way = (
        OnnxFrame(graph, image, rule)
        if isinstance(rule, Frame)
        else OnnxPixels(graph, image, rule, spec.channels, spec.out_channels)
    )
    seen = way.enter(planes)
    if bundle.mirrored:
        seen = graph.add("Concat", seen, _mirror_image(graph, seen), axis=0)
    if core_is_channels_first:
        logits = graph.embed(inner, seen)
    else:
        logits = graph.embed(inner, graph.add("Transpose", seen, perm=[0, 2, 3, 1]))
        logits = graph.add("Transpose", logits, perm=[0, 3, 1, 2])
    if bundle.mirrored:
        logits = _mean_of_both(graph, logits, spec.out_channels, size)
    two_classes = spec.out_channels == 1
    maps = graph.add("Sigmoid", logits) if two_classes else graph.add("Softmax", logits, axis=1)
    maps = way.leave(maps)
    if two_classes:
        maps = graph.add("Concat", graph.add("Sub", 1.0, maps), maps, axis=1)

    labels = graph.add("Cast", graph.add("ArgMax", maps, axis=1, keepdims=0), to=np.uint8)
    probabilities = graph.add("Transpose", maps, perm=[0, 2, 3, 1])
    graph.output("labels", labels, np.uint8, [1, "height", "width"])
    graph.output(
        "probabilities", probabilities, np.float32, [1, "height", "width", spec.num_classes]
    )
    (opset,) = [entry.version for entry in inner.opset_import if entry.domain in ("", "ai.onnx")]
    return graph.model(opset, {"fewmask": bundle.to_json()})


def _mirror_image(graph: Graph, planes: str) -> str:
    """Exchanges left and right of `(N, C, H, W)`."""
    last, before_first = np.array([-1]), np.array([np.iinfo(np.int64).min])
    return graph.add("Slice", planes, last, before_first, np.array([3]), np.array([-1]))


def _mean_of_both(graph: Graph, logits: str, channels: int, size: int) -> str:
    """Joins the logits of squares, the first half, with those of their mirror images."""
    both = graph.add("Reshape", logits, np.array([2, -1, channels, size, size]))
    plain, of_mirror_image = (graph.add("Gather", both, which, axis=0) for which in (0, 1))
    total = graph.add("Add", plain, _mirror_image(graph, of_mirror_image))
    return graph.add("Mul", total, 0.5)


def core_model(core: Any, spec: ModelSpec, size: int) -> tuple[Any, bool]:
    """Lets Keras' backend export the core alone, for squares of `size` × `size` pixels.

    Args:
        core: The trained core.
        spec: What it was built from.
        size: Height and width; how many squares a call brings is left open.

    Returns:
        An `onnx.ModelProto` of one input and one output, and whether these are
        `channels_first`.

    Raises:
        ModelError: If the backend cannot export.
    """
    if (reason := missing_exporter()) is not None:
        raise ModelError("model.onnx", "a backend that can export", "another", reason)
    if keras.config.backend() == "torch":
        return _export_by_torch(copy_core(core, spec, "channels_first"), spec, size), True
    return _export_by_tensorflow(copy_core(core, spec, "channels_last"), spec, size), False


def _export_by_torch(core: Any, spec: ModelSpec, size: int) -> Any:
    import torch

    example = keras.ops.zeros((1, spec.channels, size, size))
    exported = io.BytesIO()
    with warnings.catch_warnings():
        # The traced values that these speak of are sizes, which are fixed here, and the exporter
        # that torch recommends instead needs packages of its own and takes a minute.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            core,
            (example,),
            exported,
            dynamo=False,
            opset_version=OPSET,
            input_names=["picture"],
            output_names=["logits"],
            dynamic_axes={"picture": {0: "squares"}, "logits": {0: "squares"}},
        )
    return make_lean(onnx.load_model_from_string(exported.getvalue()))


def _export_by_tensorflow(core: Any, spec: ModelSpec, size: int) -> Any:
    signature = [keras.InputSpec(dtype="float32", shape=(None, size, size, spec.channels))]
    for layer in _all_layers(core):
        if isinstance(layer, keras.layers.Normalization):
            # What TensorFlow holds as an array of its own, tf2onnx takes for one more input.
            layer.mean, layer.variance = (
                keras.ops.convert_to_numpy(each) for each in (layer.mean, layer.variance)
            )
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        # tf2onnx asks NumPy 2 for a name of NumPy 1, which Keras puts back first.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        file = Path(folder) / "core.onnx"
        core.export(file, format="onnx", verbose=False, input_signature=signature)
        return onnx.load_model(file)


def _all_layers(network: Any) -> Iterator[Any]:
    """Yields the layers of a network, and those of networks in it."""
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)
