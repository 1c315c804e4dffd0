import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.inference.blocks import cut_stretches, needs_blocks, predict_blocks
from fewmask.inference.predict import Predictor
from fewmask.inference.predict_files import predict_files
from fewmask.scale import Pixels, pixels_placement

rules = st.builds(Pixels.near, scale=st.floats(0.05, 2.0), size=st.sampled_from([32, 128, 700]))


@given(st.integers(1, 20_000), rules)
def test_windows_cover_a_side_and_fade_into_each_other(length, rule):
    stretches = cut_stretches(length, rule)
    total = np.zeros(length)
    for number, stretch in enumerate(stretches):
        assert stretch.start == number * rule.block_in_image
        assert len(stretch.weights) == stretch.stop - stretch.start
        assert 0 <= stretch.weights.min() <= stretch.weights.max() <= 1
        total[stretch.place] += stretch.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert stretches[-1].stop == length


@given(st.integers(1, 20_000), rules)
def test_windows_hold_whole_tiles_and_none_is_much_larger_or_very_thin(length, rule):
    stretches = cut_stretches(length, rule)
    counts = [pixels_placement(stretch.stop - stretch.start, rule)[1] for stretch in stretches]
    assert set(counts[:-1]) <= {rule.block // rule.step}
    # One after the other they are the tiles of the whole.
    assert sum(counts) == pixels_placement(length, rule)[1]
    sides = [stretch.stop - stretch.start for stretch in stretches]
    assert max(sides) <= 1.5 * rule.block_in_image + rule.overlap / rule.scale + 1
    assert len(sides) == 1 or min(sides) >= rule.block_in_image / 2


def test_windows_by_hand():
    rule = Pixels(tile=16, overlap=4, block=12, block_in_image=12)
    first, second = cut_stretches(28, rule)
    # the outer quarters of the overlap do not count
    assert (first.start, first.stop, second.start, second.stop) == (0, 16, 12, 28)
    np.testing.assert_allclose(first.weights[12:], [1, 0.75, 0.25, 0])
    np.testing.assert_allclose(second.weights[:4], [0, 0.25, 0.75, 1])
    assert first.weights[:12].min() == second.weights[4:].min() == 1


SMALL = Pixels(tile=32, overlap=8, block=24, block_in_image=24)
"""Blocks of one tile of 32 pixels."""


def by_neighbours(image):
    """A model that looks two pixels around each pixel, and sees zeros beyond its block."""
    grey = np.pad(image[..., 0].astype(np.float32) / 255, 2)
    height, width = image.shape[:2]
    mean = sum(
        grey[row : row + height, column : column + width] for row in range(5) for column in range(5)
    )
    maps = np.stack([1 - mean / 25, mean / 25, np.zeros_like(mean)], axis=2)
    return maps.argmax(axis=2).astype(np.uint8), maps


@settings(max_examples=30)
@given(st.integers(1, 130), st.integers(1, 130))
def test_blocks_say_what_the_whole_image_says(height, width):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    labels, maps = predict_blocks(by_neighbours, image, SMALL, 3)
    expected_labels, expected = by_neighbours(image)
    # Nothing that a block says within two pixels of its edge counts, so there is no seam at all.
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    np.testing.assert_array_equal(
        labels[expected[..., 0] != 0.5], expected_labels[expected[..., 0] != 0.5]
    )
    assert (labels.dtype, maps.dtype) == (np.uint8, np.float32)
    alone, none = predict_blocks(by_neighbours, image, SMALL, 3, probabilities=False)
    np.testing.assert_array_equal(alone, labels)
    assert none is None


def test_only_what_is_larger_than_a_block_and_a_half_is_cut_up():
    assert not needs_blocks(np.zeros((43, 43, 3), np.uint8), SMALL)
    assert needs_blocks(np.zeros((20, 44, 3), np.uint8), SMALL)


def test_one_row_of_blocks_is_in_memory_at_a_time():
    def nothing(image):
        maps = np.zeros((*image.shape[:2], 4), np.float32)
        return maps[..., 0].astype(np.uint8), maps

    rule = Pixels.near(1.0, size=128)
    image = np.zeros((20_000, 1000, 3), np.uint8)
    tracemalloc.start()
    labels, _ = predict_blocks(nothing, image, rule, 4, probabilities=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The probabilities of the whole image would take 320 MB.
    assert most < labels.nbytes + 60e6


BUNDLE = Bundle(Classes(("background", "bright", "nothing")), SMALL)


def test_a_predictor_cuts_up_what_is_too_large():
    asked = []

    def model(image):
        asked.append(image.shape[:2])
        return by_neighbours(image)

    predictor = Predictor(BUNDLE, model, lambda image: model(image)[0])
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    told = []
    made = predictor.predict_pixels(image, progress=lambda *now: told.append(now))
    assert asked == [(40, 32), (40, 36)]
    assert told == [(1, 2), (2, 2)]
    np.testing.assert_allclose(made.probabilities, by_neighbours(image)[1], atol=1e-6)
    asked.clear()
    assert predictor.predict(image[:40, :40], probabilities=False).probabilities is None
    assert asked == [(40, 40)]


@pytest.mark.parametrize("widths", [[100], [20, 100]])
def test_the_blocks_of_large_files_show_in_the_progress(tmp_path, write_photo, widths):
    for number, width in enumerate(widths):
        write_photo(tmp_path / "photos" / f"{number}.png", height=20, width=width)
    told = []
    predict_files(
        Predictor(BUNDLE, by_neighbours),
        tmp_path / "photos",
        tmp_path / "out",
        progress=lambda done, total: told.append(done / total),
    )
    assert told == sorted(told)
    assert told[-1] == 1
    # four blocks of the large image, and the small one
    assert len(set(told)) == 3 + len(widths)
