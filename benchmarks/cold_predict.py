"""How long `fewmask predict` takes from the command to the written mask.

Run:  python benchmarks/cold_predict.py runs/chairs photo.jpg

Each round starts three fresh processes, in turn, so that all meet the same machine: the least
that can be done (Python, ONNX Runtime, Pillow: read, run, write the mask), `fewmask predict
--no-overlay`, which writes the same mask, and `fewmask predict` as people type it. The first
round only warms the disk cache.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
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


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run, or a model.onnx")
    parser.add_argument("photo", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    model = options.run / "model.onnx" if options.run.is_dir() else options.run

    with tempfile.TemporaryDirectory() as folder:
        mask, out = f"{folder}/bare.png", f"{folder}/predicted"
        predict = [sys.executable, "-m", "fewmask", "predict", str(model), str(options.photo)]
        predict += ["--out", out, "--overwrite"]
        commands = {
            "bare script": [sys.executable, "-c", BARE, str(model), str(options.photo), mask],
            "fewmask predict --no-overlay": [*predict, "--no-overlay"],
            "fewmask predict": predict,
        }
        rounds = [
            {name: seconds(command) for name, command in commands.items()}
            for _ in range(options.rounds + 1)
        ][1:]
        words = statistics.median(first_word(predict) for _ in range(options.rounds))
        with Image.open(mask) as bare, Image.open(f"{out}/{options.photo.stem}.png") as ours:
            assert np.array_equal(np.asarray(bare), np.asarray(ours)), "the masks differ"
            width, height = ours.size

    print(
        f"{date.today()}, {processor()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    )
    print(f"{width} × {height} pixels, {model.stat().st_size / 1e6:.1f} MB of model, "
          f"{options.rounds} rounds; median (fastest to slowest) in seconds")  # fmt: skip
    bare_median = statistics.median(each["bare script"] for each in rounds)
    for name in commands:
        times = sorted(each[name] for each in rounds)
        median = statistics.median(times)
        print(f"{name:30} {median:.2f} ({times[0]:.2f} to {times[-1]:.2f})  "
              f"{median / bare_median:.2f} × bare")  # fmt: skip
    print(f"{'its first word':30} {words:.2f}")


if __name__ == "__main__":
    main()
