"""The networks of a training: one, or several that learn from other images each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fewmask.data.parts import Parts, groups_of
from fewmask.data.split import divide, sizes_of_folds
from fewmask.run import BEST, NETWORKS, Run
from fewmask.training.checkpoint import State
from fewmask.training.clock import Clock
from fewmask.training.keeper import LAST
from fewmask.training.plan import Plan


@dataclass(frozen=True)
class Member:
    """One network of a training.

    Samples are counted through the training part and on through the validation part.

    Args:
        run: Where its plan, its curve and its checkpoints lie: the first network's in the run
            itself, the others' each in a folder of the run.
        plan: Its own plan.
        learns_from: The samples that it learns from.
        judged_by: The samples that its epochs are judged by; may be empty.
    """

    run: Run
    plan: Plan
    learns_from: Sequence[int]
    judged_by: Sequence[int]

    @property
    def has_weights(self) -> bool:
        """Whether it has completed an epoch."""
        return (self.run.folder / BEST).exists()

    def state(self) -> State:
        """Loads its state after the last completed epoch; a fresh one before."""
        path = self.run.folder / LAST
        return State.load(path) if path.exists() else State()

    def begin(self) -> None:
        """Makes its folder, with its plan."""
        if not self.run.has_plan:
            self.run.write_plan(self.plan.to_toml())


def members_of(run: Run, plan: Plan, parts: Parts) -> list[Member]:
    """Says which networks a plan trains, and from what.

    One network learns from the training part and is judged by the validation part. Several leave
    out another fold of the training part each, and are judged by it: together they have
    predicted every training image without having learnt from it. The validation part is left
    for what is decided about all of them.

    Args:
        run: The run.
        plan: Its plan.
        parts: Which samples are which part.
    """
    images = len(parts.train)
    if plan.networks == 1:
        held_out = 0 if parts.validation is None else len(parts.validation)
        return [Member(run, plan, range(images), range(images, images + held_out))]
    groups = groups_of(parts.train, range(images))
    folds = divide(sizes_of_folds(images, plan.networks), groups, seed=plan.seed)
    members = []
    for number, fold in enumerate(folds):
        left_out = set(fold)
        others = [index for index in range(images) if index not in left_out]
        of_one, plan_of_one = run, plan
        if number:
            of_one = Run(run.folder / NETWORKS / str(number + 1))
            plan_of_one = _plan_of(of_one.folder, plan, number)
        members.append(Member(of_one, plan_of_one, others, fold))
    return members


def _plan_of(folder: Path, plan: Plan, number: int) -> Plan:
    """Returns the plan of a later network: as far as it has come, or else as it was meant."""
    run = Run(folder)
    if run.has_plan:
        return Plan.of_run(run)
    pace = plan.later_paces[number - 1]
    return replace(plan, pace=pace, later_paces=(), seed=plan.seed + number)


def share_out(clock: Clock | None, members_left: int) -> Clock | None:
    """Returns the clock of the next network, which leaves equal shares to those after it.

    Args:
        clock: The budget, if there is one.
        members_left: Networks that are not trained yet, the next one included.
    """
    if clock is None:
        return None
    of_others = max(0.0, clock.left) * (members_left - 1) / members_left
    return replace(clock, others=of_others)


def gather_paces(run: Run, members: Sequence[Member]) -> None:
    """Writes into the plan of the run at which pace each network was trained in the end.

    Args:
        run: The run.
        members: Its networks.
    """
    plan = Plan.of_run(run)
    paces = [
        Plan.of_run(member.run).pace if member.run.has_plan else member.plan.pace
        for member in members[1:]
    ]
    if tuple(paces) != plan.later_paces:
        run.write_plan(replace(plan, later_paces=tuple(paces)).to_toml())
