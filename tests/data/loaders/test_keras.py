import gc
import os
import random
import subprocess
import sys
import textwrap
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fewmask.data.imageio import write_png
from fewmask.data.loaders.keras import KerasBatches, keras
from fewmask.errors import ArgumentError, DataError

SOURCES = Path(__file__).parents[3] / "src"
ON_TENSORFLOW = keras.config.backend() == "tensorflow"
"""It reads ahead of the network too, and lets go of its input late."""


class Witness(keras.layers.Layer):
    """Notes the rows that a network really gets."""

    def __init__(self, note):
        super().__init__()
        self.note = note

    def call(self, x, training=None):
        try:
            pixels = keras.ops.convert_to_numpy(x)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError):
            return x  # Keras asks for shapes, not for results
        self.note(pixels, training)
        return x


@pytest.fixture
def seen():
    """The rows of each batch that the network got, by what for."""
    return SimpleNamespace(learnt=[], judged=[])


@pytest.fixture
def network(seen, rows_of):
    """A network that learns nothing and notes what it gets."""

    def note(pixels, training):
        (seen.learnt if training else seen.judged).append(rows_of(pixels))

    image = keras.Input((6, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(Witness(note)(image)))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def load(dataset, **options):
    return KerasBatches(dataset, "image", "mask", **{"batch_size": 2, "seed": 5} | options)


def chunks(rows, size=2):
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def fit(network, batches, epochs=1, **options):
    return network.fit(batches, epochs=epochs, verbose=0, **options)


# --- fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_steps", [False, True])
def test_every_epoch_of_fit_takes_all_samples_in_the_order_drawn(make, network, seen, by_steps):
    batches, validation = load(make(7)), load(make(5), shuffle=False)
    steps = {"steps_per_epoch": batches.steps_per_epoch()} if by_steps else {}
    if by_steps:
        steps["validation_steps"] = validation.steps_per_epoch()
    fit(network, batches, epochs=3, validation_data=validation, **steps)
    assert seen.judged == [[0, 1], [2, 3], [4]] * 3
    fit(network, batches, epochs=2)
    orders = [batches.order(epoch) for epoch in (1, 2, 3, 4, 5)]
    assert seen.learnt == [chunk for order in orders for chunk in chunks(order)]
    assert len({tuple(order) for order in orders}) == 5


def test_keras_own_shuffling_changes_nothing(make, network, seen):
    for seed in (0, 1):
        random.seed(seed)
        batches = load(make(9))
        fit(network, batches, shuffle=True)
        assert seen.learnt[-5:] == chunks(batches.order(1))
        fit(network, load(make(9), shuffle=False), shuffle=True)
        assert seen.learnt[-5:] == chunks(list(range(9)))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("steps", [1, 2])
def test_fewer_steps_go_on_where_they_broke_off(make, network, seen, shuffle, steps):
    batches = load(make(8), shuffle=shuffle)
    fit(network, batches, epochs=8 // steps, steps_per_epoch=steps)
    assert seen.learnt == chunks(batches.order(1)) + chunks(batches.order(2))


def test_fewer_validation_steps_see_the_same_samples_every_time(make, network, seen):
    validation = load(make(8), shuffle=False)
    fit(network, load(make(4)), 3, validation_data=validation, validation_steps=2)
    assert seen.judged == [[0, 1], [2, 3]] * 3


class Interrupt(keras.callbacks.Callback):
    """Ends a training in its second epoch, at the second step."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 6:
            if self.how == "Ctrl-C":
                raise KeyboardInterrupt
            self.model.stop_training = True


@pytest.mark.parametrize("how", ["Ctrl-C", "stop_training"])
def test_after_an_epoch_that_was_broken_off_a_new_one_begins(make, network, seen, how):
    batches = load(make(7))
    try:
        fit(network, batches, 3, callbacks=[Interrupt(how)])
    except KeyboardInterrupt:
        assert how == "Ctrl-C"
    assert len(seen.learnt) == 6
    fit(network, batches)
    assert seen.learnt[6:] == chunks(batches.order(3))


def test_one_object_may_be_training_and_validation_data(make, network, seen):
    batches = load(make(6))
    fit(network, batches, 2, validation_data=batches)
    for batches in (seen.learnt, seen.judged):
        assert [sorted(chain(*batches[:3])), sorted(chain(*batches[3:]))] == [list(range(6))] * 2


def test_evaluate_and_predict_see_every_sample_once(make, network):
    batches = KerasBatches(make(7), "image", "mask", 2, shuffle=False)
    predicted = network.predict(batches, verbose=0)
    images, masks = (np.concatenate(part) for part in zip(*batches, strict=True))
    np.testing.assert_allclose(predicted, network.predict(images, verbose=0), rtol=1e-5)
    expected = np.mean((predicted - masks) ** 2)
    assert network.evaluate(batches, verbose=0) == pytest.approx(expected, rel=1e-4)
    alone = KerasBatches(make(7), "image", None, 2, shuffle=False)
    np.testing.assert_allclose(network.predict(alone, verbose=0), predicted)


def scaled(sample):
    return sample[0] / 255, sample[1] / 255


def learner():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6, 8, 3)), keras.layers.Conv2D(1, 1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    random.seed()  # whatever Keras draws from it
    return model


def test_fit_learns_what_the_same_batches_teach_one_by_one(make):
    batches = load(make(7), processing_function=scaled)
    fitted, taught = learner(), learner()
    losses = fit(fitted, batches, epochs=3).history["loss"]
    images, masks = next(KerasBatches(make(7), "image", "mask", 7, scaled, shuffle=False))
    for epoch in (1, 2, 3):
        for rows in chunks(batches.order(epoch)):
            taught.train_on_batch(images[rows], masks[rows])
    for one, other in zip(fitted.get_weights(), taught.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert losses[-1] < losses[0]


def test_two_trainings_with_a_random_function_of_equal_seeds_are_equal(make):
    def train():
        jitter = np.random.default_rng(0)
        batches = load(
            make(7), processing_function=lambda s: (s[0] / 255 + jitter.random(), s[1] / 255)
        )
        return fit(learner(), batches, epochs=3).history["loss"]

    assert train() == train()


@pytest.mark.parametrize("column", ["part", "weight", "depth", "seen"])
def test_other_columns_can_be_learnt(make, column):
    even = make(6).filter(lambda row: row.age % 2 == 0)  # rows with one category each
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    if column == "depth":
        model = keras.Sequential([keras.layers.Conv2D(1, 1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    batches = KerasBatches(even, "image", column, 3)
    assert np.isfinite(fit(model, batches).history["loss"][0])


def test_an_unreadable_image_ends_fit_with_its_name_and_the_batches_go_on(
    make, network, seen, tmp_path, own_threads
):
    dataset = make(8)
    batches = load(dataset, shuffle=False)
    path = tmp_path / dataset[5].image
    whole = path.read_bytes()
    path.write_bytes(whole[:30])
    # TensorFlow hands over errors of its input as its own, with their text.
    with pytest.raises(
        Exception if ON_TENSORFLOW else DataError, match=r"ghế 5\.png: expected a whole picture"
    ):
        fit(network, batches)
    assert ON_TENSORFLOW or own_threads() == []
    path.write_bytes(whole)
    seen.learnt.clear()
    fit(network, batches)
    assert seen.learnt == chunks(list(range(8)))


# --- next, iter, [] -----------------------------------------------------------------------------


def test_next_goes_round_for_ever(make, rows_of):
    batches = KerasBatches(make(5), "image", "mask", 2, seed=1)
    assert batches.steps_per_epoch() == len(batches) == 3
    seen = [rows_of(next(batches)) for _ in range(8)]
    orders = [chunk for epoch in (1, 2, 3) for chunk in chunks(batches.order(epoch))]
    assert seen == orders[:8]
    batches.close()
    assert rows_of(next(batches)) == batches.order(4)[:2], "a new epoch"
    batches.close()


def test_a_loop_is_one_epoch_and_the_next_loop_the_next(make, rows_of):
    batches = KerasBatches(make(5), "image", "mask", 2, seed=1)
    loops = [[rows_of(batch) for batch in batches] for _ in range(2)]
    assert loops == [chunks(batches.order(1)), chunks(batches.order(2))]
    assert rows_of(next(iter(batches))) == batches.order(3)[:2]


def test_an_index_is_a_batch_of_the_epoch_to_come(make, rows_of, network):
    batches = load(make(5))
    assert rows_of(batches[1]) == rows_of(batches[1]) == batches.order(1)[2:4]
    assert rows_of(batches[-1]) == rows_of(batches[np.int64(2)]) == batches.order(1)[4:]
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"There are 3 batches in an epoch, no batch {index}"):
            batches[index]
    fit(network, batches)
    assert rows_of(batches[0]) == batches.order(2)[:2]


def test_two_loaders_of_one_fold_know_nothing_of_each_other(make, rows_of):
    fold = make(6)
    one, other = (KerasBatches(fold, "image", "mask", 2, seed=seed) for seed in (1, 2))
    seen = [(rows_of(next(one)), rows_of(next(other))) for _ in range(6)]
    assert [first for first, _ in seen] == chunks(one.order(1)) + chunks(one.order(2))
    assert [second for _, second in seen] == chunks(other.order(1)) + chunks(other.order(2))
    one.close()
    other.close()


def test_next_goes_on_after_an_image_that_cannot_be_read(make, rows_of, tmp_path):
    dataset = make(6)
    (tmp_path / dataset[0].image).write_bytes(b"")
    batches = KerasBatches(dataset, "image", "mask", 2, shuffle=False)
    for _ in range(2):
        with pytest.raises(DataError, match=r"ghế 0\.png: expected a PNG.* found an empty file"):
            next(batches)
    write_png(tmp_path / dataset[0].image, np.zeros((6, 8, 3), np.uint8))
    assert [rows_of(next(batches)) for _ in range(4)] == [[0, 1], [2, 3], [4, 5], [0, 1]]
    batches.close()


@pytest.mark.skipif(ON_TENSORFLOW, reason="TensorFlow does not forget them")
def test_forgotten_batches_end_their_threads(make, network, own_threads):
    batches = KerasBatches(make(8), "image", "mask", 2)
    next(batches)
    fit(network, batches, steps_per_epoch=2)
    assert own_threads()
    del batches
    gc.collect()
    assert own_threads() == []


# --- the front door -----------------------------------------------------------------------------


def test_a_dataset_makes_them(make):
    batches = make(5).to_keras("image", "mask", batch_size=2)
    assert isinstance(batches, keras.utils.PyDataset)
    assert repr(batches) == "KerasBatches(chairs: 5 samples, 3 batches of 2)"
    assert next(make(5).to_keras("image", batch_size=5, masks="ids")).shape == (5, 6, 8, 3)
    images, ids = next(make(5).to_keras("image", "mask", 5, masks="ids"))
    assert np.unique(ids).tolist() == [0, 1]
    assert images.dtype == ids.dtype == np.float32


@pytest.mark.parametrize(("name", "value"), [("workers", 4), ("use_multiprocessing", True)])
def test_keras_workers_are_refused(make, name, value):
    batches = KerasBatches(make(4), "image", "mask", 2)
    with pytest.raises(ArgumentError, match=f"{name}: .* decodes files ahead in threads"):
        setattr(batches, name, value)
    setattr(batches, name, type(value)(1) if name == "workers" else False)
    assert (batches.workers, batches.use_multiprocessing) == (1, False)


def test_a_backend_is_chosen_where_nobody_has_and_nothing_keeps_python_from_ending(make, tmp_path):
    make(6)
    code = """
        import sys
        import fewmask
        folder = fewmask.load_dataset(sys.argv[1], masks=sys.argv[2])
        assert "keras" not in sys.modules
        batches = folder.to_keras("image", "mask", batch_size=2)
        next(batches)
        import keras
        print(keras.config.backend())
    """
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    path = os.pathsep.join([str(SOURCES), *sys.path])
    home = str(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), str(tmp_path / "masks")],
        env={**environment, "PYTHONPATH": path, "KERAS_HOME": home},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    chosen = done.stdout.strip()
    assert chosen in ("torch", "jax", "tensorflow"), done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"Keras runs on {chosen}, the first installed")
