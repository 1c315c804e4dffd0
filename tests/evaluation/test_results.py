import json
import math
from dataclasses import replace

import pytest

from fewmask.errors import DataError
from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.results import Evaluation

HALF_RIGHT = ([[1, 1, 0, 0]], [[1, 0, 1, 0]])
RIGHT = ([[0, 1, 1, 1]], [[0, 1, 1, 1]])
EMPTY = ([[0, 0, 0, 0]], [[0, 0, 0, 0]])


def test_the_headline_says_score_interval_images(make, chair):
    evaluation = make.evaluation([HALF_RIGHT, RIGHT], chair)
    assert evaluation.summary_lines() == [
        "mean Dice 0.750 (95 % interval 0.50 to 1.00, 2 images)",
        "baseline all background: 0.000 (0.00 to 0.00)",
        "baseline all chair: 0.762 (0.67 to 0.86)",
        "Not clearly better than the baseline all chair: it may have learnt nothing.",
        "With 2 scored images the interval is rather too narrow; 20 or more make it trustworthy.",
    ]


def test_a_clear_lead_is_said(make, chair):
    small = ([[1, 0, 0, 0, 0, 0, 0, 0]], [[1, 0, 0, 0, 0, 0, 0, 0]])
    assert make.evaluation([small] * 3, chair).verdict() == (
        "Better than the best baseline, all chair, by 0.78 to 0.78."
    )


def test_one_image_has_no_interval(make, chair):
    evaluation = make.evaluation([RIGHT], chair)
    assert evaluation.summary_lines()[0] == "mean Dice 1.000 (too few for an interval, 1 image)"
    assert evaluation.verdict() is None


def test_images_without_foreground_have_no_score(make, chair):
    evaluation = make.evaluation([EMPTY, EMPTY], chair)
    assert evaluation.summary_lines()[0] == "mean Dice not measured: no foreground in 2 images"
    assert evaluation.best_baseline.name == "all chair"


def test_several_classes_are_listed(make, furniture):
    pairs = [([[0, 1, 3, 3]], [[0, 1, 3, 0]]), ([[1, 1, 1, 0]], [[1, 1, 1, 0]])]
    assert make.evaluation(pairs, furniture).summary_lines()[1:4] == [
        "class chair: Dice 1.000 mean, 1.000 pooled",
        "class ghế bành: Dice – mean, – pooled",
        "class table: Dice 0.667 mean, 0.667 pooled",
    ]


def test_json_keeps_everything(make, furniture):
    pairs = [([[0, 1, 3, 3]], [[0, 1, 3, 0]]), ([[1, 1, 255, 0]], [[1, 2, 1, 0]])]
    evaluation = make.evaluation(pairs, furniture, names=["ghế <1>", 'bàn "2"'], part="test")
    text = evaluation.to_json()
    again = Evaluation.from_json(text)
    assert again.to_json() == text
    assert again.summary_lines() == evaluation.summary_lines()
    assert again.classes == evaluation.classes
    assert [row.sample for row in again.images] == ["ghế <1>", 'bàn "2"']
    assert isinstance(again.interval, Interval)


def test_json_holds_null_for_what_was_not_scored(make, chair):
    facts = json.loads(make.evaluation([EMPTY], chair).to_json())
    assert facts["mean_dice"] is None
    assert facts["interval"] == [None, None]
    assert facts["images"][0]["scores"]["dice"] == [1.0, None]
    again = Evaluation.from_json(json.dumps(facts))
    assert math.isnan(again.mean_dice)
    assert math.isnan(again.images[0].scores.dice[1])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": "one"}'])
def test_a_text_that_is_no_scores_is_refused(text):
    with pytest.raises(DataError) as refusal:
        Evaluation.from_json(text, "runs/ghế/scores.json")
    assert str(refusal.value) == (
        "runs/ghế/scores.json: expected the scores that fewmask wrote, found a text that cannot "
        "be read as such. Run fewmask evaluate again."
    )


def test_scores_of_a_newer_fewmask_are_refused():
    with pytest.raises(DataError, match=r"found format 99, written by a newer fewmask\. Upgrade"):
        Evaluation.from_json('{"format": 99}')


def test_notes_can_be_added(make, chair):
    evaluation = make.evaluation([RIGHT], chair)
    assert replace(evaluation, notes=("Chụp ban đêm.",)).summary_lines()[-1] == "Chụp ban đêm."
