"""Training from beginning to end: data in, a run with model, score and report out."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fewmask.data.ahead import count_cores
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.parts import Parts
from fewmask.data.seen import divide_as_seen, read_seen, write_seen
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError, FewmaskError, RunError, typed
from fewmask.files import expanded, remove_unfinished, write_text
from fewmask.models.pretrained import find_weights
from fewmask.run import BEST, BUNDLE, RUNS, SEEN, Run, check_name, create_run, open_run, versions
from fewmask.training.checkpoint import State
from fewmask.training.clock import Clock
from fewmask.training.events import Listener, Said, print_events, working
from fewmask.training.finish import finish, make_bundle, missing_files
from fewmask.training.fit_members import fit_members
from fewmask.training.keeper import Diverged
from fewmask.training.lock import locked
from fewmask.training.members import gather_paces, members_of
from fewmask.training.plan import Plan
from fewmask.training.preparation import prepare, read_plan
from fewmask.training.recipe import make_recipe, option
from fewmask.training.source import Source

FINGERPRINT = "fingerprint.json"


def train(
    dataset: Dataset | str | Path,
    *,
    name: str | None = None,
    runs: str | Path = RUNS,
    masks: str | Path | None = None,
    classes: Sequence[str] = (),
    ignore_index: int | None = None,
    threshold: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    listener: Listener = print_events,
    plan: Plan | str | Path | None = None,
    began: float | None = None,
    **asked: Any,
) -> Run:
    """Trains a model and leaves everything about it in the folder of a run.

    The test part of the dataset chooses nothing: it is scored once, at the end, at its images'
    own size. Ctrl-C ends the training and finishes with the best model so far.

    Args:
        dataset: A dataset, or the folder or name of one.
        name: Name of the run; a numbered one is taken when left out.
        runs: Folder that the run is made in.
        masks: Folder with the masks, where several could be meant.
        classes: What the masks' values mean, see `load_dataset`.
        ignore_index: Mask value whose pixels do not count.
        threshold: Grey value from which on a mask is foreground.
        max_pixels: Most pixels of a picture that is opened.
        listener: Is told what happens; prints a line an epoch when left out.
        plan: A plan to follow as it is, or the file of one; it leaves nothing to ask for.
        began: Where `time.monotonic` stood when the budget began to run; now when left out.
        asked: Fields of `Recipe`: `budget`, `epochs`, `model`, `size` and so on.

    Returns:
        The run.

    Raises:
        FewmaskError: If the data, an argument or the folder will not do; it says which.
    """
    began = time.monotonic() if began is None else began
    runs = expanded(runs)
    recipe = make_recipe(**asked)
    given = None if plan is None else plan if isinstance(plan, Plan) else read_plan(plan)
    beside = [option(name) for name, value in asked.items() if value is not None]
    if given is not None and beside:
        raise ArgumentError(
            "--plan",
            "nothing else about the training, because the plan says all of it",
            ", ".join(beside),
            "Change it in the plan.",
        )
    # Said before the data is read, which can take minutes.
    if name is not None:
        check_name(name, runs)
    prepared = prepare(
        dataset,
        recipe,
        given,
        began,
        listener,
        masks=masks,
        classes=classes,
        ignore_index=ignore_index,
        threshold=threshold,
        max_pixels=max_pixels,
    )
    dataset, parts, clock = prepared.dataset, prepared.parts, prepared.clock
    with _new_run(name, runs, dataset.name) as run:
        run.update(
            state="training",
            dataset=dataset.name,
            began=_now(),
            source=asdict(prepared.source),
            clock=clock.to_json() if clock else None,
            cores=count_cores(),
            masks=_reading_of_masks(dataset),
        )
        write_text(run.folder / FINGERPRINT, prepared.fingerprint.to_json())
        write_seen(run.folder / SEEN, parts)
        for sentence in read_seen(run.folder / SEEN).findings():
            listener(Said(sentence))
        # With it the best model so far can be used while the training goes on.
        bundle = make_bundle(run, prepared.plan, parts, prepared.fingerprint)
        write_text(run.folder / BUNDLE, bundle.to_json())
        # The last file: where it is, the others are too, and the run can be resumed.
        run.write_plan(prepared.plan.to_toml())
        until = f" until about {clock.end(datetime.now())}" if clock else ""
        how_to_end = "Ctrl-C ends it with the best model so far."
        listener(Said(f"Training into {run.folder}{until}; {how_to_end}"))
        _train(
            run,
            prepared.plan,
            parts,
            prepared.fingerprint,
            prepared.weights_file,
            clock,
            listener,
        )
    return run


def resume(
    run: Run | str | Path,
    dataset: Dataset | None = None,
    *,
    runs: str | Path = RUNS,
    listener: Listener = print_events,
    began: float | None = None,
) -> Run:
    """Goes on with a training that was stopped or killed, from its last completed epoch.

    On the same machine with the same number of threads the curve is that of a training that
    was never stopped. A training that has ended is finished where files are missing.

    Args:
        run: The run, its folder or its name.
        dataset: The dataset, where it was made in Python; otherwise it is read as before.
        runs: Folder that a bare name is looked for in.
        listener: Is told what happens.
        began: Where `time.monotonic` stood when a budget began to run on; now when left out.

    Returns:
        The run.

    Raises:
        RunError: If there is no such run, someone is training it, or the dataset is no longer
            what it was.
        FewmaskError: If a file of the run or the dataset cannot be read or written.
    """
    began = time.monotonic() if began is None else began
    run = run if isinstance(run, Run) else open_run(run, expanded(runs))
    with locked(run):
        remove_unfinished(run.folder)
        plan = Plan.of_run(run)
        facts = run.read_json("run.json")
        if facts["state"] == "finished" and not missing_files(run):
            listener(Said(f"{run.folder} is finished, and nothing is missing from it."))
            return run
        if dataset is None:
            source = Source.from_json(facts["source"], run)
            dataset = source.read(working(listener, "reading the dataset"))
        parts = divide_as_seen(dataset, read_seen(run.folder / SEEN), run.folder)
        if facts.get("masks") != _reading_of_masks(dataset):
            raise RunError(
                run.folder,
                "masks read as when the training began",
                "other classes or another meaning of their values",
                "Restore fewmask.toml and the legend, or train again: fewmask train FOLDER",
            )
        if facts.get("cores") != count_cores():
            listener(Said("Other processor cores than before: the curve may differ a little."))
        fingerprint = _read_fingerprint(run)
        members = members_of(run, plan, parts)
        states = [member.state() for member in members]
        done = sum(state.epoch for state in states)
        planned = sum(member.plan.epochs for member in members)
        listener(Said(f"Going on with {run.folder} after {done} of {counted(planned, 'epoch')}."))
        resumed = {"at": _now(), "after_epoch": done, "versions": versions()}
        run.update(state="training", resumed=[*facts.get("resumed", []), resumed])
        weights_file = _weights_again(run, plan, states)
        clock = _clock_again(facts.get("clock"), states, began)
        _train(run, plan, parts, fingerprint, weights_file, clock, listener)
    return run


@contextmanager
def _new_run(name: str | None, runs: Path, prefix: str) -> Iterator[Run]:
    """Makes the folder of a run, kept for this process; if the block leaves nothing in it to use
    or to go on with, it is gone."""
    run = create_run(name, runs, prefix)
    try:
        # Before it can be resumed, so that nobody else does.
        with locked(run):
            yield run
    except BaseException as error:
        can_go_on = run.has_plan and not isinstance(error, FewmaskError)
        if not can_go_on and not (run.folder / BEST).exists():
            # Its name is free again.
            shutil.rmtree(run.folder, ignore_errors=True)
        raise


def _reading_of_masks(dataset: Dataset) -> dict[str, Any]:
    """Returns what decides the class ids of a mask file, as `run.json` holds it."""
    classes, encoding = dataset.classes, dataset.encoding
    reading = {
        "classes": classes.to_json() if classes else None,
        "encoding": encoding.to_json() if encoding else None,
    }
    read_back: dict[str, Any] = json.loads(json.dumps(reading))
    return read_back


def _read_fingerprint(run: Run) -> Fingerprint:
    try:
        return Fingerprint.from_json(json.dumps(run.read_json(FINGERPRINT)))
    except (TypeError, AttributeError) as error:
        raise RunError(
            run.folder / FINGERPRINT,
            "a fingerprint",
            str(error),
            "Restore the file or train again.",
        ) from error


def _weights_again(run: Run, plan: Plan, states: Sequence[State]) -> Path | None:
    """Finds the weights that a training began with, if one of its networks is still to begin."""
    encoder = plan.model.encoder
    if all(state.epoch for state in states) or encoder is None or plan.model.weights is None:
        return None
    weights_file = find_weights(encoder)
    if weights_file is None:
        raise RunError(
            run.folder,
            f"the pretrained weights of {encoder}, which it began with",
            "neither a copy on this machine nor a network to fetch them from",
            "Resume with a network, or train again with --model unet.",
        )
    return weights_file


def _clock_again(
    values: dict[str, Any] | None, states: Sequence[State], began: float
) -> Clock | None:
    """Goes on counting a budget: what was spent before counts, the pause does not."""
    if values is None:
        return None
    spent = max(values["spent"], *(state.spent for state in states))
    return Clock.from_json({**values, "spent": spent}, began)


def _train(
    run: Run,
    plan: Plan,
    parts: Parts,
    fingerprint: Fingerprint,
    weights_file: Path | None,
    clock: Clock | None,
    listener: Listener,
) -> None:
    """Fits and finishes; what `train` and `resume` share."""
    how_to_go_on = f"Go on with: fewmask train --resume {typed(run.folder)}"
    if run.read_json("run.json")["source"]["path"] is None:
        how_to_go_on = f"Go on with: fewmask.resume({str(run.folder)!r}, dataset)"
    members = members_of(run, plan, parts)
    stopped: KeyboardInterrupt | Diverged | None = None
    try:
        fit_members(members, parts, fingerprint, weights_file, clock, listener)
    except (KeyboardInterrupt, Diverged) as reason:
        stopped = reason
        run.update(state="stopped")
        if not (run.folder / BEST).exists():
            if isinstance(reason, KeyboardInterrupt):
                listener(Said(f"Stopped before the first epoch ended. {how_to_go_on}"))
            raise
        done = counted(sum(member.state().epoch for member in members), "epoch")
        listener(Said(f"Stopped after {done}; finishing with the best model so far."))
    except FewmaskError:
        run.update(state="stopped")
        raise
    gather_paces(run, members)
    try:
        finish(run, plan, parts, fingerprint, listener)
    except FewmaskError:
        run.update(state="stopped")
        raise
    except KeyboardInterrupt:
        run.update(state="stopped")
        listener(Said(f"Stopped before the model was scored. {how_to_go_on}"))
        raise
    states = [member.state() for member in members]
    run.update(
        state="stopped" if stopped else "finished",
        ended=_now(),
        epochs=sum(state.epoch for state in states),
        seconds=round(sum(state.seconds for state in states), 1),
    )
    if isinstance(stopped, Diverged):
        raise stopped
    if stopped is not None:
        listener(Said(how_to_go_on))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
