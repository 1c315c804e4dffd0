"""How long `fewmask predict` takes from the command to the written mask.

    python benchmarks/cold_predict.py [runs/chairs [photo.jpg]]

Each round starts three fresh processes, in turn, so that all meet the same machine: the least
that can be done (Python, ONNX Runtime, Pillow: read, run, write the mask), `fewmask predict
--no-overlay`, which writes the same mask, and `fewmask predict` as people type it. The first
round only warms the disk cache.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import describe_machine
from PIL import Image

BARE = """
import sys
import numpy as np
import onnxruntime
from PIL import Image

model, photo, mask = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
image = np.asarray(Image.open(photo).convert("RGB"))
(labels,) = session.run(["labels"], {"image": image[None]})
Image.fromarray(labels[0]).save(mask)
"""


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def first_word(command: list[str]) -> float:
    """Seconds until the command says anything at all."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        process.stderr.readline()
        waited = time.perf_counter() - started
        process.stderr.read()
    return waited


def make_model(path: Path) -> None:
    """Exports a network as `fewmask train` does; what it has learned does not change its speed."""
    from fewmask.bundle import Bundle
    from fewmask.data.classes import Classes
    from fewmask.models.export import export_onnx
    from fewmask.models.spec import ModelSpec, build
    from fewmask.scale import Frame

    spec = ModelSpec("mobilenet_v2", num_classes=2)
    export_onnx(build(spec), spec, Bundle(Classes(("background", "chair")), Frame(256)), path)


def make_photo(path: Path) -> None:
    """Draws 640 × 640 pixels that compress about as a photograph does."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8))
    coarse.resize((640, 640), Image.Resampling.BICUBIC).save(path, quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?", help="folder of a run, or a model.onnx")
    parser.add_argument("photo", type=Path, nargs="?", help="640 × 640 drawn pixels without")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        model = options.run or Path(folder) / "model.onnx"
        model = model / "model.onnx" if model.is_dir() else model
        photo = options.photo or Path(folder) / "photo.jpg"
        if options.run is None:
            make_model(model)
        if options.photo is None:
            make_photo(photo)
        megabytes = model.stat().st_size / 1e6
        mask, out = f"{folder}/bare.png", f"{folder}/predicted"
        predict = [sys.executable, "-m", "fewmask", "predict", str(model), str(photo)]
        predict += ["--out", out, "--overwrite"]
        commands = {
            "bare script": [sys.executable, "-c", BARE, str(model), str(photo), mask],
            "fewmask predict --no-overlay": [*predict, "--no-overlay"],
            "fewmask predict": predict,
        }
        rounds = [
            {name: seconds(command) for name, command in commands.items()}
            for _ in range(options.rounds + 1)
        ][1:]
        help_page = [sys.executable, "-m", "fewmask", "--help"]
        helps = statistics.median(seconds(help_page) for _ in range(options.rounds))
        words = statistics.median(first_word(predict) for _ in range(options.rounds))
        with Image.open(mask) as bare, Image.open(f"{out}/{photo.stem}.png") as ours:
            assert np.array_equal(np.asarray(bare), np.asarray(ours)), "the masks differ"
            width, height = ours.size

    print(describe_machine(("numpy", "onnxruntime", "pillow")))
    print(
        f"{width} × {height} pixels, {megabytes:.1f} MB of model, {options.rounds} rounds; "
        "median (fastest to slowest) in seconds"
    )
    bare_median = statistics.median(each["bare script"] for each in rounds)
    for name in commands:
        times = sorted(each[name] for each in rounds)
        median = statistics.median(times)
        print(f"{name:30} {median:.2f} ({times[0]:.2f} to {times[-1]:.2f})  "
              f"{median / bare_median:.2f} × bare")  # fmt: skip
    print(f"{'its first word':30} {words:.2f}")
    print(f"{'fewmask --help':30} {helps:.2f}")


if __name__ == "__main__":
    main()
