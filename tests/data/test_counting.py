import numpy as np
import pytest

from fewmask.data import counting
from fewmask.data.counting import count_values


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 11), (64, 3)])
def test_counts_what_numpy_counts(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for seen in (mask, mask.T, mask[:, ::-1]):
        np.testing.assert_array_equal(count_values(seen), np.bincount(seen.ravel(), minlength=256))


def test_many_pixels_of_one_value_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    # Beyond 2 ** 24 a 32-bit float no longer grows by one.
    assert count_values(np.ones((2**12, 2**12 + 1), np.uint8))[1] == 2**24 + 2**12
    monkeypatch.setattr(counting, "_AT_ONCE", 5)
    assert count_values(np.ones(12, np.uint8)).tolist() == [0, 12] + 254 * [0]
