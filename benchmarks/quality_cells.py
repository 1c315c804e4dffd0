"""What is measured: tools, and blocks of cells in the order that tells most soonest."""

import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

PEERS = Path(__file__).with_name("peers")
ROOT = Path(__file__).parents[1]
OURS, OURS_SCRATCH = "ours", "ours-scratch"
CELL = ("dataset", "tool", "minutes", "seed")
"""The columns of the file of scores that say what was measured."""
KEY = (*CELL, "machine")
"""The columns that tell one line of it from the others: the same minutes hold more on a faster
machine, so that tools are compared on one."""
MINUTES = (1, 3, 10)
SEEDS = (0, 1)


class Tool(NamedTuple):
    """One tool, in one of its ways.

    Args:
        title: What the tables call it.
        script: Its file below `peers/`.
        environment: The environment that it has for itself, `.venv-…`; None for that of fewmask.
        scratch: Whether it is told to begin at random, though it could begin pretrained.
        compared: Which of our ways it is compared with.
    """

    title: str
    script: str
    environment: str | None = None
    scratch: bool = False
    compared: tuple[str, ...] = (OURS, OURS_SCRATCH)

    @property
    def python(self) -> str:
        """The Python that runs it."""
        if self.environment is None:
            return sys.executable
        return str(ROOT / self.environment / "bin" / "python")


TOOLS = {
    OURS: Tool("fewmask", "ours.py", compared=()),
    OURS_SCRATCH: Tool("fewmask, from scratch", "ours.py", scratch=True, compared=()),
    "smp": Tool("SMP", "smp_unet.py", ".venv-smp", compared=(OURS,)),
    "smp-scratch": Tool(
        "SMP, from scratch", "smp_unet.py", ".venv-smp", scratch=True, compared=(OURS_SCRATCH,)
    ),
    "2017": Tool("2017", "story_2017.py"),
    "forest": Tool("forest", "forest.py", ".venv-forest"),
    "nnunet": Tool("nnU-Net", "nnunet.py", ".venv-nnunet"),
    "medicai": Tool("medicai", "medicai_unet.py", ".venv-medicai"),
    "keras": Tool("keras.io", "keras_pets.py"),
}


class Cell(NamedTuple):
    """One training: a tool on a dataset, for so many minutes, with a seed."""

    dataset: str
    tool: str
    minutes: float
    seed: int

    @property
    def key(self) -> tuple[str, ...]:
        """Its texts in the columns `CELL`."""
        return (self.dataset, self.tool, f"{self.minutes:g}", str(self.seed))

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.dataset.replace('/', '-')}-{self.tool}-{self.minutes:g}min-seed{self.seed}"


PRETRAINED = (OURS, "smp")
SCRATCH = (OURS_SCRATCH, "smp-scratch")
OLDER = ("forest", "2017")
MORE = ("keras", "medicai", "nnunet")
TUNED = ("chairs97", "dsb2018_nuclei", "dubai_aerial")
OTHERS = ("isbi_em", "furniture6", "demo/chairs")
UNSEEN = ("camvid", "cracks", "rail", "cats", "weeds", "tiles", "vessels")
"""Nothing was tuned on these before they were measured."""


def block(*groups: tuple[Sequence[str], Sequence[str], Sequence[float]]) -> tuple[Cell, ...]:
    """Puts the cells of all groups in order: seed by seed, and in a seed group by group.

    Args:
        groups: Datasets, tools, minutes; in a group, all tools on one dataset come first.
    """
    return tuple(
        Cell(dataset, tool, minutes, seed)
        for seed in SEEDS
        for datasets, tools, all_minutes in groups
        for minutes, dataset, tool in product(all_minutes, datasets, tools)
    )


BLOCKS = {
    "first": block((TUNED, PRETRAINED, [3]), (["chairs97"], PRETRAINED, [10]), (TUNED, OLDER, [3])),
    "scratch": block((TUNED, SCRATCH, [3]), (["chairs97"], SCRATCH, [10])),
    "more": block((TUNED, MORE, [3])),
    "others": block((OTHERS, (*PRETRAINED, *OLDER), [3])),
    "one": block((TUNED, (*PRETRAINED, *OLDER), [1])),
    "ten": block((TUNED[1:], PRETRAINED, [10])),
    "unseen": block((UNSEEN, (*PRETRAINED, "forest"), [3])),
    "rest": block(((*TUNED, *OTHERS), tuple(TOOLS), MINUTES)),
}


def cells_of(
    blocks: Sequence[str], tools: Sequence[str], datasets: Sequence[str]
) -> Iterator[Cell]:
    """Yields each cell of the blocks once, of these tools and datasets alone."""
    cells = dict.fromkeys(cell for name in blocks for cell in BLOCKS[name])
    return (cell for cell in cells if cell.tool in tools and cell.dataset in datasets)
