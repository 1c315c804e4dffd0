"""A tutorial of 2017 runs again: 97 photos of chairs, a U-Net, a mask drawn over one of them.

    python examples/chairs_2017.py [FOLDER or NAME] [--out runs/chairs-2017.png]

`demo/chairs`, taken unless you name another dataset, draws itself; a folder will do as well. What
is computed is what was computed then. These lines had to change since:

- `brine install rohan/chairs-with-masks` and `import brine` are `fewmask install OWNER/NAME` and
  `import fewmask`: brine is gone, and its datasets with it.
- `import keras` is `from fewmask.models.backend import keras`, after `import fewmask`: Keras has
  three backends now and by itself looks for TensorFlow; fewmask takes the one that is there.
- `get_unet_256()` is `fewmask.unet(5, 32, normalization="batch", decoder_convs=3)`: that file was
  written for Keras 2. It is the same network, with the same 34,614,369 parameters.
- `img / 255.` is gone: the network takes stored pixels, 0-255, and scales them in its first layer.
- The sigmoid at the network's end is in the loss: networks of fewmask end in logits, of which the
  cross-entropy is exact however sure the network is. Above 0 is a probability above a half.
- The loss was written in `keras.backend.sum` and its like, which are gone; this one is fewmask's.
- `RMSprop(lr=...)` is `RMSprop(learning_rate=...)`: renamed.
- `fit_generator(generator=...)` is `fit(x=...)`: `fit` takes both now, and the other one is gone.
- `ReduceLROnPlateau(epsilon=...)` is `ReduceLROnPlateau(min_delta=...)`: renamed.
- `best_weights.hdf5` is `best-{epoch}.weights.h5`: Keras 3 knows weights by this ending; with the
  epoch in its name, half a file that a kill leaves is never taken for the best.
- `plt.imshow` is a PNG file: a script has no notebook to show a picture in.
"""

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

import fewmask
from fewmask.errors import DataError
from fewmask.inference.outputs import Prediction
from fewmask.models.backend import keras
from fewmask.models.losses import CombinedLoss, SoftDice
from fewmask.training.bookmark import Bookmark

# What the network sees: squares, in training changed at random into another photo of the same
# chair. Both functions get one tuple of float32 arrays (H, W, C), 0-255 as stored, and return one.

SIZE = 256
HUE, SATURATION, VALUE = 50.0, 0.0, 15.0  # at most: degrees, share, grey levels
SHIFT, SCALE, ROTATION = 0.0625, 0.1, 20.0  # at most: share of the side, share, degrees
random = np.random.default_rng(0)


def train_process(sample):
    """Resizes, then shifts the colours, shifts, scales and turns, and mirrors: each or not."""
    image, mask = resize(*sample)
    if random.random() < 0.5:
        image = shift_hue_saturation_value(image)
    if random.random() < 0.5:
        image, mask = shift_scale_rotate(image, mask)
    if random.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    return image, to_0_and_1(mask)


def validation_process(sample):
    """Resizes and changes nothing else, so that every epoch is judged alike."""
    image, mask = resize(*sample)
    return image, to_0_and_1(mask)


def resize(image, mask):
    """Makes both squares, of three channels and of none."""
    image = image[..., :3] if image.shape[2] >= 3 else image[..., [0, 0, 0]]
    return cv2.resize(image, (SIZE, SIZE)), cv2.resize(mask[..., 0], (SIZE, SIZE))


def to_0_and_1(mask):
    """Decides the pixels that were resized to something between 0 and 255."""
    return (mask >= 100).astype(np.float32)[..., None]


def shift_hue_saturation_value(image):
    """Recolours all pixels alike."""
    shift = random.uniform(-1, 1, 3) * (HUE, SATURATION, VALUE)
    hue, saturation, value = np.moveaxis(cv2.cvtColor(image, cv2.COLOR_RGB2HSV) + shift, 2, 0)
    hsv = np.stack([hue % 360, saturation.clip(0, 1), value.clip(0, 255)], axis=2)
    return cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)


def shift_scale_rotate(image, mask):
    """Moves both alike; what comes in from outside is black, and background."""
    angle, scale = random.uniform(-ROTATION, ROTATION), 1 + random.uniform(-SCALE, SCALE)
    warp = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), angle, scale)
    warp[:, 2] += np.round(random.uniform(-SHIFT, SHIFT, 2) * SIZE)
    return cv2.warpAffine(image, warp, (SIZE, SIZE)), cv2.warpAffine(mask, warp, (SIZE, SIZE))


def make_network():
    """Builds the U-Net of 2017 with RMSprop, and binary cross-entropy plus Dice to minimise."""
    network = fewmask.unet(5, 32, normalization="batch", decoder_convs=3)
    optimizer = keras.optimizers.RMSprop(learning_rate=1e-4)
    # On torch, compiling takes longer than it gives back.
    network.compile(optimizer, loss=CombinedLoss(), metrics=[dice], jit_compile=False)
    return network


def dice(mask, logits):
    """Measures how far mask and probabilities overlap."""
    return 1 - SoftDice().call(mask, logits)


def train(network, train_fold, validation_fold, folder, epochs, steps=sys.maxsize):
    """Fits, from where it was left, until the validation loss falls no more; loads the best."""
    watch = {"monitor": "val_loss", "verbose": 1}
    callbacks = [
        keras.callbacks.EarlyStopping(patience=8, min_delta=1e-4, **watch),
        keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=4, min_delta=1e-4, **watch),
        keras.callbacks.ModelCheckpoint(
            folder / "best-{epoch:03d}.weights.h5", save_best_only=True, save_weights_only=True
        ),
    ]
    bookmark = Bookmark(folder / "bookmark.npz", callbacks)
    batches = train_fold.to_keras(
        "image", "mask", batch_size=1, seed=0, processing_function=train_process
    )
    validation_batches = validation_fold.to_keras(
        "image", "mask", batch_size=1, shuffle=False, processing_function=validation_process
    )
    if bookmark.epoch < epochs and not bookmark.ended:
        network.fit(
            x=batches,
            steps_per_epoch=min(steps, batches.steps_per_epoch()),
            epochs=epochs,
            initial_epoch=bookmark.epoch,
            callbacks=[Forecast(), *callbacks, bookmark],
            validation_data=validation_batches,
            validation_steps=min(steps, validation_batches.steps_per_epoch()),
            verbose=1 if sys.stdout.isatty() else 2,
        )
    bookmark.load_best(network)
    return bookmark


class Forecast(keras.callbacks.Callback):
    """Says once how long it will take: after ten steps, of which the first three do not count."""

    ends = []

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the clock."""
        self.ends.append(time.perf_counter())
        if len(self.ends) == 10:
            step = 1.1 * (self.ends[9] - self.ends[3]) / 6  # a tenth for the validation
            epoch = step * self.params["steps"] / 60
            print(f"\nAn epoch takes {epoch:.1f} minutes here. In 2017 it ended after the 22nd:")
            print(f"that would be {22 * epoch:.0f} minutes. Killed, it goes on when started again.")


def predict(network, photo):
    """Returns the class id, 0 or 1, of every pixel of a photo at its own size."""
    small = cv2.resize(photo, (SIZE, SIZE)).astype(np.float32)
    logits = network.predict_on_batch(small[None])[0]
    return (cv2.resize(logits, photo.shape[1::-1]) > 0).astype(np.uint8)


def main(arguments=None):
    """Tells the story, from the dataset to the drawing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", default="demo/chairs", help="folder or name")
    parser.add_argument("--epochs", type=int, default=100, help="at most; 100 as in 2017")
    parser.add_argument("--steps", type=int, default=sys.maxsize, help="in an epoch, to try it")
    parser.add_argument("--out", type=Path, default=Path("runs/chairs-2017.png"), help="drawing")
    asked = parser.parse_args(arguments)

    print(f"Loading {asked.dataset}; drawing it first takes up to a minute.", flush=True)
    chairs = fewmask.load_dataset(asked.dataset)
    row = chairs[0]
    photo, mask = chairs.load_image(row.image), chairs.load_image(row.mask)
    print(f"{len(chairs)} rows. The first: {row}, a photo of {photo.size} pixels.")
    if chairs.classes.num_classes != 2 or np.max(mask) < 100:
        raise DataError(chairs.name, "masks of 0 and 255", "others", "Take: fewmask train FOLDER")
    validation_fold, train_fold = chairs.create_folds((20,), shuffle=True, seed=0)
    print(f"Folds of {len(validation_fold)} to validate and {len(train_fold)} to train.")

    folder = asked.out.with_suffix("") / chairs.name.replace("/", "-")
    network = make_network()
    bookmark = train(network, train_fold, validation_fold, folder, asked.epochs, asked.steps)

    photo = validation_fold.read_image(0, channels=3)
    Prediction(photo, predict(network, photo), chairs.classes).save_overlay(asked.out)
    best, score = bookmark.best_epoch, bookmark.curve[bookmark.best_epoch - 1]["val_dice"]
    print(f"Epoch {best} of {bookmark.epoch} is the best: Dice {score:.3f} on 20 images. Too kind,")
    print("as the same 20 chose the epoch. fewmask reports on images that choose nothing, and on")
    print("whole photos, not on squares: docs/explanation/honest-scores.md")
    print(f"The mask of {validation_fold.sample_id(0)} over its photo: {asked.out}")
    print(f"Next: fewmask train {asked.dataset}")


if __name__ == "__main__":
    try:
        main()
    except fewmask.FewmaskError as error:
        sys.exit(str(error))
