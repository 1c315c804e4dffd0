import io
from contextlib import suppress

import pytest
from rich.console import Console

import fewmask.cli.watch
from fewmask.cli.watch import Watch, make_console
from fewmask.training.events import EpochDone, Said, StepDone, Working

ROW = {"epoch": 1.0, "loss": 0.5, "validation_dice": 0.81, "images_per_second": 9.13}


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when it is told to."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(fewmask.cli.watch, "time", clock)
    return clock


def written(terminal):
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=terminal, width=100, highlight=False, soft_wrap=True, emoji=False
    )
    return file, console


def test_a_log_file_gets_lines(clock):
    file, console = written(terminal=False)
    with Watch(console) as watch:
        watch.wait("starting Keras")
        watch(Said("97 images in [bold]images[/]/ :sofa:"))
        for done in range(1, 5):
            watch(Working("reading the dataset", done, 4))
            clock.now += 0.4
        for step in range(1, 4):
            watch(StepDone(1, 2, step, 3, 0.7, 9.0))
            clock.now += 60
        watch(EpochDone(ROW, 2, better=True, seconds_left=8.0))
    assert file.getvalue().splitlines() == [
        "97 images in [bold]images[/]/ :sofa:",
        "Reading the dataset",
        "epoch  1/2  loss 0.5000  validation Dice 0.810 (best)  9.1 images/s  8 s left",
    ]


def test_a_log_file_is_not_told_of_quick_work(clock):
    file, console = written(terminal=False)
    with Watch(console) as watch:
        show = watch.progress("reading the dataset")
        for done in range(1, 100):
            show(done, 100)
    assert file.getvalue() == ""


def test_a_long_line_of_a_log_file_is_not_broken(capsys):
    Watch(make_console(stderr=True))(Said("word " * 100))
    assert capsys.readouterr() == ("", "word " * 100 + "\n")


def test_a_terminal_shows_what_goes_on_below_the_lines():
    file, console = written(terminal=True)
    with Watch(console) as watch:
        shown = []
        for event in (
            Working("reading [the] dataset", 1, 4),
            StepDone(1, 2, 3, 4, 0.7, 9.0),
            Said("Half of it."),
        ):
            watch(event)
            with console.capture() as seen:
                console.print(watch._progress.get_renderable())
            shown.append(seen.get())
    assert "reading [the] dataset" in shown[0]
    assert "25%" in shown[0]
    assert "epoch 1/2" in shown[1]
    assert "75%" in shown[1]
    assert "loss 0.700  9.0 images/s" in shown[1]
    assert "working" in shown[2]
    assert "%" not in shown[2]
    assert ":" not in shown[2]  # nobody knows how long it will take
    assert "Half of it." in file.getvalue()


def test_a_terminal_is_left_clean_after_an_error():
    file, console = written(terminal=True)
    with suppress(RuntimeError), Watch(console) as watch:
        watch(Working("reading", 1, 4))
        raise RuntimeError
    # The cursor is shown again, the line of the bar is erased.
    assert file.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
