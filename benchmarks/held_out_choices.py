"""Compares choices that fewmask made for photographs with others, on images held out of training.

    python benchmarks/held_out_choices.py chairs97 --data FOLDER [--only colours paste]
        [--steps 900] [--size 192] [--learning-rate 0.001] [--scale 0.5] [--folds 0 1 2] [--seed 0]
        [--scratch]

Of a dataset of `datasets.toml`, the images that judge the tools are left out. The others are dealt
into three folds; each choice is trained on two thirds, a part of which chooses the epoch, and
scored on the third that is left. All take the same number of steps at the same size, more where a
choice makes them faster, so nothing here is spent by the clock. Prints the mean Dice over all
images, and the mean difference to the usual training with its standard error over images.
"""

import argparse
import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
import tomli_w
from machine import describe_machine
from numpy.typing import NDArray
from quality_data import is_test, read_decisions, write_images

import fewmask
from fewmask.data.augmentation.augment import augment
from fewmask.models.backend import keras
from fewmask.models.spec import build
from fewmask.training import batches, fit, network, optimizer
from fewmask.training.optimizer import learning_rate_of
from fewmask.training.pace import Pace
from fewmask.training.plan import Plan
from fewmask.training.schedule import Trapezoid
from fewmask.training.usual_plan import share_of_encoder

Sample = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Change = Callable[[Sample, Callable[[], Sample], np.random.Generator], Sample]
"""A patch, what draws another one, chance → the patch changed."""


def keep(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Changes nothing."""
    return sample


def paste(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Lays the foreground of another sample over every second one."""
    image, mask = sample
    if rng.random() < 0.5:
        other, its_mask = another()
        there = (its_mask > 0) & (its_mask < 250)
        image[there], mask[there] = other[there], its_mask[there]
    return image, mask


def rectangle(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Replaces a rectangle of every second sample by that of another one (CutMix)."""
    image, mask = sample
    if rng.random() < 0.5:
        other, its_mask = another()
        size = len(mask)
        height, width = (int(size * rng.uniform(0.25, 0.75)) for _ in range(2))
        top, left = int(rng.integers(0, size - height)), int(rng.integers(0, size - width))
        there = np.s_[top : top + height, left : left + width]
        image[there], mask[there] = other[there], its_mask[there]
    return image, mask


def holes(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Paints one to three rectangles of one colour over every second image, not over its mask."""
    image, mask = sample
    if rng.random() < 0.5:
        size = len(mask)
        for _ in range(int(rng.integers(1, 4))):
            height, width = (int(size * rng.uniform(0.1, 0.35)) for _ in range(2))
            top, left = int(rng.integers(0, size - height)), int(rng.integers(0, size - width))
            image[top : top + height, left : left + width] = rng.integers(0, 256, image.shape[2])
    return image, mask


def elastic(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Bends every second patch: nine points are moved by 10 pixels or so, the others with them."""
    image, mask = sample
    if rng.random() < 0.5:
        size = len(mask)
        moved = rng.normal(0, 10, (3, 3, 2)).astype(np.float32)
        moved = cv2.resize(moved, (size, size), interpolation=cv2.INTER_CUBIC)
        columns, rows = np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2)
        there = columns + moved[..., 0], rows + moved[..., 1]
        image = cv2.remap(image, *there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        mask = cv2.remap(mask, *there, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    return image.reshape(sample[0].shape), mask


def grey(sample: Sample, another: Callable[[], Sample], rng: np.random.Generator) -> Sample:
    """Takes the colours out of 15 % of the images."""
    image, mask = sample
    if rng.random() < 0.15:
        image[:] = image.mean(axis=2, keepdims=True).round().astype(np.uint8)
    return image, mask


COLOURS = {
    "brightness": 0.3, "contrast": 1.8, "saturation": 2.0, "hue": 40.0, "color_probability": 0.8,
}  # fmt: skip
GEOMETRY = {
    "scale": 2.0, "scale_probability": 0.8, "rotation": 30.0, "rotation_probability": 0.7,
    "shear": 10.0, "shear_probability": 0.3,
}  # fmt: skip
AS_PATCHES = {"scale": 1.4, "rotation": 15.0}
STILL = {"scale_probability": 0.0, "rotation_probability": 0.0}
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Choice(NamedTuple):
    """What is done otherwise.

    Args:
        augmentation: Numbers of the plan's augmentation.
        change: What is done to a patch besides.
        model: Fields of the plan's network.
        frozen: Last layer of the encoder that does not learn, nor do those before it.
        steps: Steps that there is time for, by those there usually is.
        rate: What makes the learning rate of a plan.
        precision: In what convolutions multiply; None for what this machine does fastest.
    """

    augmentation: Mapping[str, float] = NOTHING
    change: Change = keep
    model: Mapping[str, Any] = NOTHING
    frozen: str | None = None
    steps: float = 1.0
    rate: Callable[[Plan], Any] = learning_rate_of
    precision: str | None = None


class Cosine(Trapezoid):
    """Falls along half a cosine, from the end of the warm-up on."""

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate of the update that follows `step` updates."""
        warm = self.warm_up_steps
        through = (step - warm) / max(self.pace.last_step - warm, 1)
        fall = 0.5 * (1.0 + keras.ops.cos(math.pi * keras.ops.clip(through, 0.0, 1.0)))
        return keras.ops.where(step < warm, super().__call__(step), self.highest * fall)


def along_a_cosine(plan: Plan) -> Cosine:
    """Makes the learning rate that falls from the first step after the warm-up on."""
    return Cosine(plan.learning_rate, plan.warm_up_steps, plan.pace.legs)


CHOICES = {
    "usual": Choice(),
    "no context": Choice(model={"context": False}),
    "no outlines": Choice(model={"outlines": False}),
    "no shortcut": Choice(model={"shortcut": False}),
    "frozen to a quarter": Choice(frozen="block_2_add", steps=1.2),
    "cosine": Choice(rate=along_a_cosine),
    "float32": Choice(precision="float32"),
    "depth 3": Choice(model={"depth": 3}),
    "depth 4": Choice(model={"depth": 4}),
    "batch normalization": Choice(model={"normalization": "batch"}),
    "group normalization": Choice(model={"normalization": "group"}),
    "paste": Choice(change=paste),
    "rectangle": Choice(change=rectangle),
    "holes": Choice(change=holes),
    "elastic": Choice(change=elastic),
    "colours": Choice(COLOURS),
    "colours and grey": Choice(COLOURS, grey),
    "geometry": Choice(GEOMETRY),
    "geometry of patches": Choice(AS_PATCHES),
    "no geometry": Choice(STILL),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=read_decisions())
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--only", nargs="*", default=list(CHOICES), choices=CHOICES)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--scale", type=float, help="of patches; left out, whole images")
    parser.add_argument("--folds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scratch", action="store_true", help="begin with random weights")
    asked = parser.parse_args()
    print(describe_machine(("keras", "torch")))
    usual: dict[str, float] = {}
    for name in dict.fromkeys(["usual", *asked.only]):
        scores: dict[str, float] = {}
        for fold in asked.folds:
            with tempfile.TemporaryDirectory() as folder:
                lay_out(asked.dataset, asked.data, fold, Path(folder))
                scores.update(train(Path(folder), name, asked))
        usual = usual or scores
        apart = np.array([scores[each] - usual[each] for each in scores])
        print(
            f"{asked.dataset}, {name}: mean Dice {np.mean(list(scores.values())):.3f}, "
            f"{apart.mean():+.4f} ± {apart.std() / len(apart) ** 0.5:.4f} ({len(apart)} images)",
            flush=True,
        )


def lay_out(name: str, data: Path, fold: int, folder: Path) -> None:
    """Makes a dataset of the images that never judge, a third of them as the test part."""
    decided = read_decisions()[name]
    dataset = fewmask.load_dataset(data / name, classes=decided["classes"])
    places = [place for place in range(len(dataset)) if not is_test(dataset, place, decided)]
    write_images(dataset, places, folder / "images", folder / "masks")
    names = [f"images/{path.name}" for path in (folder / "images").iterdir()]
    names.sort(key=lambda name: hashlib.sha1(name.encode()).hexdigest())
    rows = [
        f"{'test' if place % 3 == fold else 'train'},{name},masks/{Path(name).stem}.png\n"
        for place, name in enumerate(names)
    ]
    (folder / "split.csv").write_text("part,image,mask\n" + "".join(rows), "utf-8")
    if dataset.classes is not None:
        settings: dict[str, Any] = {
            "classes": [f"{name}={value}" for value, name in enumerate(dataset.classes.names)]
        }
        if dataset.classes.ignore_index is not None:
            settings["ignore_index"] = dataset.classes.ignore_index
        (folder / "fewmask.toml").write_text(tomli_w.dumps(settings), "utf-8")


def train(folder: Path, name: str, asked: argparse.Namespace) -> dict[str, float]:
    """Trains with one choice; returns the Dice of each test image that has one."""
    choice = CHOICES[name]
    plan = plan_of(folder, asked, round(asked.steps * choice.steps))
    plan = replace(
        plan,
        augmentation=replace(plan.augmentation, **choice.augmentation),
        model=replace(plan.model, **choice.model),
        precision=choice.precision or plan.precision,
    )

    class Changed(batches.Batches):
        """Batches whose patches are changed once more."""

        def patch(self, epoch: int, place: int, index: int, spot: Any = None) -> Sample:
            sample = super().patch(epoch, place, index, spot)
            rng = np.random.default_rng([self.seed, epoch, 1 + place, 1])

            def another() -> Sample:
                other, at = int(rng.choice(self.indices)), None
                if self.patches is not None:
                    other, at = self.patches.draw(int(rng.integers(1 << 30)))[0]
                taken = self.copies.image(other), self.copies.mask(other)
                return augment(*taken, self.size, self.augmentation, rng, at)

            return choice.change((sample[0].copy(), sample[1].copy()), another, rng)

    def build_frozen(*how: Any) -> Any:
        core = build(*how)
        if choice.frozen is not None:
            for layer in core.get_layer("encoder").layers:
                layer.trainable = False
                if layer.name == choice.frozen:
                    break
        return core

    optimizer.learning_rate_of = choice.rate
    network.build = build_frozen
    fit.Batches = Changed  # type: ignore[misc]
    run = fewmask.train(folder, runs=folder / "runs", plan=plan, listener=lambda event: None)
    images = run.read_json("scores.json")["images"]
    return {row["sample"]: row["mean_dice"] for row in images if row["mean_dice"] is not None}


def plan_of(folder: Path, asked: argparse.Namespace, steps: int) -> Plan:
    """Plans so many steps with everything else as usual."""
    plan = fewmask.plan(
        folder,
        size=asked.size,
        seed=asked.seed,
        learning_rate=asked.learning_rate,
        scale=asked.scale,
        pretrained=not asked.scratch,
        listener=lambda event: None,
    )
    return replace(
        plan,
        pace=Pace.even(steps),
        steps_per_epoch=max(1, steps // 12),
        warm_up_steps=max(1, steps // 20),
        average_every=4,
        average_horizon=max(1, steps // 12),
        encoder_rate=share_of_encoder(asked.learning_rate) if plan.model.weights else 1.0,
    )


if __name__ == "__main__":
    main()
