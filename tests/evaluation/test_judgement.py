import json
from pathlib import Path
from typing import Any

import pytest

from fewmask.data.classes import Classes
from fewmask.data.dataset import Dataset
from fewmask.data.parts import Parts
from fewmask.data.schema import Column
from fewmask.data.seen import write_seen
from fewmask.errors import ArgumentError, RunError
from fewmask.evaluation import judgement
from fewmask.evaluation.judgement import evaluate_run, judge_run, rows_of_part
from fewmask.run import Run, create_run


def row(*places: int) -> list[list[int]]:
    """Six pixels in a row, of class 1 at these places."""
    return [[int(place in places) for place in range(6)]]


REMEMBERS = (
    "{} of {} images are not new. The model was trained on them, so the score says how well it "
    "remembers."
)
CHOSEN = (
    "{} of {} images are not new. They helped to choose the model, so the score is a little too "
    "high."
)


@pytest.fixture
def things(make: Any, chair: Classes) -> Dataset:
    """Six samples: four that the model gets right, two that it misses."""
    right = [(row(place), row(place)) for place in range(4)]
    pairs = [*right, (row(4), row(0, 1)), (row(5), row(2, 3))]
    dataset: Dataset = make.dataset(pairs, chair)
    return dataset


@pytest.fixture
def run(things: Dataset, make: Any, chair: Classes, tmp_path: Path, monkeypatch: Any) -> Run:
    """A run that learned from samples 0 and 1, was chosen by 2, and tested on 3, 4 and 5."""
    run = create_run("ghế", tmp_path / "runs")
    (run.folder / "plan.toml").write_text("size = 64\n")
    parts = Parts(things.take((0, 1)), things.take((2,)), things.take((3, 4, 5)), ())
    write_seen(run.folder / "parts.csv", parts)
    monkeypatch.setattr(judgement, "load", lambda *given, **named: make.predictor(chair))
    return run


def test_writes_scores_and_a_report(
    run: Run, things: Dataset, make: Any, chair: Classes, tmp_path: Path
) -> None:
    evaluation = judge_run(
        run,
        make.predictor(chair),
        things.take((3, 4, 5)),
        tmp_path / "here",
        part="test",
        baselines_from=things.take((0, 1)),
        notes=("A word of warning.",),
    )
    assert evaluation.mean_dice == pytest.approx(1 / 3)
    assert evaluation.notes[-1] == "A word of warning."
    scores = json.loads((tmp_path / "here" / "scores.json").read_text("utf-8"))
    assert scores["mean_dice"] == pytest.approx(1 / 3)
    report = (tmp_path / "here" / "report.html").read_text("utf-8")
    assert "A word of warning." in report
    assert f"fewmask predict {run.folder} PHOTO.jpg" in report


@pytest.mark.parametrize(("room", "looks"), [(10**6, 3), (0, 6)])
def test_images_are_predicted_once_where_their_maps_fit_into_memory(
    room: int,
    looks: int,
    run: Run,
    things: Dataset,
    make: Any,
    chair: Classes,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    predictor = make.predictor(chair)
    looked: list[int] = []

    class Counting(type(predictor)):  # type: ignore[misc]
        def predict_pixels(self, *arguments: Any, **options: Any) -> Any:
            looked.append(1)
            return super().predict_pixels(*arguments, **options)

    predictor.__class__ = Counting
    monkeypatch.setattr(judgement, "MOST_KEPT", room)
    judge_run(run, predictor, things.take((3, 4, 5)), tmp_path / "here")
    assert len(looked) == looks


@pytest.mark.parametrize(
    ("rows", "part", "notes"),
    [
        ((3, 4, 5), "test", []),
        (
            (0, 1),
            "train",
            [REMEMBERS.format(2, 2)],
        ),
        (
            (0, 2, 3),
            None,
            [
                REMEMBERS.format(1, 3),
                CHOSEN.format(1, 3),
            ],
        ),
    ],
)
def test_says_what_the_run_has_seen(
    rows: tuple[int, ...], part: str | None, notes: list[str], run: Run, things: Dataset
) -> None:
    evaluation, folder = evaluate_run(run, things.take(rows))
    assert folder == run.folder / "evaluations" / "things"
    assert {path.name for path in folder.iterdir()} == {"scores.json", "report.html"}
    assert evaluation.part == part
    assert [note for note in evaluation.notes if "not new" in note] == notes


def test_says_that_all_is_new(run: Run, make: Any, chair: Classes, tmp_path: Path) -> None:
    others = make.dataset([(row(0), row(0, 1, 2)), (row(1), row(1, 2))], chair, name="others")
    evaluation, folder = evaluate_run(run, others, folder=tmp_path / "here")
    assert evaluation.part is None
    assert "None of the 2 images was part of the training's dataset." in evaluation.notes
    assert folder == tmp_path / "here"


def in_parts(dataset: Dataset, parts: list[str]) -> Dataset:
    rows = [(*row, part) for row, part in zip(dataset.rows, parts, strict=True)]
    column = Column("part", "category", tuple(dict.fromkeys(parts)))
    return Dataset(
        dataset.name,
        dataset.root,
        [*dataset.columns, column],
        rows,
        dataset.classes,
        dataset.encoding,
    )


@pytest.mark.parametrize(("asked", "count"), [("train", 3), ("val", 2), ("valid", 2), ("test", 1)])
def test_one_part_alone(asked: str, count: int, things: Dataset) -> None:
    dataset = in_parts(things, ["train"] * 3 + ["validation"] * 2 + ["test"])
    assert len(rows_of_part(dataset, asked, ["unseen"] * 6)) == count


def test_the_parts_that_training_drew_are_known_again(run: Run, things: Dataset) -> None:
    evaluation, folder = evaluate_run(run, things, part="test")
    assert [row.sample for row in evaluation.images] == [things.sample_id(i) for i in (3, 4, 5)]
    assert evaluation.part == "test"
    assert "mean mask" in [each.name for each in evaluation.baselines]
    assert folder.name == "things-test"


def test_the_scores_of_the_training_are_not_replaced(run: Run, things: Dataset) -> None:
    with pytest.raises(ArgumentError) as error:
        evaluate_run(run, things, folder=run.folder)
    assert str(error.value) == (
        f"--out {run.folder}: expected another folder than that of a run, found a run, whose "
        "scores.json and report.html are those of its training. Leave --out out, or name a new "
        "folder."
    )
    another = create_run("another", run.folder.parent)
    with pytest.raises(ArgumentError, match="found a run, whose scores"):
        evaluate_run(run, things, folder=another.folder)


def test_the_scores_of_other_images_are_not_replaced(run: Run, things: Dataset) -> None:
    # Folders of two laboratories are often called alike.
    folders = [evaluate_run(run, things.take(rows))[1] for rows in ((0, 1), (2, 3), (1, 0), (4,))]
    assert [folder.name for folder in folders] == ["things", "things-2", "things", "things-3"]
    (folders[0] / "scores.json").write_text("{")
    assert evaluate_run(run, things.take((5,)))[1] == folders[0]


def test_other_images_of_the_same_names_are_others(
    run: Run, make: Any, chair: Classes, tmp_path: Path
) -> None:
    folders = []
    for place in (0, 1, 0):
        make.folder = tmp_path / f"laboratory {place}"
        _, folder = evaluate_run(run, make.dataset([(row(place), row(place))], chair))
        folders.append(folder)
    assert [folder.name for folder in folders] == ["things", "things-2", "things"]
    # Of scores that do not say which images they are of, the names must do.
    scores = json.loads((folders[0] / "scores.json").read_text("utf-8"))
    del scores["images_sha256"]
    (folders[0] / "scores.json").write_text(json.dumps(scores), "utf-8")
    make.folder = tmp_path / "laboratory 2"
    _, folder = evaluate_run(run, make.dataset([(row(2), row(2))], chair))
    assert folder == folders[0]


def test_names_the_folder_after_the_part(run: Run, things: Dataset) -> None:
    dataset = in_parts(things, ["train"] * 3 + ["test"] * 3)
    evaluation, folder = evaluate_run(run, dataset, part="test")
    assert folder.name == "things-test"
    assert len(evaluation.images) == 3


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            ["train", "test", "test", "test", "test", "test"],
            "--part val: expected one of test, train, found no such part. Try --part test",
        ),
        (
            None,
            "--part val: expected a dataset that is in parts, found things, which has none. "
            "Leave --part out to score all of it.",
        ),
    ],
)
def test_refuses_a_part_that_is_not_there(
    parts: list[str] | None, sentence: str, things: Dataset
) -> None:
    dataset = in_parts(things, parts) if parts else things
    with pytest.raises(ArgumentError) as error:
        rows_of_part(dataset, "val", ["unseen"] * 6)
    assert str(error.value) == sentence


def test_refuses_a_run_that_is_not_there(things: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected the folder of a run, found nothing there"):
        evaluate_run(tmp_path / "nothing", things)
