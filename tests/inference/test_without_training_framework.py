import subprocess
import sys
from pathlib import Path

import pytest

import fewmask

BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "torch", "tensorflow", "jax", "onnx"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""

COMMAND = """
from fewmask.cli import main
main(sys.argv[1:])
"""

IN_PYTHON = """
import fewmask
fewmask.load(sys.argv[1]).predict(sys.argv[2]).save(sys.argv[3])
"""


def python(code, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code, *map(str, arguments)],
        cwd=cwd,
        env={"PYTHONPATH": str(Path(fewmask.__file__).parents[1]), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def photo(write_photo, tmp_path):
    return write_photo(tmp_path / "một cái ghế.jpg", height=40, width=60)


def test_the_command_needs_none(tmp_path, write_run, photo):
    write_run(tmp_path / "runs" / "chairs")
    done = python(COMMAND, "predict", "chairs", photo.name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "Loading chairs\n")
    assert "red thing: 50.0 % of the area" in done.stdout
    assert (tmp_path / "predicted" / "một cái ghế.png").exists()


def test_python_needs_none(tmp_path, write_run, photo):
    folder = write_run(tmp_path / "a run")
    done = python(IN_PYTHON, folder, photo, tmp_path / "mask.png", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "mask.png").exists()


def test_the_test_can_fail(tmp_path):
    done = python("import onnx", cwd=tmp_path)
    assert "ModuleNotFoundError: No module named 'onnx'" in done.stderr


def test_a_mistake_is_one_sentence(tmp_path, write_run, photo):
    write_run(tmp_path / "runs" / "chairs")
    done = python(COMMAND, "predict", "chair", photo.name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Loading chair\nError: chair: expected the folder of a run, found nothing there. "
        "Runs in runs: chairs.\n"
    )
