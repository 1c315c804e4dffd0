"""Compares patches per second of our augmentation with Albumentations 2.0.8.

Both make 256 × 256 patches of 640 × 640 images and masks by the same operations at the same
strengths and probabilities: flip; one affine warp of rotation, scale, shear and shift; bringing to
size; brightness and contrast; gamma; hue and saturation; blur; noise. Image linear and
antialiased, mask nearest, borders reflected, uint8 in and out.

Albumentations takes two steps where we take one, and can take them in either order, so it is
measured in both:
  `warp, resize`   warps at full size, then shrinks: what we do, sharp when zooming in;
  `resize, warp`   shrinks first: cheaper, but loses the detail that zooming in should show.

OpenCV's own threads are off for everybody; "2 threads" are two Python threads that make patches.
Contestants take turns (A B C A B C ...); medians are reported.

    python -m venv /tmp/albumentations
    /tmp/albumentations/bin/pip install albumentations==2.0.8 opencv-python-headless numpy
    PYTHONPATH=src /tmp/albumentations/bin/python benchmarks/augmentation.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Albumentations asks the network for newer versions of itself when imported.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import numpy as np
from machine import describe_machine

from fewmask.data.augmentation.augment import Augmentation, augment

SIDE, SIZE, NUM_SAMPLES = 640, 256, 16

OURS = Augmentation(
    rotation_probability=1.0,
    scale_probability=1.0,
    shear=5.0,
    shear_probability=1.0,
    shift_probability=1.0,
    low_resolution_probability=0.0,
)

Sample = tuple[np.ndarray, np.ndarray]
MakePatch = Callable[[Sample, int], Sample]


def draw_samples() -> list[Sample]:
    """Draws pictures with detail at all scales, and masks of blobs."""
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(NUM_SAMPLES):
        image = np.zeros((SIDE, SIDE, 3), np.float32)
        for cells in (4, 16, 64, 256):
            coarse = rng.standard_normal((cells, cells, 3)).astype(np.float32)
            image += cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * 40
        mask = (image[..., 0] > 30).astype(np.uint8)
        samples.append((np.clip(image + 128, 0, 255).astype(np.uint8), mask))
    return samples


def with_fewmask() -> MakePatch:
    def make(sample: Sample, seed: int) -> Sample:
        return augment(*sample, SIZE, OURS, np.random.default_rng([0, 1, seed]))

    return make


def with_albumentations(resize_first: bool) -> MakePatch:
    import albumentations as A

    resize = A.Resize(SIZE, SIZE, interpolation=cv2.INTER_AREA)
    warp = A.Affine(
        rotate=(-OURS.rotation, OURS.rotation),
        scale=(1 / OURS.scale, OURS.scale),
        shear=(-OURS.shear, OURS.shear),
        translate_percent=(-OURS.shift, OURS.shift),
        interpolation=cv2.INTER_LINEAR,
        mask_interpolation=cv2.INTER_NEAREST,
        border_mode=cv2.BORDER_REFLECT,
        p=1.0,
    )
    compose = A.Compose(
        [
            A.HorizontalFlip(p=OURS.horizontal_flip),
            *((resize, warp) if resize_first else (warp, resize)),
            A.RandomBrightnessContrast(
                brightness_limit=OURS.brightness,
                contrast_limit=(1 / OURS.contrast - 1, OURS.contrast - 1),
                p=OURS.color_probability,
            ),
            A.HueSaturationValue(
                hue_shift_limit=round(OURS.hue / 2),  # OpenCV counts hue in steps of 2 degrees
                sat_shift_limit=40,
                val_shift_limit=0,
                p=OURS.color_probability,
            ),
            A.RandomGamma(
                gamma_limit=(100 / OURS.gamma, 100 * OURS.gamma), p=OURS.gamma_probability
            ),
            A.GaussianBlur(blur_limit=0, sigma_limit=(0.1, OURS.blur), p=OURS.blur_probability),
            A.GaussNoise(std_range=(0.0, OURS.noise / 255), p=OURS.noise_probability),
        ],
        seed=0,
    )

    def make(sample: Sample, seed: int) -> Sample:
        made = compose(image=sample[0], mask=sample[1])
        return made["image"], made["mask"]

    return make


def patches_per_second(makers: list[MakePatch], samples: list[Sample], patches: int) -> float:
    """Measures one contestant, one maker a thread; each makes its share of the patches."""
    share = patches // len(makers)

    def work(thread: int) -> None:
        for number in range(thread * share, (thread + 1) * share):
            image, mask = makers[thread](samples[number % len(samples)], number)
            assert image.shape == (SIZE, SIZE, 3)
            assert mask.shape == (SIZE, SIZE)

    with ThreadPoolExecutor(len(makers)) as executor:
        began = time.perf_counter()
        list(executor.map(work, range(len(makers))))
        return share * len(makers) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=400, help="in one measurement")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each contestant")
    options = parser.parse_args()
    try:
        import albumentations  # noqa: F401
    except ImportError:
        sys.exit(
            "Albumentations is not installed here. It is needed for this comparison alone:\n"
            "  pip install albumentations==2.0.8    (in an environment of its own)"
        )
    cv2.setNumThreads(1)
    print(describe_machine(("numpy", "opencv-python-headless", "albumentations")))
    print(
        f"{SIDE} × {SIDE} → {SIZE} × {SIZE}; medians of {options.rounds} rounds "
        f"of {options.patches} patches\n"
    )
    print("| threads | contestant | patches/s | ours, times as fast |")
    print("|--:|---|--:|--:|")
    samples = draw_samples()
    for threads in (1, 2):
        contestants = {
            "fewmask": [with_fewmask() for _ in range(threads)],
            "Albumentations, warp, resize": [with_albumentations(False) for _ in range(threads)],
            "Albumentations, resize, warp": [with_albumentations(True) for _ in range(threads)],
        }
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for makers in contestants.values():
            patches_per_second(makers, samples, NUM_SAMPLES * threads)  # warm up
        for _ in range(options.rounds):
            for name, makers in contestants.items():
                rates[name].append(patches_per_second(makers, samples, options.patches))
        for name, measured in rates.items():
            ratios = [ours / other for ours, other in zip(rates["fewmask"], measured, strict=True)]
            ratio = "" if name == "fewmask" else f"{statistics.median(ratios):.2f}"
            print(f"| {threads} | {name} | {statistics.median(measured):.0f} | {ratio} |")


if __name__ == "__main__":
    main()
