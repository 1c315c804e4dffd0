import errno
import math
from pathlib import Path
from typing import Any, NoReturn

import pytest

from fewmask.errors import FewmaskError, RunError
from fewmask.run import FORMAT, Run, create_run, open_run, versions


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "các lần chạy"


def test_numbers_the_runs_of_a_dataset(runs: Path) -> None:
    names = [create_run(None, runs, prefix).name for prefix in ("demo/chairs", "demo/chairs", "?")]
    assert names == ["demo-chairs-1", "demo-chairs-2", "run-1"]


@pytest.mark.parametrize("name", ["ghế", "chairs 2", "a", "7", "v1.2+b_3"])
def test_takes_a_name_that_can_be_one(name: str, runs: Path) -> None:
    run = create_run(name, runs)
    assert (run.name, run.folder) == (name, runs / name)
    assert run.read_json("run.json")["format"] == FORMAT
    assert run.read_json("run.json")["versions"] == versions()


@pytest.mark.parametrize(
    ("name", "found", "near"),
    [
        ("", "nothing", "chairs"),
        ("a/b", "something else", "a-b"),
        ("../a", "something else", "a"),
        (".hidden", "something else", "hidden"),
        ("trailing ", "something else", "trailing"),
        ("trailing.", "something else", "trailing"),
        ("-x", "something else", "x"),
    ],
)
def test_refuses_a_name_that_is_none(name: str, found: str, near: str, runs: Path) -> None:
    with pytest.raises(RunError) as error:
        create_run(name, runs)
    assert str(error.value) == (
        f"--name {name!r}: expected letters, digits, spaces and . _ + - beginning and ending with "
        f"a letter or digit, found {found}. Try --name {near}"
    )
    assert not runs.exists()


@pytest.mark.parametrize(
    ("there", "next_name"),
    [
        (["ghế"], "ghế-2"),
        (["ghế", "ghế-2"], "ghế-3"),
        (["ghế-2"], "ghế-1"),
        (["ghế-1", "ghế-2"], "ghế-3"),
    ],
)
def test_refuses_a_name_in_use_with_the_next_free_one(
    there: list[str], next_name: str, runs: Path
) -> None:
    for name in there:
        create_run(name, runs)
    with pytest.raises(RunError) as error:
        create_run(there[0], runs)
    folder = runs / there[0]
    assert str(error.value) == (
        f"{folder}: expected a new name, found a run that is there already. "
        f"Take --name {next_name}, or go on with it: fewmask train --resume '{folder}'"
    )


def test_a_folder_that_is_no_run_is_not_touched_either(runs: Path) -> None:
    (runs / "ghế").mkdir(parents=True)
    with pytest.raises(RunError) as error:
        create_run("ghế", runs)
    assert str(error.value) == (
        f"{runs / 'ghế'}: expected a new name, found a file or folder that is there already. "
        "Take --name ghế-2."
    )
    assert list((runs / "ghế").iterdir()) == []


def test_two_that_begin_at_once_get_two_names(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter(["a-1", "a-1", "a-2"])
    monkeypatch.setattr("fewmask.run._free_name", lambda runs, prefix: next(taken))
    assert [create_run(None, runs, "a").name for _ in range(2)] == ["a-1", "a-2"]


def test_a_folder_without_the_right_to_write(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FewmaskError, match=f"^{runs}: expected a folder that may be written to"):
        create_run("ghế", runs)


def test_opens_by_folder_and_by_name(runs: Path) -> None:
    run = create_run("ghế", runs)
    assert open_run("ghế", runs) == open_run(runs / "ghế") == open_run(str(runs / "ghế")) == run


def test_names_the_runs_there_are(runs: Path) -> None:
    with pytest.raises(RunError) as error:
        open_run("x", runs)
    assert str(error.value) == (
        "x: expected the folder of a run, found nothing there. Make one: fewmask train FOLDER"
    )
    for number in range(10):
        create_run(f"ghế-{number}", runs)
    with pytest.raises(RunError) as error:
        open_run(runs, runs)
    first = ", ".join(f"ghế-{number}" for number in range(8))
    assert str(error.value) == (
        f"{runs}: expected the folder of a run, found a folder without run.json. "
        f"Runs in {runs}: {first} and 2 more."
    )


def test_refuses_a_run_of_a_newer_fewmask(runs: Path) -> None:
    run = create_run("ghế", runs)
    run.update(format=FORMAT + 1)
    with pytest.raises(RunError) as error:
        open_run("ghế", runs)
    assert str(error.value) == (
        f"{run.folder}: expected a run in format 1 or older, found format 2, made by a newer "
        "fewmask. Upgrade: pip install --upgrade fewmask"
    )


def test_an_update_keeps_the_rest(runs: Path) -> None:
    run = create_run("ghế", runs)
    run.update(state="training", dataset="ghế")
    run.update(state="finished")
    facts = run.read_json("run.json")
    assert (facts["state"], facts["dataset"], facts["format"]) == ("finished", "ghế", FORMAT)
    assert '"ghế"' in (run.folder / "run.json").read_text("utf-8")


def test_the_curve_comes_back_with_its_gaps(runs: Path) -> None:
    run = create_run("ghế", runs)
    assert run.epochs() == []
    run.write_epochs([{"epoch": 1.0, "loss": 0.5, "validation_dice": math.nan}])
    text = (run.folder / "epochs.csv").read_text("utf-8")
    assert text == "epoch,loss,validation_dice\n1,0.5,\n"
    (row,) = run.epochs()
    assert (row["epoch"], row["loss"]) == (1, 0.5)
    assert math.isnan(row["validation_dice"])
    run.write_epochs([{"epoch": 1.0}, {"epoch": 2.0, "kept": 1.0}])
    assert (run.folder / "epochs.csv").read_text("utf-8") == "epoch,kept\n1,\n2,1\n"


@pytest.mark.parametrize(
    ("read", "content", "words"),
    [
        (lambda run: run.read_json("run.json"), None, "expected a file that every run holds"),
        (lambda run: run.read_json("run.json"), "{", "expected JSON"),
        (lambda run: run.plan(), None, "expected a file that every run holds"),
        (lambda run: run.read_json("run.json"), "[]", "expected JSON, found a list"),
        (lambda run: run.plan(), "size = ", "expected TOML"),
        (lambda run: run.plan(), b"\xff", "expected TOML"),
        (lambda run: run.epochs(), "epoch,loss\n1,low\n", "expected a table of numbers, found"),
        (lambda run: run.epochs(), "epoch,loss\n1,2,3\n", "expected a table of numbers, found"),
    ],
)
def test_names_a_file_that_is_missing_or_damaged(
    read: Any, content: str | bytes | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        for name in ("run.json", "plan.toml", "epochs.csv"):
            whole = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(whole)
    with pytest.raises(RunError, match=words):
        read(Run(tmp_path))


def test_shows_itself_in_a_notebook(runs: Path) -> None:
    run = create_run("ghế", runs)
    assert run._repr_html_() == "<b>run ghế</b><ul><li>run.json</li></ul>"
    run.write_json("scores.json", {"mean_dice": 0.8765})
    assert run._repr_html_().startswith("<b>run ghế</b>: mean Dice 0.876<ul>")


def test_knows_the_versions_that_matter() -> None:
    found = versions()
    assert {"fewmask", "python", "system", "numpy", "onnxruntime", "pillow"} <= set(found)
