"""Measures how much memory and time the training of `make demo` takes.

    python benchmarks/demo_memory.py [--epochs 3]

The training runs as a process of its own; the system says how much memory it held at most. A few
epochs hold as much as many.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time

from machine import describe_machine

LIMIT = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    command = [sys.executable, "-m", "fewmask", "train", "demo/chairs", "--model", "unet"]
    command += ["--size", "192", "--epochs", str(asked.epochs)]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{' '.join(command[2:])}: {seconds:.0f} s, at most {peak:.2f} GB of memory")
    sys.exit(peak > LIMIT)


if __name__ == "__main__":
    main()
