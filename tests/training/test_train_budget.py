"""Training by the clock, on a machine that proves to be another than it seemed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewmask.run import BEST, Run
from fewmask.training import preparation
from fewmask.training import train as training
from fewmask.training.checkpoint import State, load_weights
from fewmask.training.clock import Clock
from fewmask.training.events import EpochDone, Event, Said, StepDone
from fewmask.training.keeper import LAST
from fewmask.training.plan import Plan
from fewmask.training.probe import Speed
from fewmask.training.train import resume, train

TIMES = ("seconds", "images_per_second")


class Machine:
    """A machine that was measured at half a second a step, and whose clock only steps move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.heard: list[str] = []
        self.ends: list[float] = []
        self.stop_after: int | None = None

    def step_seconds(self, epoch: int) -> float:
        return (1.0, 0.7, 0.4)[min(epoch, 3) - 1]

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self.now += self.step_seconds(event.epoch)
        elif isinstance(event, Said):
            self.heard.append(event.text)
        elif isinstance(event, EpochDone):
            self.ends.append(self.now + event.seconds_left)
            if event.row["epoch"] == self.stop_after:
                raise KeyboardInterrupt


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    spent = property(lambda clock: clock.before + machine.now)
    monkeypatch.setattr(Clock, "spent", spent)
    monkeypatch.setattr(preparation, "make_probe", lambda *_: lambda size: Speed(0.5, 0.0))
    monkeypatch.setattr(preparation.time, "monotonic", lambda: 0.0)
    return machine


@pytest.fixture
def asked(tiny: dict[str, Any]) -> dict[str, Any]:
    """What makes a step quick, without a number of epochs."""
    return {name: value for name, value in tiny.items() if name != "epochs"}


def curve(run: Run) -> list[dict[str, float]]:
    rows = run.epochs()
    return [{name: row[name] for name in row if name not in TIMES} for row in rows]


def assert_equal_weights(one: Run, other: Run) -> None:
    pairs = zip(load_weights(one.folder / BEST), load_weights(other.folder / BEST), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)


@pytest.mark.slow
def test_a_training_by_the_clock_can_be_done_again_without_one(
    discs: Path, asked: dict[str, Any], machine: Machine, tmp_path: Path
) -> None:
    run = train(discs, runs=tmp_path, listener=machine, budget=40, dropout=0.3, **asked)
    plan = Plan.of_run(run)
    # Slower at first, so its end came nearer; then faster, so it went away again.
    ends = [end for _, end in plan.pace.legs]
    assert len(ends) >= 3
    assert ends[0] > ends[1] < ends[-1]
    assert any("slower than planned: it ends after step" in text for text in machine.heard)
    assert any("faster than planned: it ends after step" in text for text in machine.heard)
    facts = run.read_json("run.json")
    assert facts["state"] == "finished"
    assert facts["clock"]["budget"] == 40
    assert any(f"Training into {run.folder} until about " in text for text in machine.heard)
    assert machine.ends == pytest.approx([40] * len(run.epochs())), "with the score and the report"
    reserve = facts["clock"]["reserve"]
    assert machine.now == pytest.approx(40 - reserve, abs=1.5)
    state = State.load(run.folder / LAST)
    assert int(state.optimizer[0]) == plan.pace.last_step
    assert run.epochs()[-1]["learning_rate"] == 0

    again = train(discs, runs=tmp_path, listener=machine, plan=run.folder / "plan.toml")
    assert curve(again) == curve(run)
    assert_equal_weights(again, run)
    assert Plan.of_run(again) == plan
    assert again.read_json("run.json")["clock"] is None


@pytest.mark.slow
def test_what_was_spent_before_a_stop_counts_when_it_goes_on(
    discs: Path, asked: dict[str, Any], machine: Machine, tmp_path: Path
) -> None:
    machine.stop_after = 2
    run = train(discs, runs=tmp_path, listener=machine, budget=40, **asked)
    assert run.read_json("run.json")["state"] == "stopped"
    spent = State.load(run.folder / LAST).spent
    assert spent == machine.now > 10
    machine.stop_after, machine.now = None, 0.0  # another process, whose clock begins anew
    resume(run, listener=machine)
    assert run.read_json("run.json")["state"] == "finished"
    reserve = run.read_json("run.json")["clock"]["reserve"]
    assert spent + machine.now == pytest.approx(40 - reserve, abs=1.5)
    assert run.epochs()[-1]["learning_rate"] == 0


def test_the_pause_between_two_processes_is_free() -> None:
    kept = {"budget": 60.0, "reserve": 10.0, "spent": 5.0}
    clock = training._clock_again(kept, [State(spent=20.0), State(spent=30.0)], began=0.0)
    assert clock is not None
    assert clock.before == 30.0
    # Killed before the first epoch ended: what came before the training was spent all the same.
    first = training._clock_again(kept, [State()], began=0.0)
    assert first is not None
    assert first.before == 5.0
    assert training._clock_again(None, [State()], began=0.0) is None
