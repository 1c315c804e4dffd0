import math

import numpy as np
import pytest

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.schema import Column
from fewmask.errors import DataError
from fewmask.evaluation.evaluate import evaluate
from fewmask.inference.predict import Predictor
from fewmask.packages.load import load_dataset
from fewmask.scale import Frame

HALF_RIGHT = ([[1, 1, 0, 0]], [[1, 0, 1, 0]])  # chair: hit 1, missed 1, wrongly found 1
RIGHT = ([[0, 1, 1, 1]], [[0, 1, 1, 1]])
EMPTY = ([[0, 0, 0, 0]], [[0, 0, 0, 0]])
FALSE_ALARM = ([[0, 0, 0, 0]], [[1, 0, 0, 0]])


def test_mean_with_pooled_by_hand(make, chair):
    evaluation = make.evaluation([HALF_RIGHT, RIGHT], chair)
    assert evaluation.mean_dice == (0.5 + 1) / 2
    assert evaluation.mean.dice[1] == (0.5 + 1) / 2
    # hits 1 + 3, wrongly found 1, missed 1
    assert evaluation.pooled.dice[1] == 2 * 4 / (2 * 4 + 1 + 1)
    assert evaluation.confusion.tolist() == [[2, 1], [1, 4]]
    assert evaluation.interval == (0.5, 1.0)


def test_a_row_tells_all_of_its_image(make, chair):
    row = make.evaluation([HALF_RIGHT], chair, names=["Ảnh ghế số 1"]).images[0]
    assert row.sample == "Ảnh ghế số 1"
    assert row.mean_dice == 0.5
    assert row.scores.dice == (0.5, 0.5)
    np.testing.assert_allclose(row.scores.iou, (1 / 3, 1 / 3))
    assert row.scores.precision == row.scores.recall == (0.5, 0.5)
    assert row.true_pixels == row.predicted_pixels == (2, 2)


def test_images_with_nothing_to_score_are_told(make, chair):
    evaluation = make.evaluation([RIGHT, EMPTY, FALSE_ALARM], chair)
    assert evaluation.mean_dice == (1 + 0) / 2
    assert math.isnan(evaluation.images[1].mean_dice)
    assert (
        "1 of 3 images have no foreground in mask and prediction: there was nothing to score, "
        "and they do not count." in evaluation.notes
    )


def test_classes_that_no_mask_holds_are_told(make, furniture):
    evaluation = make.evaluation([([[0, 1, 3]], [[0, 1, 3]])], furniture)
    assert evaluation.notes == ("In no mask of these images: ghế bành. Their scores say little.",)


def test_few_images_are_told(make, chair):
    assert make.evaluation([RIGHT, HALF_RIGHT], chair).notes == (
        "With 2 scored images the interval is rather too narrow; 20 or more make it trustworthy.",
    )


def test_ignored_pixels_count_nowhere(make, furniture):
    evaluation = make.evaluation([([[1, 1, 255, 255]], [[1, 1, 3, 0]])], furniture)
    assert evaluation.mean_dice == 1
    assert evaluation.confusion.sum() == 2
    assert evaluation.images[0].true_pixels == (0, 2, 0, 0)


def test_images_are_predicted_at_their_own_size(make, chair):
    pairs = [(np.ones(size), np.ones(size)) for size in ((1, 1), (3, 40), (50, 7))]
    evaluation = make.evaluation(pairs, chair)
    assert [sum(row.true_pixels) for row in evaluation.images] == [1, 120, 350]


def test_baselines_are_scored_on_the_same_images(make, chair):
    evaluation = evaluate(
        make.predictor(chair),
        make.dataset([HALF_RIGHT, RIGHT], chair),
        baselines_from=make.dataset([([[0, 1]], [[0, 0]])], chair, name="train"),
    )
    background, foreground, mean_mask = evaluation.baselines
    assert [each.name for each in evaluation.baselines] == [
        "all background",
        "all chair",
        "mean mask",
    ]
    assert background.mean_dice == 0
    # 2 of 4 pixels are chair, then 3 of 4
    assert foreground.mean_dice == pytest.approx((4 / 6 + 6 / 7) / 2)
    # The mean mask is the right half: hit 0 of 2, then 2 of 3.
    assert mean_mask.mean_dice == pytest.approx((0 + 4 / 5) / 2)
    assert background.lead == evaluation.interval
    assert evaluation.best_baseline is foreground


def test_without_training_masks_there_is_no_mean_mask(make, furniture):
    evaluation = make.evaluation([([[0, 3, 3, 1]], [[0, 3, 3, 1]])], furniture)
    assert [each.name for each in evaluation.baselines] == ["all background", "all table"]


def test_the_training_masks_tell_which_class_is_frequent(make, furniture):
    evaluation = evaluate(
        make.predictor(furniture),
        make.dataset([([[0, 3]], [[0, 3]])], furniture),
        baselines_from=make.dataset([([[1, 1, 2]], [[0, 0, 0]])], furniture, name="train"),
    )
    assert evaluation.baselines[1].name == "all chair"


def test_progress_counts_training_masks_with_images(make, chair):
    seen = []
    evaluate(
        make.predictor(chair),
        make.dataset([RIGHT, RIGHT], chair),
        make.dataset([RIGHT], chair, name="train"),
        lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_other_classes_than_the_models_are_refused(make, chair):
    sofas = Classes(("background", "sofa"))
    with pytest.raises(DataError) as refusal:
        evaluate(make.predictor(chair), make.dataset([RIGHT], sofas, name="sofas"))
    assert str(refusal.value) == (
        "sofas: expected the classes of the model (background, chair), found background, sofa. "
        "Name and order them alike in the dataset's classes.json, or train a model on this "
        "dataset."
    )


def test_images_without_masks_are_refused(make, chair, tmp_path):
    bare = Dataset("bare", tmp_path, [Column("image", "image")], [("a.png",)])
    with pytest.raises(DataError) as refusal:
        evaluate(make.predictor(chair), bare)
    assert str(refusal.value) == (
        "bare: expected masks to compare predictions with, found images without masks. "
        "Name the folder that holds them with --masks DIR."
    )


def test_no_images_are_refused(make, chair):
    with pytest.raises(DataError) as refusal:
        evaluate(make.predictor(chair), make.dataset([], chair))
    assert str(refusal.value) == (
        "things: expected at least one image to evaluate on, found none. "
        "Choose another part with --part."
    )


def test_a_stranger_in_a_mask_names_its_sample(make, chair):
    with pytest.raises(DataError, match=r"^bàn 2: expected class ids 0 to 1 in the mask, found 9"):
        make.evaluation([RIGHT, ([[0, 9]], [[0, 1]])], chair, names=["bàn 1", "bàn 2"])


@pytest.mark.real
def test_photographs_of_chairs_are_easy_to_guess(real_data):
    """Chairs stand in the middle: no model is worth anything below 0.67 here."""
    chairs = load_dataset(real_data / "chairs97")
    judged = chairs.filter(lambda row: row.part == "validation")

    def foreground_everywhere(image):
        shape = image.shape[:2]
        return np.ones(shape, np.uint8), np.ones((*shape, 2), np.float32)

    evaluation = evaluate(
        Predictor(Bundle(chairs.classes, Frame(256)), foreground_everywhere),
        judged,
        baselines_from=chairs.filter(lambda row: row.part == "train"),
    )
    background, foreground, mean_mask = evaluation.baselines
    assert background.mean_dice == 0
    assert foreground.mean_dice == evaluation.mean_dice == pytest.approx(0.472, abs=0.001)
    assert foreground.lead == (0, 0)
    assert mean_mask.mean_dice == pytest.approx(0.672, abs=0.001)
    assert mean_mask.lead.high < 0
    assert evaluation.verdict().startswith("Not clearly better than the baseline mean mask")
