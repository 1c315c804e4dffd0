from collections.abc import Sequence
from dataclasses import replace

import pytest

from fewmask.data.fingerprint import Fingerprint
from fewmask.training.scale_choice import are_thin, choose_scale


def fingerprint(
    thickness: Sequence[Sequence[float]] = ((200.0,),) * 77, sides: tuple[int, int] = (480, 640)
) -> Fingerprint:
    return Fingerprint(
        num_images=77,
        sizes=((*sides, 77),),
        channels=((3, 77),),
        dtype="uint8",
        value_range=(0, 255),
        mean=(100.0,) * 3,
        standard_deviation=(50.0,) * 3,
        class_pixels=(9, 1),
        class_images=(77, 77),
        ignored_pixels=0,
        class_ids=((0, 1),) * 77,
        sha256="0" * 64,
        thickness=tuple(map(tuple, thickness)),
    )


@pytest.mark.parametrize(
    ("thickness", "longest", "scale"),
    [
        ([(40.0,)] * 10, 640, None),  # 16 of 256
        ([(39.0,)] * 10, 640, 0.5),
        ([(31.0,)] * 10, 640, 1.0),  # halved, they would be thinner than 16
        ([(32.0,)] * 10, 2560, 0.5),
        ([(130.0,)] * 10, 2560, 0.125),
        ([(3.0,)] * 10, 640, 1.0),
        ([(100.0,)] * 7 + [(30.0,)] * 3, 640, 0.25),  # the thin ones decide, the middle scales
        ([(100.0,)] * 9 + [(30.0,)], 640, None),  # one thin thing of ten does not
        ([()] * 9 + [(100.0,)], 640, None),  # masks without any thing say nothing
        ([()] * 10, 640, None),
        ([], 640, None),
        ([(20.0,)] * 10, 20, None),
        # A street: each class counts the same, so that poles decide and not the mean with houses.
        ([(150.0, 60.0, 30.0, 5.0)] * 10, 480, 1.0),
        ([(150.0, 60.0, 30.0, 8.0)] * 10, 480, 0.5),
        ([(150.0, 60.0, 30.0, 30.0)] * 10, 480, None),
        ([(150.0, 60.0, 60.0, 60.0, 60.0, 5.0)] * 10, 480, None),  # one thin thing of six does not
    ],
)
def test_thickness_chooses_between_whole_images_and_patches(
    thickness: list[tuple[float, ...]], longest: int, scale: float | None
) -> None:
    seen = fingerprint(thickness, (longest // 2, longest))
    chosen, why = choose_scale(seen)
    assert chosen == scale
    assert why.startswith("whole images: " if scale is None else "patches: ")


def test_the_size_of_most_images_counts() -> None:
    mixed = replace(fingerprint(((30.0,),) * 77), sizes=((100, 100, 70), (9000, 9000, 7)))
    assert choose_scale(mixed)[0] is None


@pytest.mark.parametrize(
    ("thickness", "scale", "thin"),
    [
        ([(15.0,)] * 10, 1.0, True),
        ([(16.0,)] * 10, 1.0, False),
        ([(31.0,)] * 10, 0.5, True),
        ([(15.0,)] * 10, 2.0, False),
        ([()] * 9 + [(15.0,)], 1.0, True),  # masks without any thing say nothing
        ([(15.0,)] * 4 + [(100.0,)] * 6, 1.0, False),
        ([()] * 10, 1.0, False),
        ([], 1.0, False),
    ],
)
def test_thin_is_what_most_things_are(
    thickness: list[tuple[float, ...]], scale: float, thin: bool
) -> None:
    assert are_thin(fingerprint(thickness), scale) == thin
