import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.data.copies import FILE_NAME
from fewmask.data.dataset import Dataset
from fewmask.data.imageio import resize, write_png
from fewmask.data.patch_copies import make_patch_copies
from fewmask.errors import RunError
from fewmask.packages.load import load_dataset

FULL = (0, 255)
SIZES = ((60, 80), (100, 40), (9, 8))


@pytest.fixture
def three(tmp_path: Path) -> Dataset:
    """Images of three sizes, whose masks are white where their red is."""
    for number, size in enumerate(SIZES):
        image = np.random.default_rng(number).integers(0, 256, (*size, 3)).astype(np.uint8)
        write_png(tmp_path / "ảnh" / "images" / f"{number}.png", image)
        mask = (image[..., 0] > 127).astype(np.uint8) * 255
        write_png(tmp_path / "ảnh" / "masks" / f"{number}.png", mask)
    return load_dataset(tmp_path / "ảnh")


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_from_half_their_scale_on_images_are_copied_as_they_are(
    three: Dataset, tmp_path: Path, scale: float
) -> None:
    told: list[Any] = []
    with make_patch_copies(
        three, tmp_path / "run", scale, 3, FULL, progress=lambda *now: told.append(now)
    ) as copies:
        assert copies.scale == 1
        assert copies.longest == 100
        assert copies.findings == ()
        for index in range(3):
            image = three.read_image(index)
            np.testing.assert_array_equal(copies.image(index), image)
            np.testing.assert_array_equal(copies.mask(index), image[..., 0] > 127)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_for_a_small_scale_all_are_shrunk_to_twice_of_it(three: Dataset, tmp_path: Path) -> None:
    with make_patch_copies(three, tmp_path / "run", 0.25, 3, FULL) as copies:
        assert copies.scale == 0.5
        assert [copies.mask(index).shape for index in range(3)] == [(30, 40), (50, 20), (4, 4)]
        expected = resize(three.read_image(0), 30, 40, smooth=True)
        np.testing.assert_array_equal(copies.image(0), expected)


def test_beyond_the_limit_copies_have_the_scale_of_training_and_it_is_said(
    three: Dataset, tmp_path: Path
) -> None:
    with make_patch_copies(three, tmp_path / "run", 0.25, 3, FULL, limit_bytes=8000) as copies:
        assert copies.scale == 0.25
        assert copies.mask(0).shape == (15, 20)
        assert copies.findings == (
            "Copies at twice the scale of training would take 0.0 MB; training reads them at its "
            "own scale, which blurs what augmentation enlarges.",
        )


def test_copies_at_their_own_scale_may_take_more_than_the_limit_and_it_is_said(
    three: Dataset, tmp_path: Path
) -> None:
    with make_patch_copies(three, tmp_path / "run", 1.0, 3, FULL, limit_bytes=100) as copies:
        assert copies.scale == 1
        assert copies.findings == ("Copies of the images take 0.0 MB of the disk while it trains.",)


def test_a_disk_without_room_is_told_before_anything_is_copied(
    three: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=30_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(RunError) as caught:
        make_patch_copies(three, tmp_path / "run", 1.0, 3, FULL)
    assert str(caught.value) == (
        f"{tmp_path / 'run' / FILE_NAME}: expected room for 0.0 MB of copies on the disk, found "
        "0.0 MB. Free some room, or train with a smaller --scale or on fewer images."
    )
    assert not (tmp_path / "run").exists()
    # at half the scale a quarter is enough
    make_patch_copies(three, tmp_path / "run", 0.25, 3, FULL).close()
