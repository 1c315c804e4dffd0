"""Compares how fast `to_keras` and `to_pytorch` read with loops written by hand for the same files.

Two kinds of loop stand beside them, both in one thread, with Pillow and NumPy and without a check.
The bare one opens each image and each mask and makes an array of it, no more. The others go on to
what the loader hands over: floats, the processing function, tensors, whole batches. All take turns,
and a figure is the median over the rounds of the ratio within a round, which other work on the
machine disturbs least; the goal is 0.90 of the bare loop. The processor time beside it is without
that of worker processes.

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
import torch
from machine import describe_machine
from PIL import Image
from torch.utils.data import DataLoader

import fewmask
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import encode_jpeg, resize, write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column

EPOCHS = 3
"""Times that everything is read in one measurement: a core that slept takes a while to wake."""


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


def decode(dataset: Dataset, index: int) -> tuple[np.ndarray, np.ndarray]:
    arrays = []
    for path in (dataset.image_path(index), dataset.mask_path(index)):
        with Image.open(str(path)) as picture:
            arrays.append(np.asarray(picture))
    return arrays[0], arrays[1]


def bare_loop(dataset: Dataset) -> None:
    for index in range(len(dataset)):
        decode(dataset, index)


def scale(sample: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return sample[0] / 255, sample[1] / 255


def by_hand(
    dataset: Dataset, batch_size: int, function: Callable[..., tuple[np.ndarray, np.ndarray]] | None
) -> None:
    """Makes the batches of `to_keras`: float32, processed, stacked, in a drawn order."""
    order = np.random.default_rng(0).permutation(len(dataset))
    for start in range(0, len(order), batch_size):
        images, masks = [], []
        for index in order[start : start + batch_size]:
            image, mask = decode(dataset, index)
            sample = image.astype(np.float32), mask.astype(np.float32)[..., None]
            image, mask = function(sample) if function else sample
            images.append(image)
            masks.append(mask)
        np.stack(images), np.stack(masks)


class ByHand(torch.utils.data.Dataset):
    """The samples of `to_pytorch`: images `(C, H, W)` in [0, 1], masks of class ids."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, mask = decode(self.dataset, index)
        scaled = torch.from_numpy(image.copy()).permute(2, 0, 1).contiguous().float().div(255)
        return scaled, torch.from_numpy(mask.astype(np.int64))


class ReadyMade(ByHand):
    """One sample over and over: what it costs to get tensors of this size out of workers."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self.sample = super().__getitem__(0)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.sample


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
    # Threads of torch that wait for each other would slow down the loop by hand.
    torch.set_num_threads(1)
    print(describe_machine(("keras", "torch", "pillow")))

    with tempfile.TemporaryDirectory() as folder:
        dataset = enlarge(fewmask.load_dataset(asked.dataset), Path(folder), asked.side)
        size = asked.batch_size
        plain = dataset.to_keras("image", "mask", size)
        processed = dataset.to_keras("image", "mask", size, scale)
        workers = {"num_workers": 2, "persistent_workers": True}
        loader, with_workers, loader_by_hand, workers_by_hand = (
            DataLoader(samples, size, shuffle=True, **options)
            for samples in (dataset.to_pytorch(), ByHand(dataset))
            for options in ({}, workers)
        )
        contestants: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "to_keras": (lambda: drain(plain), lambda: by_hand(dataset, size, None)),
            "to_keras, processing_function": (
                lambda: drain(processed),
                lambda: by_hand(dataset, size, scale),
            ),
            "to_pytorch, DataLoader": (lambda: drain(loader), lambda: drain(loader_by_hand)),
            "to_pytorch, DataLoader with 2 workers": (
                lambda: drain(with_workers),
                lambda: drain(workers_by_hand),
            ),
        }
        ready_made = DataLoader(ReadyMade(dataset), size, **workers)
        seconds: dict[str, list[float]] = {}
        processor: dict[str, list[float]] = {}

        def measure(name: str, read: Callable[[], None]) -> None:
            began, used = time.perf_counter(), time.process_time()
            for _ in range(EPOCHS):
                read()
            seconds.setdefault(name, []).append((time.perf_counter() - began) / EPOCHS)
            processor.setdefault(name, []).append((time.process_time() - used) / EPOCHS)

        for _ in range(asked.rounds + 1):
            for name, (ours, hand) in contestants.items():
                # Each beside its own bare loop, as close in time as can be.
                measure(f"{name}, bare loop", lambda: bare_loop(dataset))
                measure(name, ours)
                measure(f"{name}, by hand", hand)
            measure("ready-made", lambda: drain(ready_made))

    def per_sample(name: str) -> str:
        # The first round warmed up: file cache, imports, workers.
        wall, own = (statistics.median(each[name][1:]) for each in (seconds, processor))
        return f"{len(dataset) / wall:.0f} samples/s, {1000 * own / len(dataset):.1f} ms"

    def ratio(name: str, peer: str) -> float:
        pairs = zip(seconds[peer][1:], seconds[name][1:], strict=True)
        return statistics.median(theirs / own for theirs, own in pairs)

    print(f"{len(dataset)} images and masks of {asked.side} × {asked.side}, JPEG and PNG")
    print("contestant: samples/s, processor time a sample, times as fast as the bare loop, by hand")
    for name in contestants:
        bare, hand = f"{name}, bare loop", f"{name}, by hand"
        print(f"{name}: {per_sample(name)}, {ratio(name, bare):.2f}, {ratio(name, hand):.2f}")
        print(f"  bare loop {per_sample(bare)}; by hand {per_sample(hand)}")
    print(f"ready-made tensors from 2 workers: {per_sample('ready-made')}")


if __name__ == "__main__":
    main()
