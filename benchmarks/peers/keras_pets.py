"""The U-Net-like network of keras.io, "Image segmentation with a U-Net-like architecture".

As there: an Xception-style network on images resized to 160 × 160 with pixels as they are stored,
RMSprop as Keras sets it, sparse cross-entropy, no augmentation, and the weights of the best epoch.
The images that tell which epoch is best are a tenth of the training part.

What is changed, and why:

- Batches of 8, not of 32: a dataset of 77 images would give two steps an epoch.
- The epochs are as many as the minutes hold, not 15.
- Channels come first: on torch it is faster so, and Keras' separable layers cannot be trained there
  with channels last.
"""

import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from task import Predict, Task, read_image, read_mask, run_tool

os.environ["KERAS_BACKEND"] = "torch"

import keras
from keras import layers

keras.config.set_image_data_format("channels_first")

SIDE = 160
BATCH = 8


def make_network(num_classes: int) -> keras.Model:
    """Builds the network: halved four times, doubled four times, with a short cut around each."""
    image = keras.Input((3, SIDE, SIDE))
    x = layers.Conv2D(32, 3, strides=2, padding="same")(image)
    x = layers.Activation("relu")(layers.BatchNormalization(axis=1)(x))
    around = x
    for filters in (64, 128, 256):
        x = twice(x, layers.SeparableConv2D, filters)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        around = layers.Conv2D(filters, 1, strides=2, padding="same")(around)
        x = around = layers.add([x, around])
    for filters in (256, 128, 64, 32):
        x = twice(x, layers.Conv2DTranspose, filters)
        x = layers.UpSampling2D(2)(x)
        around = layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(around))
        x = around = layers.add([x, around])
    x = layers.Conv2D(num_classes, 3, padding="same")(x)
    return keras.Model(image, layers.Softmax(axis=1)(x))


def twice(x: Any, layer: type[layers.Layer], filters: int) -> Any:
    """Puts activation, convolution and normalisation behind `x`, twice."""
    for _ in range(2):
        x = layer(filters, 3, padding="same")(layers.Activation("relu")(x))
        x = layers.BatchNormalization(axis=1)(x)
    return x


def train(task: Task) -> Predict:
    """Trains until the minutes are over, and takes the best weights."""
    keras.utils.set_random_seed(task.seed)
    network = make_network(task.num_classes)
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=task.ignore_index, axis=1)
    network.compile(optimizer="rmsprop", loss=loss, jit_compile=False)
    images, masks = (np.stack(arrays) for arrays in zip(*read_small(task), strict=True))
    order = np.random.default_rng(task.seed).permutation(len(images))
    watched, learnt = np.split(order, [max(1, len(order) // 10)])
    fit(task, network, (images[learnt], masks[learnt]), (images[watched], masks[watched]))

    def predict(path: Path) -> np.ndarray:
        image = read_image(path)
        probabilities = network.predict_on_batch(shrink(image)[None])[0]
        probabilities = np.ascontiguousarray(probabilities.transpose(1, 2, 0))
        return cv2.resize(probabilities, image.shape[1::-1]).argmax(axis=2)

    return predict


Samples = tuple[np.ndarray, np.ndarray]


def fit(task: Task, network: keras.Model, learnt: Samples, watched: Samples) -> None:
    """Passes over the images until the minutes are over; the weights of the best pass stay."""
    random = np.random.default_rng(task.seed)
    best, weights, epochs = np.inf, network.get_weights(), 0
    step = judging = 0.0
    over = False
    while not over:
        order = random.permutation(len(learnt[0]))
        for lot in np.array_split(order, -(-len(order) // BATCH)):
            began = time.perf_counter()
            network.train_on_batch(learnt[0][lot], learnt[1][lot])
            step = time.perf_counter() - began
            over = task.seconds_left() < step + judging
            if over:
                break
        began = time.perf_counter()
        loss = network.evaluate(*watched, batch_size=BATCH, verbose=0)
        judging = time.perf_counter() - began
        over = over or task.seconds_left() < step + judging
        epochs += 1
        if loss < best:
            best, weights = loss, network.get_weights()
    network.set_weights(weights)
    print(f"{epochs} epochs; the best validation loss is {best:.3f}.", flush=True)


def shrink(image: np.ndarray) -> np.ndarray:
    """Makes an image what the network takes, float32 `(3, H, W)`."""
    return cv2.resize(image, (SIDE, SIDE)).transpose(2, 0, 1).astype(np.float32)


def read_small(task: Task) -> list[Samples]:
    """Reads all images and masks, resized."""
    return [
        (
            shrink(read_image(image)),
            cv2.resize(read_mask(mask), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST),
        )
        for image, mask in task.samples()
    ]


if __name__ == "__main__":
    run_tool(train, ("keras", "torch"))
