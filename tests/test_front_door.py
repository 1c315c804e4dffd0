"""What `import fewmask` gives, and what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import fewmask

SOURCE = Path(fewmask.__file__).parents[1]


@pytest.mark.parametrize("name", fewmask.__all__)
def test_every_name_is_there_and_explained(name: str) -> None:
    assert getattr(fewmask, name).__doc__


def test_the_lists_agree() -> None:
    assert sorted(fewmask.__all__) == fewmask.__all__ == sorted(fewmask._HOMES)
    assert set(fewmask.__all__) <= set(dir(fewmask))
    typed = {
        line.split(" as ")[-1].strip()
        for line in Path(fewmask.__file__).read_text("utf-8").splitlines()
        if line.startswith("    from fewmask.") and " as " in line
    }
    assert typed == set(fewmask.__all__)


def test_a_misspelled_name_is_no_name() -> None:
    with pytest.raises(AttributeError, match="module 'fewmask' has no attribute 'trian'"):
        fewmask.trian  # noqa: B018


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


HEAVY = {"numpy", "cv2", "PIL", "keras", "torch", "tensorflow", "jax", "onnxruntime", "rich"}


def test_importing_it_loads_nothing_heavy() -> None:
    assert loaded_by("import fewmask") & HEAVY == set()
    assert loaded_by("import fewmask; dir(fewmask); fewmask.FewmaskError") & HEAVY == set()


def test_reading_and_predicting_load_no_training_framework() -> None:
    loaded = loaded_by("import fewmask; fewmask.load; fewmask.load_dataset; fewmask.evaluate")
    assert "numpy" in loaded
    assert loaded & {"keras", "torch", "tensorflow", "jax", "rich", "click"} == set()
