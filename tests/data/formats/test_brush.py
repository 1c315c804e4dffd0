import numpy as np
import pytest

from fewmask.data.formats.brush import pack_brush, unpack_brush
from fewmask.data.formats.outlines import Piece
from fewmask.data.formats.rle import find_runs

# As label-studio-converter 0.0.59 packs an image of 4 × 3 pixels with the middle column and the
# last pixel painted.
THEIRS = [0, 0, 0, 48, 57, 27, 252, 96, 17, 255, 206, 1, 31, 252, 224, 17, 255, 206, 1, 63, 248]


def whole(bitmap, size):
    mask = np.zeros(size, bool)
    rows, columns, inside = bitmap.window(*size)
    mask[rows, columns] = inside
    return mask


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (300, 200)])
@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_packed_and_unpacked(size, share):
    area = np.random.default_rng(1).random(size) < share
    area[size[0] // 2 :] = area[0, 0]
    packed = pack_brush(find_runs(Piece(1, area), *size, down=False))
    assert all(0 <= byte <= 255 for byte in packed)
    np.testing.assert_array_equal(whole(unpack_brush(packed, *size, "a"), size), area)


def test_the_bytes_are_those_of_label_studio():
    area = np.zeros((4, 3), bool)
    area[:, 1] = area[3, 2] = True
    assert pack_brush(find_runs(Piece(1, area), 4, 3, down=False)) == THEIRS
    np.testing.assert_array_equal(whole(unpack_brush(THEIRS, 4, 3, "a"), (4, 3)), area)


def test_values_written_one_by_one_are_read():
    # 8 values, of 8 bits, lengths of 3, 4, 8, 16 bits; one block, not repeated, of 8 values.
    bits = f"{8:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}" + "0" + "00" + "111"
    bits += "".join(f"{value:08b}" for value in (9, 9, 9, 0, 0, 0, 0, 200))
    bits += "0" * (-len(bits) % 8)
    packed = list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    assert whole(unpack_brush(packed, 1, 2, "a"), (1, 2)).tolist() == [[False, True]]


def test_a_painting_of_another_size_is_refused(refusal):
    packed = pack_brush(np.array([2, 4]))
    assert refusal(lambda: unpack_brush(packed, 3, 3, "tasks.json, task 0")) == (
        "tasks.json, task 0: expected 36 values for 3 × 3 pixels (height × width), found 24. Use "
        "the image that was labelled, or export again."
    )


@pytest.mark.parametrize("keep", [5, 7, 8, 9])
def test_a_painting_that_was_cut_off_is_refused(keep, refusal):
    packed = pack_brush(np.array([2, 1, 2, 1]))
    assert "expected whole blocks of pixels" in refusal(
        lambda: unpack_brush(packed[:keep], 2, 3, "tasks.json")
    )


@pytest.mark.parametrize("packed", [[], [0], [300], ["a"], [0, 0, 0, 24]])
def test_bytes_that_are_none_are_refused(packed, refusal):
    assert refusal(lambda: unpack_brush(packed, 2, 3, "tasks.json")).startswith("tasks.json: ")
