import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

import fewmask
from fewmask.errors import FewmaskError, RunError
from fewmask.run import Run
from fewmask.training import lock
from fewmask.training.lock import LOCK, locked

HOLD = """
import sys
from pathlib import Path
from fewmask.run import Run
from fewmask.training.lock import locked
with locked(Run(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "ghế 1").mkdir()
    return Run(tmp_path / "ghế 1")


def test_nothing_is_left_of_it(run: Run) -> None:
    for _ in range(2):
        with locked(run):
            assert (run.folder / LOCK).read_text() == str(os.getpid())
        assert list(run.folder.iterdir()) == []


def test_is_given_back_when_the_block_raises(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt), locked(run):
        raise KeyboardInterrupt
    with locked(run):
        pass


def test_bars_a_second_training_in_the_same_process(run: Run) -> None:
    with locked(run):
        with pytest.raises(RunError, match="another training at work in it"), locked(run):
            pass
        with pytest.raises(RunError, match="another training at work in it"), locked(run):
            pass  # the refusal did not take the first one's lock away


def test_bars_other_processes_until_they_end_however_they_end(run: Run) -> None:
    source = str(Path(fewmask.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": source},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(RunError) as error, locked(run):
            pass
        other.kill()
    assert str(error.value) == (
        f"{run.folder}: expected a run that nobody is training, found another training at work "
        f"in it (process {other.pid}). Wait until it ends, or stop it with Ctrl-C."
    )
    assert (run.folder / LOCK).exists()  # killed: its file is still there, and bars nobody
    with locked(run):
        pass


def test_where_locks_are_unknown_nobody_is_barred(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(file: int) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", unknown)
    with locked(run):
        assert (run.folder / LOCK).exists()


def test_a_folder_without_the_right_to_write(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(FewmaskError) as error, locked(run):
        pass
    assert str(error.value) == (
        f"{run.folder / LOCK}: expected a folder that may be written to, found no right to write "
        "there. Choose another folder or change its rights."
    )
