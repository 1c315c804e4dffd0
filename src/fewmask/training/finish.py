"""The finish: from the best weights to the model files, the score and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import tee
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewmask.bundle import Bundle
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.parts import Parts
from fewmask.data.seen import read_seen
from fewmask.errors import ModelError
from fewmask.evaluation.judgement import judge_run
from fewmask.files import write_text
from fewmask.inference.predict import Predictor, load
from fewmask.inference.runtime import OnnxModel
from fewmask.models.export import exported_onnx
from fewmask.models.parity import check_parity
from fewmask.models.saving import KerasModel, save_keras
from fewmask.models.spec import build
from fewmask.run import BEST, CROSS_VALIDATION, SEEN, Run, versions
from fewmask.training.checkpoint import load_weights
from fewmask.training.comparing import take_pieces
from fewmask.training.crossvalidation import cross_validate
from fewmask.training.events import Listener, Said, working
from fewmask.training.forms import Form, choose_form
from fewmask.training.members import Member, members_of
from fewmask.training.plan import Plan


def finish(
    run: Run, plan: Plan, parts: Parts, fingerprint: Fingerprint, listener: Listener
) -> None:
    """Writes the model files, compares them, scores the test part and writes the report.

    The files are compared on pieces of test images, see `choose_pieces`; the score is of all of
    them. Where the ONNX file cannot be made or differs, it is not kept, and the Keras model is
    scored. Everything it writes can be written again: a finish that was killed is repeated
    whole.

    Args:
        run: The run, with the weights of its networks: of those that have any.
        plan: Its plan.
        parts: Which samples are which part.
        fingerprint: What was measured of the training part.
        listener: Is told what happens.

    Raises:
        ModelError: If the model gives up: the memory is full, say.
    """
    members = members_of(run, plan, parts)
    trained = [member for member in members if member.has_weights]
    networks = [_network_of(member) for member in trained]
    bundle = make_bundle(run, plan, parts, fingerprint)
    form = _choose_form(networks, plan, bundle, parts.validation, listener)
    cross_validation = None
    if len(trained) == len(members) > 1:
        folds = [member.judged_by for member in members]
        cross_validation = cross_validate(
            networks, folds, plan, form.bundle, parts.train, working(listener, "cross-validating")
        )
        write_text(run.folder / CROSS_VALIDATION, cross_validation.to_json())
        listener(
            Said(
                f"Cross-validation: {cross_validation.summary_lines()[0]}, each predicted by the "
                "network that had not learnt from it."
            )
        )
    save_keras(form.core, form.spec, form.bundle, run.folder / "model.keras")
    keras_model = KerasModel(run.folder / "model.keras")
    predictor = Predictor(form.bundle, keras_model)
    try:
        _export(form, keras_model, parts.test, run, listener)
    except ModelError as error:
        reason = f"expected {error.expected}, found {error.found}. {error.remedy}"
        # One of before is of another network, and would be taken for this one.
        (run.folder / "model.onnx").unlink(missing_ok=True)
        listener(Said(f"Saved the model, for Keras, in {run.folder}. No model.onnx: {reason}"))
    else:
        predictor = load(run)
        listener(Said(f"Saved the model, for Keras and for ONNX Runtime, in {run.folder}."))
    evaluation = judge_run(
        run,
        predictor,
        parts.test,
        run.folder,
        part="test",
        baselines_from=parts.train,
        notes=read_seen(run.folder / SEEN).findings(),
        cross_validation=cross_validation,
        progress=working(listener, "scoring the test images"),
    )
    for line in evaluation.summary_lines():
        listener(Said(line))


def _export(
    form: Form, keras_model: KerasModel, test: Dataset, run: Run, listener: Listener
) -> None:
    """Writes the ONNX file, if it does on pieces of test images what the Keras model does."""
    path = run.folder / "model.onnx"
    with exported_onnx(form.core, form.spec, form.bundle, path) as beside:
        # What is left out for being too small would make a large difference of a small one.
        every_pixel = replace(form.bundle, least_areas=None)
        saved = Predictor(every_pixel, keras_model)
        exported = Predictor(every_pixel, OnnxModel(beside))
        # Each piece is read once, and forgotten before the next one.
        comparing = working(listener, "comparing the files")
        for_both = tee(take_pieces(test, form.bundle, comparing))
        check_parity(
            (_label_map(saved, pixels) for _, pixels in for_both[0]),
            (_label_map(exported, pixels) for _, pixels in for_both[1]),
            path,
        )


def _network_of(member: Member) -> Any:
    """Builds a network with the best weights that it had."""
    network = build(member.plan.model, member.plan.data_format)
    network.set_weights(load_weights(member.run.folder / BEST))
    return network


def _choose_form(
    networks: Sequence[Any],
    plan: Plan,
    bundle: Bundle,
    validation: Dataset | None,
    listener: Listener,
) -> Form:
    """Chooses what the model is made of, by images that no network has learnt from."""
    trying = working(listener, "trying forms of the model")
    form, plainest = choose_form(networks, plan, bundle, validation, trying)
    if form is not plainest:
        listener(
            Said(
                f"The model {form.words}: validation Dice {form.dice:.3f} instead of "
                f"{plainest.dice:.3f}{'' if len(networks) == 1 else ' of a single one'}."
            )
        )
    if form.dice > form.dice_of_all:
        listener(
            Said(
                "What covers less of an image than half of the least in any mask is left out: "
                f"validation Dice {form.dice:.3f} instead of {form.dice_of_all:.3f}."
            )
        )
    return form


def missing_files(run: Run) -> list[str]:
    """Names what a finish should have left in a run and did not.

    Args:
        run: The run.
    """
    wanted = ["model.keras", "model.onnx", "scores.json", "report.html"]
    return [name for name in wanted if not (run.folder / name).exists()]


def make_bundle(run: Run, plan: Plan, parts: Parts, fingerprint: Fingerprint) -> Bundle:
    """Gathers what travels with the model.

    Args:
        run: The run it comes from.
        plan: Its plan.
        parts: Which samples are which part.
        fingerprint: What was measured of the training part.

    Raises:
        DataError: If the dataset has no masks.
    """
    provenance = {
        "run": run.name,
        "dataset": parts.train.name,
        "dataset sha256": fingerprint.sha256,
        "model": plan.model.name,
        "pretrained": plan.model.weights or "no",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "fewmask": versions()["fewmask"],
    }
    return Bundle(
        parts.classes,
        plan.scale,
        fingerprint.num_channels,
        fingerprint.value_range,
        provenance,
        least_areas=fingerprint.least_areas(at_own_scale=plan.pixels is not None),
    )


def _label_map(predictor: Predictor, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return predictor.predict_pixels(pixels, probabilities=False).label_map
