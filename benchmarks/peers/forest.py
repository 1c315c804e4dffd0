"""A random forest on what is around each pixel, as ilastik's pixel classification does it.

100 trees on pixels drawn from the training masks, where ilastik takes those that its user paints.
Half the minutes at most go to the features of the drawn pixels, the rest to the trees; where not
all images or not all trees fit, there are fewer. scikit-learn's forest stands in for VIGRA's.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from pixel_features import MARGIN, count_features, features
from sklearn.ensemble import RandomForestClassifier
from task import Predict, Task, read_image, read_mask, run_tool

TREES = 100
LOT = 10  # trees that are grown between two looks at the clock
PIXELS_A_MINUTE = 60_000
"""Pixels to learn from; more than this, and the trees are not grown when the minutes are over."""
SPARE = 4
"""Times as many are drawn from each image: as long as a fourth of the images fits, none lack."""
ROWS = 256  # of an image, predicted at a time: all features of a large one do not fit the memory


def train(task: Task) -> Predict:
    """Draws pixels, measures what is around them, grows trees."""
    cv2.setNumThreads(1)  # images are filtered side by side instead
    samples = task.samples()
    order = np.random.default_rng(task.seed).permutation(len(samples))
    count = round(PIXELS_A_MINUTE * task.minutes)
    each = -(-SPARE * count // len(samples))
    drawn = []
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as threads:
        for lot in np.array_split(order, -(-len(order) // workers)):
            if drawn and task.share_used() > 0.5:
                break
            drawn += threads.map(lambda place: draw_pixels(task, *samples[place], each), lot)
    table = np.concatenate([values for values, _ in drawn])
    ids = np.concatenate([ids for _, ids in drawn])
    if len(ids) > count:
        kept = np.random.default_rng(task.seed).choice(len(ids), count, replace=False)
        table, ids = table[kept], ids[kept]
    print(f"{len(ids)} pixels of {len(drawn)} of {len(samples)} images.", flush=True)
    forest = grow(task, table, ids)

    def predict(path: Path) -> np.ndarray:
        return predict_image(forest, read_image(path))

    return predict


def draw_pixels(task: Task, image: Path, mask: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws pixels of an image, all alike likely, those left out that do not count.

    Returns:
        Their features, float32 `(N, F)`, and their class ids `(N,)`.
    """
    random = np.random.default_rng([task.seed, *image.name.encode()])
    ids = read_mask(mask)
    places = np.flatnonzero(ids.ravel() != (-1 if task.ignore_index is None else task.ignore_index))
    places = random.choice(places, min(count, len(places)), replace=False)
    pixels = read_image(image)
    table = np.empty((len(places), count_features(pixels.shape[2])), np.float32)
    for number, plane in enumerate(features(pixels)):
        table[:, number] = plane.ravel()[places]
    return table, ids.ravel()[places]


def grow(task: Task, table: np.ndarray, ids: np.ndarray) -> RandomForestClassifier:
    """Grows 100 trees, or as many as fit into the minutes."""
    forest = RandomForestClassifier(0, n_jobs=-1, warm_start=True, random_state=task.seed)
    took = 0.0
    while forest.n_estimators < TREES and (not took or task.seconds_left() > took):
        before = task.seconds_used()
        forest.n_estimators += LOT
        forest.fit(table, ids)
        took = task.seconds_used() - before
    print(f"{forest.n_estimators} trees.", flush=True)
    return forest


def predict_image(forest: RandomForestClassifier, image: np.ndarray) -> np.ndarray:
    """Predicts an image, one strip of rows after another."""
    height, width = image.shape[:2]
    label_map = np.empty((height, width), np.uint8)
    for top in range(0, height, ROWS):
        bottom = min(height, top + ROWS)
        first = max(0, top - MARGIN)
        strip = image[first : bottom + MARGIN]
        planes = [plane[top - first : bottom - first].ravel() for plane in features(strip)]
        table = np.stack(planes, axis=1)
        label_map[top:bottom] = forest.predict(table).reshape(bottom - top, width)
    return label_map


if __name__ == "__main__":
    run_tool(train, ("scikit-learn", "numpy", "opencv-python-headless"))
