"""The notebook tells the story of the tutorial, and every cell of it runs, in order."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from .fast import another_home, short_trainings
from .reader import ROOT

NOTEBOOK = json.loads((ROOT / "examples" / "tutorial.ipynb").read_text("utf-8"))


def sources(kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell as a notebook does; returns the value of a last line that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def view(value: Any) -> str:
    """Says in what form a notebook shows a value, as IPython chooses it."""
    for kind in ("png", "html"):
        show = getattr(type(value), f"_repr_{kind}_", None)
        if show is not None:
            assert len(show(value)) > 100
            return kind
    return "text"


@pytest.mark.slow
def test_every_cell_runs_and_objects_show_themselves(
    cupboard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    views = []
    with another_home(tmp_path / "home", cupboard), short_trainings():
        for source in sources("code"):
            value = run_cell(source, names)
            if value is not None:
                views.append(view(value))
    # dataset, row, its arrays, run, its report, prediction, its shares
    assert views == ["html", "html", "text", "html", "text", "png", "text"]
    assert (tmp_path / "mask.png").exists()


def test_it_has_the_steps_of_the_tutorial_in_their_order() -> None:
    steps = re.compile(r"^## \d+\. (.*)$", re.MULTILINE)
    tutorial = steps.findall((ROOT / "docs" / "tutorial.md").read_text("utf-8"))
    notebook = steps.findall("\n".join(sources("markdown")))
    assert notebook == [step for step in tutorial if step in notebook]
    assert len(notebook) >= len(tutorial) - 1  # in Python it is all in Python


def test_it_is_kept_without_outputs() -> None:
    assert NOTEBOOK["nbformat"] == 4
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "Clear the outputs before you save it."
            assert cell["execution_count"] is None


def test_it_is_plain_python() -> None:
    for source in sources("code"):
        assert not re.search(r"^\s*[%!]", source, re.MULTILINE), "A test cannot run magic."
