"""What it brings that model.onnx is written with few operators: `fewmask.models.lean`.

    python benchmarks/lean_export.py [--rounds 15]

Exports networks as `fewmask train` does, once lean and once as Keras and torch leave them, and lets
ONNX Runtime predict the same image with both, in turn, so that both meet the same machine. Prints
milliseconds, their ratio, and how far the probabilities are apart.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
from machine import describe_machine

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.models import export
from fewmask.models.spec import ModelSpec, build
from fewmask.scale import Frame, Pixels

FROM_NOTHING = ModelSpec(
    "unet", 2, normalization="group+batch", stem_stride=2, shortcut=True, outlines=True
)
TILES_OF_128 = Pixels(tile=128, overlap=32, block=480, block_in_image=480)
CASES = {
    "photographs, whole at 224": (
        ModelSpec("mobilenet_v2", 2, shortcut=True, context=True, weights="imagenet"),
        Frame(224),
        (480, 640),
    ),
    "nuclei, in tiles of 224": (
        ModelSpec("mobilenet_v2", 2, shortcut=True, outlines=True, weights="imagenet"),
        Pixels(tile=224, overlap=56, block=672, block_in_image=672),
        (512, 512),
    ),
    "from nothing, whole at 192": (
        ModelSpec("unet", 2, normalization="batch", stem_stride=2, shortcut=True),
        Frame(192),
        (480, 640),
    ),
    "from nothing, in tiles of 128, by batch": (
        replace(FROM_NOTHING, normalization="batch"),
        TILES_OF_128,
        (512, 512),
    ),
    "from nothing, in tiles of 128, by group down": (
        FROM_NOTHING,
        TILES_OF_128,
        (512, 512),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(describe_machine(("keras", "torch", "onnxruntime")))
    for name, (spec, scale, sides) in CASES.items():
        core = build(spec, "channels_first")
        bundle = Bundle(Classes(("background", "thing")), scale, spec.channels)
        with tempfile.TemporaryDirectory() as folder:
            lean = exported(core, spec, bundle, Path(folder) / "lean.onnx")
            with patch.object(export, "make_lean", lambda model: model):
                plain = exported(core, spec, bundle, Path(folder) / "plain.onnx")
        rng = np.random.default_rng(0)
        image = {"image": rng.integers(0, 256, (1, *sides, 3)).astype(np.uint8)}
        apart = abs(probabilities(plain[1], image) - probabilities(lean[1], image)).max()
        seconds: dict[str, list[float]] = {"plain": [], "lean": []}
        for _ in range(rounds):
            for which, (_, session) in (("plain", plain), ("lean", lean)):
                began = time.perf_counter()
                session.run(["labels"], image)
                seconds[which].append(time.perf_counter() - began)
        before, now = (1000 * statistics.median(each) for each in seconds.values())
        print(
            f"{name}: {plain[0]} → {lean[0]} operators, {before:.0f} → {now:.0f} ms, "
            f"{before / now:.2f} times as fast; probabilities {apart:.0e} apart",
            flush=True,
        )


def exported(core: Any, spec: ModelSpec, bundle: Bundle, path: Path) -> tuple[int, Any]:
    """Writes a model; returns the number of its operators, and the model opened."""
    export.export_onnx(core, spec, bundle, path)
    count = len(onnx.load_model(path).graph.node)
    return count, onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def probabilities(session: Any, image: dict[str, np.ndarray]) -> Any:
    return session.run(["probabilities"], image)[0]


if __name__ == "__main__":
    main()
