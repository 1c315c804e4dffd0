"""What every test may ask for."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that has much else to do is no reason to fail.
settings.register_profile("fewmask", deadline=None)
settings.load_profile("fewmask")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several processes of several threads each would wait for each other most of the time.
    os.environ["OMP_NUM_THREADS"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real-data",
        default=str(Path(__file__).parents[2] / "shared" / "data"),
        help="folder with real photographs and masks; tests that need it are skipped without",
    )


@pytest.fixture(scope="session")
def real_data(request: pytest.FixtureRequest) -> Path:
    """The folder with real photographs; skips the test where there is none."""
    folder = Path(request.config.getoption("--real-data"))
    if not folder.is_dir():
        pytest.skip(f"no real photographs in {folder}: name their folder with --real-data")
    return folder


@pytest.fixture
def own_threads() -> Callable[[], list[threading.Thread]]:
    """Lists the threads that fewmask has begun in this test and that still run.

    What an earlier test forgot may end only now, so threads from before are left out.
    """
    before = set(threading.enumerate())

    def begun() -> list[threading.Thread]:
        now = set(threading.enumerate()) - before
        return [thread for thread in now if thread.name.startswith("fewmask")]

    return begun
