import numpy as np
import pytest
from pycocotools import mask as coco_mask

from fewmask.data.formats.outlines import Piece
from fewmask.data.formats.rle import Runs, counts_of_text, find_runs, text_of_counts


def area(seed, height=13, width=9):
    return np.random.default_rng(seed).random((height, width)) < 0.4


def whole(bitmap, height, width):
    mask = np.zeros((height, width), bool)
    rows, columns, inside = bitmap.window(height, width)
    mask[rows, columns] = inside
    return mask


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_runs_and_back(seed, down):
    mask = area(seed)
    counts = find_runs(Piece(1, mask), *mask.shape, down=down)
    assert counts.sum() == mask.size
    bitmap = Runs(counts, down).bitmap(*mask.shape, "a.json")
    np.testing.assert_array_equal(whole(bitmap, *mask.shape), mask)


@pytest.mark.parametrize("down", [True, False])
def test_runs_of_a_piece_are_those_of_its_image(down):
    pixels = area(1, 4, 5)
    mask = np.zeros((20, 30), bool)
    mask[16:20, 25:30] = pixels
    counts = find_runs(Piece(1, pixels, top=16, left=25), 20, 30, down)
    np.testing.assert_array_equal(counts, find_runs(Piece(1, mask), 20, 30, down))
    assert counts.sum() == 600


def test_the_text_is_that_of_pycocotools():
    mask = area(3, 50, 70)
    theirs = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    counts = find_runs(Piece(1, mask), 50, 70)
    assert text_of_counts(counts, 50, 70) == theirs["counts"].decode()
    np.testing.assert_array_equal(counts_of_text(theirs["counts"].decode(), "a.json"), counts)


def test_runs_that_end_early_are_refused_unless_the_end_is_open(refusal):
    runs = Runs(np.array([2, 3]))
    assert refusal(lambda: runs.bitmap(2, 4, "a.json, annotations 3")) == (
        "a.json, annotations 3: expected runs for 2 × 4 = 8 pixels (height × width), found runs "
        "for 5. Use the image that was labelled, or export again."
    )
    assert whole(Runs(np.array([2, 3]), open_end=True).bitmap(2, 4, ""), 2, 4).sum() == 3
    assert "found runs for 9" in refusal(lambda: Runs(np.array([2, 7])).bitmap(2, 4, "a.json"))
    assert "one of -1" in refusal(lambda: Runs(np.array([9, -1])).bitmap(2, 4, "a.json"))


@pytest.mark.parametrize(
    ("text", "found"), [("0 1", "the letter ' '"), ("0P", "cut off"), ("PPPPPPPPP1", "beyond")]
)
def test_text_that_is_none_is_refused(text, found, refusal):
    assert found in refusal(lambda: counts_of_text(text, "a.json"))


def test_no_runs_are_no_pixels():
    assert Runs(np.array([6])).bitmap(2, 3, "").pixels.size == 0
    assert Runs(np.array([0, 0, 6])).bitmap(2, 3, "").pixels.size == 0
