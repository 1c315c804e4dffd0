"""The finish: from the best weights to the model files, the score and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import tee
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.imageio import read_size
from fewmask.data.parts import Parts
from fewmask.errors import DataError
from fewmask.evaluation.judgement import judge_run
from fewmask.inference.intake import take_in
from fewmask.inference.predict import Predictor, load
from fewmask.inference.runtime import OnnxModel
from fewmask.models.export import exported_onnx, missing_exporter
from fewmask.models.native import order_for_torch
from fewmask.models.parity import check_parity
from fewmask.models.saving import KerasModel, save_keras
from fewmask.models.spec import build
from fewmask.models.straight import straighten
from fewmask.run import BEST, Run, versions
from fewmask.training.checkpoint import load_weights
from fewmask.training.comparing import choose_pieces, middle
from fewmask.training.events import Listener, Said, working
from fewmask.training.mirroring import compare_mirrored, look_by
from fewmask.training.plan import Plan


def finish(
    run: Run, plan: Plan, parts: Parts, fingerprint: Fingerprint, listener: Listener
) -> None:
    """Writes the model files, compares them, scores the test part and writes the report.

    The files are compared on pieces of test images, see `choose_pieces`; the score is of all of
    them. Everything it writes can be written again: a finish that was killed is repeated
    whole.

    Args:
        run: The run, with the weights of its best model.
        plan: Its plan.
        parts: Which samples are which part.
        fingerprint: What was measured of the training part.
        listener: Is told what happens.

    Raises:
        ModelError: If the exported model does not do what the trained one does.
    """
    bundle = make_bundle(run, plan, parts.train, fingerprint)
    core = build(plan.model, plan.data_format)
    core.set_weights(load_weights(run.folder / BEST))
    if plan.augmentation.horizontal_flip and parts.validation is not None:
        bundle = _looking_twice(core, plan, bundle, parts.validation, listener)
    save_keras(core, plan.model, bundle, run.folder / "model.keras")
    predictor = Predictor(bundle, KerasModel(run.folder / "model.keras"))
    if (reason := missing_exporter()) is not None:
        listener(Said(f"Saved the model, for Keras, in {run.folder}. No model.onnx: {reason}"))
    else:
        with exported_onnx(core, plan.model, bundle, run.folder / "model.onnx") as beside:
            exported = Predictor(bundle, OnnxModel(beside))
            # Each piece is read once, and forgotten before the next one.
            for_both = tee(_pieces(parts.test, bundle, working(listener, "comparing the files")))
            check_parity(
                (_label_map(predictor, pixels) for pixels in for_both[0]),
                (_label_map(exported, pixels) for pixels in for_both[1]),
                run.folder / "model.onnx",
            )
        predictor = load(run)
        listener(Said(f"Saved the model, for Keras and for ONNX Runtime, in {run.folder}."))
    evaluation = judge_run(
        run,
        predictor,
        parts.test,
        run.folder,
        part="test",
        baselines_from=parts.train,
        progress=working(listener, "scoring the test images"),
    )
    for line in evaluation.summary_lines():
        listener(Said(line))


def _looking_twice(
    core: Any, plan: Plan, bundle: Bundle, validation: Dataset, listener: Listener
) -> Bundle:
    """Lets the model look at mirror images too, if images that it did not learn from gain."""
    order_for_torch(core.variables)
    once, twice = compare_mirrored(
        look_by(straighten(core), plan.data_format == "channels_first"),
        bundle,
        validation,
        working(listener, "looking at mirror images"),
    )
    if not twice > once:  # NaN is no gain
        return bundle
    listener(
        Said(
            "The model looks at each image and at its mirror image: "
            f"validation Dice {twice:.3f} instead of {once:.3f}."
        )
    )
    return replace(bundle, mirrored=True)


def missing_files(run: Run) -> list[str]:
    """Names what a finish should have left in a run and did not.

    Args:
        run: The run.
    """
    wanted = ["model.keras", "model.onnx", "scores.json", "report.html"]
    if missing_exporter() is not None:
        wanted.remove("model.onnx")
    return [name for name in wanted if not (run.folder / name).exists()]


def make_bundle(run: Run, plan: Plan, train: Dataset, fingerprint: Fingerprint) -> Bundle:
    """Gathers what travels with the model.

    Args:
        run: The run it comes from.
        plan: Its plan.
        train: The training part.
        fingerprint: What was measured of it.

    Raises:
        DataError: If the dataset has no masks.
    """
    if train.classes is None:
        raise DataError(train.name, "masks", "none", "Name their folder with --masks DIR.")
    provenance = {
        "run": run.name,
        "dataset": train.name,
        "dataset sha256": fingerprint.sha256,
        "model": plan.model.name,
        "pretrained": plan.model.weights or "no",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "fewmask": versions()["fewmask"],
    }
    return Bundle(
        train.classes,
        plan.scale,
        fingerprint.num_channels,
        fingerprint.value_range,
        provenance,
    )


def _pieces(
    dataset: Dataset, bundle: Bundle, progress: Callable[[int, int], None]
) -> Iterator[NDArray[np.uint8]]:
    """Reads what the model files are compared on, one piece after the other."""
    paths = [dataset.image_path(index) for index in range(len(dataset))]
    chosen = choose_pieces([read_size(path, dataset.max_pixels) for path in paths])
    for done, (index, size) in enumerate(chosen.items()):
        yield middle(take_in(paths[index], bundle, dataset.max_pixels), *size)
        progress(done + 1, len(chosen))


def _label_map(predictor: Predictor, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return predictor.predict_pixels(pixels, probabilities=False).label_map
