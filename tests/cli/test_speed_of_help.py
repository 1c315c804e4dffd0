import json
import subprocess
import sys

import pytest

from fewmask.cli import COMMANDS

PROGRAM = """
import json, sys
from fewmask.cli import main
try:
    main({words})
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""
SLOW = {"numpy", "cv2", "PIL", "onnxruntime", "keras", "torch", "jax", "tensorflow", "rich"}


def imported_by(*words):
    program = PROGRAM.format(words=list(words))
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(told.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([name, "-h"] for name in COMMANDS)])
def test_help_imports_nothing_slow(words):
    imported = imported_by(*words)
    assert imported & SLOW == set()
    # Nor the commands that were not asked for.
    asked = {f"fewmask.cli.{word}" for word in words if word in COMMANDS}
    assert imported & {f"fewmask.cli.{name}" for name in COMMANDS} == asked


@pytest.mark.parametrize("words", [["dataset", "list"], ["dataset", "info", "nobody/nothing"]])
def test_a_look_at_the_store_imports_nothing_slow(words):
    """Less than 0.4 s, measured by benchmarks/packages.py; here what takes time is named."""
    assert imported_by(*words) & {*SLOW, "pyarrow", "fsspec", "yaml", "filelock", "ssl"} == set()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["inspect", "nowhere"], "Reading nowhere\n"),
        (["train", "nowhere"], "Starting Keras\n"),
        (["evaluate", "nowhere", "x"], "Evaluating nowhere\n"),
        (["predict", "nowhere", "x"], "Loading nowhere\n"),
    ],
)
def test_a_line_is_printed_before_anything_slow_is_imported(words, first, tmp_path):
    # An import of what is slow ends this program, as a missing package would.
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {SLOW!r}: sys.exit(9)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from fewmask.cli import main\n"
        f"main({words!r})\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (told.returncode, told.stdout, told.stderr) == (9, "", first)


@pytest.mark.parametrize("command", ["inspect", "evaluate", "predict"])
def test_what_needs_no_training_starts_no_framework(command):
    imported = imported_by(*{"inspect": ("inspect", "x")}.get(command, (command, "x", "y")))
    assert imported & {"keras", "torch", "jax", "tensorflow", "onnx"} == set()
