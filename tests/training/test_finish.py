import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.parts import Parts
from fewmask.data.seen import divide_as_seen, read_seen
from fewmask.errors import DataError
from fewmask.packages.load import load_dataset
from fewmask.run import Run
from fewmask.training import finish as finishing
from fewmask.training.comparing import take_pieces
from fewmask.training.finish import finish, make_bundle, missing_files
from fewmask.training.plan import Plan


class Ended:
    """A finished run with all that its finish was given."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.plan = Plan.of_run(run)
        dataset = load_dataset(run.read_json("run.json")["source"]["path"])
        self.parts = divide_as_seen(dataset, read_seen(run.folder / "parts.csv"), run.folder)
        text = (run.folder / "fingerprint.json").read_text("utf-8")
        self.fingerprint = Fingerprint.from_json(text)

    def finish(self, heard: Any = lambda event: None) -> None:
        finish(self.run, self.plan, self.parts, self.fingerprint, heard)


@pytest.fixture
def ended(finished: Run) -> Ended:
    return Ended(finished)


def test_what_is_missing_is_named(finished: Run) -> None:
    assert missing_files(finished) == []
    (finished.folder / "model.onnx").unlink()
    (finished.folder / "scores.json").unlink()
    assert missing_files(finished) == ["model.onnx", "scores.json"]


def test_a_second_finish_gives_the_same_scores(ended: Ended) -> None:
    scores = ended.run.folder / "scores.json"
    before = json.loads(scores.read_text("utf-8"))
    scores.unlink()
    ended.finish()
    assert json.loads(scores.read_text("utf-8")) == before


def test_what_travels_with_the_model(ended: Ended) -> None:
    bundle = make_bundle(ended.run, ended.plan, ended.parts, ended.fingerprint)
    assert bundle.scale.size == 32
    assert bundle.classes.names == ("background", "foreground")
    assert bundle.channels == 3
    assert bundle.provenance["run"] == ended.run.name
    assert bundle.provenance["pretrained"] == "no"


def test_a_dataset_without_masks_makes_no_model(ended: Ended) -> None:
    parts = replace(ended.parts, train=replace(ended.parts.train, classes=None))
    with pytest.raises(DataError, match=r"expected masks, found none\. Name their folder"):
        make_bundle(ended.run, ended.plan, parts, ended.fingerprint)


@pytest.fixture
def wrong_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter whose model calls everything background foreground."""

    class Wrong(finishing.OnnxModel):
        def __call__(self, image: Any) -> Any:
            labels, maps = super().__call__(image)
            return np.uint8(1) - labels, maps

    monkeypatch.setattr(finishing, "OnnxModel", Wrong)


@pytest.mark.usefixtures("wrong_export")
@pytest.mark.parametrize("earlier", [True, False])
def test_the_keras_model_is_scored_where_the_onnx_file_differs(ended: Ended, earlier: bool) -> None:
    onnx = ended.run.folder / "model.onnx"
    if not earlier:
        onnx.unlink()
    before = ended.run.read_json("scores.json")["mean_dice"]
    for name in ("scores.json", "report.html"):
        (ended.run.folder / name).unlink()
    heard: list[Any] = []
    ended.finish(heard.append)
    sentence = next(event.text for event in heard if hasattr(event, "text"))
    assert sentence.startswith(
        f"Saved the model, for Keras, in {ended.run.folder}. No model.onnx: expected 99.9 % of "
        "the pixels labelled as by the trained model, found "
    )
    assert sentence.endswith("Please report it: the exported model is wrong, and was not kept.")
    # One of an earlier finish would be taken for this model.
    assert missing_files(ended.run) == ["model.onnx"]
    assert ended.run.read_json("scores.json")["mean_dice"] == pytest.approx(before, abs=1e-3)
    assert [path for path in ended.run.folder.iterdir() if path.name.startswith(".")] == []


def test_compares_on_the_test_part_alone(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []

    def note(dataset: Dataset, *rest: Any, **more: Any) -> Any:
        for index, pixels in take_pieces(dataset, *rest, **more):
            taken.append(dataset.image_path(index))
            yield index, pixels

    monkeypatch.setattr(finishing, "take_pieces", note)
    ended.finish()
    parts: Parts = ended.parts
    paths: Iterator[Any] = (parts.test.image_path(index) for index in range(len(parts.test)))
    assert set(taken) == set(paths)
