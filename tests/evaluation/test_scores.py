import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fewmask.errors import DataError
from fewmask.evaluation.scores import (
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    mean_dice,
    mean_where_scored,
    precision_per_class,
    recall_per_class,
    score_classes,
)

NUM_CLASSES = 3
ALL_SCORES = (dice_per_class, iou_per_class, precision_per_class, recall_per_class)


@st.composite
def label_map_pairs(draw):
    """Truth and prediction of one shape with classes 0 to 2."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    maps = hnp.arrays(np.uint8, shape, elements=st.integers(0, NUM_CLASSES - 1))
    return draw(maps), draw(maps)


def count(truth, prediction, ignore_index=None):
    return confusion_matrix(truth, prediction, NUM_CLASSES, ignore_index)


def test_counts_by_hand():
    truth = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
    prediction = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    # class 0: 1 right, 1 taken for 1; class 1: 2 right, 1 taken for 0; 255 left out
    expected = [[1, 1], [1, 2]]
    assert confusion_matrix(truth, prediction, 2, ignore_index=255).tolist() == expected


def test_the_four_scores_by_hand():
    # truth:      0 0 0 0 1 1 2 2
    # prediction: 0 0 1 2 1 0 2 2
    confusion = np.array([[2, 1, 1], [1, 1, 0], [0, 0, 2]])
    # class 1: hit 1, wrongly found 1, missed 1; class 2: hit 2, wrongly found 1, missed 0
    np.testing.assert_allclose(dice_per_class(confusion), [4 / 7, 2 / 4, 4 / 5])
    np.testing.assert_allclose(iou_per_class(confusion), [2 / 5, 1 / 3, 2 / 3])
    np.testing.assert_allclose(precision_per_class(confusion), [2 / 3, 1 / 2, 2 / 3])
    np.testing.assert_allclose(recall_per_class(confusion), [2 / 4, 1 / 2, 2 / 2])
    np.testing.assert_allclose(mean_dice(confusion), (2 / 4 + 4 / 5) / 2)


def test_an_empty_truth_with_an_empty_prediction_is_not_scored():
    confusion = np.array([[9, 0], [0, 0]])
    for score in ALL_SCORES:
        assert np.isnan(score(confusion)[1])
    assert np.isnan(mean_dice(confusion))


def test_a_false_alarm_on_an_empty_truth_scores_zero():
    confusion = np.array([[8, 1], [0, 0]])
    assert dice_per_class(confusion)[1] == iou_per_class(confusion)[1] == 0
    assert precision_per_class(confusion)[1] == 0
    assert np.isnan(recall_per_class(confusion)[1])
    assert mean_dice(confusion) == 0


def test_a_class_rightly_not_found_does_not_count_in_the_mean_dice():
    found_only_class_1 = np.array([[5, 0, 0], [0, 4, 0], [0, 0, 0]])
    assert mean_dice(found_only_class_1) == 1


def test_a_mask_of_ignored_pixels_alone_is_not_scored():
    truth = np.full((2, 3), 255, np.uint8)
    confusion = count(truth, np.zeros((2, 3), np.uint8), ignore_index=255)
    assert confusion.sum() == 0
    assert np.isnan(score_classes(confusion).dice).all()


@given(label_map_pairs())
def test_halves_add_up_to_the_whole(maps):
    truth, prediction = maps
    half = len(truth) // 2
    whole = count(truth[:half], prediction[:half]) + count(truth[half:], prediction[half:])
    np.testing.assert_array_equal(whole, count(truth, prediction))


@given(label_map_pairs())
def test_flipping_both_changes_nothing(maps):
    truth, prediction = maps
    np.testing.assert_array_equal(count(truth[::-1], prediction[::-1]), count(truth, prediction))


@given(label_map_pairs(), st.permutations(range(NUM_CLASSES)))
def test_renaming_the_classes_moves_their_scores_along(maps, new_id):
    new_id = np.array(new_id)
    for score in ALL_SCORES:
        before = score(count(*maps))
        after = score(count(new_id[maps[0]], new_id[maps[1]]))
        np.testing.assert_array_equal(after[new_id], before)


@given(label_map_pairs())
def test_exchanging_truth_with_prediction_exchanges_precision_with_recall(maps):
    there, back = count(*maps), count(*maps[::-1])
    np.testing.assert_array_equal(dice_per_class(there), dice_per_class(back))
    np.testing.assert_array_equal(iou_per_class(there), iou_per_class(back))
    np.testing.assert_array_equal(precision_per_class(there), recall_per_class(back))


@given(label_map_pairs())
def test_dice_follows_from_iou_or_from_precision_with_recall(maps):
    confusion = count(*maps)
    dice, iou = dice_per_class(confusion), iou_per_class(confusion)
    np.testing.assert_allclose(dice, 2 * iou / (1 + iou))
    precision, recall = precision_per_class(confusion), recall_per_class(confusion)
    both = precision + recall > 0
    harmonic = 2 * precision[both] * recall[both] / (precision[both] + recall[both])
    np.testing.assert_allclose(dice[both], harmonic)


@given(label_map_pairs())
def test_a_perfect_prediction_scores_one_wherever_there_is_something(maps):
    truth, _ = maps
    for score in ALL_SCORES:
        scores = score(count(truth, truth))
        present = np.isin(np.arange(NUM_CLASSES), truth)
        assert (scores[present] == 1).all()
        assert np.isnan(scores[~present]).all()


@given(label_map_pairs())
def test_ignoring_pixels_equals_deleting_them(maps):
    truth, prediction = maps
    ignored = truth == 2
    masked = np.where(ignored, 255, truth).astype(np.uint8)
    deleted = count(truth[~ignored], prediction[~ignored])
    np.testing.assert_array_equal(count(masked, prediction, ignore_index=255), deleted)


@given(st.lists(label_map_pairs(), min_size=1, max_size=3))
def test_a_stack_of_matrices_scores_as_each_alone(pairs):
    matrices = [count(*maps) for maps in pairs]
    for score in (*ALL_SCORES, mean_dice):
        together = score(np.stack(matrices))
        np.testing.assert_array_equal(together, [score(each) for each in matrices])


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            "truth",
            "Ảnh 1: expected class ids 0 to 1 in the mask, found 7 in 2 pixels. "
            "Declare it with --classes or leave its pixels out with --ignore-index.",
        ),
        (
            "prediction",
            "Ảnh 1: expected class ids 0 to 1 in the prediction, found 7 in 2 pixels. "
            "Use a model that was trained for these classes.",
        ),
    ],
)
def test_a_label_without_a_class_is_never_dropped(where, sentence):
    maps = {name: np.array([[0, 0, 1, 1]], np.uint8) for name in ("truth", "prediction")}
    maps[where][0, 2:] = 7
    with pytest.raises(DataError) as refusal:
        confusion_matrix(**maps, num_classes=2, where="Ảnh 1")
    assert str(refusal.value) == sentence


def test_a_negative_label_is_a_stranger_too():
    with pytest.raises(DataError, match="found -1 in 1 pixels"):
        confusion_matrix(np.array([[-1, 0]]), np.array([[0, 0]]), 2)


def test_the_ignore_index_is_no_class_of_a_prediction():
    with pytest.raises(DataError, match="in the prediction, found 255"):
        confusion_matrix(np.array([[0, 1]]), np.array([[0, 255]]), 2, ignore_index=255)


def test_label_maps_of_two_shapes_are_refused():
    with pytest.raises(DataError) as refusal:
        confusion_matrix(np.zeros((4, 6)), np.zeros((6, 4)), 2, where="cell 3")
    assert str(refusal.value) == (
        "cell 3: expected a prediction of the mask's shape (4, 6), found (6, 4). "
        "Predict at the size of the image that the mask belongs to."
    )


def test_large_counts_stay_exact():
    truth = np.zeros((3000, 3000), np.uint8)
    confusion = confusion_matrix(truth, truth, 200)
    assert confusion.shape == (200, 200)
    assert confusion[0, 0] == 9_000_000


def test_a_mean_leaves_out_what_was_not_scored():
    scores = np.array([[0.5, np.nan], [1.0, np.nan]])
    np.testing.assert_array_equal(mean_where_scored(scores, axis=0), [0.75, np.nan])
    np.testing.assert_array_equal(mean_where_scored(scores, axis=1), [0.5, 1.0])
    assert np.isnan(mean_where_scored(np.array([])))
