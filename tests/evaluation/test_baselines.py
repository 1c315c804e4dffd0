import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fewmask.evaluation.baselines import GRID, average_masks, constant_confusions
from fewmask.evaluation.scores import confusion_matrix, mean_dice

LABEL_MAPS = hnp.arrays(np.uint8, (2, 5, 7), elements=st.integers(0, 2))


@given(LABEL_MAPS, st.integers(0, 2))
def test_a_constant_prediction_needs_no_picture(maps, class_id):
    truth, prediction = maps
    worked_out = constant_confusions(confusion_matrix(truth, prediction, 3)[None], class_id)[0]
    counted = confusion_matrix(truth, np.full_like(truth, class_id), 3)
    np.testing.assert_array_equal(worked_out, counted)


def test_all_background_never_scores():
    truth = np.array([[0, 1, 1]])
    all_background = constant_confusions(confusion_matrix(truth, truth, 2)[None], 0)
    assert mean_dice(all_background).tolist() == [0]


def test_all_foreground_by_hand():
    truth = np.array([[0, 0, 0, 1]])
    all_foreground = constant_confusions(confusion_matrix(truth, truth, 2)[None], 1)
    assert mean_dice(all_foreground).tolist() == [2 * 1 / (2 * 1 + 3 + 0)]


def test_the_mean_of_equal_masks_is_that_mask():
    mask = np.zeros((GRID, GRID), np.uint8)
    mask[10:30, 20:50] = 2
    mean_mask = average_masks([mask, mask, mask], num_classes=3)
    np.testing.assert_array_equal(mean_mask.label_map, mask)
    assert mean_mask.class_votes.tolist() == [3 * (GRID**2 - 600), 0, 3 * 600]


def test_the_majority_decides_at_each_place_and_a_tie_goes_to_the_background():
    empty, full = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    assert average_masks([full, full, empty], 2).label_map.all()
    assert not average_masks([full, empty], 2).label_map.any()


def test_masks_of_all_sizes_meet_in_one_frame():
    def right_half(height, width):
        mask = np.zeros((height, width), np.uint8)
        mask[:, width // 2 :] = 1
        return mask

    sizes = [(10, 20), (500, 300), (64, 64), (1, 2)]
    mean_mask = average_masks([right_half(*size) for size in sizes], num_classes=2)
    for size in sizes:
        np.testing.assert_array_equal(mean_mask.resized(*size), right_half(*size))


def test_ignored_pixels_have_no_say():
    known, unknown = np.ones((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)
    mean_mask = average_masks([known, unknown, unknown], num_classes=2)
    assert mean_mask.label_map.all()
    assert mean_mask.class_votes.tolist() == [0, GRID**2]


def test_masks_are_taken_one_at_a_time():
    def endless_if_stored():
        for _ in range(3):
            yield np.ones((2, 2), np.uint8)

    assert average_masks(endless_if_stored(), 2).label_map.all()
