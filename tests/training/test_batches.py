import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import GeneratorType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.copies import Copies, Place
from fewmask.errors import ArgumentError, DataError
from fewmask.training.batches import Batch, Batches

OwnThreads = Callable[[], list[threading.Thread]]

SIZE = 12
NAMES = ("ghế số 1", "chaise dorée", "c", "d", "e")


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Copies]:
    """Five pictures of one grey each, 10, 20 ... 50, whose masks are 0 to 4 all over."""
    path = tmp_path / "copies"
    places, stored, offset = [], b"", 0
    for number in range(5):
        height, width = 10 + number, 15 - number
        places.append(Place(offset, height, width))
        stored += bytes([10 + 10 * number]) * (height * width * 3)
        stored += bytes([number]) * (height * width)
        offset = len(stored)
    path.write_bytes(stored)
    with Copies(path, tuple(places), 3, NAMES, 15) as copies:
        yield copies


def make(copies: Copies, **changes: Any) -> Batches:
    arguments: dict[str, Any] = {
        "indices": range(5),
        "size": SIZE,
        "batch_size": 2,
        "augmentation": Augmentation(),
        "seed": 7,
    }
    return Batches(copies, **(arguments | changes))


def taken(batches: Batches, count: int | None = None) -> list[Batch]:
    generator = iter(batches)
    found = list(islice(generator, count))
    generator.close()
    return found


def seen(batches: list[Batch]) -> list[list[int]]:
    """Which samples are in which batch, told from the middle of their masks."""
    return [masks[:, SIZE // 2, SIZE // 2].tolist() for _, masks in batches]


def as_bytes(batches: list[Batch]) -> list[bytes]:
    return [images.tobytes() + masks.tobytes() for images, masks in batches]


# -- what a batch is ---------------------------------------------------------------------------


def test_layouts(copies: Copies) -> None:
    (last, masks), *_ = taken(make(copies, epochs=1))
    (first, same), *_ = taken(make(copies, epochs=1, data_format="channels_first"))
    assert last.shape == (2, SIZE, SIZE, 3)
    assert first.shape == (2, 3, SIZE, SIZE)
    assert masks.shape == (2, SIZE, SIZE)
    for images in (first, last):
        assert images.dtype == np.float32
    # The channels of a pixel lie side by side in both.
    assert last.flags.c_contiguous
    assert first.transpose(0, 2, 3, 1).flags.c_contiguous
    assert masks.dtype == np.uint8
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)
    np.testing.assert_array_equal(same, masks)


def test_pixels_are_those_of_the_copies_from_0_to_255(copies: Copies) -> None:
    for images, masks in taken(make(copies, epochs=1, augmentation=Augmentation.none())):
        np.testing.assert_array_equal(images, np.repeat(10.0 + 10 * masks[..., None], 3, axis=3))


def test_every_sample_is_in_every_epoch_and_places_left_over_are_filled(copies: Copies) -> None:
    batches = make(copies, epochs=4)
    assert batches.steps_per_epoch == 3
    found = seen(taken(batches))
    assert [len(batch) for batch in found] == [2] * 12
    for epoch in range(4):
        counts = Counter(chain(*found[3 * epoch : 3 * epoch + 3]))
        assert set(counts) == set(range(5))
        assert sorted(counts.values()) == [1, 1, 1, 1, 2]


def test_epochs_differ_in_order_and_in_what_is_done_to_a_sample(copies: Copies) -> None:
    batches = make(copies)
    assert len({tuple(batches.order(epoch)) for epoch in range(1, 8)}) > 4
    noisy = replace(Augmentation.none(), noise_probability=1.0)
    batches = make(copies, augmentation=noisy)
    patches = {
        batches.patch(epoch, place, index=0)[0].tobytes()
        for epoch in range(1, 5)
        for place in range(5)
    }
    assert len(patches) == 20


def test_fewer_samples_than_places_in_a_batch(copies: Copies) -> None:
    batches = make(copies, indices=[3, 1], batch_size=5, epochs=1)
    assert batches.steps_per_epoch == 1
    (found,) = seen(taken(batches))
    assert sorted(Counter(found).values()) == [2, 3]
    assert set(found) == {1, 3}


@settings(max_examples=40)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 2**40),
    epoch=st.integers(1, 999),
)
def test_no_sample_is_preferred(count: int, batch_size: int, seed: int, epoch: int) -> None:
    class NoCopies:
        channels = 3

    batches = Batches(NoCopies(), range(count), 8, batch_size, Augmentation(), seed)  # type: ignore[arg-type]
    counts = Counter(index for index, _ in batches.order(epoch))
    assert sum(counts.values()) == batches.steps_per_epoch * batch_size
    assert len(counts) == count
    assert max(counts.values()) - min(counts.values()) <= 1


@settings(max_examples=40)
@given(
    count=st.integers(1, 30),
    batch_size=st.integers(1, 8),
    steps=st.integers(1, 12),
    seed=st.integers(0, 2**40),
)
def test_with_epochs_of_any_length_every_sample_comes_once_before_any_comes_again(
    count: int, batch_size: int, steps: int, seed: int
) -> None:
    assume(steps != -(-count // batch_size))

    class NoCopies:
        channels = 3

    batches = Batches(
        NoCopies(),  # type: ignore[arg-type]
        range(count),
        8,
        batch_size,
        Augmentation(),
        seed,
        steps=steps,
    )
    assert batches.steps_per_epoch == steps
    row = [index for epoch in range(1, 9) for index, _ in batches.order(epoch)]
    assert len(row) == 8 * steps * batch_size
    rounds = [row[begin : begin + count] for begin in range(0, len(row), count)]
    assert all(sorted(each) == list(range(count)) for each in rounds[:-1])
    assert len(set(rounds[-1])) == len(rounds[-1])


def test_steps_that_make_one_pass_draw_as_without_them(copies: Copies) -> None:
    plain, same = make(copies), make(copies, steps=3)
    assert [plain.order(epoch) for epoch in range(1, 5)] == [
        same.order(epoch) for epoch in range(1, 5)
    ]


# -- the same again ----------------------------------------------------------------------------


def test_threads_change_nothing(copies: Copies) -> None:
    one = as_bytes(taken(make(copies, epochs=3)))
    assert as_bytes(taken(make(copies, epochs=3, threads=3))) == one
    assert len(set(one)) > 6  # pictures of one grey are at times alike


def test_a_resumed_training_sees_what_it_would_have_seen(copies: Copies) -> None:
    whole = as_bytes(taken(make(copies, epochs=5)))
    for first_epoch in range(1, 6):
        resumed = make(copies, first_epoch=first_epoch)
        rest = as_bytes(taken(resumed, 3 * (6 - first_epoch)))
        assert rest == whole[3 * (first_epoch - 1) :]


def test_a_resumed_training_with_epochs_of_its_own_length_begins_at_the_right_place(
    copies: Copies,
) -> None:
    whole = as_bytes(taken(make(copies, epochs=5, steps=4)))
    for first_epoch in range(1, 6):
        resumed = make(copies, first_epoch=first_epoch, steps=4)
        rest = as_bytes(taken(resumed, 4 * (6 - first_epoch)))
        assert rest == whole[4 * (first_epoch - 1) :]


def test_another_seed_gives_other_batches(copies: Copies) -> None:
    assert as_bytes(taken(make(copies, epochs=1))) != as_bytes(
        taken(make(copies, epochs=1, seed=8))
    )


def test_iterating_twice_gives_the_same_twice(copies: Copies) -> None:
    batches = make(copies, epochs=2)
    assert as_bytes(taken(batches)) == as_bytes(taken(batches))


def test_without_a_number_of_epochs_there_is_no_end(copies: Copies) -> None:
    assert len(taken(make(copies), 40)) == 40


# -- threads -----------------------------------------------------------------------------------


class Slow(Copies):
    """Copies that take their time."""

    seconds = 0.05

    def image(self, index: int) -> NDArray[np.uint8]:
        time.sleep(self.seconds)
        return super().image(index)


@pytest.fixture
def slow(copies: Copies) -> Copies:
    copies.__class__ = Slow
    return copies


def test_keras_gets_a_generator(copies: Copies) -> None:
    assert isinstance(iter(make(copies)), GeneratorType)


def test_threads_work_while_the_consumer_does(slow: Copies) -> None:
    batches = make(slow)
    generator = iter(batches)
    next(generator)
    first = batches.waited
    assert first > 0.09
    for _ in range(3):
        time.sleep(0.3)
        next(generator)
    batches.close()
    # Each of the three takes as long as the first where nothing was made ready.
    assert batches.waited - first < 0.15


def test_waiting_is_measured(slow: Copies) -> None:
    batches = make(slow, epochs=1)
    taken(batches)
    assert 0.25 < batches.waited < 25  # seconds, however busy the machine is


def test_closing_ends_the_threads(slow: Copies, own_threads: OwnThreads) -> None:
    batches = make(slow, threads=2)
    generator = iter(batches)
    next(generator)
    assert own_threads()
    batches.close()
    assert own_threads() == []
    assert list(generator) == []
    batches.close()


def test_a_forgotten_generator_ends_its_threads(copies: Copies, own_threads: OwnThreads) -> None:
    batches = make(copies, threads=2)
    generator = iter(batches)
    next(generator)
    del generator
    gc.collect()
    assert own_threads() == []


def test_an_error_reaches_the_consumer_with_the_name_of_the_sample(
    copies: Copies, own_threads: OwnThreads
) -> None:
    class Broken(Copies):
        def mask(self, index: int) -> NDArray[np.uint8]:
            if index == 0:
                raise DataError("ghế.png", "a mask", "nothing", "Look for it.")
            return super().mask(index)

    copies.__class__ = Broken
    with pytest.raises(DataError) as caught:
        taken(make(copies, threads=2, epochs=1))
    assert str(caught.value) == "ghế.png: expected a mask, found nothing. Look for it."
    assert caught.value.__notes__ == ["This happened to the sample 'ghế số 1' in epoch 1."]
    assert own_threads() == []


def test_an_interpreter_that_leaves_in_the_middle_does_not_hang(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from fewmask.data.augmentation.augment import Augmentation
        from fewmask.data.copies import Copies, Place
        from fewmask.training.batches import Batches

        path = Path(sys.argv[1])
        path.write_bytes(bytes(400))
        copies = Copies(path, (Place(0, 10, 10),), 3, ("a",), 10)
        generator = iter(Batches(copies, [0], 64, 4, Augmentation(), 0, threads=2))
        next(generator)
        print("left")
    """
    left = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "copies")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (left.stdout, left.stderr, left.returncode) == ("left\n", "", 0)


# -- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indices": []}, "number of training images: expected 1 or more, found 0. "),
        ({"batch_size": 0}, "batch_size: expected 1 or more, found 0. "),
        ({"steps": 0}, "steps: expected 1 or more, found 0. "),
        ({"first_epoch": 0}, "first_epoch: expected 1 or more, found 0. "),
        ({"threads": 0}, "threads: expected 1 or more, found 0. "),
    ],
)
def test_counts_begin_at_one(copies: Copies, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make(copies, **changes)
    assert str(caught.value) == message + "Choose a larger number."
