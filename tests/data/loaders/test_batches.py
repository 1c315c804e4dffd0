import gc
import threading
import time

import numpy as np
import pytest

from fewmask.data.imageio import write_png
from fewmask.data.loaders.batches import SampleBatches
from fewmask.data.loaders.reading import SampleReader
from fewmask.data.loaders.threads import SPARE, count_threads
from fewmask.errors import ArgumentError, DataError


def batches(dataset, **options):
    return SampleBatches(SampleReader(dataset, "image", "mask"), **{"batch_size": 3} | options)


def test_a_batch_holds_floats_of_what_is_stored(make):
    images, masks = batches(make(7), shuffle=False).batch(1, 1)
    assert (images.shape, images.dtype, masks.shape, masks.dtype) == (
        (3, 6, 8, 3),
        np.float32,
        (3, 6, 8, 1),
        np.float32,
    )
    assert images[:, 0, 0, 0].tolist() == [27, 36, 45]
    assert np.unique(masks).tolist() == [0, 255]


def test_a_stream_is_its_batches_one_after_another(make, rows_of):
    seven = batches(make(7), seed=3)
    streamed = list(seven.stream(2, epochs=2))
    alone = [seven.batch(epoch, place) for epoch in (2, 3) for place in range(3)]
    for one, other in zip(streamed, alone, strict=True):
        assert [part.tolist() for part in one] == [part.tolist() for part in other]
    assert [row for batch in streamed for row in rows_of(batch)] == seven.order(2) + seven.order(3)
    assert [len(rows_of(batch)) for batch in streamed] == [3, 3, 1, 3, 3, 1]
    later = list(seven.stream(2, epochs=1, place=2))
    assert [rows_of(batch) for batch in later] == [rows_of(streamed[2])]


def test_the_order_is_a_function_of_seed_and_epoch(make):
    dataset = make(7)
    orders = [batches(dataset, seed=seed).order(epoch) for seed in (0, 1) for epoch in (1, 2)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert batches(dataset, seed=1, batch_size=2).order(2) == orders[3]
    assert batches(dataset, shuffle=False).order(5) == list(range(7))
    drawn = batches(dataset)
    assert batches(dataset, seed=drawn.seed).order(1) == drawn.order(1)


def test_a_function_with_its_own_generator_gives_the_same_batches_again(make):
    dataset = make(9)

    def run():
        random = np.random.default_rng(0)
        jitter = batches(dataset, seed=0, processing_function=lambda s: (s[0], random.random()))
        return [values.tolist() for _, values in jitter.stream(1, epochs=2)]

    assert run() == run()


def test_a_function_is_called_by_one_thread_at_a_time_and_gets_arrays_of_its_own(make):
    busy = threading.Lock()

    def spoil(sample):
        assert busy.acquire(blocking=False)
        time.sleep(0.001)
        image, mask = sample
        image /= 255
        mask[:] = 1
        busy.release()
        return image, mask

    spoiled = batches(make(9), processing_function=spoil)
    streams = [spoiled.stream(1), spoiled.stream(1)]
    for _ in range(4):
        for images, masks in map(next, streams):
            assert images.max() < 1
            assert masks.min() == 1
    for stream in streams:
        stream.close()


def test_memory_is_bounded_however_slow_the_consumer_is(make):
    read = []
    dataset = make(28)
    reader = SampleReader(dataset, "image", "mask")
    original = reader.read
    reader.read = lambda row: read.append(row) or original(row)
    stream = SampleBatches(reader, 2).stream(1)
    for taken in range(1, 4):
        next(stream)
        time.sleep(0.05)
        # The batch in hand, one made, for each thread a sample, and a few to spare.
        assert len(read) <= 2 * (taken + 1) + count_threads() + SPARE
    stream.close()


@pytest.mark.parametrize("way", ["exhausted", "closed", "forgotten"])
def test_threads_end_with_the_stream(make, own_threads, way):
    stream = batches(make(5)).stream(1, epochs=1 if way == "exhausted" else None)
    next(stream)
    assert own_threads()
    if way == "exhausted":
        list(stream)
    elif way == "closed":
        stream.close()
    del stream
    gc.collect()
    assert own_threads() == []


def test_an_image_that_cannot_be_read_is_named_in_its_turn(make, tmp_path, own_threads, rows_of):
    dataset = make(6)
    (tmp_path / dataset[4].image).write_bytes(b"no image")
    stream = batches(dataset, batch_size=2, shuffle=False).stream(1)
    assert [rows_of(next(stream)), rows_of(next(stream))] == [[0, 1], [2, 3]]
    with pytest.raises(DataError, match=r"ghế 4\.png: expected a PNG, JPEG, .* Leave it out"):
        next(stream)
    assert own_threads() == []


def test_shapes_that_differ_inside_a_batch_are_named(make, tmp_path):
    dataset = make(4)
    write_png(tmp_path / dataset[2].image, np.zeros((9, 9, 3), np.uint8))
    write_png(tmp_path / dataset[2].mask, np.zeros((9, 9), np.uint8))
    with pytest.raises(DataError) as error:
        list(batches(dataset, shuffle=False).stream(1))
    assert str(error.value) == (
        "images/ghế 2, image: expected shape (6, 8, 3), as images/ghế 0 has in the same batch, "
        "found (9, 9, 3). Bring all samples to one shape in processing_function, or use "
        "batch_size=1."
    )
    assert len(list(batches(dataset, batch_size=1).stream(1, epochs=1))) == 4


def test_a_second_value_is_for_all_samples_or_for_none(make):
    def sometimes(sample):
        return sample[0], None if sample[0].max() > 9 else 1.0

    some = SampleBatches(SampleReader(make(3), "image", None), 3, sometimes, shuffle=False)
    with pytest.raises(ArgumentError) as error:
        some.batch(1, 0)
    assert str(error.value) == (
        "processing_function, called for the sample 'images/ghế 2': expected an array second in "
        "its tuple, as for 'images/ghế 0' in the same batch, found None. Return a second value for "
        "every sample, or None for every sample."
    )


@pytest.mark.parametrize("size", [8, 32, 0, -1, 2.5, None, "3"])
def test_a_batch_larger_than_the_fold_or_none_at_all_is_refused(make, size):
    with pytest.raises(ArgumentError) as error:
        batches(make(7), batch_size=size)
    assert str(error.value) == (
        f"batch_size: expected 1 to 7, the number of samples in this fold, found {size!r}. Pass "
        "batch_size=7 or less, or make the fold larger."
    )
    assert batches(make(7), batch_size=np.int64(7)).steps_per_epoch == 1


@pytest.mark.parametrize("seed", [-1, 0.5, "a"])
def test_a_seed_is_a_whole_number(make, seed):
    with pytest.raises(ArgumentError, match="seed: expected a whole number from 0 on, or None"):
        batches(make(7), seed=seed)


def test_the_result_of_a_function_is_no_function(make):
    with pytest.raises(ArgumentError) as error:
        batches(make(7), processing_function=(np.zeros((9, 9, 3)), np.zeros((9, 9, 1))))
    assert str(error.value) == (
        "processing_function: expected a function of one tuple, or None, found a tuple of 2. "
        "Pass the function itself, without calling it."
    )


def test_a_batch_that_is_kept_is_not_written_to_again(make, rows_of):
    stream = batches(make(20), batch_size=4, shuffle=False).stream(1, epochs=3)
    kept = [batch for number, batch in enumerate(stream) if number % 3 == 0]
    assert [rows_of(batch)[0] for batch in kept] == [0, 12, 4, 16, 8]
