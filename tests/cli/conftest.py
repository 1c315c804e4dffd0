"""The command line as it is typed, and folders to type it at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fewmask.cli import main

HERE = Path(__file__).parent
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
NOT_OURS = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
TINY = ("--epochs", "1", "--size", "32", "--model", "unet", "--width", "4", "--depth", "1")
"""A training of a second."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(NOT_OURS)


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said."""

    code: Any
    out: str
    err: str

    @property
    def error(self) -> str:
        """The last line of the standard error."""
        return self.err.rstrip("\n").rpartition("\n")[2]


Fewmask = Callable[..., Told]


@pytest.fixture
def fewmask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fewmask:
    """Types a command, at first in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Told:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return Told(ended.value.code, *capsys.readouterr())

    return run


def scene(
    number: int, height: int = 24, width: int = 32
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws a red box on grey: image `(height, width, 3)`, mask `(height, width)` of 0 and 255."""
    rng = np.random.default_rng(number)
    image = rng.integers(90, 120, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    top, left = rng.integers(2, height // 2), rng.integers(2, width // 2)
    mask[top : top + height // 3, left : left + width // 3] = 255
    image[mask > 0] = (200, 30, 30)
    return image, mask


def draw_folder(folder: Path, count: int = 10, suffix: str = ".png", stem: str = "{}") -> Path:
    """Fills `images/` and `masks/` in a folder."""
    for number in range(count):
        image, mask = scene(number)
        name = stem.format(number)
        save(folder / "images" / f"{name}{suffix}", image)
        save(folder / "masks" / f"{name}.png", mask)
    return folder


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def contents(folder: Path) -> dict[str, str]:
    """Lists everything below a folder with what it holds, what is hidden too."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten `photos`, and a run `boxes` that was trained on them."""
    here = tmp_path_factory.mktemp("trained")
    draw_folder(here / "photos")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(here)
        with pytest.raises(SystemExit) as ended:
            main(["train", "photos", "--name", "boxes", *TINY])
    assert ended.value.code == 0
    return here
