"""Exports a model to ONNX: raw pixels of any height and width in, class ids out.

The core is written layer by layer, see `models.onnx_core`, and around it the way to the scale that
it sees and back. `fewmask.scale` is the reference of that arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fewmask.bundle import Bundle
from fewmask.data.loaders.frameworks import INSTALL
from fewmask.errors import MissingPackage
from fewmask.files import whole_file

try:
    import onnx
except ModuleNotFoundError as error:
    # Keras and torch may be there without what our extra brings beside them.
    raise MissingPackage("onnx", "training", INSTALL) from error
from fewmask.models.graph import Graph
from fewmask.models.onnx_core import flip, write_core
from fewmask.models.onnx_frame import OnnxFrame
from fewmask.models.onnx_pixels import OnnxPixels
from fewmask.models.saving import load_core
from fewmask.models.spec import ModelSpec
from fewmask.scale import Frame

OPSET = 17
"""Version of the ONNX operators: read by every runtime since 2022, with all that is needed."""


def export_onnx(core: Any, spec: ModelSpec, bundle: Bundle, path: str | Path) -> None:
    """Writes a model as an ONNX file, whole or not at all.

    Args:
        core: The trained core.
        spec: What it was built from.
        bundle: What travels with it; becomes the metadata entry `fewmask`.
        path: The file to be.

    Raises:
        ModelError: If the core has a layer that is not known in ONNX.
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
        ModelError: If the core has a layer that is not known in ONNX.
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
        ModelError: If the source cannot be read.
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
        ModelError: If the core has a layer that is not known in ONNX.
    """
    rule = bundle.scale
    size = rule.size if isinstance(rule, Frame) else rule.tile
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
        seen = graph.add("Concat", seen, flip(graph, seen, axis=3), axis=0)
    logits = write_core(graph, core, seen)
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
    return graph.model(OPSET, {"fewmask": bundle.to_json()})


def _mean_of_both(graph: Graph, logits: str, channels: int, size: int) -> str:
    """Joins the logits of squares, the first half, with those of their mirror images."""
    both = graph.add("Reshape", logits, np.array([2, -1, channels, size, size]))
    plain, of_mirror_image = (graph.add("Gather", both, which, axis=0) for which in (0, 1))
    total = graph.add("Add", plain, flip(graph, of_mirror_image, axis=3))
    return graph.add("Mul", total, 0.5)
