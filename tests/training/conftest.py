"""What the tests of training share: small pictures of discs, a small recipe, one finished run."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.data.fingerprint import take_fingerprint
from fewmask.data.imageio import write_png
from fewmask.packages.load import load_dataset
from fewmask.run import Run
from fewmask.training.events import Event, Said
from fewmask.training.plan import Plan
from fewmask.training.recipe import make_recipe
from fewmask.training.train import train
from fewmask.training.usual_plan import make_plan

HERE = Path(__file__).parent
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
NOT_OURS = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
TINY = {"model": "unet", "width": 4, "depth": 1, "size": 32, "batch_size": 2, "epochs": 2}
"""A recipe whose epoch takes a moment."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(NOT_OURS)


class Heard(list[Event]):
    """A listener that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def sentences(self) -> list[str]:
        return [event.text for event in self if isinstance(event, Said)]


def draw_disc(number: int, num_classes: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns an image `(H, W, 3)` of coloured discs on noise, 48 to 64 pixels a side, and its
    mask: one disc a foreground class."""
    rng = np.random.default_rng(number)
    height, width = rng.integers(48, 65, 2)
    y, x = np.mgrid[:height, :width]
    image = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    for class_id in range(1, num_classes):
        middle_y, middle_x = rng.integers(12, height - 12), rng.integers(12, width - 12)
        inside = (y - middle_y) ** 2 + (x - middle_x) ** 2 < rng.integers(8, 12) ** 2
        image[inside] = (230, 250 - 50 * class_id, 40 * class_id)
        mask[inside] = class_id
    return image, mask


def draw_discs(folder: Path, count: int = 12) -> Path:
    """Writes images and masks of 0 and 255 below a folder."""
    for number in range(count):
        image, mask = draw_disc(number)
        write_png(folder / "images" / f"đĩa {number:02d}.png", image)
        write_png(folder / "masks" / f"đĩa {number:02d}.png", mask * np.uint8(255))
    return folder


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures, of which 8 train, 2 choose and 2 test."""
    return draw_discs(tmp_path_factory.mktemp("data") / "discs")


@pytest.fixture(scope="session")
def disc() -> Callable[..., tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    return draw_disc


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    return dict(TINY)


@pytest.fixture(scope="session")
def trained(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Heard]:
    """One training from beginning to end, with what it said; not to be changed."""
    heard = Heard()
    run = train(discs, runs=tmp_path_factory.mktemp("runs"), listener=heard, **TINY)
    return run, heard


@pytest.fixture
def finished(trained: tuple[Run, Heard], tmp_path: Path) -> Run:
    """A copy of a finished run, for the test to spoil."""
    return Run(Path(shutil.copytree(trained[0].folder, tmp_path / trained[0].name)))


@pytest.fixture(scope="module")
def make_tiny_plan(discs: Path, tiny: dict[str, Any]) -> Callable[..., Plan]:
    fingerprint = take_fingerprint(load_dataset(discs))

    def make(**asked: Any) -> Plan:
        recipe = make_recipe(**{**tiny, **asked})
        return make_plan(
            recipe,
            fingerprint,
            num_train=4,
            num_classes=2,
            weights_at_hand=False,
            data_format="channels_first",
        )

    return make
