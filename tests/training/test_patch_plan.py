import pytest

from fewmask.data.fingerprint import Fingerprint
from fewmask.training.patch_plan import PatchPlan, plan_patches


def plan(
    height: int, width: int, count: int, scale: float = 1.0, size: int = 256, batch_size: int = 4
) -> PatchPlan:
    fingerprint = Fingerprint(
        num_images=count,
        sizes=((height, width, count),),
        channels=((3, count),),
        dtype="uint8",
        value_range=(0, 255),
        mean=(0.0,) * 3,
        standard_deviation=(1.0,) * 3,
        class_pixels=(9, 1),
        class_images=(count, count),
        ignored_pixels=0,
        class_ids=((0, 1),) * count,
        sha256="",
    )
    return plan_patches(scale, fingerprint, size, batch_size)


@pytest.mark.parametrize(
    ("area", "scale", "size", "patches", "says"),
    [
        ((512, 512, 30), 1.0, 256, 120, "120 patches, as many as cover the training images once"),
        ((512, 512, 30), 1.0, 128, 480, "480 patches, as many as cover the training images once"),
        ((512, 512, 30), 0.5, 256, 32, "32 patches, as many as cover the training images once"),
        ((4000, 6000, 100), 1.0, 256, 500, "500 patches, which cover 1 % of the training images"),
        (
            (4000, 6000, 100),
            1.0,
            128,
            2000,
            "2,000 patches, which cover 1 % of the training images",
        ),
        ((20, 20, 300), 1.0, 32, 300, "300 patches, at least one an image"),
        ((100, 100, 3000), 0.5, 64, 3000, "3,000 patches, at least one an image"),
    ],
)
def test_an_epoch_covers_the_images_if_it_may(
    area: tuple[int, int, int], scale: float, size: int, patches: int, says: str
) -> None:
    planned = plan(*area, scale=scale, size=size)
    assert planned.steps_per_epoch * 4 == patches
    assert planned.why_epoch == f"An epoch is {says}."


@pytest.mark.parametrize(
    ("batch_size", "share"),
    [(1, 1 / 2), (2, 1 / 2), (3, 1 / 3), (4, 1 / 2), (6, 1 / 3), (8, 3 / 8)],
)
def test_at_least_a_third_of_a_batch_lies_on_foreground(batch_size: int, share: float) -> None:
    assert plan(512, 512, 30, batch_size=batch_size).foreground_share == share


def test_says_the_scale_in_a_sentence() -> None:
    assert plan(2000, 3000, 9, scale=0.37).reasons[0] == (
        "scale 0.37: patches of 256 pixels at 0.3699 times the images' own scale; large images are "
        "predicted in tiles of 256 with 64 pixels of overlap."
    )
