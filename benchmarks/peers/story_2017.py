"""The tutorial of 2017: the network and the recipe of `examples/chairs_2017.py`.

What is changed, and why:

- Its callbacks watch a tenth of the training images. In 2017 they watched the 20 that judged.
- It ends with the minutes, if early stopping has not ended it by then.
- For more than two classes, which the tutorial did not have, the network has an output for each,
  and both parts of the loss take all of them.
"""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from task import Predict, Task, read_image, run_tool

import fewmask
from fewmask.models.backend import keras
from fewmask.models.losses import CombinedLoss

STORY = Path(__file__).parents[2] / "examples" / "chairs_2017.py"
EPOCHS = 100

Sample = tuple[np.ndarray, np.ndarray]
"""Image and mask, float32 `(H, W, C)`."""
Process = Callable[[Sample], Sample]


def load_story() -> Any:
    """Imports the script, which lies in no package."""
    spec = importlib.util.spec_from_file_location("chairs_2017", STORY)
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    return story


def train(task: Task) -> Predict:
    """Trains as in 2017, and takes the weights of the best epoch."""
    story = load_story()
    keras.utils.set_random_seed(task.seed)
    story.random = np.random.default_rng(task.seed)
    chairs = fewmask.load_dataset(task.folder)
    watched = max(1, len(chairs) // 10)
    validation_fold, train_fold = chairs.create_folds((watched,), shuffle=True, seed=task.seed)
    if task.num_classes == 2 and task.ignore_index is None:
        network = story.make_network()
        change = with_white_masks
    else:
        network = make_network_of_several(task)
        change = with_masks_of_several(story, task)
    story.train_process = change(story.train_process)
    story.validation_process = change(story.validation_process)
    judging = time_judging(story, network, validation_fold)
    story.Forecast = lambda: EndInTime(task, judging)
    story.train(network, train_fold, validation_fold, task.out, EPOCHS)

    def predict(path: Path) -> np.ndarray:
        photo = read_image(path)
        if network.output_shape[-1] == 1:
            return story.predict(network, photo)
        small = cv2.resize(photo, (story.SIZE, story.SIZE)).astype(np.float32)
        logits = network.predict_on_batch(small[None])[0]
        return cv2.resize(logits, photo.shape[1::-1]).argmax(axis=2)

    return predict


class EndInTime(keras.callbacks.Callback):
    """Ends the epoch that runs when the minutes are over, early enough for it to be judged."""

    def __init__(self, task: Task, judging: float) -> None:
        super().__init__()
        self.task, self.judging = task, judging
        self.last_batch: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes how long the last epoch took to be judged and saved."""
        if self.last_batch is not None:
            self.judging = self.task.seconds_used() - self.last_batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at the clock."""
        self.last_batch = self.task.seconds_used()
        if self.task.seconds_left() < self.judging:
            self.model.stop_training = True


def time_judging(story: Any, network: Any, validation_fold: fewmask.Dataset) -> float:
    """Estimates the seconds that it takes to judge an epoch."""
    batches = validation_fold.to_keras(
        "image", "mask", 1, shuffle=False, processing_function=story.validation_process
    )
    image, mask = next(batches)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        network.test_on_batch(image, mask)
        seconds.append(time.perf_counter() - began)
    # The first time, which builds things, does not count.
    return len(validation_fold) * min(seconds[1:])


def make_network_of_several(task: Task) -> Any:
    """Builds the network of 2017 with one output a class."""
    network = fewmask.unet(
        5, 32, normalization="batch", decoder_convs=3, out_channels=task.num_classes
    )
    optimizer = keras.optimizers.RMSprop(learning_rate=1e-4)
    loss = CombinedLoss(ignore_index=task.ignore_index)
    network.compile(optimizer, loss=loss, jit_compile=False)
    return network


def with_white_masks(process: Process) -> Process:
    """Changes one of the two processing functions so that it takes masks of 0 and 1."""
    return lambda sample: process((sample[0], 255 * sample[1]))


def with_masks_of_several(story: Any, task: Task) -> Callable[[Process], Process]:
    """Returns what changes the processing functions so that they take masks of several classes."""
    # What comes in from outside, 0 in every layer, is of the first.
    ids = np.arange(task.num_classes)
    ids = ids if task.ignore_index is None else np.append(ids, task.ignore_index)
    story.to_0_and_1 = lambda mask: mask[..., None]

    def change(process: Process) -> Process:
        def process_layers(sample: Sample) -> Sample:
            image, mask = sample
            drawn = story.random.bit_generator.state
            layers = []
            for class_id in ids:
                # Each class is a mask of its own, and all are turned alike.
                story.random.bit_generator.state = drawn
                changed, layer = process((image, (mask == class_id).astype(np.float32)))
                layers.append(layer)
            return changed, ids[np.argmax(layers, axis=0)].astype(np.float32)

        return process_layers

    return change


if __name__ == "__main__":
    run_tool(train, ("keras", "torch"))
