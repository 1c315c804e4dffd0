"""What the pages share: a cupboard of things that take a moment to make."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# NumPy 2 speaks so whenever Keras turns a torch tensor into an array; neither is ours to change.
NOT_OURS = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(NOT_OURS)


@pytest.fixture(scope="session")
def cupboard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Datasets and runs that are made when they are first needed, and copied from then on."""
    return tmp_path_factory.mktemp("cupboard")
