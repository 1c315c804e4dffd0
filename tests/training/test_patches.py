from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.data.augmentation.augment import Augmentation
from fewmask.data.copies import Copies, Place
from fewmask.data.foreground import Foreground, find_foreground
from fewmask.training.batches import Batches
from fewmask.training.patches import Patches

SIZE = 16


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """A large picture whose pixels tell their row and column, with one pixel of class 1 and some
    of class 2; one of a fourth of its area that has nothing but background; a tiny one."""
    places, stored = [], b""
    for height, width in ((120, 80), (60, 40), (5, 7)):
        rows, columns = np.mgrid[:height, :width]
        mask = np.zeros((height, width), np.uint8)
        if height == 120:
            mask[30, 70] = 1
            mask[80:110, 20:50] = 2
        places.append(Place(len(stored), height, width))
        stored += np.stack([rows, columns], axis=2).astype(np.uint8).tobytes() + mask.tobytes()
    (tmp_path / "copies").write_bytes(stored)
    return Copies(tmp_path / "copies", tuple(places), 2, ("a", "b", "c"), 120)


def make(copies: Copies, **changes: Any) -> Patches:
    arguments: dict[str, Any] = {
        "indices": range(3),
        "foreground": find_foreground(copies, range(3), 3, seed=0),
        "size": SIZE,
        "scale": 1.0,
        "steps": 200,
        "batch_size": 4,
        "foreground_share": 0.5,
        "seed": 7,
    }
    return Patches(copies, **(arguments | changes))


def test_half_of_every_batch_is_centred_on_foreground_rare_or_not(copies: Copies) -> None:
    drawn = make(copies).draw(epoch=1)
    assert len(drawn) == 800
    classes: Counter[int] = Counter()
    for step in range(200):
        for index, spot in drawn[4 * step : 4 * step + 2]:
            classes[int(copies.mask(index)[spot.row, spot.column])] += 1
    assert set(classes) == {1, 2}
    assert classes[1] == pytest.approx(200, abs=45)


def test_the_others_are_spread_over_the_images_by_their_area(copies: Copies) -> None:
    drawn = make(copies, foreground_share=0.0).draw(epoch=1)
    counts = Counter(index for index, _ in drawn)
    areas = {0: 9600, 1: 2400, 2: 35}
    for index, area in areas.items():
        assert counts[index] == pytest.approx(800 * area / sum(areas.values()), abs=1)
    # They lie inside the image, evenly, or in the middle of what is smaller than a patch.
    rows = [spot.row for index, spot in drawn if index == 0]
    assert (min(rows), max(rows)) == (8, 112)
    assert np.histogram(rows, bins=4)[0].min() > 120
    assert {(spot.row, spot.column) for index, spot in drawn if index == 2} == {(2, 3)}


@pytest.mark.parametrize(
    ("batch_size", "share", "expected"), [(1, 0.5, [0, 1]), (3, 1 / 3, [1, 1]), (7, 3 / 7, [3, 3])]
)
def test_a_share_that_fills_no_place_comes_every_so_often(
    copies: Copies, batch_size: int, share: float, expected: list[int]
) -> None:
    everywhere = Foreground({1: {0: np.array([[1, 2]], np.int32)}})
    patches = make(
        copies, foreground=everywhere, steps=60, batch_size=batch_size, foreground_share=share
    )
    drawn = patches.draw(1)
    batches = [drawn[place : place + batch_size] for place in range(0, len(drawn), batch_size)]
    found = [sum((spot.row, spot.column) == (1, 2) for _, spot in batch) for batch in batches]
    assert found == expected * 30


def test_without_any_foreground_all_lie_anywhere(copies: Copies) -> None:
    assert len(make(copies, foreground=Foreground({})).draw(1)) == 800


def test_epochs_differ_and_equal_epochs_do_not(copies: Copies) -> None:
    patches = make(copies)
    assert patches.draw(3) == make(copies).draw(3)
    assert patches.draw(3) != patches.draw(4)
    assert patches.draw(3) != make(copies, seed=8).draw(3)


def test_the_zoom_is_what_copies_lack(copies: Copies) -> None:
    copies.scale = 0.5
    patches = make(copies, scale=0.25, foreground_share=0.0)
    assert patches.zoom == 0.5
    drawn = patches.draw(1)
    assert {spot.zoom for _, spot in drawn} == {0.5}
    assert min(spot.row for index, spot in drawn if index == 0) == 16


def test_batches_hold_the_pixels_at_their_places(copies: Copies) -> None:
    patches = make(copies, steps=5)
    batches = Batches(
        copies, range(3), SIZE, 4, Augmentation.none(), seed=7, epochs=2, patches=patches
    )
    assert batches.steps_per_epoch == 5
    drawn = patches.draw(1) + patches.draw(2)
    found = [sample for images, masks in batches for sample in zip(images, masks, strict=True)]
    assert len(found) == 40
    for (index, spot), (image, mask) in zip(drawn, found, strict=True):
        assert image[8, 8].tolist() == [spot.row, spot.column]
        assert mask[8, 8] == copies.mask(index)[spot.row, spot.column]
        assert image.shape == (SIZE, SIZE, 2)


def test_threads_and_resuming_change_nothing(copies: Copies) -> None:
    def bytes_of(**changes: Any) -> list[bytes]:
        batches = Batches(
            copies, range(3), SIZE, 4, Augmentation(), 7, patches=make(copies, steps=3), **changes
        )
        return [images.tobytes() + masks.tobytes() for images, masks in batches]

    whole = bytes_of(epochs=3)
    assert bytes_of(epochs=3, threads=3) == whole
    assert bytes_of(first_epoch=2, epochs=2) == whole[3:]
