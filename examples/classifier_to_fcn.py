"""A classifier becomes a fully convolutional network, which shows where in a photo a class is.

    python examples/classifier_to_fcn.py [PHOTOS] [--class tabby] [--out heat-map.png]

The classifier is MobileNetV2, which sees 224 × 224 pixels. Two files of its weights will do, in
the cache of Keras, ~/.keras/models unless KERAS_HOME is set; nothing is downloaded:

- The classifier of ImageNet, with its list of a thousand classes. The map is of the class that
  you name, or else of the one that it takes the whole photo for.
- The encoder alone, the file that `fewmask train` fetches. Then a classifier is learnt first: of
  windows of the photos of a dataset (--dataset, demo/chairs unless you name another) whether the
  object is in them. The map is of that object.

Without PHOTOS, three of demo/chairs are taken that nothing was learnt from. Either way
`fewmask.convolutionalize` does the rest. Drawn are the photo and, beside it, how probable the
class is in the window around each place; every 32 pixels there is one.
"""

import argparse
import difflib
import json
import sys
from pathlib import Path

import cv2
import numpy as np

import fewmask
from fewmask.data.imageio import read_image, write_png
from fewmask.errors import ArgumentError, DataError, ModelError
from fewmask.models.backend import keras, keras_home

mobilenet = keras.applications.mobilenet_v2
STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224"
WHOLE, ENCODER, NAMES = f"{STEM}.h5", f"{STEM}_no_top.h5", "imagenet_class_index.json"
FETCH = (
    'python -c "import fewmask.models.backend as b; import numpy; '
    "m = b.keras.applications.mobilenet_v2; "
    'm.MobileNetV2(); m.decode_predictions(numpy.eye(1, 1000))"'
)
DEMO = "demo/chairs"
WINDOW, STRIDE = 224, 32
MUCH = 0.2  # of a window; with that share of the object or more it shows the object
BATCH = 16


def find_classifier(wanted, dataset, windows):
    """Returns a classifier, the names of its classes, and the one that is asked for, if any."""
    folder = keras_home() / "models"
    if dataset is None and (folder / WHOLE).exists() and (folder / NAMES).exists():
        print(f"The classifier of ImageNet, from {folder}.")
        index = json.loads((folder / NAMES).read_text("utf-8"))
        names = [index[str(place)][1].replace("_", " ") for place in range(len(index))]
        chosen = None if wanted is None else pick_name(wanted, names)
        return load(folder / WHOLE, weights=str(folder / WHOLE)), names, chosen
    if (folder / ENCODER).exists():
        if dataset is None:
            print(f"No classifier of ImageNet in {folder}. To have it: {FETCH}")
            print(f"Its encoder is there: a classifier is learnt from {DEMO} instead.")
        return learn_classifier(folder / ENCODER, dataset or DEMO, wanted, windows)
    raise ModelError(
        folder,
        f"{WHOLE} with {NAMES}, or {ENCODER}, where Keras keeps weights",
        "neither",
        f"Put one of them there, or fetch the first, 14 MB, by: {FETCH}",
    )


def load(file, **arguments):
    """Builds MobileNetV2 with weights from a file."""
    try:
        return keras.applications.MobileNetV2(input_shape=(WINDOW, WINDOW, 3), **arguments)
    except (OSError, ValueError) as error:
        found = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(file, "weights of MobileNetV2", found, "Fetch it anew.") from error


def pick_name(wanted, names):
    """Finds a class by its name."""
    if wanted.replace("_", " ") in names:
        return names.index(wanted.replace("_", " "))
    near = difflib.get_close_matches(wanted, names, 3) or names[:3]
    raise ArgumentError(
        "--class", f"one of {len(names)} classes", wanted, f"Try {' or '.join(map(repr, near))}."
    )


def learn_classifier(encoder_file, name, wanted, windows):
    """Puts one dense layer on the encoder and teaches it whether a window shows the object."""
    print(f"Loading {name}, then looking at windows of its photos: a minute or two.", flush=True)
    keras.utils.set_random_seed(0)
    held_back, train = hold_back(name)
    names = list(train.classes.names)
    thing = 1 if wanted is None else pick_name(wanted, names)

    encoder = load(encoder_file, include_top=False, pooling="avg", weights=str(encoder_file))
    scores = keras.layers.Dense(2, activation="softmax", name="scores")
    classifier = keras.Model(encoder.input, scores(encoder.output), name="shows_it")

    # The encoder stays as it is, so that what it makes of each window is computed only once.
    features, labels = see_windows(encoder, train, thing, windows)
    head = keras.Sequential([keras.Input(features.shape[1:]), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head.compile(keras.optimizers.AdamW(1e-3), loss, jit_compile=False)
    head.fit(features, labels, batch_size=BATCH, epochs=30, verbose=0)
    scores.set_weights(head.get_weights())

    features, labels = see_windows(encoder, held_back, thing, windows)
    right = np.argmax(np.asarray(head.predict_on_batch(features)), axis=1) == labels
    told = [f"{right[labels == label].sum()} of {np.sum(labels == label)}" for label in (1, 0)]
    print(f"On {len(held_back)} photos held back it is right about {told[0]} windows that show")
    print(f"the {names[thing]}, and about {told[1]} that do not.")
    print(f"It knows photos like those of {name} alone; in others it may see what is not there.")
    return classifier, [f"no {names[thing]}", names[thing]], 1


def hold_back(name):
    """Divides a dataset: a fifth to judge a classifier on, the rest to learn it from."""
    dataset = fewmask.load_dataset(name)
    return dataset.create_folds((max(1, len(dataset) // 5),), shuffle=True, seed=0)


def see_windows(encoder, dataset, thing, count):
    """Returns what the encoder makes of windows, half of them with the object, and which."""
    rng = np.random.default_rng(0)
    features, labels = [], []
    for index in range(len(dataset)):
        photo, mask = dataset.read_image(index, channels=3), dataset.read_mask(index)
        shows = (mask == thing).astype(np.float32)
        chosen = {0: [], 1: []}
        for _ in range(20 * count):
            # From a third of the photo's shorter side to all of it: things near and far.
            side = max(1, int(min(shows.shape) * rng.uniform(1 / 3, 1)))
            top, left = (int(rng.integers(0, length - side + 1)) for length in shows.shape)
            window = np.s_[top : top + side, left : left + side]
            share = float(shows[window].mean())
            label = int(share >= MUCH)
            if (label or share == 0) and len(chosen[label]) < max(1, count // 2):
                chosen[label].append(resize(photo[window], WINDOW, WINDOW))
        for label, squares in chosen.items():
            if squares:
                features.append(encoder.predict_on_batch(prepare(np.stack(squares))))
                labels += [label] * len(squares)
        progress("looking at windows", index + 1, len(dataset))
    if len(set(labels)) < 2:
        raise DataError(
            dataset.name,
            "photos with the object and with room beside it",
            f"{labels.count(1)} windows with it and {labels.count(0)} without",
            "Name another dataset, or another class of it with --class.",
        )
    return np.concatenate([np.asarray(each) for each in features]), np.array(labels)


def progress(what, done, total):
    """Shows how far it is, on one line, where someone is looking."""
    if sys.stdout.isatty():
        print(f"\r{what}: {done} of {total}", end="\n" if done == total else "", flush=True)
    elif done == total:
        print(f"{what}: {total}")


def resize(image, height, width):
    """Resizes an image; an area filter where it shrinks, as a lens would."""
    shrinks = height < image.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)


def prepare(images):
    """Brings pixels to the range that MobileNetV2 was trained on."""
    return mobilenet.preprocess_input(images.astype(np.float32))


def draw_heat_map(network, photo, place):
    """Returns how probable the class is around each place of a photo, (H / 32, W / 32)."""
    # The window of the outermost places reaches over the edge: there the photo is mirrored.
    edge = (WINDOW - STRIDE) // 2
    wider = cv2.copyMakeBorder(photo, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
    return np.asarray(network.predict_on_batch(prepare(wider[None])))[0, :, :, place]


def paint(photo, heat):
    """Paints the map over a photo: where it is 0 the photo is grey and dark, where 1 it glows."""
    smooth = cv2.resize(heat, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)
    colours = cv2.applyColorMap((smooth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(grey, 0.45, np.ascontiguousarray(colours), 0.65, 0)


def show_on(photo, classifier, network, names, place, size):
    """Says what the classifier takes a photo for; returns photo and heat map side by side."""
    if photo.dtype != np.uint8:
        photo = (photo / 257).astype(np.uint8)
    scores = classifier.predict_on_batch(prepare(resize(photo, WINDOW, WINDOW)[None]))
    scores = np.asarray(scores)[0]
    best = np.argsort(-scores)[:3]
    print("The whole photo:", ", ".join(f"{names[each]} {scores[each]:.2f}" for each in best))
    place = int(best[0]) if place is None else place
    height, width = (
        max(1, round(side * size / max(photo.shape[:2]) / STRIDE)) * STRIDE
        for side in photo.shape[:2]
    )
    photo = resize(photo, height, width)
    heat = draw_heat_map(network, photo, place)
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    rows, columns = heat.shape
    print(
        f"Of {rows} × {columns} places, {names[place]} is most probable in row {row + 1}, "
        f"column {column + 1}: {heat.max():.2f}"
    )
    return np.concatenate([photo, paint(photo, heat)], axis=1)


def main(arguments=None):
    """Finds a classifier, convolutionalizes it, and draws its map beside each photo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", help="image files")
    parser.add_argument("--class", dest="wanted", metavar="NAME", help="the class to look for")
    parser.add_argument("--dataset", help="learn the classifier from it: a folder or a name")
    parser.add_argument("--size", type=int, default=672, help="longest side it is looked at with")
    parser.add_argument("--windows", type=int, default=12, help="learnt from, of each photo")
    parser.add_argument("--out", type=Path, default=Path("heat-map.png"), help="the drawing")
    asked = parser.parse_args(arguments)
    dataset = asked.dataset or DEMO

    photos = [read_image(photo, channels=3) for photo in asked.photos]
    classifier, names, place = find_classifier(asked.wanted, asked.dataset, asked.windows)
    network = fewmask.convolutionalize(classifier)
    if not photos:
        held_back, _ = hold_back(dataset)
        photos = [
            held_back.read_image(index, channels=3) for index in range(min(3, len(held_back)))
        ]

    rows = [show_on(photo, classifier, network, names, place, asked.size) for photo in photos]
    width = max(row.shape[1] for row in rows)
    rows = [
        np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    write_png(asked.out, np.concatenate(rows))
    print(f"Look at {asked.out}")
    print(f"Next, pixels in the place of windows: fewmask train {dataset} --model fcn8")


if __name__ == "__main__":
    try:
        main()
    except fewmask.FewmaskError as error:
        sys.exit(str(error))
