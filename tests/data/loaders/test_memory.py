import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fewmask.data.loaders import memory as memory_module
from fewmask.data.loaders.memory import MOST_BLOCKS, LoanedMemory


@pytest.fixture(autouse=True)
def _keep_small_ones_too(monkeypatch):
    monkeypatch.setattr(memory_module, "SMALLEST", 0)


def place_of(array):
    return array.ctypes.data


def test_memory_is_lent_again_when_the_last_view_of_it_is_gone():
    memory = LoanedMemory()
    array = memory.empty((2, 3, 4), np.float32)
    assert (array.shape, array.dtype, array.flags.writeable) == ((2, 3, 4), np.float32, True)
    place, part = place_of(array), array[1, 1:]
    del array
    other = memory.empty((2, 3, 4), np.float32)
    assert place_of(other) != place, "a part of it is still in use"
    part[:] = 7
    del part
    again = memory.empty((24,), np.int32)
    assert place_of(again) == place


def test_a_tensor_of_torch_holds_its_memory_too():
    torch = pytest.importorskip("torch")
    memory = LoanedMemory()
    tensor = torch.from_numpy(memory.empty((4, 5), np.float32))
    row = tensor[2]
    place = tensor.data_ptr()
    del tensor
    gc.collect()
    assert place_of(memory.empty((4, 5), np.float32)) != place
    del row
    assert place in [place_of(memory.empty((4, 5), np.float32)) for _ in range(2)]


def test_only_a_little_is_kept(monkeypatch):
    memory = LoanedMemory()
    arrays = [memory.empty((8,), np.uint8) for _ in range(2 * MOST_BLOCKS)]
    del arrays
    assert len(memory._free) == MOST_BLOCKS
    monkeypatch.setattr(memory_module, "LARGEST", 7)
    memory = LoanedMemory()
    memory.empty((8,), np.uint8)
    assert len(memory._free) == 0


def test_sizes_do_not_get_into_each_others_way():
    memory = LoanedMemory()
    images, masks = memory.empty((4, 3), np.float32), memory.empty((4, 1), np.float32)
    places = place_of(images), place_of(masks)
    del images, masks
    masks, images = memory.empty((4, 1), np.float32), memory.empty((4, 3), np.float32)
    assert (place_of(images), place_of(masks)) == places


def test_it_stays_at_home_when_it_is_sent_to_another_process():
    memory = LoanedMemory()
    memory.empty((1000,), np.uint8)
    assert len(pickle.dumps(memory)) < 200
    assert len(pickle.loads(pickle.dumps(memory))._free) == 0


def test_no_two_threads_get_the_same_memory():
    memory = LoanedMemory()

    def use(number):
        array = memory.empty((50,), np.int64)
        array[:] = number
        return int(array.min()), int(array.max())

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(use, range(400))) == [(n, n) for n in range(400)]


def test_nothing_is_said_when_python_ends_before_the_arrays_do(monkeypatch):
    array = LoanedMemory().empty((64, 64), np.float32)
    # What Python does to the names of a module when it ends.
    monkeypatch.setattr(memory_module, "SMALLEST", None)
    monkeypatch.setattr(memory_module, "LARGEST", None)
    del array
    gc.collect()
