from xml.etree import ElementTree

import numpy as np

from fewmask.data.classes import Classes
from fewmask.evaluation.tables import class_table, confusion_table, facts_table, image_table


def cells(html):
    """Returns the text of each row's cells, after a check that the table is well formed."""
    root = ElementTree.fromstring(html)
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def test_classes_by_hand(make, chair):
    pairs = [([[1, 1, 0, 0]], [[1, 0, 1, 0]]), ([[0, 1, 1, 1]], [[0, 1, 1, 1]])]
    rows = cells(class_table(make.evaluation(pairs, chair)))
    # Dice mean (0.5 + 1) / 2, pooled 8 / 10; IoU mean (1/3 + 1) / 2, pooled 4 / 6
    assert rows[2] == ["chair", "2", "0.750", "0.800", "0.667", "0.667", "0.800", "0.800"]
    assert rows[3][0] == "background"


def test_confusion_is_in_shares_of_the_true_class():
    classes = Classes(("background", "ghế & bàn", "empty"))
    confusion = np.array([[97, 3, 0], [1, 9999, 0], [0, 0, 0]])
    html = confusion_table(confusion, classes)
    assert cells(html)[2:] == [
        ["background", "97.0", "3.0", "0"],
        ["ghế & bàn", "<0.1", "100.0", "0"],
        ["empty", "0", "0", "0"],
    ]
    assert 'title="9,999 pixels"' in html


def test_images_are_listed_worst_first_with_the_unscored_last(make, chair):
    pairs = [([[0]], [[0]]), ([[1, 1]], [[1, 0]]), ([[1, 0]], [[0, 1]])]
    html = image_table(make.evaluation(pairs, chair, names=["a", "b", "c"]), {"c": "#sample-1"})
    assert cells(html)[1:] == [["c", "0.000"], ["b", "0.667"], ["a", "–"]]
    assert '<a href="#sample-1">c</a>' in html


def test_several_classes_have_a_column_each(make, furniture):
    evaluation = make.evaluation([([[0, 1, 3]], [[0, 1, 1]])], furniture)
    html = image_table(evaluation, {})
    assert cells(html)[0] == ["image", "mean Dice", "chair", "ghế bành", "table"]
    assert cells(html)[1][1:] == ["0.333", "0.667", "–", "0.000"]


def test_facts_inside_facts_are_spread_out():
    plan = {"model": {"name": "unet", "weights": None}, "scale": [0.7, 1.4], "<b>": "<i>"}
    assert cells(facts_table(plan, "Plan")) == [
        ["model.name", "unet"],
        ["model.weights", "–"],
        ["scale", "0.7, 1.4"],
        ["<b>", "<i>"],
    ]
