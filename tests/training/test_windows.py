from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.augmentation.warp import Spot
from fewmask.data.copies import Copies, Place
from fewmask.scale import Pixels, into_pixels
from fewmask.training import windows as windowing
from fewmask.training.judge import OUTSIDE
from fewmask.training.windows import Window, Windows, count_windows, cover, look_through

RULE = Pixels(tile=64, overlap=16, block=96, block_in_image=96)


def drawn(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return np.rint(127 + 100 * np.sin(rows / 9) * np.cos(columns / 11)).astype(np.uint8)


def copies_of(folder: Path, *sizes: tuple[int, int], scale: float = 1.0) -> Copies:
    """Grey waves, class 1 where they are bright."""
    places, stored = [], b""
    for height, width in sizes:
        image = drawn(height, width)
        places.append(Place(len(stored), height, width))
        stored += image.tobytes() + (image > 127).astype(np.uint8).tobytes()
    (folder / "copies").write_bytes(stored)
    ids = tuple(map(str, range(len(sizes))))
    return Copies(folder / "copies", tuple(places), 1, ids, 999, scale=scale)


def test_a_small_image_is_seen_whole_and_what_is_beyond_does_not_count(tmp_path: Path) -> None:
    copies = copies_of(tmp_path, (30, 41))
    (window,) = cover(copies, [0], RULE, seed=0)
    assert window.size == 64
    image, mask = look_through(copies, window)
    assert (image.shape, mask.shape) == ((64, 64, 1), (64, 64))
    rows, columns = np.nonzero(mask != OUTSIDE)
    inside = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    np.testing.assert_array_equal(image[inside], copies.image(0))
    np.testing.assert_array_equal(mask[inside], copies.mask(0))


def test_windows_cover_an_image_that_is_not_too_large(tmp_path: Path) -> None:
    copies = copies_of(tmp_path, (150, 200))
    windows = cover(copies, [0], RULE, seed=0)
    assert len(windows) == 3 * 4
    seen = np.zeros((150, 200), bool)
    for window in windows:
        top, left = window.spot.row - 32, window.spot.column - 32
        assert min(top, left) >= 0
        seen[top : top + 64, left : left + 64] = True
        image, mask = look_through(copies, window)
        np.testing.assert_array_equal(image, copies.image(0)[top : top + 64, left : left + 64])
        assert (mask != OUTSIDE).all()
    assert seen.all()


def test_of_large_images_some_windows_are_kept_and_of_each_at_least_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windowing, "MOST_JUDGED", 32 * 64**2)
    copies = copies_of(tmp_path, (500, 500), (640, 320), (20, 20))
    windows = cover(copies, range(3), RULE, seed=0)
    assert Counter(window.index for window in windows) == {0: 10, 1: 10, 2: 1}
    assert windows == cover(copies, range(3), RULE, seed=0)
    assert windows != cover(copies, range(3), RULE, seed=1)
    rows = [window.spot.row for window in windows if window.index == 0]
    assert max(rows) - min(rows) > 300
    many = cover(copies, [0] * 50, RULE, seed=0)
    assert len(many) == 50
    assert cover(copies, [], RULE, seed=0) == []


@pytest.mark.parametrize("most", [32 * 256**2, 9 * 64**2])
def test_their_number_is_known_from_sizes_alone(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windowing, "MOST_JUDGED", most)
    sizes = [(500, 500), (64, 65), (20, 20), (640, 128)]
    windows = cover(copies_of(tmp_path, *sizes), range(4), RULE, seed=0)
    assert count_windows(sizes, RULE) == len(windows)
    assert count_windows([], RULE) == 0


@pytest.mark.parametrize("copied_at", [1.0, 0.5])
def test_windows_show_the_scale_of_the_model(tmp_path: Path, copied_at: float) -> None:
    half = Pixels(tile=32, overlap=8, block=24, block_in_image=48)
    side = round(64 * copied_at)
    copies = copies_of(tmp_path, (side, side), scale=copied_at)
    (window,) = cover(copies, [0], half, seed=0)
    image, _ = look_through(copies, window)
    if copied_at == 1:
        assert np.abs(image - into_pixels(copies.image(0), half)[0, 0]).max() < 3
    else:
        np.testing.assert_array_equal(image, copies.image(0))


def test_windows_are_made_when_they_are_asked_for(tmp_path: Path) -> None:
    copies = copies_of(tmp_path, (20, 20))
    window = Window(0, Spot(10, 10), 16)
    windows = Windows(copies, [window, Window(0, Spot(3, 3), 16)])
    assert (len(windows), windows.images) == (2, [0, 0])
    np.testing.assert_array_equal(windows[0][0], copies.image(0)[2:18, 2:18])
    assert len(windows[:1]) == 1
    # beyond the corner lies a reflection, which does not count
    assert (windows[1][1][:5] == OUTSIDE).all()
    assert (windows[1][1][5:, 5:] != OUTSIDE).all()
