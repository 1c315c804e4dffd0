"""Makes what pages do short, and keeps it away from the datasets that a developer has installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from fewmask.data import demo
from fewmask.models.backend import keras
from fewmask.training import preparation
from fewmask.training import train as training
from fewmask.training.recipe import Recipe, make_recipe

from .beside import DEMO, small_demo
from .stage import FAST, FAST_FIT


@contextmanager
def short_trainings() -> Iterator[None]:
    """Lets every training of fewmask and of Keras end after a moment.

    What a page asks for is checked before it is replaced, so that it could be typed.
    """
    train, plan, fit = training.train, preparation.plan, keras.Model.fit

    def shortened(asked: dict[str, Any]) -> dict[str, Any]:
        fields = set(Recipe.__dataclass_fields__)
        make_recipe(**{name: value for name, value in asked.items() if name in fields})
        # A number of epochs is no budget.
        return {**asked, **FAST, "budget": None}

    def train_shortly(dataset: Any, **asked: Any) -> Any:
        # A plan is followed as it is; the pages' own were made for short trainings.
        return train(dataset, **(asked if asked.get("plan") else shortened(asked)))

    def plan_shortly(dataset: Any, **asked: Any) -> Any:
        return plan(dataset, **shortened(asked))

    def fit_shortly(model: Any, *arguments: Any, **asked: Any) -> Any:
        return fit(model, *arguments, **{**asked, **FAST_FIT})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", train_shortly)
        patch.setattr(preparation, "plan", plan_shortly)
        patch.setattr(keras.Model, "fit", fit_shortly)
        yield


@contextmanager
def another_home(home: Path, cupboard: Path) -> Iterator[None]:
    """Gives fewmask folders of its own for cache, store and registries, with the demo in small.

    Args:
        home: The folder for them; a new one for each page.
        cupboard: Folder of things made before, from which the demo is copied.
    """
    chairs = small_demo(cupboard)
    shutil.copytree(chairs, home / "cache" / DEMO)

    def copy_chairs(folder: str | Path, count: int = 97, progress: Any = None) -> None:
        shutil.copytree(chairs, folder, dirs_exist_ok=True)

    with pytest.MonkeyPatch.context() as patch:
        for kind in ("cache", "data", "config"):
            folder = str(home / kind)
            patch.setattr(platformdirs, f"user_{kind}_dir", lambda *_, at=folder, **__: at)
            patch.setenv(f"XDG_{kind.upper()}_HOME", str(home / "elsewhere" / kind))
        patch.setattr(demo, "draw_chairs", copy_chairs)
        yield
