"""Trainings of several networks: who learns from what, and what becomes of all of them."""

import csv
import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

import fewmask
from fewmask.data.dataset import Dataset
from fewmask.data.parts import Parts
from fewmask.data.schema import Column
from fewmask.errors import FewmaskError
from fewmask.evaluation.results import Evaluation
from fewmask.evaluation.scores import confusion_matrix, mean_dice
from fewmask.models.spec import build
from fewmask.models.whole import predict_whole, whole_model
from fewmask.run import BEST, Run
from fewmask.training.checkpoint import load_weights
from fewmask.training.clock import Clock
from fewmask.training.events import EpochDone, Event, Said
from fewmask.training.members import gather_paces, members_of, share_out
from fewmask.training.pace import Pace
from fewmask.training.plan import Plan
from fewmask.training.train import resume, train


def parts_of(count: int, groups: int | None = None) -> Parts:
    columns = [Column("image", "image"), Column("group", "string")]
    rows = [(f"{n}.png", f"patient {n % groups}" if groups else str(n)) for n in range(count)]
    dataset = Dataset("some", Path(), columns, rows)
    return Parts(dataset, dataset.take([0, 1]), dataset, ())


@pytest.fixture
def make_plan_of(make_tiny_plan: Callable[..., Plan]) -> Callable[[int], Plan]:
    def make(networks: int) -> Plan:
        return replace(make_tiny_plan(), later_paces=(Pace.even(8),) * (networks - 1))

    return make


def test_one_network_learns_from_all_and_is_judged_by_the_validation_part(
    tmp_path: Path, make_plan_of: Callable[[int], Plan]
) -> None:
    (member,) = members_of(Run(tmp_path), make_plan_of(1), parts_of(10))
    assert list(member.learns_from) == list(range(10))
    assert list(member.judged_by) == [10, 11]
    assert member.run.folder == tmp_path


def test_several_leave_out_every_image_once(
    tmp_path: Path, make_plan_of: Callable[[int], Plan]
) -> None:
    members = members_of(Run(tmp_path), make_plan_of(3), parts_of(10))
    assert sorted(index for member in members for index in member.judged_by) == list(range(10))
    assert sorted(len(member.judged_by) for member in members) == [3, 3, 4]
    for member in members:
        assert sorted([*member.learns_from, *member.judged_by]) == list(range(10))
    assert [member.run.folder for member in members] == [
        tmp_path,
        tmp_path / "networks" / "2",
        tmp_path / "networks" / "3",
    ]
    assert [member.plan.seed for member in members] == [0, 1, 2]


def test_groups_are_left_out_whole(tmp_path: Path, make_plan_of: Callable[[int], Plan]) -> None:
    for member in members_of(Run(tmp_path), make_plan_of(3), parts_of(30, groups=7)):
        assert not {n % 7 for n in member.judged_by} & {n % 7 for n in member.learns_from}


def test_each_network_has_an_equal_share_of_what_is_left() -> None:
    clock = _Stopped(600.0, reserve=100.0, before=200.0)
    # 300 seconds are left: a third of them, half of them, all of them.
    for members_left, share in ((3, 100.0), (2, 150.0), (1, 300.0)):
        of_one = share_out(clock, members_left)
        assert of_one is not None
        assert of_one.left == pytest.approx(share)
    assert share_out(None, 3) is None


class _Stopped(Clock):
    """A clock that stands still."""

    @property
    def spent(self) -> float:
        return self.before


@pytest.fixture(scope="module")
def several(
    discs: Path, make_tiny_plan: Callable[..., Plan], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, list[str]]:
    """A training of two networks, with what it said; not to be changed."""
    heard: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Said):
            heard.append(event.text)

    plan = replace(make_tiny_plan(learning_rate=0.01), later_paces=(Pace.even(6),))
    run = train(discs, runs=tmp_path_factory.mktemp("runs"), name="two", plan=plan, listener=listen)
    return run, heard


def test_what_a_training_of_two_leaves(several: tuple[Run, list[str]]) -> None:
    run, heard = several
    assert "Network 1 of 2: learns from 4 images, judged by the other 4." in heard
    assert "Network 2 of 2: learns from 4 images, judged by the other 4." in heard
    second = Run(run.folder / "networks" / "2")
    assert (second.folder / BEST).exists()
    assert len(run.epochs()) == 2
    assert len(second.epochs()) == 3
    assert second.epochs() != run.epochs()
    facts = run.read_json("run.json")
    assert (facts["state"], facts["epochs"]) == ("finished", 5)
    assert Plan.of_run(run).later_paces == (Pace.even(6),)
    assert not (run.folder / "copies").exists()
    assert fewmask.load(run).predict(np.zeros((40, 50, 3), np.uint8)).label_map.shape == (40, 50)
    assert "Cross-validation" in (run.folder / "report.html").read_text("utf-8")


def test_cross_validation_by_hand(several: tuple[Run, list[str]], discs: Path) -> None:
    run, heard = several
    text = (run.folder / "crossvalidation.json").read_text("utf-8")
    evaluation = Evaluation.from_json(text)
    assert (evaluation.num_images, evaluation.part) == (8, "cross-validation")
    said = f"Cross-validation: {evaluation.summary_lines()[0]}, each predicted by the network that "
    assert any(sentence.startswith(said) for sentence in heard)

    dataset = fewmask.load_dataset(discs)
    with (run.folder / "parts.csv").open(encoding="utf-8", newline="") as file:
        kinds = {row["sample"]: row["part"] for row in csv.DictReader(file)}
    train_part = dataset.take(
        [n for n in range(len(dataset)) if kinds[dataset.sample_id(n)] == "train"]
    )
    assert [row.sample for row in evaluation.images] == [
        train_part.sample_id(n) for n in range(len(train_part))
    ]
    plan = Plan.of_run(run)
    members = members_of(run, plan, Parts(train_part, None, dataset, ()))
    model_facts = fewmask.load(run).bundle
    for member in members:
        core = build(plan.model)
        core.set_weights(load_weights(member.run.folder / BEST))
        model = whole_model(core, model_facts)
        for index in member.judged_by:
            label_map, _ = predict_whole(model, train_part.read_image(index))
            dice = mean_dice(confusion_matrix(train_part.read_mask(index), label_map, 2))
            assert evaluation.images[index].mean_dice == pytest.approx(float(dice), abs=1e-3)


def test_it_can_be_done_again_from_its_plan(
    several: tuple[Run, list[str]], discs: Path, tmp_path: Path
) -> None:
    run, _ = several
    again = train(discs, runs=tmp_path, plan=run.folder / "plan.toml", listener=lambda _: None)
    assert again.plan() == run.plan()
    for folder in (Path(), Path("networks") / "2"):
        pairs = zip(
            load_weights(again.folder / folder / BEST),
            load_weights(run.folder / folder / BEST),
            strict=True,
        )
        assert all(np.array_equal(one, other) for one, other in pairs)


def test_killed_before_the_plan_of_the_second_network_it_goes_on(
    several: tuple[Run, list[str]], tmp_path: Path
) -> None:
    run = Run(Path(shutil.copytree(several[0].folder, tmp_path / "two")))
    shutil.rmtree(run.folder / "networks" / "2")
    (run.folder / "networks" / "2").mkdir()
    run.update(state="training")
    resume(run, listener=lambda _: None)
    assert run.read_json("run.json")["state"] == "finished"
    second = Path("networks") / "2"
    assert Run(run.folder / second).plan() == Run(several[0].folder / second).plan()


def test_a_second_network_without_room_for_its_plan_is_a_sentence(
    tmp_path: Path, make_plan_of: Callable[[int], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    _, second = members_of(Run(tmp_path), make_plan_of(2), parts_of(10))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FewmaskError, match="found the disk is full"):
        second.begin()


@pytest.mark.slow
def test_stopped_in_the_second_network_it_goes_on_there(
    several: tuple[Run, list[str]], discs: Path, tmp_path: Path
) -> None:
    run, _ = several
    ended: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, EpochDone):
            ended.append(int(event.row["epoch"]))
            if ended == [1, 2, 1]:
                raise KeyboardInterrupt

    heard: list[str] = []
    stopped = train(discs, runs=tmp_path, plan=run.folder / "plan.toml", listener=stop)
    assert stopped.read_json("run.json")["state"] == "stopped"
    # Both have weights, so it is a whole model all the same.
    assert (stopped.folder / "model.keras").exists()
    went_on = resume(
        stopped,
        listener=lambda event: heard.append(event.text) if isinstance(event, Said) else None,
    )
    assert f"Going on with {stopped.folder} after 3 of 5 epochs." in heard
    assert not any(sentence.startswith("Network 1 of 2") for sentence in heard)
    assert went_on.read_json("run.json")["state"] == "finished"
    second = Path("networks") / "2" / BEST
    for one, other in zip(
        load_weights(went_on.folder / second), load_weights(run.folder / second), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    before = json.loads((run.folder / "crossvalidation.json").read_text("utf-8"))
    assert went_on.read_json("crossvalidation.json")["mean_dice"] == before["mean_dice"]


@pytest.mark.slow
def test_stopped_in_the_first_network_the_model_is_that_one(
    several: tuple[Run, list[str]], discs: Path, tmp_path: Path
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, EpochDone):
            raise KeyboardInterrupt

    plan = several[0].folder / "plan.toml"
    stopped = train(discs, runs=tmp_path, plan=plan, listener=stop)
    assert (stopped.folder / "model.keras").exists()
    assert not (stopped.folder / "networks").exists()
    assert not (stopped.folder / "crossvalidation.json").exists()


def test_the_plan_of_the_run_tells_how_far_each_network_has_come(
    several: tuple[Run, list[str]], tmp_path: Path
) -> None:
    run = Run(Path(shutil.copytree(several[0].folder, tmp_path / "two")))
    second = Run(run.folder / "networks" / "2")
    slower = replace(Plan.of_run(second), pace=Pace(((0, 6), (2, 5))))
    second.write_plan(slower.to_toml())
    # As after a kill: the plan of the run does not know of it yet, the second network does.
    members = members_of(run, Plan.of_run(run), parts_of(8))
    assert members[1].plan.pace == slower.pace
    gather_paces(run, members)
    assert Plan.of_run(run).later_paces == (slower.pace,)
