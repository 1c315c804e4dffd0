import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.classes import Classes
from fewmask.data.copies import FILE_NAME
from fewmask.data.dataset import Dataset
from fewmask.data.frame_copies import affordable_side, make_copies
from fewmask.data.imageio import resize, write_png
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column
from fewmask.errors import DataError, FewmaskError, RunError

NAMES = ("ghế số 1", "chaise dorée", "c")
SIZES = ((30, 40), (50, 20), (8, 9))
FULL = (0, 255)


def images_of(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def dataset_of(folder: Path, images: list[NDArray[Any]]) -> Dataset:
    """Writes images, and masks that are 1 where the first channel is over half of its range."""
    rows = []
    for name, image in zip(NAMES, images, strict=False):
        first = image[..., 0] if image.ndim == 3 else image
        write_png(folder / "images" / f"{name}.png", image)
        mask = (first > np.iinfo(image.dtype).max // 2).astype(np.uint8)
        write_png(folder / "masks" / f"{name}.png", mask * 255)
        rows.append((f"images/{name}.png", f"masks/{name}.png"))
    return Dataset(
        "ghế",
        folder,
        [Column("image", "image"), Column("mask", "mask")],
        rows,
        Classes(("background", "chair")),
        MaskEncoding("values", ((0, 0), (255, 1))),
    )


@pytest.fixture
def three(tmp_path: Path) -> Dataset:
    images = [images_of(size, seed) for seed, size in enumerate(SIZES)]
    return dataset_of(tmp_path / "dữ liệu", images)


def test_small_pictures_are_copied_as_they_are(three: Dataset, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with make_copies(
        three, tmp_path / "run", 64, 3, FULL, progress=lambda *now: told.append(now)
    ) as copies:
        assert len(copies) == 3
        assert copies.findings == ()
        for index in range(3):
            image = three.read_image(index)
            np.testing.assert_array_equal(copies.image(index), image)
            np.testing.assert_array_equal(copies.mask(index), image[..., 0] > 127)
        assert copies.sample_id(0) == "images/ghế số 1"
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_large_pictures_are_shrunk_each_to_its_own_size(three: Dataset, tmp_path: Path) -> None:
    with make_copies(three, tmp_path, 20, 3, FULL) as copies:
        assert [copies.image(index).shape for index in range(3)] == [
            (15, 20, 3),
            (20, 8, 3),
            (8, 9, 3),
        ]
        image, mask = three.read_image(0), three.read_mask(0)
        np.testing.assert_array_equal(copies.image(0), resize(image, 15, 20, smooth=True))
        np.testing.assert_array_equal(copies.mask(0), resize(mask, 15, 20, smooth=False))
        assert copies.image(0).dtype == copies.mask(0).dtype == np.uint8


def test_one_channel(three: Dataset, tmp_path: Path) -> None:
    with make_copies(three, tmp_path, 20, 1, FULL) as copies:
        assert copies.image(0).shape == (15, 20, 1)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    stored = np.array([[1000, 2000, 9000, 60000]], np.uint16)
    dataset = dataset_of(tmp_path, [stored])
    with make_copies(dataset, tmp_path, 20, 1, (1000, 3000)) as copies:
        assert copies.image(0).ravel().tolist() == [0, 128, 255, 255]
        assert copies.mask(0).ravel().tolist() == [0, 0, 0, 1]


def test_many_channels_are_refused_by_name(three: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        make_copies(three, tmp_path / "run", 20, 5, FULL)
    assert str(caught.value) == (
        "images/ghế số 1: expected an image of 5 channels, found 3. Train on images of one kind."
    )
    assert list((tmp_path / "run").iterdir()) == []


# -- the file ----------------------------------------------------------------------------------


def test_closing_deletes_the_file_and_may_be_done_twice(three: Dataset, tmp_path: Path) -> None:
    copies = make_copies(three, tmp_path / "run", 20, 3, FULL)
    assert (tmp_path / "run" / FILE_NAME).stat().st_size == 4 * (15 * 20 + 20 * 8 + 8 * 9)
    copies.close()
    copies.close()
    assert list((tmp_path / "run").iterdir()) == []
    with pytest.raises(ValueError, match=r"Expected copies in use, got copies that were closed: "):
        copies.image(0)


def test_an_array_outlives_the_copies(three: Dataset, tmp_path: Path) -> None:
    with make_copies(three, tmp_path, 64, 3, FULL) as copies:
        image = copies.image(0)
    np.testing.assert_array_equal(image, three.read_image(0))


def test_arrays_cannot_be_written_to(three: Dataset, tmp_path: Path) -> None:
    with (
        make_copies(three, tmp_path, 64, 3, FULL) as copies,
        pytest.raises(ValueError, match="read-only"),
    ):
        copies.image(0)[0, 0, 0] = 1


def test_what_a_killed_training_left_is_replaced(three: Dataset, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff" * 10_000_000)
    with make_copies(three, tmp_path, 20, 3, FULL) as copies:
        np.testing.assert_array_equal(
            copies.image(2), resize(three.read_image(2), 8, 9, smooth=True)
        )
        assert copies.path.stat().st_size < 10_000


def test_several_threads_may_read(three: Dataset, tmp_path: Path) -> None:
    with make_copies(three, tmp_path, 64, 3, FULL) as copies:
        expected = [copies.image(index).copy() for index in range(3)]
        wrong: list[int] = []

        def read() -> None:
            for turn in range(200):
                if not np.array_equal(copies.image(turn % 3), expected[turn % 3]):
                    wrong.append(turn)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


# -- what can go wrong -------------------------------------------------------------------------


def test_a_broken_image_leaves_no_file(three: Dataset, tmp_path: Path) -> None:
    broken = three.image_path(1)
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(DataError, match=r"chaise dorée\.png"):
        make_copies(three, tmp_path / "run", 20, 3, FULL)
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' disk that is full")
def test_a_full_disk_is_told_in_one_sentence(three: Dataset, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / FILE_NAME).symlink_to("/dev/full")
    with pytest.raises(FewmaskError) as caught:
        make_copies(three, tmp_path / "run", 20, 3, FULL)
    assert str(caught.value) == (
        f"{tmp_path / 'run' / FILE_NAME}: expected room on the disk to write it, found the disk is "
        "full. Free some room or choose another folder; nothing half-written was left."
    )
    assert list((tmp_path / "run").iterdir()) == []


def test_a_limit_makes_copies_smaller_and_says_so(three: Dataset, tmp_path: Path) -> None:
    limit = 3 * 4 * 15**2
    with make_copies(three, tmp_path, 20, 3, FULL, limit_bytes=limit) as copies:
        assert copies.longest == 15
        assert max(copies.image(0).shape) == 15
        assert copies.path.stat().st_size <= limit
        assert copies.findings == (
            "Copies of 3 images at 20 pixels could take more than 0.0 MB; training reads them at "
            "15 pixels, which blurs what augmentation enlarges.",
        )


def test_copies_are_never_smaller_than_the_training_size(three: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        make_copies(three, tmp_path / "run", 20, 3, FULL, limit_bytes=400)
    assert str(caught.value) == (
        f"{tmp_path / 'run' / FILE_NAME}: expected at most 0.0 MB of copies, found 3 images that "
        "take more even at 10 pixels. Train with a smaller --size or on fewer images."
    )
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("count", "limit_bytes", "side"),
    [
        (10, 10 * 4 * 512**2, 512),
        (10, 10 * 4 * 511**2, 511),
        (10, 10 * 4 * 300**2 + 50, 300),
        (10, 10, 256),
        (0, 10, 256),
    ],
)
def test_the_side_that_fits(count: int, limit_bytes: int, side: int) -> None:
    assert affordable_side(count, 512, 3, limit_bytes) == side
