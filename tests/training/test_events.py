import math
from dataclasses import replace

import pytest

from fewmask.training.events import EpochDone, Said, StepDone, Working, epoch_line, print_events


def done(**values: float) -> EpochDone:
    row = {"epoch": 7.0, "loss": 0.25, "validation_dice": 0.5, "images_per_second": 12.34, **values}
    return EpochDone(row, 40, better=False, seconds_left=59.6)


def test_an_epoch_in_one_line() -> None:
    assert epoch_line(done()) == (
        "epoch  7/40  loss 0.2500  validation Dice 0.500  12.3 images/s  1 min 0 s left"
    )


def test_says_nothing_of_a_score_that_was_not_measured() -> None:
    assert epoch_line(done(validation_dice=math.nan)) == (
        "epoch  7/40  loss 0.2500  12.3 images/s  1 min 0 s left"
    )


def test_names_what_chooses_where_there_is_no_dice() -> None:
    event = done(validation_dice=math.nan, validation_loss=0.125)
    assert epoch_line(replace(event, better=True)) == (
        "epoch  7/40  loss 0.2500  validation loss 0.1250 (best)  12.3 images/s  1 min 0 s left"
    )


def test_prints_sentences_and_epochs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for event in (Said("ghế"), Working("reading", 1, 2), StepDone(1, 2, 3, 4, 0.5, 6.0), done()):
        print_events(event)
    assert capsys.readouterr().out == f"ghế\n{epoch_line(done())}\n"
