"""The package is a staircase: a module imports only from its own step or a lower one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "fewmask"
STEPS = (
    "errors", "files", "run", "data", "packages", "scale", "bundle", "inference",
    "evaluation", "models", "training", "cli", "__main__",
)  # fmt: skip
LOADERS = {"data/loaders/keras.py", "data/loaders/torch.py"}
"""What feeds a framework must name it; `Dataset` imports these when they are called for."""
FRAMEWORKS = {"keras", "torch", "jax", "tensorflow", "onnx"}
ONE_HOME = {
    "PIL": {"data/imageio/reading.py", "data/imageio/raster.py"},
    "tifffile": {"data/imageio/tiff.py"},
    "onnxruntime": {"inference/runtime.py"},
    "keras": {"models/backend.py", "data/loaders/keras.py"},
    "pyarrow": {"packages/parquet.py"},
    "fsspec": {"packages/remotes"},
    "huggingface_hub": {"packages/remotes"},
    "pycocotools": {"data/formats/rle.py"},
    "click": {"cli"},
    "rich": {"cli"},
    "yaml": {"data/masks/legend.py", "packages/card.py"},
}


def imported_names(path: Path, tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write 'from fewmask.…' in full"
            yield str(node.module), node.lineno
            if node.module == "fewmask":
                yield from ((f"fewmask.{alias.name}", node.lineno) for alias in node.names)


def step_of(parts: tuple[str, ...]) -> int:
    return STEPS.index(parts[0])


def broken_rules(name: str, source: str) -> Iterator[str]:
    """Yields a line for each import of the file `name` (relative to the package) that goes up."""
    path = Path(name)
    homes = {name, path.parts[0], path.parent.as_posix()}
    own = step_of(path.with_suffix("").parts)
    for imported, line in imported_names(path, ast.parse(source)):
        top, _, rest = imported.partition(".")
        where = f"{name}:{line} imports {imported}"
        if top == "fewmask" and rest and rest.split(".")[0] in STEPS:
            if step_of(tuple(rest.split("."))) > own:
                yield f"{where}: '{path.parts[0]}' is below '{rest.split('.')[0]}' on the staircase"
        elif top in ONE_HOME and not homes & ONE_HOME[top]:
            yield f"{where}: only {sorted(ONE_HOME[top])} may"
        elif top in FRAMEWORKS and own < STEPS.index("models") and name not in LOADERS:
            yield f"{where}: '{path.parts[0]}' must load without a training framework"


def modules() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def test_imports_only_go_down() -> None:
    found = [
        rule
        for path in modules()
        for rule in broken_rules(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("data/split.py", "def f():\n    from fewmask.training import fit", "below 'training'"),
        (
            "data/split.py",
            "import keras",
            "'models/backend.py'] may",
        ),
        ("inference/predict.py", "import torch", "must load without a training framework"),
        ("training/fit.py", "import onnxruntime", "only ['inference/runtime.py'] may"),
        ("bundle.py", "from fewmask import cli", "below 'cli'"),
    ],
)
def test_the_staircase_notices(name: str, source: str, complaint: str) -> None:
    (line,) = broken_rules(name, source)
    assert complaint in line


def test_inside_the_package_nothing_imports_in_a_circle() -> None:
    names = {
        ".".join(("fewmask", *path.relative_to(ROOT).with_suffix("").parts)): path
        for path in modules()
        if path.name != "__init__.py"
    }
    edges = {
        name: {
            imported
            for imported, _ in imported_names(path, ast.parse(path.read_text("utf-8")))
            if imported in names
        }
        for name, path in names.items()
    }
    while leaves := [name for name, below in edges.items() if not below & edges.keys()]:
        for name in leaves:
            del edges[name]
    assert edges == {}, f"these import each other: {sorted(edges)}"


def test_no_file_whose_name_promises_nothing() -> None:
    empty_names = {"util", "utils", "helper", "helpers", "misc", "common", "manager", "managers"}
    assert [path for path in modules() if path.stem in empty_names] == []
