"""The judgement of a run: its scores and its report, written into a folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.dataset import Dataset
from fewmask.data.folders.names import part_named
from fewmask.data.seen import image_digests, read_seen
from fewmask.errors import ArgumentError, DataError, typed
from fewmask.evaluation.evaluate import evaluate
from fewmask.evaluation.report import write_report
from fewmask.evaluation.results import Evaluation
from fewmask.files import expanded, write_text
from fewmask.inference.intake import take_in
from fewmask.inference.predict import BundledModel, Predictor, load
from fewmask.run import SEEN, Run, as_name, open_run

MOST_KEPT = 256 * 1024**2
"""Bytes of label maps that are kept from the score for the report; the others are made again."""


def judge_run(
    run: Run,
    predictor: Predictor,
    dataset: Dataset,
    folder: Path,
    *,
    part: str | None = None,
    baselines_from: Dataset | None = None,
    notes: Sequence[str] = (),
    cross_validation: Evaluation | None = None,
    images_sha256: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Scores a run's model on a dataset; writes `scores.json` and `report.html`.

    Args:
        run: The run, whose curve and plan the report shows.
        predictor: Its model.
        dataset: The images to judge by, with masks.
        folder: Where both files go.
        part: Which part of its whole the dataset is, see `evaluate`.
        baselines_from: The training part, for the baseline *mean mask*.
        notes: Sentences that the reader of the score must see beside it.
        cross_validation: Scores of the run's networks on what each had not learnt from.
        images_sha256: Which images these are, see `Evaluation`.
        progress: Called with the images done and the images in all.

    Returns:
        The scores.

    Raises:
        DataError: If the dataset does not fit the model.
        ModelError: If the model gives up: the memory is full, say.
        FewmaskError: If the files cannot be written.
    """
    kept: dict[int, NDArray[np.uint8]] = {}
    room = MOST_KEPT

    def keep(index: int, label_map: NDArray[np.uint8]) -> None:
        nonlocal room
        if label_map.nbytes <= room:
            kept[index] = label_map
            room -= label_map.nbytes

    evaluation = evaluate(predictor, dataset, baselines_from, progress, part=part, seen=keep)
    notes = (*evaluation.notes, *notes)
    evaluation = replace(evaluation, notes=notes, images_sha256=images_sha256)
    places = {dataset.sample_id(index): index for index in range(len(dataset))}

    def look(sample: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        index = places[sample]
        image = take_in(dataset.image_path(index), predictor.bundle, dataset.max_pixels)
        label_map = kept.get(index)
        if label_map is None:
            label_map = predictor.predict_pixels(image, probabilities=False).label_map
        return image, dataset.read_mask(index), label_map

    write_text(folder / "scores.json", evaluation.to_json())
    write_report(
        folder / "report.html",
        title=run.name,
        evaluation=evaluation,
        cross_validation=cross_validation,
        look=look,
        epochs=run.epochs(),
        plan=run.plan(),
        facts={**predictor.bundle.provenance, **run.read_json("run.json")["versions"]},
        next_commands=[f"fewmask predict {typed(run.folder)} PHOTO.jpg"],
    )
    return evaluation


def evaluate_run(
    run: Run | str | Path,
    dataset: Dataset,
    *,
    part: str | None = None,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    keras_model: Callable[[Path], BundledModel] | None = None,
) -> tuple[Evaluation, Path]:
    """Scores a run's model on a dataset that it may or may not have seen, and says which.

    Images are known again by their content, whatever they are called now.

    Args:
        run: The run, its folder or its name.
        dataset: Images with masks.
        part: Only this part of the dataset: `"train"`, `"val"` or `"test"`.
        folder: Where `scores.json` and `report.html` go; `evaluations/` in the run when left
            out.
        progress: Called with the images done and the images in all.
        keras_model: What opens a `model.keras` where there is no `model.onnx`, see `load`.

    Returns:
        The scores, and the folder that both files lie in.

    Raises:
        ArgumentError: If the dataset has no such part.
        DataError: If the dataset does not fit the model.
        ModelError: If the model gives up: the memory is full, say.
        RunError: If there is no such run, or it has no model yet.
    """
    run = run if isinstance(run, Run) else open_run(run)
    predictor = load(run, keras_model=keras_model)
    name = dataset.name
    images = image_digests(dataset)
    known = read_seen(run.folder / SEEN).parts_of(images)
    trained_on = [index for index, kind in enumerate(known) if kind == "train"]
    baselines_from = dataset.take(trained_on) if trained_on else None
    if part is not None:
        chosen = rows_of_part(dataset, part, known)
        dataset = dataset.take(chosen)
        images, known = ([each[index] for index in chosen] for each in (images, known))
        name = f"{name}-{part}"
    seen = Counter(known)
    notes = []
    for kind, consequence in (
        ("train", "The model was trained on them, so the score says how well it remembers."),
        ("validation", "They helped to choose the model, so the score is a little too high."),
    ):
        if seen[kind]:
            notes.append(f"{seen[kind]} of {len(dataset)} images are not new. {consequence}")
    # Only where all images were the same to the training can the score be called by that name.
    (role,) = seen if len(seen) == 1 else (None,)
    if role == "test":
        notes.append("They are the run's test part, which the training never looked at.")
    if role == "unseen":
        notes.append(f"None of the {len(dataset)} images was part of the training's dataset.")
        role = None
    own = run.folder / "evaluations" / (as_name(name) or "dataset")
    sha256 = hashlib.sha256("\n".join(sorted(images)).encode()).hexdigest()
    where = _free_for(dataset, sha256, own) if folder is None else expanded(folder)
    if (where / "run.json").exists():
        raise ArgumentError(
            f"--out {where}",
            "another folder than that of a run",
            "a run, whose scores.json and report.html are those of its training",
            "Leave --out out, or name a new folder.",
        )
    evaluation = judge_run(
        run,
        predictor,
        dataset,
        where,
        part=role,
        baselines_from=baselines_from,
        notes=notes,
        images_sha256=sha256,
        progress=progress,
    )
    return evaluation, where


def _free_for(dataset: Dataset, images_sha256: str, folder: Path) -> Path:
    """Returns the folder, or one with a number behind its name where other images' scores lie."""
    samples = sorted(dataset.sample_id(index) for index in range(len(dataset)))
    where, number = folder, 1
    while _holds_scores_of_others(where / "scores.json", samples, images_sha256):
        number += 1
        where = folder.with_name(f"{folder.name}-{number}")
    return where


def _holds_scores_of_others(path: Path, samples: list[str], images_sha256: str) -> bool:
    try:
        scored = Evaluation.from_json(path.read_text("utf-8"), path)
    except (OSError, ValueError, DataError):
        return False  # nothing there, or nothing to lose
    if scored.images_sha256 not in (None, images_sha256):
        return True
    return sorted(row.sample for row in scored.images) != samples


def rows_of_part(dataset: Dataset, part: str, known: Sequence[str]) -> list[int]:
    """Finds the images of one part: declared by the dataset, or else drawn by the training.

    Args:
        dataset: A dataset; its column `part`, if it has one, declares.
        part: `"train"`, `"test"`, or `"validation"` in any usual spelling (`val`, `valid`).
        known: What each image was to the training.

    Returns:
        Their rows.

    Raises:
        ArgumentError: If there is no such part.
    """
    wanted = part_named(part) or part
    parts = dataset.values("part") if dataset.has_column("part") else known
    rows = [row for row, name in enumerate(parts) if (part_named(str(name)) or name) == wanted]
    if not rows:
        there = sorted(set(map(str, parts)) - {"unseen"})
        raise ArgumentError(
            f"--part {part}",
            f"one of {', '.join(there)}" if there else "a dataset that is in parts",
            "no such part" if there else f"{dataset.name}, which has none",
            f"Try --part {there[0]}" if there else "Leave --part out to score all of it.",
        )
    return rows
