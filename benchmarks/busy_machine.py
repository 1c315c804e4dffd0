"""Times a training step by the number of threads, alone and beside other programs.

    python benchmarks/busy_machine.py [--size 128] [--steps 15]

Each figure is the median step of a process of its own: with as many threads as there are cores and
with one, alone and beside a program for each core that keeps it busy.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from machine import count_cores, describe_machine

from fewmask.data.wording import counted

BUSY = "while True: pass"


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """Keeps so many cores busy while a block runs."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(programs)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def time_steps(size: int, steps: int, threads: int) -> float:
    """Returns the seconds of the median step of a pretrained network, 4 images each."""
    import torch
    from work_per_second import training_step

    from fewmask.models.precision import fast_precision

    torch.set_num_threads(threads)
    step, _ = training_step("mobilenet_v2", size, 4, fast_precision())
    step()
    seconds = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.threads:
        print(time_steps(asked.size, asked.steps, asked.threads))
        return
    print(describe_machine(("keras", "torch")))
    cores = count_cores()
    for programs in (0, cores):
        with busy(programs):
            for threads in (cores, 1):
                given = {"threads": threads, "size": asked.size, "steps": asked.steps}
                options = [word for name in given for word in (f"--{name}", str(given[name]))]
                found = subprocess.run(
                    [sys.executable, __file__, *options],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                beside = f"beside {programs} busy programs" if programs else "alone"
                print(f"{beside}, {counted(threads, 'thread')}: {float(found.stdout):.3f} s")


if __name__ == "__main__":
    main()
