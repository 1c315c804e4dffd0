"""Compares how fast `to_keras` and `to_pytorch` read with a bare loop that decodes the same files.

The loop opens each image and each mask with Pillow and makes an array of it; nothing is checked,
converted or stacked. The loaders hand over whole batches as their user gets them. All take turns,
and the figure is the ratio of the medians; the goal is 0.90. The processor time beside it, without
that of worker processes, depends less on what else the machine is doing.

    python benchmarks/loaders.py [--dataset demo/chairs] [--side 640] [--batch-size 8] [--rounds 7]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import describe_machine
from PIL import Image
from torch.utils.data import DataLoader

import fewmask
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import encode_jpeg, resize, write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column


def enlarge(dataset: Dataset, folder: Path, side: int) -> Dataset:
    """Writes the images as JPEG and the masks as PNG files of one size, so that they batch."""
    rows = []
    for index in range(len(dataset)):
        image, mask = dataset.read_image(index, channels=3), dataset.read_mask(index)
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(resize(image, side, side, smooth=True)))
        write_png(folder / f"{index}.png", resize(mask, side, side, smooth=False))
        rows.append((f"{index}.jpg", f"{index}.png"))
    columns = [Column("image", "image"), Column("mask", "mask")]
    ids = range(dataset.classes.num_classes if dataset.classes else 0)
    encoding = MaskEncoding("values", tuple((value, value) for value in ids))
    return replace(dataset, root=folder, columns=columns, rows=rows, encoding=encoding, packed={})


def bare_loop(dataset: Dataset) -> None:
    for index in range(len(dataset)):
        for path in (dataset.image_path(index), dataset.mask_path(index)):
            with Image.open(str(path)) as picture:
                np.asarray(picture)


def scale(sample: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return sample[0] / 255, sample[1] / 255


def drain(batches: object) -> None:
    for _ in batches:  # type: ignore[attr-defined]
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="demo/chairs")
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch", "pillow")))

    with tempfile.TemporaryDirectory() as folder:
        dataset = enlarge(fewmask.load_dataset(asked.dataset), Path(folder), asked.side)
        keras_batches = dataset.to_keras("image", "mask", asked.batch_size)
        processed = dataset.to_keras("image", "mask", asked.batch_size, scale)
        samples = dataset.to_pytorch()
        torch_batches = DataLoader(samples, asked.batch_size, shuffle=True)
        with_workers = DataLoader(
            samples, asked.batch_size, shuffle=True, num_workers=2, persistent_workers=True
        )
        contestants: dict[str, Callable[[], None]] = {
            "bare loop": lambda: bare_loop(dataset),
            "to_keras": lambda: drain(keras_batches),
            "to_keras, processing_function": lambda: drain(processed),
            "to_pytorch, DataLoader": lambda: drain(torch_batches),
            "to_pytorch, DataLoader with 2 workers": lambda: drain(with_workers),
        }
        speeds: dict[str, list[float]] = {name: [] for name in contestants}
        processor: dict[str, list[float]] = {name: [] for name in contestants}
        for number in range(asked.rounds + 1):
            for name, read in contestants.items():
                began, used = time.perf_counter(), time.process_time()
                read()
                if number:  # the first round warms up: file cache, imports, workers
                    speeds[name].append(len(dataset) / (time.perf_counter() - began))
                    processor[name].append(1000 * (time.process_time() - used) / len(dataset))
    bare = statistics.median(speeds["bare loop"])
    print(f"{len(dataset)} images and masks of {asked.side} × {asked.side}, JPEG and PNG")
    for name, measured in speeds.items():
        speed, used = statistics.median(measured), statistics.median(processor[name])
        own = "" if "workers" in name else f", {used:.1f} ms of a processor a sample"
        print(f"{name}: {speed:.0f} samples/s, ratio {speed / bare:.2f}{own}")


if __name__ == "__main__":
    main()
