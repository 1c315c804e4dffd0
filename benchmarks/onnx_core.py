"""What it brings that networks are written as ONNX operators layer by layer: `models.onnx_core`.

    python benchmarks/onnx_core.py [--rounds 15]

Writes networks as `fewmask train` does, and lets torch's own exporter trace them. Then ONNX Runtime
runs both on the same squares, as many as an image is cut into, in turn, so that both meet the same
machine. Prints the seconds of writing, the operators, and the milliseconds of a run.
"""

import argparse
import io
import statistics
import time
import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
from machine import describe_machine

from fewmask.models.backend import keras
from fewmask.models.export import OPSET
from fewmask.models.graph import Graph
from fewmask.models.onnx_core import write_core
from fewmask.models.spec import ModelSpec, build

PRETRAINED = {"shortcut": True, "weights": "imagenet"}
SCRATCH = {"stem_stride": 2, "shortcut": True}
TILES = {**SCRATCH, "outlines": True}
CASES = {
    "photographs, whole at 224": (ModelSpec("mobilenet_v2", 2, context=True, **PRETRAINED), 1, 224),
    "nuclei, 9 tiles of 224": (ModelSpec("mobilenet_v2", 2, outlines=True, **PRETRAINED), 9, 224),
    "from nothing, whole at 192": (ModelSpec("unet", 2, normalization="batch", **SCRATCH), 1, 192),
    "from nothing, 25 tiles of 128, by batch": (
        ModelSpec("unet", 2, normalization="batch", **TILES),
        25,
        128,
    ),
    "from nothing, 25 tiles of 128, by group down": (
        ModelSpec("unet", 2, normalization="group+batch", **TILES),
        25,
        128,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(describe_machine(("keras", "torch", "onnx", "onnxruntime")))
    for name, (spec, squares, size) in CASES.items():
        core = build(spec, "channels_first")
        writing, sessions, counts = {}, {}, {}
        for which, write in (("traced", traced), ("written", written)):
            began = time.perf_counter()
            model = write(core, size)
            writing[which] = time.perf_counter() - began
            counts[which] = len(model.graph.node)
            sessions[which] = onnxruntime.InferenceSession(
                model.SerializeToString(), providers=["CPUExecutionProvider"]
            )
        shape = (squares, spec.channels, size, size)
        seen = {"seen": np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)}
        before, now = (session.run(None, seen)[0] for session in sessions.values())
        seconds: dict[str, list[float]] = {which: [] for which in sessions}
        for _ in range(rounds):
            for which, session in sessions.items():
                began = time.perf_counter()
                session.run(None, seen)
                seconds[which].append(time.perf_counter() - began)
        milliseconds = {which: 1000 * statistics.median(each) for which, each in seconds.items()}
        print(f"{name}: logits at most {abs(now - before).max():.0e} apart")
        for which in sessions:
            print(
                f"  {which}: in {writing[which]:.2f} s, {counts[which]} operators, "
                f"{milliseconds[which]:.1f} ms",
                flush=True,
            )


def written(core: Any, size: int) -> Any:
    """Writes a core as fewmask does."""
    graph = Graph("core")
    channels = core.input_shape[1]
    seen = graph.input("seen", np.float32, ["squares", channels, size, size])
    graph.output("logits", write_core(graph, core, seen), np.float32, ["squares", 1, size, size])
    return graph.model(OPSET)


def traced(core: Any, size: int) -> Any:
    """Lets torch's exporter write it."""
    import torch

    example = keras.ops.zeros((1, core.input_shape[1], size, size))
    exported = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            core,
            (example,),
            exported,
            dynamo=False,
            opset_version=OPSET,
            input_names=["seen"],
            output_names=["logits"],
            dynamic_axes={"seen": {0: "squares"}, "logits": {0: "squares"}},
        )
    return onnx.load_model_from_string(exported.getvalue())


if __name__ == "__main__":
    main()
