import numpy as np
import pytest

from fewmask.data.loaders.memory import LoanedMemory
from fewmask.data.loaders.processing import as_floats, process
from fewmask.errors import ArgumentError

IMAGE = np.zeros((2, 3, 3), np.float32)
MASK = np.ones((2, 3, 1), np.float32)


def call(function, names=("image", "mask")):
    return process(function, (IMAGE, MASK), names, "images/a")


def test_a_function_gets_and_returns_one_tuple():
    image, mask = call(lambda sample: (sample[0] + 1, sample[1] * 2))
    assert (image.max(), mask.max()) == (1, 2)
    image, mask = call(lambda sample: [sample[0].tolist(), 3])
    assert (image.shape, mask.shape) == ((2, 3, 3), ())


def test_without_a_second_column_the_second_value_is_free():
    assert call(lambda sample: (sample[0], None), ("image", None))[1] is None
    assert call(lambda sample: sample, ("image", None))[1] is not None


WHERE = "processing_function, called for the sample 'images/a': expected "
END = "End the function with: return image, mask"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, f"a tuple (image, mask) back, found None. {END}"),
        (IMAGE, f"a tuple (image, mask) back, found one array of shape (2, 3, 3). {END}"),
        ((IMAGE,), f"a tuple (image, mask) back, found a tuple of 1. {END}"),
        ((IMAGE, MASK, MASK), f"a tuple (image, mask) back, found a tuple of 3. {END}"),
        ("ab", f"a tuple (image, mask) back, found a value of type str. {END}"),
        ((None, MASK), f"an array of numbers for image, first in its tuple, found None. {END}"),
        ((IMAGE, None), f"an array of numbers for mask, second in its tuple, found None. {END}"),
        (
            (IMAGE, "ghế"),
            f"an array of numbers for mask, second in its tuple, found a value of type str. {END}",
        ),
        (
            (IMAGE, [[1], [2, 3]]),
            f"an array of numbers for mask, second in its tuple, found a list of 2. {END}",
        ),
    ],
)
def test_a_function_that_returns_something_else_is_told(returned, message):
    with pytest.raises(ArgumentError) as error:
        call(lambda sample: returned)
    assert str(error.value) == WHERE + message


def test_what_a_function_raises_comes_as_it_is_with_the_sample_beside_it():
    with pytest.raises(TypeError, match="missing 1 required positional argument") as error:
        call(lambda image, mask: (image, mask))
    assert error.value.__notes__ == [
        "This happened in processing_function, which was called with one tuple (image, mask) of "
        "the sample 'images/a'."
    ]


def test_stored_images_become_floats_that_may_be_written_to():
    stored = np.full((2, 2, 1), 300, np.uint16)
    stored.flags.writeable = False
    floats = as_floats(stored, LoanedMemory())
    floats /= 3
    assert (floats.dtype, floats[0, 0, 0], stored[0, 0, 0]) == (np.float32, 100, 300)
    assert as_floats(3, LoanedMemory()) == 3
    assert as_floats(None, LoanedMemory()) is None
