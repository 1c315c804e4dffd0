"""An FCN goes the whole way: plan, fit, model files, score."""

from pathlib import Path

import numpy as np
import pytest

from fewmask.inference.predict import load
from fewmask.run import open_run
from fewmask.training.train import train


@pytest.mark.slow
def test_an_fcn_is_trained_saved_and_scored(discs: Path, tmp_path: Path) -> None:
    run = train(
        discs,
        model="fcn8",
        pretrained=False,
        size=64,
        batch_size=4,
        epochs=1,
        runs=tmp_path,
        listener=lambda event: None,
    )
    assert open_run(run.folder).plan()["model"]["name"] == "fcn8"
    assert run.read_json("run.json")["state"] == "finished"
    image = np.zeros((40, 70, 3), np.uint8)
    assert load(run).predict(image).label_map.shape == (40, 70)
    assert {"model.keras", "report.html", "scores.json"} <= {
        file.name for file in run.folder.iterdir()
    }
