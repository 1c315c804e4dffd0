"""What the tests of the models share: small specs, bundles and pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.models.backend import keras
from fewmask.models.spec import ModelSpec, build
from fewmask.scale import Frame, ScaleRule

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
def shuffle_weights() -> Callable[[Any], Any]:
    """Gives every weight a value of its own: fresh gammas of 1 and biases of 0 hide mistakes."""

    def shuffle(core: Any) -> Any:
        rng = np.random.default_rng(0)
        for weight in core.weights:
            if weight.path.endswith(("gamma", "moving_variance")):
                weight.assign(rng.uniform(0.7, 1.3, weight.shape))
            elif weight.path.endswith(("bias", "beta", "moving_mean")):
                weight.assign(rng.normal(0, 0.1, weight.shape))
        return core

    return shuffle


@pytest.fixture(scope="session")
def make_core(
    shuffle_weights: Callable[[Any], Any],
) -> Callable[..., tuple[Any, ModelSpec, Bundle]]:
    """Builds a small core with its spec and a bundle, for frames of 32 pixels unless told."""

    def make(
        data_format: str = "channels_first",
        size: int = 32,
        scale: ScaleRule | None = None,
        mirrored: bool = False,
        **fields: Any,
    ) -> tuple[Any, ModelSpec, Bundle]:
        keras.utils.set_random_seed(0)
        spec = ModelSpec(**{"name": "unet", "num_classes": 2, "depth": 2, "width": 4, **fields})
        names = ("background", "ghế", "bàn", "tủ")[: spec.num_classes]
        rule = scale or Frame(size)
        classes = Classes(names, ignore_index=255)
        bundle = Bundle(classes, rule, spec.channels, mirrored=mirrored)
        return shuffle_weights(build(spec, data_format)), spec, bundle

    return make


@pytest.fixture(scope="session")
def picture() -> Callable[..., NDArray[np.uint8]]:
    """Draws a picture with a gradient, an edge and noise."""

    def draw(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width]
        plane = 100 * y / height + 80 * (x > width / 3) + rng.integers(0, 60, (height, width))
        planes = [plane * (1 - 0.2 * index) for index in range(channels)]
        return np.stack(planes, axis=-1).astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def outputs() -> Callable[[Any, NDArray[Any]], NDArray[np.float32]]:
    """Runs a core on a batch in channels_last, whatever its own layout is."""

    def run(core: Any, batch: NDArray[Any]) -> NDArray[np.float32]:
        first = core.input_shape[1] is not None
        given = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) if first else batch
        made: NDArray[np.float32] = np.asarray(core.predict_on_batch(given.astype(np.float32)))
        return made.transpose(0, 2, 3, 1) if first else made

    return run
