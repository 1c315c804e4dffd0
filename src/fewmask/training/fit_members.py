"""Fits each network of a training, all from one set of copies of the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fewmask.data.copies import Copies
from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import Fingerprint
from fewmask.data.frame_copies import make_copies
from fewmask.data.parts import Parts
from fewmask.data.patch_copies import make_patch_copies
from fewmask.data.wording import counted
from fewmask.errors import ModelError
from fewmask.models.backend import says_out_of_memory
from fewmask.training.checkpoint import State
from fewmask.training.clock import Clock
from fewmask.training.events import Listener, Said, working
from fewmask.training.fit import fit
from fewmask.training.members import Member, share_out
from fewmask.training.plan import Plan

COPIES = "copies"
"""Folder in the run for the decoded copies; it is gone when training ends."""


def fit_members(
    members: Sequence[Member],
    parts: Parts,
    fingerprint: Fingerprint,
    weights_file: Path | None,
    clock: Clock | None,
    listener: Listener,
) -> None:
    """Makes the copies, fits each network, and leaves nothing of the copies behind.

    Networks that have come to their end before are left as they are.

    Args:
        members: The networks, in the order in which they are trained.
        parts: Which samples are which part.
        fingerprint: What was measured of the training part.
        weights_file: Pretrained weights of the encoder, for a network that begins.
        clock: The budget, if there is one.
        listener: Is told what happens.

    Raises:
        Diverged: If a loss stops being a number.
        ModelError: If the memory does not suffice.
    """
    if all(_has_ended(member.plan, member.state()) for member in members):
        return
    run, plan = members[0].run, members[0].plan
    train, validation = parts.train, parts.validation
    # The test part is not even opened.
    rows = [*train.rows, *(validation.rows if validation is not None else [])]
    learnt_from = replace(train, rows=rows)
    progress = working(listener, "making copies of the images")
    waited = []
    try:
        with _copy(plan, learnt_from, run.folder / COPIES, fingerprint, progress) as copies:
            for sentence in copies.findings:
                listener(Said(sentence))
            for number, member in enumerate(members):
                state = member.state()
                if _has_ended(member.plan, state):
                    continue
                if len(members) > 1:
                    listener(Said(_in_a_sentence(number, members)))
                member.begin()
                share = fit(
                    member.plan,
                    copies,
                    member.learns_from,
                    member.judged_by,
                    parts.classes,
                    member.run,
                    state,
                    weights_file,
                    listener,
                    share_out(clock, len(members) - number),
                )
                waited.append(share)
            mean = sum(waited) / len(waited)
            listener(Said(f"Waiting for data took {mean:.1%} of the training."))
    except Exception as error:
        if not says_out_of_memory(error):
            raise
        fewer = f"--batch-size {plan.batch_size // 2} or " if plan.batch_size > 1 else ""
        raise ModelError(
            "memory",
            f"room for a step with {counted(plan.batch_size, 'image')} of {plan.size} pixels",
            "not enough",
            f"Train again with {fewer}a smaller --size.",
        ) from error
    finally:
        with suppress(OSError):
            (run.folder / COPIES).rmdir()


def _has_ended(plan: Plan, state: State) -> bool:
    return state.epoch >= plan.epochs or state.ended_early


def _in_a_sentence(number: int, members: Sequence[Member]) -> str:
    member = members[number]
    return (
        f"Network {number + 1} of {len(members)}: learns from "
        f"{counted(len(member.learns_from), 'image')}, judged by the other {len(member.judged_by)}."
    )


def _copy(
    plan: Plan,
    dataset: Dataset,
    folder: Path,
    fingerprint: Fingerprint,
    progress: Callable[[int, int], None],
) -> Copies:
    """Makes copies with up to twice the pixels a side that training sees."""
    channels, value_range = fingerprint.num_channels, fingerprint.value_range
    if plan.pixels is None:
        return make_copies(dataset, folder, 2 * plan.size, channels, value_range, progress=progress)
    scale = plan.pixels.scale
    return make_patch_copies(dataset, folder, scale, channels, value_range, progress=progress)
