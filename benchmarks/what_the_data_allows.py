"""Measures what quick models say of folders: symmetries, and what twice the labels would bring.

    python benchmarks/what_the_data_allows.py photos/ cells/ [--part train]

Each folder is loaded as `fewmask train` loads it; only its images of the part `train` are looked
at, or all if it has no parts. The gain of doubling is also put to the test: it is estimated from
half of the images, then compared with what the other half did bring. Seconds are those of the
processor, all cores together.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from machine import describe_machine

from fewmask import load_dataset
from fewmask.data.fingerprint import take_fingerprint
from fewmask.evaluation.sketch.doubling import draw_learning_curve
from fewmask.evaluation.sketch.small import take_small_samples
from fewmask.evaluation.sketch.symmetry import measure_symmetries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--part", default="train")
    parser.add_argument("--classes", help="as for `fewmask train`, for all of the folders")
    asked = parser.parse_args()
    print(describe_machine(("numpy", "opencv-python-headless")))
    for folder in asked.folders:
        reading = {"classes": asked.classes.split(",")} if asked.classes else {}
        dataset = load_dataset(folder, **reading)
        if dataset.has_column("part"):
            dataset = dataset.filter(lambda row: row.part == asked.part)
        measure(Path(folder).name, dataset)


def measure(name, dataset) -> None:
    fingerprint = take_fingerprint(dataset)
    samples = take_small_samples(dataset, fingerprint.num_channels, fingerprint.value_range)
    classes = dataset.classes.num_classes, dataset.classes.ignore_index
    start = time.process_time()
    symmetries = measure_symmetries(samples, *classes)
    seconds = time.process_time() - start
    print(f"\n{name}: {len(samples)} images, {seconds:.1f} s")
    print(f"quick model {symmetries.score:.3f}, one class everywhere {symmetries.chance:.3f}")
    for verdict in ("left_right", "upside_down", "quarter_turns", "hue"):
        found = getattr(symmetries, verdict)
        print(
            f"{verdict}: {'yes' if found.allowed else 'no'}, {found.basis}, "
            f"{found.changed_score:.3f}, lost {found.loss.low:.3f} to {found.loss.high:.3f}"
        )
    start = time.process_time()
    curve = draw_learning_curve(samples, *classes)
    seconds = time.process_time() - start
    points = ", ".join(
        f"{size:.0f} images {score:.3f}"
        for size, score in zip(curve.num_images, curve.scores, strict=True)
    )
    print(f"curve ({seconds:.1f} s): {points}\n{curve.sentence}", flush=True)
    half = np.random.default_rng(0).permutation(len(samples))[: len(samples) // 2]
    earlier = draw_learning_curve([samples[place] for place in half], *classes)
    if earlier.scores and curve.scores:
        print(
            f"foretold by half of the images: {earlier.gain:+.3f} ({earlier.interval.low:.3f} to "
            f"{earlier.interval.high:.3f}); came: {curve.scores[-1] - curve.scores[-2]:+.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
