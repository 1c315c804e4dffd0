import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fewmask.training.comparing import MOST_COMPARED, choose_pieces, middle

SIZE = st.tuples(st.integers(1, 9000), st.integers(1, 9000))


def test_few_small_images_are_compared_whole() -> None:
    assert choose_pieces([(50, 60), (70, 80)]) == {0: (50, 60), 1: (70, 80)}


def test_of_a_large_image_a_piece_is_enough() -> None:
    assert choose_pieces([(6000, 8000)]) == {0: (512, 512)}
    assert choose_pieces([(6000, 80)], 1000**2) == {0: (1000, 80)}


def test_of_many_images_some_from_everywhere_are_enough() -> None:
    chosen = choose_pieces([(48, 64)] * 1000)
    assert list(chosen) == sorted(chosen)
    assert len(chosen) == MOST_COMPARED // (48 * 64)
    assert max(chosen) > 400
    assert choose_pieces([(48, 64)] * 1000) == chosen


@given(st.lists(SIZE, min_size=1, max_size=40), st.sampled_from([1, 100, 1000, 3000]))
def test_there_is_always_something_and_never_too_much(
    sizes: list[tuple[int, int]], side: int
) -> None:
    chosen = choose_pieces(sizes, side**2)
    assert 1 <= len(chosen) <= len(sizes)
    assert sum(height * width for height, width in chosen.values()) <= side**2
    for index, (height, width) in chosen.items():
        assert (height, width) == (min(side, sizes[index][0]), min(side, sizes[index][1]))


def test_the_middle_by_hand() -> None:
    image = np.arange(5 * 4, dtype=np.uint8).reshape(5, 4, 1)
    assert middle(image, 3, 2)[..., 0].tolist() == [[5, 6], [9, 10], [13, 14]]
    assert middle(image, 5, 4).tolist() == image.tolist()
    assert middle(image, 2, 2).flags.c_contiguous
