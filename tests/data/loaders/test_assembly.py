import numpy as np
import pytest

from fewmask.data.loaders.assembly import Assembly, Stack
from fewmask.errors import ArgumentError, DataError


@pytest.mark.parametrize(
    ("values", "are_stored", "expected"),
    [
        ([1, 2], False, np.array([1, 2])),
        ([1.5, 2], False, np.array([1.5, 2], np.float32)),
        ([1, 2.5], False, np.array([1, 2.5], np.float32)),
        ([np.uint8(1), np.float64(0.1)], False, np.array([1, 0.1], np.float32)),
        ([np.uint8([7]), np.uint8([8])], True, np.array([[7], [8]], np.uint8)),
        ([np.uint8([[[7]]]), np.uint16([[[300]]])], True, np.float32([[[[7]]], [[[300]]]])),
        ([np.uint8([[[7]]]), np.uint16([[[300]]])], False, np.uint16([[[[7]]], [[[300]]]])),
    ],
)
def test_a_stack_has_a_type_that_holds_every_value(values, are_stored, expected):
    for order in ([0, 1], [1, 0]):
        stack = Stack("age", ["a", "b"], are_stored)
        for place in order:
            stack.put(place, values[place])
        array = stack.finish()
        assert array.tolist() == expected.tolist()
        assert array.dtype == expected.dtype


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_shapes_that_differ_are_named_whichever_came_first(order):
    stack = Stack("image", ["images/a", "images/b", "images/c"])
    for place in order:
        stack.put(place, np.zeros((2, 3, 3) if place != 1 else (3, 2, 3)))
    with pytest.raises(DataError) as error:
        stack.finish()
    assert str(error.value) == (
        "images/b, image: expected shape (2, 3, 3), as images/a has in the same batch, found "
        "(3, 2, 3). Bring all samples to one shape in processing_function, or use batch_size=1."
    )


def test_a_batch_has_second_values_for_all_samples_or_for_none():
    for seconds, message in (
        ((None, 3), "expected None second in its tuple, as for 'a' in the same batch, found an"),
        ((3, None), "expected an array second in its tuple, as for 'a' in the same batch, found"),
    ):
        assembly = Assembly([7, 8], ["a", "b"], ("image", None), are_stored=False)
        for place in (1, 0):
            assembly.put(place, (np.zeros(2), seconds[place]))
        with pytest.raises(ArgumentError, match=f"for the sample 'b': {message}"):
            assembly.finish()
