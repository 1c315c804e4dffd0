"""A tiny model, and pictures for it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.scale import Frame

NAMES = ("background", "red thing", "nothing")

WriteModel = Callable[..., Path]
WritePhoto = Callable[..., Path]


def red_model(bundle: Bundle | None) -> onnx.ModelProto:
    """Builds a model to which red/255 is the probability of class 1; further classes have none."""
    channels = bundle.channels if bundle else 3
    num_classes = bundle.classes.num_classes if bundle else 2
    numbers = {
        "zero": np.zeros(1, np.int64),
        "one": np.ones(1, np.int64),
        "last": np.array([3], np.int64),
        "scale": np.array(255, np.float32),
        "sure": np.array(1, np.float32),
        "never": np.zeros((1, 1, 1, num_classes - 2), np.float32),
    }
    nodes = [
        helper.make_node("Slice", ["image", "zero", "one", "last"], ["red"]),
        helper.make_node("Cast", ["red"], ["bright"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["bright", "scale"], ["thing"]),
        helper.make_node("Sub", ["sure", "thing"], ["background"]),
        helper.make_node("Shape", ["thing"], ["shape"]),
        helper.make_node("Expand", ["never", "shape"], ["nothing"]),
        helper.make_node(
            "Concat",
            ["background", "thing", *["nothing"][: num_classes - 2]],
            ["probabilities"],
            axis=3,
        ),
        helper.make_node("ArgMax", ["probabilities"], ["ids"], axis=3, keepdims=0),
        helper.make_node("Cast", ["ids"], ["labels"], to=TensorProto.UINT8),
    ]
    if num_classes == 2:
        nodes = [node for node in nodes if node.op_type not in ("Shape", "Expand")]
        del numbers["never"]
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "H", "W", channels])],
        [
            helper.make_tensor_value_info("labels", TensorProto.UINT8, [1, "H", "W"]),
            helper.make_tensor_value_info(
                "probabilities", TensorProto.FLOAT, [1, "H", "W", num_classes]
            ),
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if bundle:
        model.metadata_props.add(key="fewmask", value=bundle.to_json())
    return model


@pytest.fixture
def write_model() -> WriteModel:
    def write(
        path: Path,
        num_classes: int = 2,
        channels: int = 3,
        value_range: tuple[int, int] = (0, 255),
    ) -> Path:
        bundle = Bundle(Classes(NAMES[:num_classes]), Frame(256), channels, value_range)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(red_model(bundle), path)
        return path

    return write


@pytest.fixture
def write_run(write_model: WriteModel) -> Callable[..., Path]:
    def write(folder: Path, run_format: int = 1, **facts: object) -> Path:
        write_model(folder / "model.onnx", **facts)
        (folder / "run.json").write_text(json.dumps({"format": run_format, "state": "done"}))
        return folder

    return write


def half_red(height: int, width: int) -> NDArray[np.uint8]:
    """An image `(height, width, 3)` whose left half is red: there the model finds its thing."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0] = 255
    return image


@pytest.fixture
def write_photo() -> WritePhoto:
    def write(path: Path, height: int = 6, width: int = 8) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"quality": 95, "subsampling": 0} if path.suffix.lower() == ".jpg" else {}
        Image.fromarray(half_red(height, width)).save(path, **options)
        return path

    return write
